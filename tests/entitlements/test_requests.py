"""Exceptions by two administrators, quotes, and what each side sees of them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Organisation, User
from contracts.errors import violated
from entitlements import actions, errors
from entitlements.kinds import Purpose
from entitlements.models import CountryService, DecisionRecord, ExceptionRequest, QuoteRequest, Rate
from entitlements.notices import may_hear_of_request
from entitlements.reasons import Code
from notifications.models import Message
from tests import factories
from tests.conftest import SignIn, World
from tests.factories import NOW

LAST_DAY = date(2026, 12, 31)


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def drifted(world: World, alice: User) -> World:
    factories.DriftFactory.make(
        organisation=world.contract.end_user,
        software=world.software,
        line=world.line,
        release=world.release,
        recorded_by=alice.acting,
    )
    return world


def ask(world: World, by: User, **changes: Any) -> ExceptionRequest:
    values: dict[str, Any] = {
        "software": world.software,
        "release": world.release,
        "codes": ["drift"],
        "reason": "We had to patch it at night.",
    }
    return actions.ask_exception(**{**values, **changes}, by=by, now=NOW)


def grant(request: ExceptionRequest, by: User, **changes: Any) -> ExceptionRequest:
    values: dict[str, Any] = {"last_day": LAST_DAY, "is_chargeable": True, "grounds": "Until the next patch."}
    return actions.grant_exception(request=request, **{**values, **changes}, by=by, now=NOW)


def codes_of(world: World, by: User, at: datetime = NOW) -> list[Code]:
    answer = actions.decide(
        organisation=world.contract.end_user,
        software=world.software,
        release=world.release,
        site_country="US",
        purpose=Purpose.CASE,
        by=by,
        at=at,
    )
    return [reason.code for reason in answer.reasons]


@pytest.mark.clause("C43", "C51")
def test_an_exception_holds_from_the_second_administrator_until_the_end_of_its_last_day(
    drifted: World, alice: User, ada: User, abel: User
) -> None:
    assert codes_of(drifted, alice) == [Code.DRIFT]
    request = grant(ask(drifted, alice), ada)
    assert codes_of(drifted, alice) == [Code.DRIFT]
    request = actions.second_exception(request=request, by=abel, now=NOW)
    assert codes_of(drifted, alice) == []
    end = datetime(2027, 1, 1, 8, tzinfo=UTC)  # midnight in Los Angeles
    assert (request.ends_at, request.last_day) == (end, date(2026, 12, 31))
    assert codes_of(drifted, alice, end - timedelta(microseconds=1)) == []
    assert codes_of(drifted, alice, end) == [Code.DRIFT]
    assert codes_of(drifted, alice, NOW - timedelta(microseconds=1)) == [Code.DRIFT]
    asked, granted = DecisionRecord.objects.filter(purpose=Purpose.EXCEPTION).order_by("pk")
    assert (asked.is_granted, granted.is_granted) == (False, True)
    assert granted.answer["set_aside"] == [{"code": "drift", "exception": str(request.pk)}]
    assert actions.replay(granted).as_record() == granted.answer


def test_everyone_concerned_is_told_and_the_trail_kept(
    drifted: World, alice: User, ada: User, abel: User
) -> None:
    request = grant(ask(drifted, alice), ada)
    actions.second_exception(request=request, by=abel, now=NOW)
    told = Message.objects.filter(subject=request.subject).order_by("pk")
    assert [(message.kind, message.recipient.user.name) for message in told] == [
        ("request_waiting", "Ada Moreau"),
        ("request_waiting", "Abel Tan"),
        ("request_waiting", "Abel Tan"),
        ("request_decided", "Alice Brandt"),
    ]
    pairs = [(message.recipient_id, message.subject) for message in told]
    assert may_hear_of_request(pairs) == set(pairs)
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "exception.asked",
        "exception.granted_first",
        "exception.granted",
    ]


def test_the_same_administrator_never_grants_twice(drifted: World, alice: User, ada: User) -> None:
    request = grant(ask(drifted, alice), ada)
    with pytest.raises(errors.NotAllowed):
        actions.second_exception(request=request, by=ada, now=NOW)
    assert codes_of(drifted, alice) == [Code.DRIFT]


@pytest.mark.parametrize("who", ["sam", "lena", "paula", "aki", "alice", "anna"])
def test_only_administrators_decide(
    who: str, request: pytest.FixtureRequest, drifted: World, alice: User
) -> None:
    asked, by = ask(drifted, alice), request.getfixturevalue(who)
    with pytest.raises(errors.NotAllowed):
        grant(asked, by)
    with pytest.raises(errors.NotAllowed):
        actions.refuse_exception(request=asked, reason="No.", by=by, now=NOW)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"codes": []}, errors.CodesNeeded),
        ({"codes": ["export_control"]}, errors.CodesNeeded),
        ({"codes": ["account_inactive", "drift"]}, errors.CodesNeeded),
        ({"codes": ["ended"]}, errors.CodesNeeded),
        ({"codes": ["nonsense"]}, errors.CodesNeeded),
        ({"reason": " "}, errors.ReasonNeeded),
        ({"codes": ["outside_documents"]}, errors.WouldNotHelp),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_and_nothing_is_kept(
    changes: dict[str, Any], refusal: type[Exception], drifted: World, alice: User
) -> None:
    with pytest.raises(refusal):
        ask(drifted, alice, **changes)
    assert not ExceptionRequest.objects.exists()
    assert not Message.objects.exists()
    assert not DecisionRecord.objects.exists()


@pytest.mark.clause("C25")
def test_no_exception_replaces_a_contract(world: World, mallory: User) -> None:
    factories.DriftFactory.make(
        organisation=world.lapsed.end_user,
        software=world.software,
        line=world.line,
        release=world.release,
        recorded_by=mallory.acting,
    )
    with pytest.raises(errors.WouldNotHelp, match="ended on 31 October 2026"):
        ask(world, mallory)


def test_strangers_software_and_releases_cannot_be_named(drifted: World, alice: User) -> None:
    other = factories.ReleaseFactory.make(published_by=alice.acting)
    with pytest.raises(errors.SoftwareUnknown):
        ask(drifted, alice, software=other.software, release=None)
    with pytest.raises(errors.ReleaseUnknown):
        ask(drifted, alice, release=other)


def test_the_same_is_not_asked_twice_while_it_waits(drifted: World, alice: User, anna: User) -> None:
    ask(drifted, alice)
    with pytest.raises(errors.AlreadyAsked):
        ask(drifted, anna)


@pytest.mark.parametrize("days", [-1, 367])
def test_a_last_day_is_from_today_and_within_a_year(
    days: int, drifted: World, alice: User, ada: User
) -> None:
    with pytest.raises(errors.DayImpossible):
        grant(ask(drifted, alice), ada, last_day=date(2026, 11, 22) + timedelta(days=days))


def test_one_refuses_while_another_confirms_and_the_later_is_told(
    drifted: World, alice: User, ada: User, abel: User
) -> None:
    request = grant(ask(drifted, alice), ada)
    actions.refuse_exception(request=request, reason="Too long.", by=ada, now=NOW)
    with pytest.raises(errors.WrongState, match="Refused"):
        actions.second_exception(request=request, by=abel, now=NOW)
    with pytest.raises(errors.WrongState):
        actions.withdraw_exception(request=request, by=alice, now=NOW)
    assert codes_of(drifted, alice) == [Code.DRIFT]


def test_an_exception_whose_last_day_is_over_is_not_confirmed(
    drifted: World, alice: User, ada: User, abel: User
) -> None:
    request = grant(ask(drifted, alice), ada, last_day=date(2026, 11, 22))
    with pytest.raises(errors.WrongState):
        actions.second_exception(request=request, by=abel, now=NOW + timedelta(days=2))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"state": "nonsense"}, "state_is_known"),
        ({"codes": ["export_control"]}, "codes_may_be_set_aside"),
        ({"codes": []}, "codes_may_be_set_aside"),
        ({"second_by_id": "first_by_id"}, "second_is_another"),
        ({"second_by": None}, "granted_by_two"),
        ({"grounds": ""}, "first_says_until_when"),
        ({"ends_at": NOW}, "ends_after_it_starts"),
        ({"first_by_id": "asked_by_id"}, "asker_decides_not"),
        ({"state": "refused"}, "closed_names_who"),
    ],
)
def test_the_database_refuses_an_exception_that_makes_no_sense(
    changes: dict[str, Any], sentence: str, drifted: World, alice: User, ada: User, abel: User
) -> None:
    row = actions.second_exception(request=grant(ask(drifted, alice), ada), by=abel, now=NOW)
    for name, value in changes.items():
        setattr(row, name, getattr(row, value) if name.endswith("_by_id") else value)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        row.save()
    assert violated(refusal.value).endswith(sentence)


# Quotes, rates and services by country


@pytest.mark.clause("C14", "C39", "C41")
@pytest.mark.parametrize("about", ["upgrade", "enhancement", "junos", "documents", "modification"])
def test_what_is_not_included_is_quoted_by_professional_services(
    about: str, world: World, alice: User, paula: User, acme: Organisation
) -> None:
    quote = actions.ask_quote(
        organisation=acme, software=world.software, about=about, text="22.1", by=alice, now=NOW
    )
    assert Message.objects.get(subject=quote.subject).recipient == paula.acting
    quote = actions.answer_quote(
        request=quote, amount="USD 12,000", last_day=LAST_DAY, answer="", by=paula, now=NOW
    )
    assert (quote.state, quote.amount) == ("quoted", "USD 12,000")
    assert Message.objects.get(kind="request_decided").recipient == alice.acting
    with pytest.raises(errors.WrongState):
        actions.decline_quote(request=quote, reason="No.", by=paula, now=NOW)


def test_a_quote_needs_an_amount_a_day_ahead_and_professional_services(
    world: World, alice: User, paula: User, ada: User, acme: Organisation
) -> None:
    with pytest.raises(errors.SoftwareUnknown):
        actions.ask_quote(organisation=acme, software=None, about="upgrade", text="x", by=alice, now=NOW)
    with pytest.raises(errors.ReasonNeeded):
        actions.ask_quote(organisation=acme, software=None, about="junos", text=" ", by=alice, now=NOW)
    quote = actions.ask_quote(organisation=acme, software=None, about="junos", text="23.4", by=alice, now=NOW)
    good: dict[str, Any] = {
        "request": quote,
        "amount": "USD 1",
        "last_day": LAST_DAY,
        "answer": "",
        "now": NOW,
    }
    with pytest.raises(errors.AmountNeeded):
        actions.answer_quote(**{**good, "amount": " "}, by=paula)
    with pytest.raises(errors.DayImpossible):
        actions.answer_quote(**{**good, "last_day": date(2026, 11, 21)}, by=paula)
    with pytest.raises(errors.NotAllowed):
        actions.answer_quote(**good, by=ada)
    with pytest.raises(errors.ReasonNeeded):
        actions.decline_quote(request=quote, reason="", by=paula, now=NOW)


def test_a_partner_asks_for_its_customer_and_nobody_elses(
    world: World, remy: User, nordlys: Organisation, acme: Organisation, mallory: User, ingrid: User
) -> None:
    world.software.end_users.add(nordlys)
    quote = actions.ask_quote(
        organisation=nordlys, software=world.software, about="upgrade", text="22.1", by=remy, now=NOW
    )
    with pytest.raises(errors.NotAllowed):
        actions.ask_quote(
            organisation=acme, software=world.software, about="upgrade", text="x", by=remy, now=NOW
        )
    assert list(QuoteRequest.objects.visible_to(remy)) == [quote]
    assert list(QuoteRequest.objects.visible_to(ingrid)) == [quote]
    assert not QuoteRequest.objects.visible_to(mallory).exists()


@pytest.mark.clause("C51")
def test_the_rate_is_that_of_the_day_of_the_work(db: None) -> None:
    for currency, amount, day in (
        ("USD", 200, date(2026, 1, 1)),
        ("USD", 250, date(2026, 7, 1)),
        ("EUR", 180, date(2026, 3, 1)),
    ):
        Rate.objects.create(currency=currency, per_hour=amount, in_force_from=day)

    def on(day: date) -> list[tuple[str, int]]:
        return [(rate.currency, int(rate.per_hour)) for rate in Rate.objects.in_force_on(day)]

    assert on(date(2025, 12, 31)) == []
    assert on(date(2026, 6, 30)) == [("EUR", 180), ("USD", 200)]
    assert on(date(2026, 7, 1)) == [("EUR", 180), ("USD", 250)]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"currency": "usd"}, "currency_is_three_letters"),
        ({"per_hour": 0}, "is_positive"),
        ({}, "is_once_per_currency_and_day"),
    ],
)
def test_the_database_refuses_a_rate_that_makes_no_sense(
    changes: dict[str, Any], sentence: str, db: None
) -> None:
    values: dict[str, Any] = {"currency": "USD", "per_hour": 200, "in_force_from": date(2026, 1, 1)}
    Rate.objects.create(**values)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Rate.objects.create(**{**values, **changes})
    assert violated(refusal.value).endswith(sentence)


@pytest.mark.clause("C64", "C66")
def test_services_on_site_are_offered_nowhere_unless_a_row_ends(
    world: World, alice: User, sign_in: SignIn
) -> None:
    page = sign_in(alice).get("/coverage/").content.decode()
    assert "Advance replacement" in page
    CountryService.objects.filter(service="advance_replacement").update(until_on=date(2026, 11, 1))
    CountryService.objects.create(
        service="advance_replacement", country="CN", from_on=date(2026, 1, 1), source="Notice 7"
    )
    page = sign_in(alice).get("/coverage/").content.decode()
    assert "Advance replacement" not in page
    assert "On-site service" in page


# Pages


def test_a_refused_customer_asks_on_the_page_and_two_administrators_grant(
    drifted: World, alice: User, ada: User, abel: User, sign_in: SignIn
) -> None:
    customer = sign_in(alice)
    page = customer.get("/coverage/").content.decode()
    assert "/requests/exceptions/new/?software=pathkeeper" in page
    assert "codes=drift" in page
    form = {"software": "pathkeeper", "release": drifted.release.pk, "codes": ["drift"], "reason": "Night."}
    answer = customer.post("/requests/exceptions/new/", form)
    row = ExceptionRequest.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/requests/exceptions/{row.pk}/")
    assert "E-" in sign_in(ada).get("/requests/").content.decode()
    values = {"last_day": "2026-12-31", "grounds": "Until the patch.", "is_chargeable": "on"}
    assert sign_in(ada).post(f"/requests/exceptions/{row.pk}/grant/", values).status_code == 302
    assert sign_in(ada).post(f"/requests/exceptions/{row.pk}/second/").status_code == 403
    page = sign_in(abel).get(f"/requests/exceptions/{row.pk}/").content.decode()
    assert "It holds as soon as you confirm." in page
    assert sign_in(abel).post(f"/requests/exceptions/{row.pk}/second/").status_code == 302
    assert "Covered until 31 December 2026" in customer.get("/coverage/").content.decode()


def test_a_form_that_fails_keeps_what_was_typed_and_writes_nothing(
    drifted: World, alice: User, sign_in: SignIn
) -> None:
    form = {
        "software": "pathkeeper",
        "release": drifted.release.pk,
        "codes": ["no_technical_contact"],
        "reason": "Kept words.",
    }
    answer = sign_in(alice).post("/requests/exceptions/new/", form)
    assert answer.status_code == 422
    assert "Kept words." in answer.content.decode()
    assert "An exception would not help" in answer.content.decode()
    assert not ExceptionRequest.objects.exists()
    assert not DecisionRecord.objects.exists()


@pytest.mark.parametrize("day", ["2026-02-30", "31.12.2026", "", "9999-99-99", "2026-11-21"])
def test_a_last_day_that_cannot_be_is_refused_beside_its_field(
    day: str, drifted: World, alice: User, ada: User, sign_in: SignIn
) -> None:
    row = ask(drifted, alice)
    answer = sign_in(ada).post(
        f"/requests/exceptions/{row.pk}/grant/", {"last_day": day, "grounds": "Kept grounds."}
    )
    assert answer.status_code == 422
    assert "Kept grounds." in answer.content.decode()
    assert answer.context["grant_form"].errors["last_day"]
    row.refresh_from_db()
    assert row.state == "waiting"


@pytest.mark.attack("another organisation's object by number or id", "foreign ids in the body")
def test_a_strangers_request_is_not_there(
    drifted: World, alice: User, mallory: User, acme: Organisation, sign_in: SignIn
) -> None:
    row = ask(drifted, alice)
    quote = actions.ask_quote(
        organisation=acme, software=drifted.software, about="upgrade", text="22.1", by=alice, now=NOW
    )
    client = sign_in(mallory)
    for path in (
        f"/requests/exceptions/{row.pk}/",
        f"/requests/quotes/{quote.pk}/",
        f"/decisions/{row.decision_id}/",
    ):
        assert client.get(path).status_code == client.get("/requests/exceptions/999999/").status_code == 404
    page = client.get("/requests/").content.decode()
    assert f"E-{row.pk}" not in page
    assert (
        client.post(
            "/requests/exceptions/new/", {"software": "pathkeeper", "release": row.release_id}
        ).status_code
        == 422
    )


def test_the_queue_costs_the_same_for_one_request_and_for_thirty(
    drifted: World, alice: User, ada: User, sign_in: SignIn
) -> None:
    row, client = ask(drifted, alice), sign_in(ada)
    client.get("/requests/")
    with CaptureQueriesContext(connection) as one:
        client.get("/requests/?state=waiting")
    for _ in range(30):
        row.pk = None
        row.save(force_insert=True)
    with CaptureQueriesContext(connection) as many:
        page = client.get("/requests/?state=waiting")
    assert len(page.context["page"].rows) == 31
    assert len(many) == len(one)
