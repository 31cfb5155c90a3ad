"""Drafts, new end users, renewals and co-termination: what a registration can be besides a plain one."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts import actions as accounts_actions
from accounts.export_control import CountryExcluded
from accounts.models import Invitation, Organisation, User
from accounts.roles import Role
from contracts import actions, countries, errors
from contracts.actions import NewEndUser
from contracts.alignment import aligned, length_of
from contracts.duplicates import look_alikes
from contracts.kinds import ContractState, GoverningKind, RequestState
from contracts.models import DocumentTask, EndUserRequest, GoverningDocument, ServiceContract, Software
from contracts.prerequisites import order_differs
from notifications.models import Message
from tests import factories
from tests.conftest import SignIn
from tests.factories import NOW

START = date(2027, 1, 1)
NEW = NewEndUser(
    name="Fjordkraft AS",
    address="Strandgaten 4, 5004 Bergen",
    country="NO",
    contact_name="Kari Lie",
    contact_email="Kari@fjordkraft.example",
)


@pytest.fixture
def edgeprov(nordlys: Organisation) -> Software:
    software = factories.SoftwareFactory.make(name="EdgeProv", sow_reference="SOW-2026-031")
    software.end_users.add(nordlys)
    return software


@pytest.fixture
def unsold() -> Software:
    """Made under a statement of work, for nobody yet."""
    return factories.SoftwareFactory.make(name="CoreSync", sow_reference="SOW-2026-044")


def _register(by: User, end_user: Any, software: Software | None, **changes: Any) -> ServiceContract:
    values: dict[str, Any] = {
        "end_user": end_user,
        "software": software,
        "starts_on": START,
        "ends_on": date(2028, 1, 1),
        "purchase_order": "PO-7731",
        "po_end_user_name": end_user.name,
        "po_end_user_address": end_user.address,
        "by": by,
        "now": NOW,
    }
    return actions.register_contract(**{**values, **changes})


def _approved(
    by: User, approver: User, end_user: Organisation, software: Software, **changes: Any
) -> ServiceContract:
    contract = _register(by, end_user, software, **changes)
    actions.drop_document_tasks(contract=contract, by=approver, now=NOW)
    return actions.approve_contract(contract=contract, by=approver, now=NOW)


@pytest.fixture
def running(
    remy: User, ada: User, ingrid: User, paula: User, nordlys: Organisation, edgeprov: Software
) -> ServiceContract:
    factories.agreed_documents(nordlys, edgeprov, ingrid, paula)
    return _approved(remy, ada, nordlys, edgeprov)


# Declarations and papers


@pytest.mark.clause("C8")
def test_without_the_declaration_of_internal_use_nothing_is_registered(
    remy: User, nordlys: Organisation, edgeprov: Software
) -> None:
    with pytest.raises(errors.DeclarationMissing):
        _register(remy, nordlys, edgeprov, is_internal_use=False)
    assert not ServiceContract.objects.exists()


@pytest.mark.clause("C4", "C5")
def test_agreement_and_licence_in_force_govern_unless_others_are_named(
    remy: User, nordlys: Organisation, edgeprov: Software
) -> None:
    def document(kind: GoverningKind, title: str, version: str, since: date) -> GoverningDocument:
        return GoverningDocument.objects.create(kind=kind, title=title, version=version, in_force_from=since)

    document(GoverningKind.EUSA, "EUSA", "4", date(2024, 1, 1))
    eusa = document(GoverningKind.EUSA, "EUSA", "5", date(2026, 1, 1))
    document(GoverningKind.EUSA, "EUSA", "6", NOW.date() + timedelta(days=1))
    master = document(GoverningKind.MSA, "Master of Nordlys", "1", date(2026, 6, 1))
    licence = document(GoverningKind.LICENCE, "Licence", "2", date(2025, 1, 1))
    usual = _register(remy, nordlys, edgeprov)
    named = _register(
        remy, nordlys, edgeprov, starts_on=usual.ends_on, ends_on=date(2029, 1, 1), agreement=master
    )
    assert (usual.agreement, usual.licence) == (eusa, licence)
    assert named.agreement == master


# Drafts


def test_a_draft_may_lack_the_order_is_seen_by_its_own_side_only_and_is_handed_in(
    remy: User, ada: User, ingrid: User, nordlys: Organisation, edgeprov: Software
) -> None:
    draft = _register(
        remy, nordlys, edgeprov, purchase_order="", po_end_user_name="", as_draft=True, is_internal_use=False
    )
    assert draft.state == ContractState.DRAFT
    assert not DocumentTask.objects.exists()
    seen = {who: ServiceContract.objects.visible_to(who).exists() for who in (remy, ada, ingrid)}
    assert seen == {remy: True, ada: False, ingrid: False}
    with pytest.raises(errors.OrderIncomplete):
        _register(remy, nordlys, edgeprov, purchase_order="", draft=draft)
    handed_in = _register(remy, nordlys, edgeprov, draft=draft)
    assert (handed_in.pk, handed_in.number, handed_in.state) == (
        draft.pk,
        draft.number,
        ContractState.WAITING,
    )
    assert DocumentTask.objects.filter(contract=handed_in).count() == 2  # the follow-up ran
    with pytest.raises(errors.WrongState):
        _register(remy, nordlys, edgeprov, draft=draft)


def test_a_draft_has_a_full_term_too_and_can_be_thrown_away(
    remy: User, ada: User, nordlys: Organisation, edgeprov: Software
) -> None:
    with pytest.raises(errors.TermTooShort):
        _register(remy, nordlys, edgeprov, ends_on=date(2027, 12, 31), as_draft=True)
    draft = _register(remy, nordlys, edgeprov, as_draft=True)
    with pytest.raises(errors.NotAllowed):
        actions.discard_draft(contract=draft, by=ada, now=NOW)
    actions.discard_draft(contract=draft, by=remy, now=NOW)
    assert not ServiceContract.objects.exists()
    waiting = _register(remy, nordlys, edgeprov)
    with pytest.raises(errors.WrongState):
        actions.discard_draft(contract=waiting, by=remy, now=NOW)


# New end users


@pytest.mark.clause("C8", "C9")
def test_a_partner_names_a_new_end_user_with_the_contract(remy: User, unsold: Software) -> None:
    contract = _register(remy, NEW, None, sow_reference="sow-2026-044")
    asked = EndUserRequest.objects.get()
    assert (contract.software, contract.end_user, contract.zone) == (
        unsold,
        asked.organisation,
        "Europe/Oslo",
    )
    assert not asked.organisation.is_qualified
    assert (asked.state, asked.contact_email) == (RequestState.WAITING, "kari@fjordkraft.example")
    again = _register(
        remy, asked.organisation, unsold, starts_on=contract.ends_on, ends_on=date(2029, 1, 1)
    )  # ten in a row
    assert again.state == ContractState.WAITING


def test_a_wrong_statement_of_work_and_somebody_elses_get_the_same_answer(
    remy: User, rival: Organisation
) -> None:
    factories.SoftwareFactory.make(sow_reference="SOW-OF-RIVAL").end_users.add(rival)
    told = set()
    for reference in ("SOW-OF-RIVAL", "SOW-NEVER-WAS", ""):
        with pytest.raises(errors.SowUnknown) as refusal:
            _register(remy, NEW, None, sow_reference=reference)
        told.add(str(refusal.value))
    assert len(told) == 1
    assert not EndUserRequest.objects.exists()  # nothing half written
    assert not Organisation.objects.filter(name=NEW.name).exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "new_name"),
        ({"address": ""}, "new_address"),
        ({"country": "XX"}, "new_country"),
        ({"contact_name": ""}, "contact_name"),
        ({"contact_email": "kari"}, "contact_email"),
        ({"name": "NORDLYS-Fiber"}, "new_name"),
    ],
)
def test_a_new_end_user_that_lacks_something_is_refused_beside_it(
    changes: dict[str, str], field: str, remy: User, unsold: Software
) -> None:
    new = NewEndUser(**{**NEW.__dict__, **changes})
    with pytest.raises(errors.EndUserRefused) as refusal:
        _register(remy, new, unsold)
    assert refusal.value.field == field


@pytest.mark.clause("C63")
def test_a_new_end_user_under_export_control_is_refused(remy: User, unsold: Software) -> None:
    with pytest.raises(CountryExcluded):
        _register(remy, NewEndUser(**{**NEW.__dict__, "country": "SY"}), unsold)
    assert not EndUserRequest.objects.exists()


def test_a_country_has_its_usual_zone() -> None:
    assert [countries.zone_of(code) for code in ("KR", "NO", "US", "??")] == [
        "Asia/Seoul",
        "Europe/Oslo",
        "America/New_York",
        "UTC",
    ]
    assert countries.names()["KR"].startswith("Korea")


@pytest.fixture
def asked(remy: User, unsold: Software) -> EndUserRequest:
    _register(remy, NEW, unsold)
    return EndUserRequest.objects.get()


def test_likely_duplicates_are_found_by_name_and_by_mail_domain(
    asked: EndUserRequest, nordlys: Organisation, hanbit: Organisation, rival: Organisation
) -> None:
    rival.name = "Fjordkraft Norge AS"
    rival.save()
    factories.person("ola@fjordkraft.example", "Ola", hanbit, Role.CONTACT)
    found = {row.organisation: row for row in look_alikes(asked)}
    assert set(found) == {rival, hanbit}
    assert found[rival].percent > 50
    assert (found[hanbit].same_domain, found[hanbit].same_country) == (1, False)


@pytest.mark.clause("C8", "C12")
def test_a_contract_of_a_new_end_user_is_approved_only_once_it_is_taken_on(
    asked: EndUserRequest, ada: User, ingrid: User, paula: User
) -> None:
    contract = ServiceContract.objects.get()
    actions.drop_document_tasks(contract=contract, by=ada, now=NOW)
    factories.agreed_documents(contract.end_user, contract.software, ingrid, paula)
    with pytest.raises(errors.UnknownCustomer):
        actions.approve_contract(contract=contract, by=ada, now=NOW)
    actions.take_on_end_user(request=asked, by=ada, now=NOW)
    contract = ServiceContract.objects.get()
    with pytest.raises(errors.SoftwareNotSupported):
        actions.approve_contract(contract=contract, by=ada, now=NOW)
    contract.software.end_users.add(contract.end_user)
    assert actions.approve_contract(contract=contract, by=ada, now=NOW).state == ContractState.APPROVED


def test_taken_on_the_contact_is_invited_confirms_and_becomes_account_manager(
    asked: EndUserRequest, ada: User
) -> None:
    with pytest.raises(errors.NotAllowed):
        actions.take_on_end_user(request=asked, by=asked.requested_by.user, now=NOW)
    actions.take_on_end_user(request=asked, by=ada, now=NOW, software_is_theirs=True)
    organisation = Organisation.objects.get(pk=asked.organisation_id)
    assert organisation.is_qualified
    assert organisation.software.get().name == "CoreSync"
    assert [message.to for message in mail.outbox] == [["kari@fjordkraft.example"]]
    invitation = Invitation.objects.get(organisation=organisation)
    kari = factories.UserFactory.make(email="kari@fjordkraft.example", name="Kari Lie")
    accounts_actions.accept_invitation(invitation=invitation, user=kari, now=NOW)
    assert Role.ACCOUNT_MANAGER not in kari.acting.roles
    assert Message.objects.get(recipient=kari.acting).kind == "end_user_confirm"
    actions.confirm_end_user(name="Fjordkraft ASA", address=NEW.address, by=kari, now=NOW)
    kari.acting.refresh_from_db()
    assert Role.ACCOUNT_MANAGER in kari.acting.roles
    assert order_differs(ServiceContract.objects.get()) == [
        "name"
    ]  # the order is compared with what was confirmed
    with pytest.raises(errors.NotAllowed):
        actions.confirm_end_user(name="Another", address="Elsewhere", by=kari, now=NOW)
    with pytest.raises(errors.WrongState):
        actions.refuse_end_user(request=asked, reason="Late.", by=ada, now=NOW)


def test_found_to_be_known_what_waits_moves_and_is_checked_again(
    asked: EndUserRequest, remy: User, ada: User, unsold: Software, rival: Organisation
) -> None:
    moves = ServiceContract.objects.get()
    stays = _register(remy, asked.organisation, unsold, starts_on=date(2029, 1, 1), ends_on=date(2030, 1, 1))
    unsold.end_users.add(rival)
    overlapping = factories.ContractFactory.make(
        end_user=rival,
        software=unsold,
        starts_on=date(2029, 6, 1),
        ends_on=date(2030, 6, 1),
        registered_by=ada.acting,
        decided_by=remy.acting,
    )
    refused = actions.merge_end_user(request=asked, into=rival, by=ada, now=NOW)
    moves.refresh_from_db()
    stays.refresh_from_db()
    assert (moves.end_user, moves.zone, moves.state) == (rival, "Europe/Berlin", ContractState.WAITING)
    assert [contract.pk for contract in refused] == [stays.pk]
    assert stays.state == ContractState.REFUSED
    assert "covers part of these dates" in stays.refusal_reason
    assert overlapping.number not in stays.refusal_reason  # another's contract is not named to the partner
    assert order_differs(moves) == ["name", "address"]
    assert set(rival.registered_by.all()) == {remy.acting.organisation}
    assert not Organisation.objects.visible_to(remy).filter(pk=asked.organisation_id).exists()
    assert DocumentTask.objects.open().filter(contract=moves, organisation=rival).count() == 2


def test_a_refused_end_user_takes_its_contracts_along(asked: EndUserRequest, ada: User) -> None:
    with pytest.raises(errors.ReasonNeeded):
        actions.refuse_end_user(request=asked, reason=" ", by=ada, now=NOW)
    actions.refuse_end_user(request=asked, reason="No such company.", by=ada, now=NOW)
    contract = ServiceContract.objects.get()
    assert (contract.state, contract.refusal_reason) == (ContractState.REFUSED, "No such company.")


# Renewal


@pytest.mark.clause("C17")
def test_a_renewal_follows_on_and_a_later_one_shows_its_gap(
    running: ServiceContract,
    remy: User,
    ada: User,
    nordlys: Organisation,
    edgeprov: Software,
    sign_in: SignIn,
) -> None:
    with pytest.raises(errors.PeriodOverlaps):
        _register(
            remy, nordlys, edgeprov, starts_on=date(2027, 12, 31), ends_on=date(2029, 1, 1), renews=running
        )
    renewal = _register(
        remy, nordlys, edgeprov, starts_on=date(2028, 2, 1), ends_on=date(2029, 2, 1), renews=running
    )
    page = sign_in(remy).get(f"/contracts/{renewal.number}/").content.decode()
    assert "31 days" in page
    actions.refuse_contract(contract=renewal, reason="Unsigned.", by=ada, now=NOW)
    again = _register(
        remy, nordlys, edgeprov, starts_on=running.ends_on, ends_on=date(2029, 1, 1), renews=running
    )  # what was refused frees its place
    assert again.renews == running
    assert "without a gap" in sign_in(remy).get(f"/contracts/{again.number}/").content.decode()


# Co-termination


@pytest.fixture
def second(nordlys: Organisation, ingrid: User, paula: User) -> Software:
    software = factories.SoftwareFactory.make(name="CGN Log Exporter", sow_reference="SOW-2026-050")
    software.end_users.add(nordlys)
    factories.agreed_documents(nordlys, software, ingrid, paula)
    return software


@pytest.mark.clause("C10", "C65")
def test_a_shorter_term_stands_only_once_staff_have_approved_it(
    running: ServiceContract, second: Software, remy: User, ada: User, nordlys: Organisation
) -> None:
    wanted = {"starts_on": date(2027, 7, 1), "ends_on": date(2028, 7, 1), "co_terminates_with": running}
    with pytest.raises(errors.AlignmentReasonNeeded):
        _register(remy, nordlys, second, **wanted)
    contract = _register(remy, nordlys, second, **wanted, co_termination_reason="One budget.")
    assert contract.ends_on == date(2028, 7, 1)
    with pytest.raises(errors.NotAllowed):
        actions.co_terminate(contract=contract, target=running, reason="One budget.", by=remy, now=NOW)
    with pytest.raises(errors.AlignmentReasonNeeded):
        actions.approve_contract(contract=contract, co_terminates_with=running, by=ada, now=NOW)
    approved = actions.approve_contract(
        contract=contract, co_terminates_with=running, co_termination_reason="One budget.", by=ada, now=NOW
    )
    assert (approved.starts_on, approved.ends_on) == (date(2027, 7, 1), running.ends_on)
    assert approved.co_termination_approved_by == ada.acting
    assert approved.ends_at == running.ends_at


@pytest.mark.clause("C10")
def test_approved_without_the_shorter_term_the_full_one_stands(
    running: ServiceContract, second: Software, remy: User, ada: User, nordlys: Organisation
) -> None:
    contract = _register(
        remy, nordlys, second, co_terminates_with=running, co_termination_reason="One budget."
    )
    assert actions.approve_contract(contract=contract, by=ada, now=NOW).ends_on == date(2028, 1, 1)


@pytest.mark.clause("C10")
def test_only_an_approved_contract_of_the_same_end_user_can_be_aligned_with(
    running: ServiceContract,
    second: Software,
    remy: User,
    ada: User,
    nordlys: Organisation,
    rival: Organisation,
) -> None:
    foreign = factories.ContractFactory.make(end_user=rival, registered_by=remy.acting, decided_by=ada.acting)
    direct = factories.ContractFactory.make(
        end_user=nordlys, registered_by=remy.acting, decided_by=ada.acting
    )
    for target in (foreign, direct):  # another end user's; one that is not this partner's
        with pytest.raises(errors.NotAligned):
            _register(remy, nordlys, second, co_terminates_with=target, co_termination_reason="x")
    contract = _register(remy, nordlys, second, starts_on=date(2028, 1, 1), ends_on=date(2029, 1, 1))
    with pytest.raises(errors.NotAligned):  # it would end as it begins
        actions.co_terminate(contract=contract, target=running, reason="x", by=ada, now=NOW)


@pytest.mark.clause("C10")
def test_the_calculator_says_each_term_in_months_and_days(running: ServiceContract) -> None:
    (row,) = aligned([running], date(2028, 6, 16))
    assert (row.starts_on, row.length.months, row.length.days, row.is_short) == (
        date(2028, 1, 1),
        5,
        15,
        True,
    )
    (over,) = aligned([running], running.ends_on)
    assert over.is_over
    assert length_of(date(2024, 2, 29), date(2025, 2, 28)).months == 12


# The page


def _values(**changes: Any) -> dict[str, Any]:
    values = {
        "whom": "known",
        "starts_on": "2027-01-01",
        "months": "12",
        "purchase_order": "PO-7731",
        "po_end_user_name": "Nordlys Fiber",
        "po_end_user_address": "1 Main Street, San Jose, CA",
        "is_internal_use": "on",
    }
    return {**values, **changes}


def _new_values(**changes: Any) -> dict[str, Any]:
    return _values(
        whom="new",
        new_name=NEW.name,
        new_address=NEW.address,
        new_country="NO",
        contact_name=NEW.contact_name,
        contact_email=NEW.contact_email,
        sow_reference="SOW-2026-044",
        **changes,
    )


@pytest.fixture
def client_of_remy(remy: User, sign_in: SignIn) -> Client:
    return sign_in(remy)


def test_another_one_begins_with_the_last_customer_dates_and_order(
    client_of_remy: Client, nordlys: Organisation, edgeprov: Software
) -> None:
    sent = _values(end_user=nordlys.pk, software=edgeprov.pk, then="another", months="24")
    answer = client_of_remy.post("/contracts/register/", sent, follow=True)
    form = answer.context["form"]
    assert (form["end_user"].value(), form["months"].value(), form["starts_on"].value()) == (
        nordlys.pk,
        24,
        "2027-01-01",
    )
    assert form["purchase_order"].value() == "PO-7731"
    later = client_of_remy.get("/contracts/register/").context["form"]
    assert (later["months"].value(), later["purchase_order"].value()) == (24, None)


def test_a_contract_is_duplicated_or_registered_again_from_a_refused_one(
    client_of_remy: Client, remy: User, ada: User, nordlys: Organisation, edgeprov: Software
) -> None:
    contract = _register(remy, nordlys, edgeprov)
    actions.refuse_contract(contract=contract, reason="Unsigned.", by=ada, now=NOW)
    page = client_of_remy.get(f"/contracts/{contract.number}/").content.decode()
    assert f"/contracts/register/?like={contract.number}" in page
    form = client_of_remy.get(f"/contracts/register/?like={contract.number}").context["form"]
    assert (form["software"].value(), form["purchase_order"].value()) == (edgeprov.pk, "PO-7731")


@pytest.mark.clause("C9")
def test_the_order_is_compared_while_it_is_typed(client_of_remy: Client, nordlys: Organisation) -> None:
    query = f"end_user={nordlys.pk}&po_end_user_name=Nordlys+Fibre&po_end_user_address=1+Main+Street,+San+Jose,+CA"
    page = client_of_remy.get(f"/contracts/register/?{query}").content.decode()
    assert "The name on the order is another" in page
    assert "The address on the order is another" not in page


def test_the_page_names_a_new_end_user_and_keeps_what_was_typed_when_it_cannot(
    client_of_remy: Client, unsold: Software
) -> None:
    for changes, field in (
        ({"contact_email": "kari"}, "contact_email"),
        ({"new_country": "CU"}, "new_country"),
        ({"new_name": ""}, "new_name"),
        ({"sow_reference": "SOW-NOBODY"}, "sow_reference"),
        ({"is_internal_use": ""}, "is_internal_use"),
    ):
        answer = client_of_remy.post("/contracts/register/", {**_new_values(), **changes})
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field]), field
        assert "Strandgaten 4" in answer.content.decode()
    assert not EndUserRequest.objects.exists()
    answer = client_of_remy.post("/contracts/register/", _new_values())
    assert answer.status_code == 302
    assert "the end user is new" in client_of_remy.get(answer["Location"]).content.decode()


def test_a_draft_is_saved_gone_on_with_and_discarded_on_the_pages(
    client_of_remy: Client, ada: User, nordlys: Organisation, edgeprov: Software, sign_in: SignIn
) -> None:
    sent = _values(
        end_user=nordlys.pk, software=edgeprov.pk, purchase_order="", is_internal_use="", then="draft"
    )
    kept = client_of_remy.post("/contracts/register/", sent)
    number = ServiceContract.objects.get().number
    assert kept["Location"] == f"/contracts/{number}/"
    assert "A draft." in client_of_remy.get(f"/contracts/{number}/").content.decode()
    assert sign_in(ada).get(f"/contracts/{number}/edit/").status_code == 404
    assert client_of_remy.get(f"/contracts/{number}/edit/").context["form"]["software"].value() == edgeprov.pk
    handed_in = {**sent, "purchase_order": "PO-1", "is_internal_use": "on", "then": "register"}
    assert client_of_remy.post(f"/contracts/{number}/edit/", handed_in).status_code == 302
    assert ServiceContract.objects.get().state == ContractState.WAITING
    assert client_of_remy.get(f"/contracts/{number}/edit/").status_code == 404
    client_of_remy.post(f"/contracts/{number}/discard/")
    assert ServiceContract.objects.exists()


def test_staff_decide_about_a_new_end_user_on_its_page(
    asked: EndUserRequest, ada: User, remy: User, rival: Organisation, sign_in: SignIn
) -> None:
    client, path = sign_in(ada), f"/contracts/end-users/{asked.pk}/"
    assert "Fjordkraft AS" in client.get("/contracts/end-users/?state=waiting").content.decode()
    assert client.get(path).status_code == 200
    assert sign_in(remy).get(path).status_code == 200
    assert sign_in(remy).post(f"{path}take-on/").status_code == 403
    refused = client.post(f"{path}refuse/", {"reason": ""})
    assert (
        refused.status_code,
        "Give" in refused.content.decode() or "required" in refused.content.decode(),
    ) == (
        422,
        True,
    )
    assert client.post(f"{path}merge/", {"into": "nobody"}).status_code == 422
    assert client.post(f"{path}merge/", {"into": rival.slug}).status_code == 302
    again = client.post(f"{path}take-on/")
    assert (again.status_code, "decided about this end user already" in again.content.decode()) == (422, True)


def test_the_first_contact_is_led_to_the_confirmation(
    asked: EndUserRequest, ada: User, sign_in: SignIn
) -> None:
    actions.take_on_end_user(request=asked, by=ada, now=NOW)
    kari = factories.person("kari@fjordkraft.example", "Kari Lie", asked.organisation, Role.TECHNICAL_CONTACT)
    client = sign_in(kari)
    assert "Strandgaten 4" in client.get("/contracts/end-users/confirm/").content.decode()
    assert client.post("/contracts/end-users/confirm/", {"name": "", "address": "x"}).status_code == 422
    sent = {"name": NEW.name, "address": NEW.address}
    assert client.post("/contracts/end-users/confirm/", sent).status_code == 302
    assert client.get("/contracts/end-users/confirm/").status_code == 404


@pytest.mark.clause("C9")
def test_orders_that_differ_are_a_queue_of_their_own(
    remy: User, ada: User, nordlys: Organisation, edgeprov: Software, sign_in: SignIn
) -> None:
    first = _register(remy, nordlys, edgeprov)
    other = _register(
        remy,
        nordlys,
        edgeprov,
        starts_on=first.ends_on,
        ends_on=date(2029, 1, 1),
        po_end_user_name="Nordlys Fibre",
    )
    rows = sign_in(ada).get("/contracts/?order_differs=1").context["rows"]
    assert [contract.number for contract, _condition in rows] == [other.number]


def test_a_contract_is_terminated_on_a_page_of_its_own(
    running: ServiceContract, ada: User, remy: User, ingrid: User, sign_in: SignIn
) -> None:
    path = f"/contracts/{running.number}/terminate/"
    assert sign_in(remy).get(path).status_code == 403
    client = sign_in(ada)
    assert client.get(path).status_code == 200
    assert client.post(path, {"reason": ""}).status_code == 422
    assert client.post(path, {"reason": "Sold the network."}).status_code == 302
    running.refresh_from_db()
    assert (running.state, running.terminated_by) == (ContractState.TERMINATED, ada.acting)
    assert client.post(path, {"reason": "Again."}).status_code == 422
    assert "Sold the network." in sign_in(ingrid).get(f"/contracts/{running.number}/").content.decode()


@pytest.mark.clause("C10")
def test_the_calculator_leads_to_the_registration(
    running: ServiceContract, client_of_remy: Client, ingrid: User, nordlys: Organisation, sign_in: SignIn
) -> None:
    other = factories.SoftwareFactory.make(name="Second")
    short = factories.ContractFactory.make(
        end_user=nordlys,
        software=other,
        channel="reseller",
        partner=running.partner,
        purchase_order="PO-2",
        po_end_user_name="x",
        po_end_user_address="y",
        starts_on=date(2026, 7, 1),
        ends_on=date(2027, 7, 1),
        registered_by=running.registered_by,
        decided_by=running.decided_by,
    )
    page = client_of_remy.get(f"/contracts/align/?end_user={nordlys.slug}").content.decode()
    assert "Shorter than 12 months" in page
    assert f"renews={short.number}" in page
    assert client_of_remy.get("/contracts/align/?end_user=%00&last_day=x&contract=y").status_code == 200
    assert sign_in(ingrid).get("/contracts/align/").status_code == 403
