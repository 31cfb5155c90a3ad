"""Reminders before a contract ends: whom, when by the calendar of the end user, and never twice (C17)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Membership, Organisation, User
from accounts.roles import Role
from contracts import reminders
from contracts.kinds import Channel, ContractState
from contracts.models import ReminderRule, ServiceContract
from contracts.reminders import may_be_told, remind, rule_for
from contracts.terms import instants
from notifications import jobs
from notifications.kinds import Channel as By
from notifications.models import Delivery, Message
from notifications.rendering import inbox_line, mail_of
from tests import factories

SHIPPED = {90, 60, 30, 7}
ENDS = date(2027, 4, 1)


@pytest.fixture
def contract(acme: Organisation, meridian: Organisation, paula: User, ada: User) -> ServiceContract:
    """Acme's, through Meridian: the last covered day is 31 March 2027 in Los Angeles."""
    return _contract(acme, meridian, paula, ada)


def _contract(
    acme: Organisation, meridian: Organisation, paula: User, ada: User, name: str = "PathKeeper"
) -> ServiceContract:
    starts_at, ends_at = instants(date(2026, 4, 1), ENDS, ZoneInfo(acme.time_zone))
    made: ServiceContract = factories.ContractFactory.make(
        end_user=acme,
        software=factories.SoftwareFactory.make(name=name),
        zone=acme.time_zone,
        starts_at=starts_at,
        ends_at=ends_at,
        ends_on=ENDS,
        registered_by=paula.acting,
        decided_by=ada.acting,
        channel=Channel.RESELLER,
        partner=meridian,
        purchase_order="PO-1",
        po_end_user_name=acme.name,
        po_end_user_address=acme.address,
    )
    return made


def _noon(days_before: int, zone: str = "America/Los_Angeles") -> datetime:
    """Noon where the end user is, so many days before the end."""
    day = ENDS - timedelta(days=days_before)
    return datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _told() -> set[tuple[str, int]]:
    return {(m.recipient.user.name, m.context["days_left"]) for m in Message.objects.all() if m.recipient}


@pytest.mark.django_db
@pytest.mark.clause("C17")
def test_the_portal_ships_with_reminders_90_60_30_and_7_days_before() -> None:
    assert set(ReminderRule.objects.values_list("days_before", flat=True)) == SHIPPED


@pytest.mark.clause("C17")
@pytest.mark.parametrize(
    ("left", "rule"),
    [
        (365, None), (91, None), (90, 90), (89, 90), (61, 90), (60, 60), (59, 60), (31, 60), (30, 30),
        (8, 30), (7, 7), (6, 7), (1, 7), (0, None), (-1, None),
    ],
)  # fmt: skip
def test_the_smallest_rule_that_reaches_so_far_applies(left: int, rule: int | None) -> None:
    assert rule_for(left, SHIPPED) == rule


def test_without_rules_nobody_is_reminded() -> None:
    assert rule_for(5, set()) is None


@pytest.mark.clause("C17")
def test_91_days_before_nobody_hears_and_at_90_the_account_manager_and_the_reseller_do(
    contract: ServiceContract, alice: User, anna: User, remy: User
) -> None:
    assert remind(_noon(91)) == {"reminded": 0}
    assert remind(_noon(90)) == {"reminded": 2}
    assert _told() == {("Alice Brandt", 90), ("Remy Laurent", 90)}


def test_a_reminder_is_told_once_whatever_the_hour_and_again_under_the_next_rule(
    contract: ServiceContract, alice: User, remy: User
) -> None:
    for days in (90, 89, 61):
        remind(_noon(days))
    assert Message.objects.count() == 2
    assert remind(_noon(60)) == {"reminded": 2}
    assert remind(_noon(60) + timedelta(hours=1)) == {"reminded": 0}
    assert _told() == {("Alice Brandt", 90), ("Remy Laurent", 90), ("Alice Brandt", 60), ("Remy Laurent", 60)}


@pytest.mark.clause("C17")
def test_a_late_start_sends_the_nearest_reminder_only_and_no_backlog(
    contract: ServiceContract, alice: User, remy: User
) -> None:
    assert remind(_noon(5)) == {"reminded": 2}
    assert _told() == {("Alice Brandt", 5), ("Remy Laurent", 5)}
    assert remind(_noon(4)) == {"reminded": 0}


def test_who_becomes_an_account_manager_later_is_told_too_and_the_others_not_again(
    contract: ServiceContract, acme: Organisation, alice: User, remy: User
) -> None:
    remind(_noon(90))
    factories.person("ann@acme.example", "Ann Late", acme, Role.ACCOUNT_MANAGER)
    assert remind(_noon(80)) == {"reminded": 1}
    assert ("Ann Late", 80) in _told()


@pytest.mark.parametrize(
    ("zone", "before", "at"),
    [
        # 90 days before 1 April 2027 is New Year's Day, which begins in Seoul nine hours before UTC's
        (
            "Asia/Seoul",
            datetime(2026, 12, 31, 14, 59, 59, tzinfo=UTC),
            datetime(2026, 12, 31, 15, 0, tzinfo=UTC),
        ),
        (
            "America/Los_Angeles",
            datetime(2027, 1, 1, 7, 59, 59, tzinfo=UTC),
            datetime(2027, 1, 1, 8, 0, tzinfo=UTC),
        ),
        ("UTC", datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2027, 1, 1, 0, 0, tzinfo=UTC)),
        (
            "Pacific/Kiritimati",
            datetime(2026, 12, 31, 9, 59, 59, tzinfo=UTC),
            datetime(2026, 12, 31, 10, tzinfo=UTC),
        ),
    ],
)
def test_days_are_those_of_the_end_users_calendar(
    zone: str, before: datetime, at: datetime, contract: ServiceContract, alice: User, remy: User
) -> None:
    starts_at, ends_at = instants(contract.starts_on, contract.ends_on, ZoneInfo(zone))
    ServiceContract.objects.filter(pk=contract.pk).update(zone=zone, starts_at=starts_at, ends_at=ends_at)
    assert remind(before) == {"reminded": 0}
    assert remind(at) == {"reminded": 2}


def test_a_change_of_the_clocks_between_moves_no_reminder(
    contract: ServiceContract, alice: User, remy: User
) -> None:
    """Los Angeles has summer time from 14 March 2027: 30 days before the end is still at UTC-8, 7 at UTC-7."""
    assert remind(datetime(2027, 3, 2, 7, 59, tzinfo=UTC))["reminded"] == 2  # 31 days: the rule of 60, late
    assert remind(datetime(2027, 3, 2, 8, 0, tzinfo=UTC))["reminded"] == 2
    assert remind(datetime(2027, 3, 25, 6, 59, tzinfo=UTC))["reminded"] == 0
    assert remind(datetime(2027, 3, 25, 7, 0, tzinfo=UTC))["reminded"] == 2


def test_on_the_last_day_the_last_reminder_still_goes_out_and_after_the_end_none(
    contract: ServiceContract, alice: User, remy: User
) -> None:
    assert contract.ends_at is not None
    assert remind(contract.ends_at) == {"reminded": 0}
    assert remind(contract.ends_at - timedelta(seconds=1)) == {"reminded": 2}
    assert _told() == {("Alice Brandt", 1), ("Remy Laurent", 1)}


@pytest.mark.clause("C17")
@pytest.mark.parametrize(
    ("state", "linked", "reminded"),
    [
        (ContractState.WAITING, True, 0),
        (ContractState.APPROVED, True, 0),
        (ContractState.WAITING, False, 0),
        (ContractState.REFUSED, True, 2),
        (ContractState.REFUSED, False, 2),
    ],
)
def test_a_renewal_that_waits_or_is_approved_ends_the_reminders_and_a_refused_one_does_not(
    state: str,
    linked: bool,
    reminded: int,
    contract: ServiceContract,
    alice: User,
    remy: User,
    ada: User,
    abel: User,
) -> None:
    factories.ContractFactory.make(
        end_user=contract.end_user,
        software=contract.software,
        starts_on=ENDS,
        ends_on=date(2028, 4, 1),
        state=state,
        refusal_reason="No order" if state == ContractState.REFUSED else "",
        renews=contract if linked else None,
        registered_by=ada.acting,
        decided_by=None if state == ContractState.WAITING else abel.acting,
    )
    assert remind(_noon(30)) == {"reminded": reminded}


@pytest.mark.parametrize("state", [ContractState.WAITING, ContractState.TERMINATED])
def test_only_an_approved_contract_is_brought_to_mind(
    state: str, contract: ServiceContract, alice: User, remy: User
) -> None:
    changes: dict[str, object] = {"state": state}
    if state == ContractState.TERMINATED:
        changes |= {"terminated_at": _noon(40), "termination_reason": "Replaced"}
    ServiceContract.objects.filter(pk=contract.pk).update(**changes)
    assert remind(_noon(30)) == {"reminded": 0}


def test_people_who_left_and_other_partners_are_not_told(
    contract: ServiceContract, alice: User, remy: User, mallory: User
) -> None:
    factories.person(
        "dana@pacific.example", "Dana", factories.OrganisationFactory.make(kind="distributor"), Role.PARTNER
    )
    Membership.objects.filter(user=remy).update(ended_at=factories.NOW)
    remind(_noon(30))
    assert _told() == {("Alice Brandt", 30)}


def test_a_renewal_or_a_departure_between_writing_and_sending_stops_it(
    contract: ServiceContract, alice: User, remy: User, ada: User
) -> None:
    remind(_noon(30))
    pairs = [(m.recipient_id, m.subject) for m in Message.objects.all() if m.recipient_id]
    assert may_be_told(pairs) == set(pairs)
    Membership.objects.filter(user=remy).update(roles=[Role.ACCOUNT_MANAGER.value])
    assert {pk for pk, _subject in may_be_told(pairs)} == {alice.acting.pk}  # type: ignore[union-attr]
    factories.ContractFactory.make(
        end_user=contract.end_user, software=contract.software, starts_on=ENDS, ends_on=date(2028, 4, 1),
        state=ContractState.WAITING, renews=contract, registered_by=ada.acting, decided_by=None,
    )  # fmt: skip
    assert may_be_told(pairs) == set()
    assert may_be_told([(alice.acting.pk, "contract:CS-1999-0001"), (alice.acting.pk, "nonsense")]) == set()  # type: ignore[union-attr]


def test_the_mail_names_contract_days_and_last_day_in_the_readers_language(
    contract: ServiceContract, alice: User, remy: User
) -> None:
    remind(_noon(7))
    delivery = Delivery.objects.select_related("message__recipient__user").get(
        channel=By.MAIL, recipient=alice.acting
    )
    mail = mail_of(delivery)
    line = f"Contract {contract.number} for PathKeeper of Acme Telecom ends in 7 days"
    assert mail.subject == line == inbox_line(delivery.message)
    assert "31 March 2027" in mail.body
    assert f"/contracts/{contract.number}/" in mail.body


def test_one_day_is_one_day(contract: ServiceContract, alice: User, remy: User) -> None:
    assert contract.ends_at is not None
    remind(contract.ends_at - timedelta(hours=2))
    assert inbox_line(Message.objects.all()[0]).endswith("ends in 1 day")


def test_the_engine_runs_it_every_hour() -> None:
    assert "contracts.reminders" in jobs.registered()
    assert timedelta(hours=1) == reminders.EVERY


@pytest.mark.django_db
def test_many_contracts_cost_no_more_queries_than_one(
    contract: ServiceContract, acme: Organisation, meridian: Organisation, paula: User, ada: User, alice: User,
    remy: User, django_assert_num_queries: object,
) -> None:  # fmt: skip
    for number in range(5):
        _contract(acme, meridian, paula, ada, name=f"Software {number}")
    remind(_noon(30))
    with django_assert_num_queries(4):  # type: ignore[operator]
        assert remind(_noon(29)) == {"reminded": 0}


@pytest.mark.django_db
@pytest.mark.parametrize("days", [0, 366])
def test_the_database_refuses_a_reminder_that_is_no_reminder(days: int) -> None:
    with pytest.raises(IntegrityError, match="contracts_reminderrule_is_within_a_year"), transaction.atomic():
        ReminderRule.objects.create(days_before=days)


@pytest.mark.django_db
def test_the_database_refuses_the_same_reminder_twice() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ReminderRule.objects.create(days_before=90)
