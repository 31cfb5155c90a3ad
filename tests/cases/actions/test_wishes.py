"""A customer asks for escalation."""

from collections.abc import Callable

import pytest

from accounts.models import User
from accounts.roles import Role
from cases import actions
from cases.errors import CaseClosed, NotAChoice, NotAllowed
from cases.models import Case, CaseEvent
from cases.workflow import EventKind
from notifications.models import Message
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
Open = Callable[..., Case]


@pytest.mark.clause("C24")
def test_all_duty_managers_are_alerted_on_duty_or_not_and_the_owner_is_told(
    open_case: Open, alice: User, sam: User, lena: User, omar: User
) -> None:
    assert lena.acting is not None
    second = factories.person("leo@jtac.example", "Leo Park", lena.acting.organisation, Role.DUTY_MANAGER)
    case = actions.take_case(case=open_case(), by=sam, now=NOW)
    event = actions.request_escalation(
        case=case, reason="engineer_now", note="Network down", by=alice, now=NOW
    )
    assert (event.kind, event.detail, event.body) == (
        EventKind.ESCALATION_REQUESTED,
        {"wish": "engineer_now"},
        "Network down",
    )
    alerts = Message.objects.filter(kind="case_escalation")
    assert {alert.recipient for alert in alerts} == {lena.acting, second.acting}
    assert {alert.urgency for alert in alerts} == {1}
    assert Message.objects.get(kind="case_update").recipient == sam.acting


def test_the_wish_is_one_of_those_offered(open_case: Open, alice: User) -> None:
    with pytest.raises(NotAChoice):
        actions.request_escalation(case=open_case(), reason="money back", by=alice, now=NOW)


def test_a_closed_case_is_not_escalated(open_case: Open, alice: User, lena: User) -> None:
    case = actions.close_case(case=open_case(), resolution="Gone", by=lena, now=NOW)
    with pytest.raises(CaseClosed):
        actions.request_escalation(case=case, reason="other", by=alice, now=NOW)


@pytest.mark.parametrize("who", ["mallory", "sam", "aki"])
def test_it_is_the_customers_to_ask(open_case: Open, who: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotAllowed):
        actions.request_escalation(case=open_case(), reason="other", by=request.getfixturevalue(who), now=NOW)
    assert not CaseEvent.objects.filter(kind=EventKind.ESCALATION_REQUESTED).exists()
