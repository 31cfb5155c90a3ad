"""The database alone refuses what no contract may be: rows written by hand, past every form and action."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from contracts.errors import violated
from contracts.kinds import ImportState, RequestState, RowVerdict
from contracts.models import Acceptance, ContractImport, ContractImportRow, EndUserRequest
from contracts.terms import add_months, instants, is_full_term, minimum_end
from files.models import StoredFile
from tests import factories
from tests.conftest import World
from tests.factories import NOW


@contextmanager
def refused(name: str) -> Iterator[None]:
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        yield
    assert violated(caught.value) == name


def _update(table: str, pk: int, **columns: Any) -> None:
    sets = ", ".join(f"{column} = %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {sets} WHERE id = %s", [*columns.values(), pk])  # noqa: S608


PREFIX = "contracts_servicecontract_"


@pytest.mark.clause("C10", "C65")
@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (
            {"starts_on": date(2026, 4, 1), "ends_on": date(2027, 3, 1)},
            "lasts_twelve_months_or_co_terminates",
        ),
        (
            {"starts_on": date(2026, 4, 1), "ends_on": date(2027, 3, 31)},
            "lasts_twelve_months_or_co_terminates",
        ),
        (
            {"starts_on": date(2024, 2, 29), "ends_on": date(2025, 2, 27)},
            "lasts_twelve_months_or_co_terminates",
        ),
        ({"starts_on": date(2027, 4, 1), "ends_on": date(2026, 4, 1)}, "ends_after_it_starts"),
        ({"starts_on": date(2027, 4, 1), "ends_on": date(2027, 4, 1)}, "ends_after_it_starts"),
        ({"has_agreed_documents": False}, "approved_has_agreed_documents"),
        ({"decided_at": None}, "approved_names_who_when_and_instants"),
        ({"starts_at": None}, "approved_names_who_when_and_instants"),
        ({"state": "sleeping"}, "state_is_known"),
        ({"channel": "street"}, "channel_is_known"),
        ({"channel": "reseller"}, "partner_names_order_and_end_user"),
        ({"is_internal_use": False}, "approved_is_for_internal_use"),
        ({"state": "refused"}, "refusal_has_a_reason"),
        ({"state": "terminated"}, "terminated_names_when_and_why"),
    ],
)
def test_a_contract_written_by_hand_is_refused_by_a_named_constraint(
    columns: dict[str, Any], name: str, world: World
) -> None:
    # several constraints may object to one row; PostgreSQL names the first by name
    names = {PREFIX + name, PREFIX + "lasts_twelve_months_or_co_terminates"}
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        _update("contracts_servicecontract", world.contract.pk, **columns)
    assert violated(caught.value) in names
    if name != "ends_after_it_starts":
        assert violated(caught.value) == PREFIX + name


def test_who_registered_it_neither_approves_it_nor_its_shorter_term(world: World) -> None:
    own = world.contract.registered_by_id
    with refused(f"{PREFIX}is_not_approved_by_who_registered_it"):
        _update("contracts_servicecontract", world.contract.pk, decided_by_id=own)
    with refused(f"{PREFIX}co_term_not_by_who_registered_it"):
        _update("contracts_servicecontract", world.contract.pk, co_termination_approved_by_id=own)


@pytest.mark.clause("C10")
def test_a_shorter_term_needs_the_other_contract_the_approver_and_the_reason(world: World, ada: User) -> None:
    short = {"ends_on": world.contract.ends_on - timedelta(days=1)}
    whole = {
        "co_terminates_with_id": world.lapsed.pk,
        "co_termination_approved_by_id": ada.acting.pk,
        "co_termination_reason": "One budget.",
    }
    for left_out in whole:
        given_ = {**whole, left_out: "" if left_out.endswith("reason") else None}
        with refused(f"{PREFIX}lasts_twelve_months_or_co_terminates"):
            _update("contracts_servicecontract", world.contract.pk, **short, **given_)
    _update("contracts_servicecontract", world.contract.pk, **short, **whole)


def test_periods_of_one_end_user_and_software_never_overlap(world: World, ada: User, paula: User) -> None:
    contract = world.contract
    with refused(f"{PREFIX}periods_never_overlap"):
        factories.ContractFactory.make(
            end_user=contract.end_user,
            software=contract.software,
            starts_on=contract.ends_on - timedelta(days=1),
            ends_on=contract.ends_on + timedelta(days=400),
            registered_by=paula.acting,
            decided_by=ada.acting,
        )


@pytest.mark.clause("C34", "C42")
def test_a_line_has_one_current_accepted_release(world: World, alice: User) -> None:
    other = factories.ReleaseFactory.make(line=world.line, version="21.4R3-S6")
    with refused("contracts_acceptance_is_current_once_per_line"):
        factories.accept(world.contract.end_user, other, alice)
    assert Acceptance.objects.current().filter(organisation=world.contract.end_user).count() == 1


# What partners hand in


@pytest.fixture
def asked(remy: User) -> EndUserRequest:
    return EndUserRequest.objects.create(
        organisation=factories.OrganisationFactory.make(is_qualified=False),
        partner=remy.acting.organisation,
        contact_name="Kari Lie",
        contact_email="kari@x.example",
        requested_by=remy.acting,
        requested_at=NOW,
    )


def test_a_request_written_by_hand_is_refused(asked: EndUserRequest, remy: User, ada: User) -> None:
    who_when = {"decided_by_id": ada.acting.pk, "decided_at": NOW}
    for columns, name in (
        ({"state": "sleeping", **who_when}, "state_is_known"),
        ({"state": RequestState.TAKEN_ON}, "decided_names_when_and_by_whom"),
        (
            {"state": RequestState.TAKEN_ON, **who_when, "decided_by_id": remy.acting.pk},
            "is_not_decided_by_who_asked",
        ),
        ({"state": RequestState.REFUSED, **who_when}, "refusal_has_a_reason"),
        ({"state": RequestState.DUPLICATE, **who_when}, "duplicate_names_the_other"),
        ({"confirmed_at": NOW, "confirmed_by_id": ada.acting.pk}, "confirmed_names_when_and_by_whom"),
        (
            {"state": RequestState.TAKEN_ON, **who_when, "confirmed_at": NOW},
            "confirmed_names_when_and_by_whom",
        ),
    ):
        with refused(f"contracts_enduserrequest_{name}"):
            _update("contracts_enduserrequest", asked.pk, **columns)


def test_an_import_written_by_hand_is_refused(remy: User) -> None:
    stored = StoredFile.objects.create(
        name="c.csv", size=1, sha256="0" * 64, content="x", uploaded_by=remy.acting, created_at=NOW
    )
    run = ContractImport.objects.create(file=stored, imported_by=remy.acting, created_at=NOW)
    for columns, name in (
        ({"state": "sleeping"}, "state_is_known"),
        ({"rows_done": 1}, "deals_with_no_more_than_its_rows"),
    ):
        with refused(f"contracts_contractimport_{name}"):
            _update("contracts_contractimport", run.pk, **columns)
    row = {"import_run": run, "line_number": 2, "values": {}, "verdict": RowVerdict.GOOD}
    ContractImportRow.objects.create(**row)
    for changes, name in (
        ({}, "line_is_once"),
        ({"line_number": 3, "verdict": "maybe"}, "verdict_is_known"),
        ({"line_number": 3, "verdict": RowVerdict.BAD}, "bad_says_why"),
        ({"line_number": 3, "verdict": RowVerdict.REGISTERED}, "registered_names_its_contract"),
    ):
        with refused(f"contracts_contractimportrow_{name}"):
            ContractImportRow.objects.create(**{**row, **changes})
    assert run.state == ImportState.CHECKING


# Terms: Python and PostgreSQL count alike

ZONES = [
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Seoul",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Europe/Oslo",
]
starts = st.dates(date(1990, 1, 1), date(2199, 12, 31)) | st.sampled_from(
    [date(year, 2, 29) for year in (2000, 2024, 2028, 2096)] + [date(2027, month, 28) for month in (1, 2)]
)


@pytest.mark.clause("C10", "C65")
@pytest.mark.django_db
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(starts, st.integers(1, 120))
def test_months_are_added_as_the_database_adds_them(start: date, months: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (%s::date + make_interval(months => %s))::date", [start, months])
        (theirs,) = cursor.fetchone()
    assert add_months(start, months) == theirs


@pytest.mark.clause("C10", "C65")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=starts, days=st.integers(-3, 3))
def test_a_term_is_full_for_the_rule_exactly_when_it_is_for_the_database(
    world: World, start: date, days: int
) -> None:
    end = minimum_end(start) + timedelta(days=days)
    why = _why_refused(world.contract.pk, starts_on=start, ends_on=end)
    assert why in ("", f"{PREFIX}lasts_twelve_months_or_co_terminates")
    assert (why == "") == is_full_term(start, end) == (days >= 0)


def _why_refused(pk: int, **columns: Any) -> str:
    """The constraint that objects to such a row, or nothing; the row stays as it was."""
    point = transaction.savepoint()
    try:
        _update("contracts_servicecontract", pk, **columns)
    except IntegrityError as error:
        return violated(error)
    finally:
        transaction.savepoint_rollback(point)
    return ""


@pytest.mark.clause("C25")
@given(starts.filter(lambda day: day.year < 2037), st.sampled_from(ZONES).map(ZoneInfo))
def test_the_instants_of_a_term_begin_and_end_with_days_where_the_customer_is(
    start: date, zone: ZoneInfo
) -> None:
    end = minimum_end(start)
    begins, ends = instants(start, end, zone)
    before = timedelta(microseconds=1)
    assert (begins - before).astimezone(zone).date() < start <= begins.astimezone(zone).date()
    assert (ends - before).astimezone(zone).date() < end <= ends.astimezone(zone).date()
