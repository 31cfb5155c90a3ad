"""Install tasks, acceptance by installing, licences, and what stands behind them, on real PostgreSQL."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import AuditEntry, Membership, Organisation, User
from accounts.roles import Role
from contracts import actions, errors, install_notices
from contracts.kinds import AcceptedBy, InstallState, ReleaseKind
from contracts.models import Acceptance, GoverningDocument, InstallTask, LicenceAcceptance, Release
from notifications.models import Message
from tests import factories
from tests.conftest import World
from tests.factories import NOW

DUE = date(2026, 12, 1)


@pytest.fixture
def patch(world: World, paula: User) -> Release:
    row = factories.ReleaseFactory.make(
        line=world.line,
        version="21.4R3-S5.1",
        kind=ReleaseKind.PATCH,
        fixes=factories.DefectFactory.make(software=world.software),
        published_at=NOW - timedelta(days=2),
        published_by=paula.acting,
    )
    row.applies_to.add(world.release)
    return row


def _ask(patch: Release, acme: Organisation, by: User, **changes: Any) -> list[InstallTask]:
    values: dict[str, Any] = {
        "organisations": [acme],
        "instruction": "Stop, unpack, start.",
        "due_on": DUE,
        "now": NOW,
    }
    return actions.ask_to_install(release=patch, by=by, **{**values, **changes})


@pytest.mark.clause("C48")
def test_installing_as_asked_moves_the_accepted_release_of_the_line(
    patch: Release, acme: Organisation, sam: User, alice: User, anna: User, world: World
) -> None:
    (task,) = _ask(patch, acme, sam)
    for by in (anna, sam):
        with pytest.raises(errors.NotAllowed):
            actions.finish_install_task(task=task, done_on=NOW.date(), by=by, now=NOW)
    done = actions.finish_install_task(
        task=task, done_on=date(2026, 11, 21), note="Both nodes", by=alice, now=NOW
    )
    assert (done.state, done.done_on, done.closed_by) == (InstallState.DONE, date(2026, 11, 21), alice.acting)
    current = Acceptance.objects.current().get(organisation=acme)
    assert (current.release, current.means, current.accepted_by) == (
        patch,
        AcceptedBy.INSTALLATION,
        alice.acting,
    )
    assert Acceptance.objects.get(organisation=acme, release=world.release).superseded_at == NOW
    with pytest.raises(errors.WrongState):
        actions.finish_install_task(task=task, done_on=NOW.date(), by=alice, now=NOW)


@pytest.mark.clause("C48")
def test_technical_contacts_of_the_end_user_are_told_and_nobody_else(
    patch: Release, acme: Organisation, sam: User, alice: User, anna: User, mallory: User
) -> None:
    (task,) = _ask(patch, acme, sam)
    message = Message.objects.get(kind="install_task")
    assert (message.recipient, message.path) == (alice.acting, f"/install-tasks/{task.pk}/")
    assert message.context["due_on"] == "2026-12-01"


@pytest.mark.attack("notification to somebody who may no longer see the case")
def test_who_left_or_changed_role_or_was_asked_no_more_is_not_told(
    patch: Release, acme: Organisation, sam: User, alice: User, anna: User, mallory: User
) -> None:
    (task,) = _ask(patch, acme, sam)
    subject = f"install_task:{task.pk}"
    assert alice.acting and anna.acting and mallory.acting  # noqa: PT018
    pairs = [(who.acting.pk, subject) for who in (alice, anna, mallory) if who.acting]
    told = {(alice.acting.pk, subject)}
    assert install_notices.may_be_told([*pairs, (alice.acting.pk, "install_task:999999999")]) == told
    Membership.objects.filter(pk=alice.acting.pk).update(roles=[Role.CONTACT.value])
    assert install_notices.may_be_told(pairs) == set()
    Membership.objects.filter(pk=alice.acting.pk).update(roles=[Role.TECHNICAL_CONTACT.value])
    actions.cancel_install_task(task=task, reason="Wrong release.", by=sam, now=NOW)
    assert install_notices.may_be_told(pairs) == set()


def test_who_has_it_or_was_asked_is_passed_over(
    patch: Release, acme: Organisation, rival: Organisation, sam: User, alice: User
) -> None:
    assert len(_ask(patch, acme, sam)) == 1
    assert [task.organisation for task in _ask(patch, acme, sam, organisations=[acme, rival])] == [rival]
    InstallTask.objects.all().delete()
    actions.accept_release(release=patch, by=alice, now=NOW)
    assert _ask(patch, acme, sam) == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"due_on": date(2026, 11, 21)}, errors.TaskImpossible),
        ({"instruction": "  "}, errors.ReasonNeeded),
    ],
)
def test_a_task_has_a_day_to_come_and_an_instruction(
    changes: dict[str, Any], error: type[Exception], patch: Release, acme: Organisation, sam: User
) -> None:
    with pytest.raises(error):
        _ask(patch, acme, sam, **changes)
    assert not InstallTask.objects.exists()


@pytest.mark.parametrize(
    ("zone", "now", "is_over"),
    [
        ("Asia/Seoul", datetime(2026, 12, 1, 14, 59, tzinfo=UTC), False),
        ("Asia/Seoul", datetime(2026, 12, 1, 15, 0, tzinfo=UTC), True),
        ("America/Los_Angeles", datetime(2026, 12, 2, 7, 59, tzinfo=UTC), False),
        ("America/Los_Angeles", datetime(2026, 12, 2, 8, 0, tzinfo=UTC), True),
    ],
)
def test_the_day_is_one_where_the_end_user_is(
    zone: str, now: datetime, is_over: bool, patch: Release, acme: Organisation, sam: User
) -> None:
    acme.time_zone = zone
    acme.save()
    if is_over:
        with pytest.raises(errors.TaskImpossible):
            _ask(patch, acme, sam, now=now)
    else:
        assert _ask(patch, acme, sam, now=now)


def test_only_staff_ask_and_only_for_a_published_patch_or_update_of_their_software(
    patch: Release, world: World, acme: Organisation, hanbit: Organisation, sam: User, alice: User, ada: User
) -> None:
    for by in (alice, ada):
        with pytest.raises(errors.NotAllowed):
            _ask(patch, acme, by)
    with pytest.raises(errors.WrongState):
        _ask(world.release, acme, sam)
    with pytest.raises(errors.AppliesToAnother):
        _ask(patch, hanbit, sam)


@pytest.mark.parametrize("done_on", [date(2026, 11, 19), date(2026, 11, 23)])
def test_it_was_installed_on_a_day_between_publication_and_today(
    done_on: date, patch: Release, acme: Organisation, sam: User, alice: User
) -> None:
    (task,) = _ask(patch, acme, sam)
    with pytest.raises(errors.DayImpossible):
        actions.finish_install_task(task=task, done_on=done_on, by=alice, now=NOW)
    task.refresh_from_db()
    assert task.state == InstallState.OPEN


def test_another_end_user_cannot_finish_a_task(
    patch: Release, acme: Organisation, sam: User, mallory: User
) -> None:
    (task,) = _ask(patch, acme, sam)
    with pytest.raises(errors.NotAllowed):
        actions.finish_install_task(task=task, done_on=NOW.date(), by=mallory, now=NOW)


def test_a_task_is_taken_back_with_a_reason_and_by_staff(
    patch: Release, acme: Organisation, sam: User, alice: User
) -> None:
    (task,) = _ask(patch, acme, sam)
    with pytest.raises(errors.NotAllowed):
        actions.cancel_install_task(task=task, reason="No.", by=alice, now=NOW)
    with pytest.raises(errors.ReasonNeeded):
        actions.cancel_install_task(task=task, reason=" ", by=sam, now=NOW)
    gone = actions.cancel_install_task(task=task, reason="Wrong release.", by=sam, now=NOW)
    assert (gone.state, gone.closing_note) == (InstallState.CANCELLED, "Wrong release.")


def test_withdrawing_a_release_takes_its_open_tasks_back(
    patch: Release, acme: Organisation, sam: User, paula: User, alice: User
) -> None:
    (task,) = _ask(patch, acme, sam)
    actions.withdraw_release(release=patch, reason="Leaks.", by=paula, now=NOW)
    task.refresh_from_db()
    assert (task.state, task.closing_note, task.closed_by) == ("cancelled", "Leaks.", paula.acting)


@pytest.mark.attack("two people change the same case at once")
@pytest.mark.django_db(transaction=True)
def test_installed_and_taken_back_at_the_same_moment_one_wins_and_the_other_is_told(
    patch: Release, acme: Organisation, sam: User, alice: User
) -> None:
    (task,) = _ask(patch, acme, sam)
    told: list[Exception] = []
    start = threading.Barrier(2)

    def act(function: Any, **values: Any) -> None:
        start.wait()
        try:
            function(task=task, now=NOW, **values)
        except errors.WrongState as refusal:
            told.append(refusal)
        finally:
            connection.close()

    threads = [
        threading.Thread(
            target=act, args=(actions.finish_install_task,), kwargs={"done_on": NOW.date(), "by": alice}
        ),
        threading.Thread(
            target=act, args=(actions.cancel_install_task,), kwargs={"reason": "Wrong.", "by": sam}
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    task.refresh_from_db()
    assert len(told) == 1
    is_accepted = Acceptance.objects.filter(organisation=acme, release=patch).exists()
    assert is_accepted == (task.state == InstallState.DONE)


# Licences


@pytest.fixture
def licence(db: None) -> GoverningDocument:
    return GoverningDocument.objects.create(
        kind="licence",
        title="Script Software License Agreement",
        version="3",
        in_force_from=date(2026, 11, 22),
    )


@pytest.mark.clause("C5")
def test_anybody_of_an_end_user_accepts_a_licence_once_for_all(
    licence: GoverningDocument, alice: User, anna: User
) -> None:
    first = actions.accept_licence(licence=licence, by=anna, now=NOW)
    again = actions.accept_licence(licence=licence, by=alice, now=NOW + timedelta(days=1))
    assert (again.pk, again.accepted_by, again.accepted_at) == (first.pk, anna.acting, NOW)
    assert AuditEntry.objects.filter(action="licence.accepted").count() == 1


@pytest.mark.parametrize("who", ["sam", "remy", "root", "ended"])
def test_staff_partners_and_strangers_accept_no_licence(
    who: str, licence: GoverningDocument, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(errors.NotAllowed):
        actions.accept_licence(licence=licence, by=request.getfixturevalue(who), now=NOW)
    assert not LicenceAcceptance.objects.exists()


def test_a_licence_is_accepted_from_its_first_day_where_the_end_user_is(
    licence: GoverningDocument, alice: User, minsu: User
) -> None:
    early = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)  # the 22nd in Seoul, the 21st in San Jose
    actions.accept_licence(licence=licence, by=minsu, now=early)
    with pytest.raises(errors.NotAcceptable):
        actions.accept_licence(licence=licence, by=alice, now=early)


def test_a_support_agreement_is_no_licence(licence: GoverningDocument, alice: User) -> None:
    licence.kind = "eusa"
    licence.save()
    with pytest.raises(errors.NotAcceptable):
        actions.accept_licence(licence=licence, by=alice, now=NOW)
