"""Who is told that something is to be installed: the technical contacts of the end user who is asked (C48)."""

from collections.abc import Iterable, Sequence

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from accounts.roles import Role
from contracts.kinds import InstallState
from contracts.models import InstallTask
from notifications import outbox
from notifications.kinds import Kind, Pair, Queue

INSTALL_TASK = "install_task"


def tell_technical_contacts(tasks: Iterable[InstallTask]) -> None:
    """One message a person and task, in the transaction that writes the tasks."""
    tasks = list(tasks)
    people: dict[int, list[Membership]] = {}
    asked = [task.organisation_id for task in tasks]
    contacts = Membership.objects.active().filter(
        organisation__in=asked, roles__contains=[Role.TECHNICAL_CONTACT.value]
    )
    for person in contacts.order_by("pk"):
        people.setdefault(person.organisation_id, []).append(person)
    for task in tasks:
        outbox.enqueue(
            kind=INSTALL_TASK,
            recipients=people.get(task.organisation_id, []),
            subject=f"{INSTALL_TASK}:{task.pk}",
            path=reverse("install_task", args=[task.pk]),
            context={
                "software": task.software.name,
                "release": task.release.version,
                "release_kind": task.release.kind,
                "due_on": task.due_on,
                "text": task.instruction,
            },
            dedupe=f"{INSTALL_TASK}:{task.pk}",
            now=task.created_at,
        )


def may_be_told(pairs: Sequence[Pair]) -> set[Pair]:
    """Asked before sending: still a technical contact of the organisation asked, and the task still open."""
    wanted = {subject for _membership, subject in pairs if subject.startswith(f"{INSTALL_TASK}:")}
    ids = [int(subject.removeprefix(f"{INSTALL_TASK}:")) for subject in wanted]
    tasks = InstallTask.objects.filter(pk__in=ids, state=InstallState.OPEN)
    asked = {
        f"{INSTALL_TASK}:{pk}": organisation for pk, organisation in tasks.values_list("pk", "organisation")
    }
    contacts = dict(
        Membership.objects.active()
        .filter(pk__in=[person for person, _subject in pairs], roles__contains=[Role.TECHNICAL_CONTACT.value])
        .values_list("pk", "organisation")
    )
    return {
        (person, subject)
        for person, subject in pairs
        if subject in asked and contacts.get(person) == asked[subject]
    }


KIND = Kind(
    name=INSTALL_TASK,
    label=_("A patch or update is to be installed"),
    queue=Queue.NOTICES,
    urgency=7,
    may_tell=may_be_told,
)
