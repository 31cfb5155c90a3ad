"""The register of requirements (C58, C59), written notices (C62), and what governs a contract (C4-C8)."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, InternalError, transaction

from accounts.models import AuditEntry, Membership, User
from contracts import actions
from contracts.errors import AnswerNeeded, NotAllowed, NotMet, TextNeeded, VersionTaken, WrongState
from contracts.kinds import GoverningKind, RequirementSource, Responsibility
from contracts.models import GoverningDocument, NonFulfilment, Requirement, ServiceContract
from contracts.obligation_notices import may_be_told
from contracts.obligations import Obligations, for_contract, governing_of
from notifications.models import Message
from notifications.rendering import inbox_line
from tests import factories
from tests.conftest import SignIn, World

NOW = factories.NOW


def _record(world: World, by: User, text: str = "PostgreSQL 15 or later") -> Requirement:
    return actions.record_requirement(
        contract=world.contract,
        text=text,
        source=RequirementSource.USER_GUIDE,
        source_title="User guide 3.2, chapter 2",
        dated_on=date(2026, 5, 1),
        by=by,
        now=NOW,
    )


def _give(world: World, by: User, text: str = "Nobody is trained before June.") -> NonFulfilment:
    return actions.give_notice(
        contract=world.contract,
        responsibility=Responsibility.TRAINING,
        is_certain=True,
        text=text,
        by=by,
        now=NOW,
    )


def _shown(contract: ServiceContract, user: User) -> Obligations:
    found: Obligations = for_contract(contract, user, now=NOW)["obligations"]
    return found


# The register


@pytest.mark.clause("C58", "C59")
@pytest.mark.parametrize("who", ["sam", "paula", "ada", "lena"])
def test_staff_record_what_is_required_and_where_it_comes_from(
    who: str, world: World, alice: User, request: pytest.FixtureRequest
) -> None:
    by = request.getfixturevalue(who)
    requirement = _record(world, by)
    shown = _shown(world.contract, alice)
    assert list(shown.requirements) == [requirement]
    assert shown.unmet == 1
    assert (requirement.source_title, requirement.dated_on) == ("User guide 3.2, chapter 2", date(2026, 5, 1))
    assert AuditEntry.objects.filter(action="requirement.recorded", subject=world.contract.number).exists()


@pytest.mark.parametrize("who", ["alice", "remy", "aki", "mallory"])
def test_nobody_else_records_a_requirement(who: str, world: World, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotAllowed):
        _record(world, request.getfixturevalue(who))
    assert not Requirement.objects.exists()


def test_a_requirement_without_words_is_none(world: World, sam: User) -> None:
    with pytest.raises(TextNeeded):
        _record(world, sam, text="  \n ")


@pytest.mark.clause("C58")
def test_the_technical_contact_says_that_it_is_met_and_later_that_it_is_not(
    world: World, alice: User, sam: User
) -> None:
    requirement = _record(world, sam)
    met = actions.meet_requirement(requirement=requirement, note="16.2 since May", by=alice, now=NOW)
    assert (met.met_by, met.met_at, met.met_note) == (alice.acting, NOW, "16.2 since May")
    assert _shown(world.contract, alice).unmet == 0
    with pytest.raises(NotMet):
        actions.meet_requirement(requirement=requirement, by=alice, now=NOW)
    unmet = actions.unmeet_requirement(requirement=requirement, by=alice, now=NOW)
    assert (unmet.met_by, unmet.met_at, unmet.met_note) == (None, None, "")
    with pytest.raises(NotMet):
        actions.unmeet_requirement(requirement=requirement, by=alice, now=NOW)
    kept = AuditEntry.objects.get(action="requirement.met")
    assert kept.detail["note"] == "16.2 since May"


@pytest.mark.parametrize("who", ["anna", "mallory", "sam", "paula", "remy"])
def test_only_the_end_users_technical_contact_says_that_it_is_met(
    who: str, world: World, sam: User, request: pytest.FixtureRequest
) -> None:
    requirement = _record(world, sam)
    with pytest.raises(NotAllowed):
        actions.meet_requirement(requirement=requirement, by=request.getfixturevalue(who), now=NOW)


def test_a_retired_requirement_is_kept_and_cannot_be_answered(world: World, alice: User, sam: User) -> None:
    requirement = _record(world, sam)
    with pytest.raises(NotAllowed):
        actions.retire_requirement(requirement=requirement, by=alice, now=NOW)
    actions.retire_requirement(requirement=requirement, by=sam, now=NOW)
    assert _shown(world.contract, alice).unmet == 0
    for change in (actions.meet_requirement, actions.unmeet_requirement):
        with pytest.raises(NotMet):
            change(requirement=requirement, by=alice, now=NOW)
    with pytest.raises(NotMet):
        actions.retire_requirement(requirement=requirement, by=sam, now=NOW)


# Written notices


@pytest.mark.clause("C62")
@pytest.mark.parametrize("who", ["alice", "anna"])
def test_the_end_user_gives_notice_in_writing_and_those_who_plan_the_work_are_told_at_once(
    who: str, world: World, ada: User, lena: User, sam: User, request: pytest.FixtureRequest
) -> None:
    by = request.getfixturevalue(who)
    notice = _give(world, by)
    assert (notice.given_by, notice.given_at) == (by.acting, NOW)
    told = Message.objects.filter(kind="non_fulfilment")
    assert {m.recipient_id for m in told} == {ada.acting.pk, lena.acting.pk}  # type: ignore[union-attr]
    assert inbox_line(told[0]) == (
        f"Acme Telecom will not meet a responsibility: {world.contract.number}, PathKeeper"
    )
    assert told[0].context["text"] == "Nobody is trained before June."


@pytest.mark.parametrize("who", ["mallory", "remy", "sam", "ada"])
def test_nobody_gives_notice_for_another(who: str, world: World, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotAllowed):
        _give(world, request.getfixturevalue(who))
    assert not NonFulfilment.objects.exists()


def test_a_notice_says_something(world: World, alice: User) -> None:
    with pytest.raises(TextNeeded):
        _give(world, alice, text=" ")


@pytest.mark.clause("C62")
def test_staff_answer_once_and_whoever_gave_the_notice_is_told(
    world: World, anna: User, lena: User, ada: User
) -> None:
    notice = _give(world, anna)
    later = NOW + timedelta(hours=3)
    with pytest.raises(AnswerNeeded):
        actions.answer_notice(notice=notice, answer=" ", by=lena, now=later)
    actions.answer_notice(notice=notice, answer="Thank you. We plan for July.", by=lena, now=later)
    with pytest.raises(WrongState):
        actions.answer_notice(notice=notice, answer="Me too.", by=ada, now=later)
    notice.refresh_from_db()
    assert (notice.read_by, notice.read_at, notice.answer) == (
        lena.acting,
        later,
        "Thank you. We plan for July.",
    )
    told = Message.objects.get(recipient=anna.acting)
    assert inbox_line(told) == f"Your written notice about {world.contract.number} was answered"


@pytest.mark.parametrize("who", ["alice", "aki"])
def test_only_staff_who_plan_the_work_answer(
    who: str, world: World, anna: User, request: pytest.FixtureRequest
) -> None:
    notice = _give(world, anna)
    with pytest.raises(NotAllowed):
        actions.answer_notice(notice=notice, answer="Fine", by=request.getfixturevalue(who), now=NOW)


@pytest.mark.clause("C62")
@pytest.mark.parametrize(
    "changes",
    [
        {"text": "Nothing"},
        {"is_certain": False},
        {"responsibility": "other"},
        {"given_at": NOW + timedelta(1)},
    ],
)
def test_what_was_given_stays_as_it_was_written(
    changes: dict[str, object], world: World, alice: User
) -> None:
    notice = _give(world, alice)
    with pytest.raises(InternalError, match="Cannot update rows"), transaction.atomic():
        NonFulfilment.objects.filter(pk=notice.pk).update(**changes)
    with pytest.raises(InternalError, match="Cannot delete rows"), transaction.atomic():
        notice.delete()


def test_an_answer_stays_as_it_was_written(world: World, alice: User, ada: User) -> None:
    notice = _give(world, alice)
    actions.answer_notice(notice=notice, answer="Read.", by=ada, now=NOW)
    with pytest.raises(InternalError, match="Cannot update rows"), transaction.atomic():
        NonFulfilment.objects.filter(pk=notice.pk).update(answer="Never read.")


def test_notices_are_between_end_user_and_vendor(
    world: World, alice: User, anna: User, remy: User, mallory: User, sam: User, root: User
) -> None:
    world.contract.end_user.registered_by.add(remy.acting.organisation)  # type: ignore[union-attr]
    _give(world, alice)
    seen = {u.name: NonFulfilment.objects.visible_to(u).count() for u in (anna, remy, mallory, sam, root)}
    assert seen == {anna.name: 1, remy.name: 0, mallory.name: 0, sam.name: 1, root.name: 0}


def test_who_left_is_not_told_any_more(
    world: World, anna: User, ada: User, lena: User, mallory: User
) -> None:
    notice = _give(world, anna)
    subject = f"non_fulfilment:{notice.pk}"
    pairs = [(u.acting.pk, subject) for u in (ada, lena, anna, mallory)]  # type: ignore[union-attr]
    assert may_be_told(pairs) == set(pairs[:3])
    Membership.objects.filter(user__in=[ada, anna]).update(ended_at=NOW)
    assert may_be_told([*pairs, (lena.acting.pk, "non_fulfilment:0")]) == {pairs[1]}  # type: ignore[union-attr]


# What the database refuses


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"source": "hearsay"}, "source_is_known"),
        ({"met_at": NOW}, "met_names_when_and_by_whom"),
    ],
)
def test_the_database_refuses_a_requirement_that_makes_no_sense(
    changes: dict[str, object], name: str, world: World, sam: User
) -> None:
    requirement = _record(world, sam)
    with pytest.raises(IntegrityError, match=f"contracts_requirement_{name}"), transaction.atomic():
        Requirement.objects.filter(pk=requirement.pk).update(**changes)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"responsibility": "laundry"}, "responsibility_is_known"),
        ({"text": ""}, "says_what"),
        ({"read_at": NOW + timedelta(days=1)}, "read_names_when_and_by_whom"),
    ],
)
def test_the_database_refuses_a_notice_that_makes_no_sense(
    fields: dict[str, object], name: str, world: World, alice: User
) -> None:
    values = {"responsibility": "training", "text": "Late", **fields}
    with pytest.raises(IntegrityError, match=f"contracts_nonfulfilment_{name}"), transaction.atomic():
        NonFulfilment.objects.create(contract=world.contract, given_by=alice.acting, given_at=NOW, **values)


def test_a_notice_is_not_read_before_it_was_given(world: World, alice: User, ada: User) -> None:
    with pytest.raises(IntegrityError, match="read_names_when_and_by_whom"), transaction.atomic():
        NonFulfilment.objects.create(
            contract=world.contract, responsibility="training", text="Late", given_by=alice.acting, given_at=NOW,
            read_by=ada.acting, read_at=NOW - timedelta(seconds=1), answer="Early",
        )  # fmt: skip


# What governs


def _document(kind: GoverningKind, version: str, start: date, title: str = "") -> GoverningDocument:
    return GoverningDocument.objects.create(
        kind=kind, title=title or kind.label, version=version, in_force_from=start, text="# Terms"
    )


@pytest.mark.clause("C4", "C5", "C6")
def test_a_contract_shows_its_agreement_and_licence_before_the_service_description(
    world: World, alice: User, sign_in: SignIn
) -> None:
    eusa = _document(GoverningKind.EUSA, "5.1", date(2024, 1, 1))
    licence = _document(GoverningKind.LICENCE, "2.0", date(2025, 1, 1))
    ServiceContract.objects.filter(pk=world.contract.pk).update(agreement=eusa, licence=licence)
    text = sign_in(alice).get(f"/contracts/{world.contract.number}/").content.decode()
    first, second, third = (
        text.index("Agreement 5.1"),
        text.index("Agreement 2.0"),
        text.index("these win (C6)"),
    )
    assert first < second < third
    assert f"/agreements/{eusa.pk}/" in text
    assert "Named by this contract." in text


@pytest.mark.clause("C4", "C5")
def test_a_contract_that_names_none_is_under_what_was_in_force(world: World) -> None:
    """The agreement of the first covered day, the licence of today; neither one that is still to come."""
    first = _document(GoverningKind.EUSA, "5.0", world.contract.starts_on)
    _document(GoverningKind.EUSA, "5.1", world.contract.starts_on + timedelta(days=1))
    _document(GoverningKind.LICENCE, "1.0", date(2020, 1, 1))
    licence = _document(GoverningKind.LICENCE, "2.0", NOW.date())
    _document(GoverningKind.LICENCE, "3.0", NOW.date() + timedelta(days=1))
    found = governing_of(world.contract, now=NOW)
    assert (found.agreement, found.is_agreement_named) == (first, False)
    assert (found.licence, found.is_licence_named) == (licence, False)


@pytest.mark.clause("C6")
def test_without_any_text_the_page_says_that_what_was_signed_counts(
    world: World, alice: User, sign_in: SignIn
) -> None:
    text = sign_in(alice).get(f"/contracts/{world.contract.number}/").content.decode()
    assert "The agreement that both parties signed counts" in text


@pytest.mark.clause("C8")
def test_a_contract_shows_the_declaration_of_internal_use(world: World, alice: User, sign_in: SignIn) -> None:
    text = sign_in(alice).get(f"/contracts/{world.contract.number}/").content.decode()
    assert "Internal only, as declared (C8)" in text


@pytest.mark.clause("C3")
def test_the_contract_page_shows_a_term_of_a_year(world: World, alice: User, sign_in: SignIn) -> None:
    text = sign_in(alice).get(f"/contracts/{world.contract.number}/").content.decode()
    assert "1 April 2026" in text
    assert "31 March 2027" in text


def test_an_administrator_adds_a_version_and_never_the_same_twice(db: None, ada: User, paula: User) -> None:
    values = {
        "kind": GoverningKind.EUSA,
        "title": "End User Support Agreement",
        "version": "6.0",
        "in_force_from": date(2027, 1, 1),
        "text": "# Terms",
    }
    with pytest.raises(NotAllowed):
        actions.add_governing_document(**values, by=paula, now=NOW)  # type: ignore[arg-type]
    with pytest.raises(TextNeeded):
        actions.add_governing_document(**values | {"text": " "}, by=ada, now=NOW)  # type: ignore[arg-type]
    actions.add_governing_document(**values, by=ada, now=NOW)  # type: ignore[arg-type]
    with pytest.raises(VersionTaken):
        actions.add_governing_document(**values, by=ada, now=NOW)  # type: ignore[arg-type]


@pytest.mark.attack("another organisation's object by number or id")
def test_a_master_agreement_is_read_by_staff_and_by_those_whose_contract_names_it(
    world: World, alice: User, mallory: User, remy: User, sam: User, root: User
) -> None:
    msa = _document(GoverningKind.MSA, "1", date(2024, 1, 1), title="Acme master agreement")
    eusa = _document(GoverningKind.EUSA, "5.1", date(2024, 1, 1))
    before = {u.name: set(GoverningDocument.objects.visible_to(u)) for u in (alice, mallory, remy, sam, root)}
    assert before == {
        alice.name: {eusa}, mallory.name: {eusa}, remy.name: {eusa}, sam.name: {msa, eusa}, root.name: set(),
    }  # fmt: skip
    ServiceContract.objects.filter(pk=world.contract.pk).update(agreement=msa)
    assert set(GoverningDocument.objects.visible_to(alice)) == {msa, eusa}
    assert set(GoverningDocument.objects.visible_to(mallory)) == {eusa}


# Pages


@pytest.mark.clause("C58", "C59")
def test_a_requirement_goes_from_the_form_to_the_register_and_is_marked_as_met(
    world: World, alice: User, sam: User, sign_in: SignIn
) -> None:
    base = f"/contracts/{world.contract.number}/"
    staff, customer = sign_in(sam), sign_in(alice)
    form = {
        "text": "Two network paths to the collector",
        "source": "recommendation",
        "source_title": "Case 2026-1101-0003",
        "dated_on": "2026-11-01",
    }
    assert staff.post(f"{base}requirements/new/", form)["Location"] == f"{base}#requirements"
    requirement = Requirement.objects.get()
    text = customer.get(base).content.decode()
    assert "Two network paths to the collector" in text
    assert "Not met" in text
    assert (
        customer.post(f"{base}requirements/{requirement.pk}/met/", {"note": "Since May"}).status_code == 302
    )
    assert "Since May" in customer.get(base).content.decode()
    again = customer.post(f"{base}requirements/{requirement.pk}/met/", {"note": "Once more"})
    assert again.status_code == 422
    assert "marked as met already" in again.content.decode()
    customer.post(f"{base}requirements/{requirement.pk}/unmet/")
    staff.post(f"{base}requirements/{requirement.pk}/retire/")
    assert "No longer asked" in customer.get(base).content.decode()
    staff.post(f"{base}requirements/{requirement.pk}/retire/")
    assert "This requirement is no longer asked." in staff.get(base).content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": ""}, "This field is required."),
        ({"text": "x" * 401}, "at most 400"),
        ({"dated_on": "2026-02-29"}, "Enter a valid date"),
        ({"dated_on": "0026-05-01"}, "Give a year between"),
        ({"source": "hearsay"}, "Select a valid choice"),
        ({"source_title": "a\x00b"}, "Null characters"),
    ],
)
def test_a_bad_requirement_is_refused_beside_its_field_and_nothing_is_written(
    changes: dict[str, str], words: str, world: World, sam: User, sign_in: SignIn
) -> None:
    form = {"text": "Space", "source": "user_guide", "source_title": "Kept title", "dated_on": "2026-05-01"}
    response = sign_in(sam).post(f"/contracts/{world.contract.number}/requirements/new/", form | changes)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert "source_title" in changes or "Kept title" in response.content.decode()
    assert not Requirement.objects.exists()


@pytest.mark.clause("C62")
def test_a_notice_goes_from_the_form_to_the_contract_and_is_answered_there(
    world: World, anna: User, lena: User, remy: User, sign_in: SignIn
) -> None:
    base = f"/contracts/{world.contract.number}/"
    customer, staff = sign_in(anna), sign_in(lena)
    form = {"responsibility": "backup", "is_certain": "no", "text": "No backup in March."}
    assert customer.post(f"{base}notices/new/", form)["Location"] == f"{base}#notices"
    notice = NonFulfilment.objects.get()
    assert not notice.is_certain
    assert "nobody has answered yet" in customer.get(base).content.decode()
    assert f"{base}notices/{notice.pk}/" in staff.get(base).content.decode()
    empty = staff.post(f"{base}notices/{notice.pk}/", {"answer": " "})
    assert empty.status_code == 422
    assert staff.post(f"{base}notices/{notice.pk}/", {"answer": "We note it."}).status_code == 302
    assert "We note it." in customer.get(base).content.decode()
    again = staff.post(f"{base}notices/{notice.pk}/", {"answer": "Again."})
    assert again.status_code == 422


def test_a_notice_that_says_nothing_keeps_what_was_chosen(world: World, anna: User, sign_in: SignIn) -> None:
    form = {"responsibility": "backup", "is_certain": "yes", "text": ""}
    response = sign_in(anna).post(f"/contracts/{world.contract.number}/notices/new/", form)
    assert response.status_code == 422
    text = response.content.decode()
    assert '<option value="backup" selected>' in text
    assert not NonFulfilment.objects.exists()


def test_what_hangs_on_another_contract_is_not_found_under_this_one(
    world: World, sam: User, sign_in: SignIn
) -> None:
    requirement = _record(world, sam)
    path = f"/contracts/{world.lapsed.number}/requirements/{requirement.pk}/retire/"
    assert sign_in(sam).post(path).status_code == 404


def test_the_partner_reads_requirements_and_no_notices(
    world: World, remy: User, alice: User, sam: User, sign_in: SignIn
) -> None:
    assert remy.acting is not None
    ServiceContract.objects.filter(pk=world.contract.pk).update(
        partner=remy.acting.organisation, channel="reseller", purchase_order="1", po_end_user_name="Acme Telecom",
        po_end_user_address="1 Main Street",
    )  # fmt: skip
    _record(world, sam)
    _give(world, alice)
    text = sign_in(remy).get(f"/contracts/{world.contract.number}/").content.decode()
    assert "PostgreSQL 15 or later" in text
    assert "Written notices" not in text
    assert "Mark as met" not in text


def test_the_contract_page_costs_no_more_queries_with_many_rows(
    world: World,
    alice: User,
    sam: User,
    sign_in: SignIn,
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    for number in range(8):
        actions.meet_requirement(requirement=_record(world, sam, f"Thing {number}"), by=alice, now=NOW)
        _give(world, alice, f"Notice {number}")
    with django_assert_max_num_queries(9):  # type: ignore[attr-defined]
        for_contract(world.contract, alice, now=NOW)
    client = sign_in(alice)
    client.get(f"/contracts/{world.contract.number}/")
    with django_assert_max_num_queries(22):  # type: ignore[attr-defined]
        client.get(f"/contracts/{world.contract.number}/")
