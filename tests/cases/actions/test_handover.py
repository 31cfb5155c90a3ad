"""What becomes of the cases of somebody who leaves."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.actions import end_membership
from accounts.models import Membership, User
from cases import actions
from cases.models import Case, CaseEvent, Watcher
from cases.workflow import EventKind
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Open = Callable[..., Case]
LATER = NOW + timedelta(hours=1)


def leave(user: User, by: User, successor: User | None = None) -> None:
    assert user.acting is not None
    end_membership(
        membership=user.acting,
        successor=successor.acting if successor else None,
        reason="left",
        by=by,
        now=LATER,
    )


@pytest.mark.clause("C52")
def test_the_cases_of_a_leaving_contact_go_to_the_named_colleague(
    open_case: Open, alice: User, anna: User, ada: User
) -> None:
    case = open_case(by=anna, watchers=[alice.acting])
    leave(anna, by=ada, successor=alice)
    case.refresh_from_db(fields=["contact", "version", "updated_at", "opened_by"])
    assert (case.contact, case.opened_by, case.version, case.updated_at) == (
        alice.acting,
        anna.acting,
        2,
        LATER,
    )
    event = CaseEvent.objects.get(kind=EventKind.OWNER_LEFT)
    assert event.detail == {"what": "contact", "leaver": "Anna Okafor", "heir": "Alice Brandt"}


def test_with_nobody_named_they_go_to_a_technical_contact(
    open_case: Open, alice: User, anna: User, ada: User
) -> None:
    case = open_case(by=anna)
    leave(anna, by=ada)
    assert Case.objects.get(pk=case.pk).contact == alice.acting


def test_a_closed_restricted_case_stays_readable_for_somebody(
    open_case: Open, alice: User, anna: User, ada: User, lena: User
) -> None:
    case = open_case(by=anna, is_restricted=True)
    actions.close_case(case=case, resolution="Gone", by=lena, now=NOW)
    leave(anna, by=ada)
    assert Case.objects.visible_to(alice).get() == case
    assert Case.objects.get().updated_at == NOW


def test_the_cases_of_a_leaving_engineer_go_to_the_successor_or_to_the_queue(
    open_case: Open, sam: User, sofia: User, ada: User, lena: User
) -> None:
    cases = [actions.take_case(case=open_case(), by=sam, now=NOW) for _ in range(2)]
    closed = actions.close_case(case=cases[1], resolution="Gone", by=lena, now=NOW)
    leave(sam, by=ada, successor=sofia)
    assert Case.objects.get(pk=cases[0].pk).owner == sofia.acting
    assert Case.objects.get(pk=closed.pk).owner == sam.acting
    leave(sofia, by=ada)
    assert Case.objects.get(pk=cases[0].pk).owner is None


def test_nobody_who_left_is_kept_informed(open_case: Open, alice: User, anna: User, ada: User) -> None:
    open_case(watchers=[anna.acting])
    leave(anna, by=ada)
    assert not Watcher.objects.exists()


def test_every_key_to_a_person_on_a_case_is_handed_over_or_history() -> None:
    """A new column that points at memberships has to be put into one of the two."""
    handed_over = {"Case.owner", "Case.contact", "Watcher.membership"}
    history = {"Case.opened_by", "Case.backup_confirmed_by", "CaseEvent.by", "Rung.acknowledged_by"}
    found = {
        f"{relation.related_model.__name__}.{relation.field.name}"
        for relation in Membership._meta.related_objects
        if relation.related_model._meta.app_label == "cases"
    }
    found |= {
        f"{model.__name__}.{field.name}"
        for model in Case._meta.apps.get_app_config("cases").get_models()
        for field in model._meta.fields
        if field.related_model is Membership
    }
    assert found == handed_over | history
