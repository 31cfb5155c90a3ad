"""Registering, approving, refusing and terminating contracts, on real PostgreSQL."""

import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.export_control import CountryExcluded
from accounts.models import AuditEntry, Organisation, User
from accounts.roles import Role
from contracts import actions, errors
from contracts.followups import CONTRACT_APPROVED
from contracts.kinds import ContractState, DocumentKind, SoftwareKind
from contracts.models import DocumentAgreement, PrerequisiteDocument, ServiceContract, Software
from contracts.terms import minimum_end
from tests import factories
from tests.factories import NOW

START = date(2027, 1, 1)


@pytest.fixture
def edgeprov(nordlys: Organisation) -> Software:
    software = factories.SoftwareFactory.make(name="EdgeProv")
    software.end_users.add(nordlys)
    return software


def _register(by: User, end_user: Organisation, software: Software, **changes: Any) -> ServiceContract:
    values: dict[str, Any] = {
        "end_user": end_user,
        "software": software,
        "starts_on": START,
        "ends_on": minimum_end(changes.get("starts_on", START)),
        "purchase_order": "PO-7731",
        "po_end_user_name": end_user.name,
        "po_end_user_address": end_user.address,
        "by": by,
        "now": NOW,
    }
    return actions.register_contract(**{**values, **changes})


@pytest.fixture
def waiting(
    remy: User, ingrid: User, paula: User, nordlys: Organisation, edgeprov: Software
) -> ServiceContract:
    factories.agreed_documents(nordlys, edgeprov, ingrid, paula)
    return _register(remy, nordlys, edgeprov)


@pytest.mark.clause("C1", "C9", "C11")
def test_a_reseller_registers_a_contract_for_its_own_customer_and_it_waits(
    remy: User, nordlys: Organisation, edgeprov: Software
) -> None:
    contract = _register(remy, nordlys, edgeprov)
    assert contract.number == "CS-2026-0001"
    assert contract.state == ContractState.WAITING
    assert (contract.partner, contract.channel) == (nordlys.registered_by.get(), "reseller")
    assert contract.zone == "Europe/Oslo"
    assert (contract.starts_at, contract.ends_at) == (None, None)
    entry = AuditEntry.objects.get(action="contract.registered")
    assert (entry.person, entry.subject) == ("remy@meridian.example", "CS-2026-0001")


@pytest.mark.clause("C9")
def test_a_reseller_cannot_name_somebody_elses_customer(
    remy: User, acme: Organisation, edgeprov: Software
) -> None:
    edgeprov.end_users.add(acme)
    with pytest.raises(errors.UnknownCustomer):
        _register(remy, acme, edgeprov)
    assert not ServiceContract.objects.exists()


@pytest.mark.clause("C8")
def test_only_a_qualified_end_user_can_have_a_contract(
    ada: User, nordlys: Organisation, edgeprov: Software, meridian: Organisation
) -> None:
    edgeprov.end_users.add(meridian)
    with pytest.raises(errors.UnknownCustomer):
        _register(ada, meridian, edgeprov)
    nordlys.is_qualified = False
    nordlys.save()
    with pytest.raises(errors.UnknownCustomer):
        _register(ada, nordlys, edgeprov)


@pytest.mark.parametrize("who", ["alice", "anna", "sam", "paula", "aki"])
def test_only_partners_and_administrators_register(
    who: str, request: pytest.FixtureRequest, nordlys: Organisation, edgeprov: Software
) -> None:
    with pytest.raises(errors.NotAllowed):
        _register(request.getfixturevalue(who), nordlys, edgeprov)


@pytest.mark.clause("C18")
@pytest.mark.parametrize("kind", [SoftwareKind.JUNOS, SoftwareKind.CONSULTING, SoftwareKind.THIRD_PARTY])
def test_only_supported_custom_software_can_be_covered(
    kind: SoftwareKind, remy: User, nordlys: Organisation, edgeprov: Software
) -> None:
    edgeprov.kind = kind
    edgeprov.save()
    with pytest.raises(errors.SoftwareNotSupported):
        _register(remy, nordlys, edgeprov)


@pytest.mark.clause("C2")
def test_software_of_somebody_else_cannot_be_covered(remy: User, nordlys: Organisation) -> None:
    other = factories.SoftwareFactory.make(name="CGN Log Exporter")
    with pytest.raises(errors.SoftwareNotSupported):
        _register(remy, nordlys, other)


@pytest.mark.clause("C3", "C10", "C65")
@pytest.mark.parametrize(
    ("starts_on", "ends_on", "is_long_enough"),
    [
        (date(2027, 1, 1), date(2028, 1, 1), True),
        (date(2027, 1, 1), date(2027, 12, 31), False),
        (date(2028, 2, 29), date(2029, 2, 28), True),
        (date(2028, 2, 29), date(2029, 2, 27), False),
        (date(2027, 1, 1), date(2026, 1, 1), False),
    ],
)
def test_a_term_lasts_at_least_twelve_months(
    starts_on: date,
    ends_on: date,
    is_long_enough: bool,
    remy: User,
    nordlys: Organisation,
    edgeprov: Software,
) -> None:
    if is_long_enough:
        assert _register(remy, nordlys, edgeprov, starts_on=starts_on, ends_on=ends_on).pk
    else:
        with pytest.raises(errors.TermTooShort):
            _register(remy, nordlys, edgeprov, starts_on=starts_on, ends_on=ends_on)


@pytest.mark.parametrize("starts_on", [date(1, 1, 1), date(9998, 12, 31)])
def test_a_start_beyond_reason_is_refused(
    starts_on: date, remy: User, nordlys: Organisation, edgeprov: Software
) -> None:
    with pytest.raises(errors.TermImpossible):
        _register(remy, nordlys, edgeprov, starts_on=starts_on, ends_on=date(9999, 12, 31))


@pytest.mark.clause("C9")
@pytest.mark.parametrize("field", ["purchase_order", "po_end_user_name", "po_end_user_address"])
def test_a_partner_gives_the_order_with_end_user_and_address(
    field: str, remy: User, nordlys: Organisation, edgeprov: Software
) -> None:
    with pytest.raises(errors.OrderIncomplete):
        _register(remy, nordlys, edgeprov, **{field: "  "})


@pytest.mark.clause("C63")
def test_no_contract_for_a_country_under_export_control(
    remy: User, nordlys: Organisation, edgeprov: Software
) -> None:
    nordlys.country = "SY"
    nordlys.save()
    with pytest.raises(CountryExcluded, match=r"SY.*C63"):
        _register(remy, nordlys, edgeprov)
    assert not ServiceContract.objects.exists()


@pytest.mark.parametrize("gap", [0, -1])
def test_periods_touch_but_never_overlap(
    gap: int, waiting: ServiceContract, remy: User, nordlys: Organisation, edgeprov: Software
) -> None:
    later = date(2028, 1, 1 + gap) if gap >= 0 else date(2027, 12, 31)
    if gap == 0:
        assert _register(remy, nordlys, edgeprov, starts_on=later).number == "CS-2026-0002"
    else:
        with pytest.raises(errors.PeriodOverlaps, match="CS-2026-0001"):
            _register(remy, nordlys, edgeprov, starts_on=later)


def test_an_overlap_does_not_name_another_partners_contract(
    waiting: ServiceContract, nordlys: Organisation, edgeprov: Software
) -> None:
    pacific = factories.OrganisationFactory.make(name="Pacific Distribution", kind="distributor")
    nordlys.registered_by.add(pacific)
    dana = factories.person("dana@pacific.example", "Dana Cole", pacific, Role.PARTNER)
    with pytest.raises(errors.PeriodOverlaps) as refusal:
        _register(dana, nordlys, edgeprov)
    assert waiting.number not in str(refusal.value)


@pytest.mark.clause("C12", "C13", "C25")
def test_an_approved_contract_covers_from_midnight_where_the_end_user_is(
    waiting: ServiceContract, ada: User
) -> None:
    contract = actions.approve_contract(contract=waiting, by=ada, now=NOW)
    assert contract.state == ContractState.APPROVED
    assert contract.starts_at == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert contract.ends_at == datetime(2027, 12, 31, 23, tzinfo=UTC)
    assert contract.has_agreed_documents
    assert (contract.decided_by, contract.decided_at) == (ada.acting, NOW)
    assert ServiceContract.objects.in_force_at(datetime(2026, 12, 31, 23, tzinfo=UTC)).get() == contract
    assert not ServiceContract.objects.in_force_at(datetime(2027, 12, 31, 23, tzinfo=UTC)).exists()
    assert AuditEntry.objects.filter(action="contract.approved", subject=contract.number).count() == 1


def test_approval_is_told_to_the_apps_above_in_its_transaction(
    waiting: ServiceContract, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[Any, ...]] = []

    def fails(*, contract: ServiceContract, by: User, now: datetime) -> None:
        told.append((contract, by, now))
        raise RuntimeError

    monkeypatch.setattr(CONTRACT_APPROVED, "_functions", [fails])
    with pytest.raises(RuntimeError):
        actions.approve_contract(contract=waiting, by=ada, now=NOW)
    assert told == [(waiting, ada, NOW)]
    waiting.refresh_from_db()
    assert waiting.state == ContractState.WAITING
    assert not AuditEntry.objects.filter(action="contract.approved").exists()


@pytest.mark.clause("C12", "C13", "C14")
@pytest.mark.parametrize("lacking", ["missing", "out of date", "one side only"])
def test_one_document_missing_is_enough_to_block_approval(
    lacking: str, waiting: ServiceContract, ada: User, paula: User
) -> None:
    document = PrerequisiteDocument.objects.get(kind=DocumentKind.TEST_PLAN)
    if lacking == "out of date":
        actions.mark_out_of_date(document=document, by=paula, now=NOW)
    else:
        sides = DocumentAgreement.objects.filter(document=document)
        (sides.filter(side="end_user") if lacking == "one side only" else sides).delete()
    if lacking == "missing":
        document.delete()
    with pytest.raises(errors.PrerequisitesMissing) as refusal:
        actions.approve_contract(contract=waiting, by=ada, now=NOW)
    assert refusal.value.missing == (DocumentKind.TEST_PLAN,)
    waiting.refresh_from_db()
    assert waiting.state == ContractState.WAITING


@pytest.mark.clause("C14")
def test_a_newer_agreed_version_replaces_one_that_is_out_of_date(
    waiting: ServiceContract, ada: User, paula: User, ingrid: User
) -> None:
    old = PrerequisiteDocument.objects.get(kind=DocumentKind.DESIGN)
    actions.mark_out_of_date(document=old, by=paula, now=NOW)
    new = actions.add_document(
        organisation=waiting.end_user,
        software=waiting.software,
        kind=DocumentKind.DESIGN,
        version="1.1",
        title="Design",
        by=paula,
        now=NOW,
    )
    side = DocumentAgreement.Side
    actions.agree_document(document=new, side=side.VENDOR, by=paula, now=NOW)
    actions.agree_document(document=new, side=side.END_USER, by=ingrid, now=NOW)
    assert actions.approve_contract(contract=waiting, by=ada, now=NOW).state == ContractState.APPROVED


@pytest.mark.clause("C13")
def test_neither_side_agrees_for_the_other(waiting: ServiceContract, paula: User, alice: User) -> None:
    document = PrerequisiteDocument.objects.get(kind=DocumentKind.DESIGN)
    DocumentAgreement.objects.all().delete()
    side = DocumentAgreement.Side
    for by, which in ((paula, side.END_USER), (alice, side.END_USER), (alice, side.VENDOR)):
        with pytest.raises(errors.NotAllowed):
            actions.agree_document(document=document, side=which, by=by, now=NOW)
    actions.agree_document(document=document, side=side.VENDOR, by=paula, now=NOW)
    with pytest.raises(errors.AlreadyAgreed):
        actions.agree_document(document=document, side=side.VENDOR, by=paula, now=NOW)


@pytest.mark.clause("C1")
def test_nobody_approves_or_refuses_what_they_registered(
    ada: User, abel: User, ingrid: User, paula: User, nordlys: Organisation, edgeprov: Software
) -> None:
    factories.agreed_documents(nordlys, edgeprov, ingrid, paula)
    contract = _register(
        ada, nordlys, edgeprov, purchase_order="", po_end_user_name="", po_end_user_address=""
    )
    assert (contract.channel, contract.partner) == ("direct", None)
    with pytest.raises(errors.NotAllowed):
        actions.approve_contract(contract=contract, by=ada, now=NOW)
    with pytest.raises(errors.NotAllowed):
        actions.refuse_contract(contract=contract, reason="no", by=ada, now=NOW)
    assert actions.approve_contract(contract=contract, by=abel, now=NOW).state == ContractState.APPROVED


@pytest.mark.parametrize("who", ["remy", "ingrid", "sam", "paula", "aki", "lena"])
def test_only_an_administrator_decides(
    who: str, request: pytest.FixtureRequest, waiting: ServiceContract
) -> None:
    by = request.getfixturevalue(who)
    with pytest.raises(errors.NotAllowed):
        actions.approve_contract(contract=waiting, by=by, now=NOW)
    with pytest.raises(errors.NotAllowed):
        actions.refuse_contract(contract=waiting, reason="no", by=by, now=NOW)
    with pytest.raises(errors.NotAllowed):
        actions.terminate_contract(contract=waiting, reason="no", by=by, now=NOW)


@pytest.mark.clause("C9")
def test_an_order_that_names_another_end_user_is_never_approved_silently(
    remy: User, ada: User, ingrid: User, paula: User, nordlys: Organisation, edgeprov: Software
) -> None:
    factories.agreed_documents(nordlys, edgeprov, ingrid, paula)
    contract = _register(remy, nordlys, edgeprov, po_end_user_name="Nordlys Fibre ASA")
    with pytest.raises(errors.OrderDiffers):
        actions.approve_contract(contract=contract, by=ada, now=NOW)
    approved = actions.approve_contract(contract=contract, by=ada, now=NOW, order_checked=True)
    assert approved.state == ContractState.APPROVED
    assert AuditEntry.objects.get(action="contract.approved").detail["order_differs"] == ["name"]


def test_case_and_punctuation_of_an_order_do_not_matter(
    remy: User, ada: User, ingrid: User, paula: User, nordlys: Organisation, edgeprov: Software
) -> None:
    factories.agreed_documents(nordlys, edgeprov, ingrid, paula)
    contract = _register(
        remy,
        nordlys,
        edgeprov,
        po_end_user_name="NORDLYS  fiber.",
        po_end_user_address=nordlys.address.replace(", ", "\n"),
    )
    assert actions.approve_contract(contract=contract, by=ada, now=NOW).state == ContractState.APPROVED


def test_a_refusal_has_a_reason_and_frees_the_period(
    waiting: ServiceContract, ada: User, remy: User, nordlys: Organisation, edgeprov: Software
) -> None:
    with pytest.raises(errors.ReasonNeeded):
        actions.refuse_contract(contract=waiting, reason="  ", by=ada, now=NOW)
    refused = actions.refuse_contract(contract=waiting, reason="The order is unsigned.", by=ada, now=NOW)
    assert (refused.state, refused.refusal_reason) == (ContractState.REFUSED, "The order is unsigned.")
    with pytest.raises(errors.WrongState):
        actions.approve_contract(contract=waiting, by=ada, now=NOW)
    assert _register(remy, nordlys, edgeprov).state == ContractState.WAITING


def test_a_terminated_contract_covers_nothing_any_more(waiting: ServiceContract, ada: User) -> None:
    contract = actions.approve_contract(contract=waiting, by=ada, now=NOW)
    during = datetime(2027, 6, 1, tzinfo=UTC)
    actions.terminate_contract(contract=contract, reason="Sold the network.", by=ada, now=during)
    assert not ServiceContract.objects.in_force_at(during).exists()
    with pytest.raises(errors.WrongState):
        actions.terminate_contract(contract=contract, reason="Again.", by=ada, now=during)


@pytest.mark.clause("C17")
def test_a_renewal_links_to_the_contract_it_renews_once(
    waiting: ServiceContract, remy: User, ada: User, nordlys: Organisation, edgeprov: Software
) -> None:
    with pytest.raises(errors.WrongState, match="Only an approved contract"):
        _register(remy, nordlys, edgeprov, starts_on=waiting.ends_on, renews=waiting)
    actions.approve_contract(contract=waiting, by=ada, now=NOW)
    waiting.refresh_from_db()
    renewal = _register(remy, nordlys, edgeprov, starts_on=waiting.ends_on, renews=waiting)
    assert renewal.renews == waiting
    with pytest.raises(errors.WrongState):
        _register(remy, nordlys, edgeprov, starts_on=renewal.ends_on, renews=waiting)


def test_the_year_of_a_number_is_the_year_in_utc_and_counts_from_one(
    remy: User, nordlys: Organisation, edgeprov: Software
) -> None:
    last_moment = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    first = _register(remy, nordlys, edgeprov, now=last_moment)
    second = _register(remy, nordlys, edgeprov, starts_on=first.ends_on, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert (first.number, second.number) == ("CS-2026-0001", "CS-2027-0001")


@pytest.mark.django_db(transaction=True)
def test_registrations_at_the_same_instant_get_numbers_of_their_own(
    remy: User, nordlys: Organisation
) -> None:
    software = [factories.SoftwareFactory.make() for _ in range(8)]
    for one in software:
        one.end_users.add(nordlys)
    numbers: list[str] = []

    def register(one: Software) -> None:
        try:
            numbers.append(_register(remy, nordlys, one).number)
        finally:
            connection.close()

    threads = [threading.Thread(target=register, args=[one]) for one in software]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [f"CS-2026-{n:04}" for n in range(1, 9)]


def test_the_database_counts_past_four_digits(remy: User, nordlys: Organisation, edgeprov: Software) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO contracts_contractcounter VALUES (2026, 9999)")
    assert _register(remy, nordlys, edgeprov).number == "CS-2026-10000"


def _row(waiting: ServiceContract, **changes: Any) -> ServiceContract:
    row = ServiceContract.objects.get(pk=waiting.pk)
    row.pk, row.number = None, "CS-2026-9000"
    row.starts_on, row.ends_on = date(2030, 1, 1), date(2031, 1, 1)
    for name, value in changes.items():
        setattr(row, name, value)
    return row


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ends_on": date(2030, 12, 1)}, "lasts_twelve_months_or_co_terminates"),
        ({"ends_on": date(2030, 1, 1)}, "ends_after_it_starts"),
        ({"starts_on": date(2027, 6, 1), "ends_on": date(2028, 6, 1)}, "periods_never_overlap"),
        ({"state": "sleeping"}, "state_is_known"),
        ({"channel": "pigeon"}, "channel_is_known"),
        ({"purchase_order": ""}, "partner_names_order_and_end_user"),
        ({"channel": "direct"}, "partner_names_order_and_end_user"),
        ({"state": "refused"}, "refusal_has_a_reason"),
        ({"state": "approved", "has_agreed_documents": True}, "approved_names_who_when_and_instants"),
        ({"state": "approved", "decided": True}, "approved_has_agreed_documents"),
        (
            {"state": "terminated", "decided": True, "has_agreed_documents": True},
            "terminated_names_when_and_why",
        ),
        ({"registrar": True}, "is_not_approved_by_who_registered_it"),
    ],
)
def test_the_database_refuses_a_contract_that_makes_no_sense(
    changes: dict[str, Any], sentence: str, waiting: ServiceContract, ada: User
) -> None:
    if changes.pop("decided", False):
        start, end = datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
        changes |= {"decided_by": ada.acting, "decided_at": NOW, "starts_at": start, "ends_at": end}
    if changes.pop("registrar", False):
        changes["decided_by"] = waiting.registered_by
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        _row(waiting, **changes).save(force_insert=True)
    assert sentence in errors.violated(refusal.value)


@pytest.mark.attack("two people change the same case at once")
@pytest.mark.django_db(transaction=True)
def test_of_two_who_approve_and_refuse_at_the_same_moment_one_wins_and_the_other_is_told(
    waiting: ServiceContract, ada: User, abel: User
) -> None:
    told: list[str] = []
    start = threading.Barrier(2)

    def decide(act: Any, by: User, **values: Any) -> None:
        try:
            start.wait()
            act(contract=waiting, by=by, now=NOW, **values)
            told.append("done")
        except errors.WrongState as refusal:
            told.append(str(refusal))
        finally:
            connection.close()

    threads = [
        threading.Thread(target=decide, args=(actions.approve_contract, ada)),
        threading.Thread(target=decide, args=(actions.refuse_contract, abel), kwargs={"reason": "Unsigned."}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waiting.refresh_from_db()
    assert waiting.state in (ContractState.APPROVED, ContractState.REFUSED)
    assert told.count("done") == 1
    (other,) = (words for words in told if words != "done")
    assert "not waiting for approval" in other
    assert (waiting.decided_by == ada.acting) == (waiting.state == ContractState.APPROVED)
