"""Design document and test plan: versions, agreement of both sides, and the work when one lacks (C12-C14)."""

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.models import AuditEntry, Organisation, User
from contracts import actions
from contracts.errors import (
    AlreadyAgreed,
    NotAllowed,
    PrerequisitesMissing,
    ReasonNeeded,
    SoftwareNotSupported,
    VersionTaken,
    WrongState,
)
from contracts.kinds import ContractState, DocumentKind, WorkState
from contracts.models import (
    DocumentAgreement,
    DocumentTask,
    PrerequisiteDocument,
    ServiceContract,
    Software,
)
from contracts.prerequisites import missing, slots_of
from files.models import StoredFile
from tests import factories
from tests.conftest import SignIn, World

NOW = factories.NOW
Side = DocumentAgreement.Side


@pytest.fixture
def pathkeeper(acme: Organisation) -> Software:
    software = factories.SoftwareFactory.make(name="PathKeeper")
    software.end_users.set([acme])
    return software


@pytest.fixture
def waiting(acme: Organisation, pathkeeper: Software, meridian: Organisation, remy: User) -> ServiceContract:
    """Registered by the reseller; no document is there."""
    acme.registered_by.add(meridian)
    return actions.register_contract(
        end_user=acme,
        software=pathkeeper,
        starts_on=date(2027, 1, 1),
        ends_on=date(2028, 1, 1),
        purchase_order="PO-1",
        po_end_user_name=acme.name,
        po_end_user_address=acme.address,
        by=remy,
        now=NOW,
    )


def _add(
    by: User, organisation: Organisation, software: Software, kind: str, version: str
) -> PrerequisiteDocument:
    return actions.add_document(
        organisation=organisation,
        software=software,
        kind=DocumentKind(kind),
        version=version,
        title=f"{kind} of {software.name}",
        by=by,
        now=NOW,
    )


def _agree(document: PrerequisiteDocument, alice: User, paula: User, now: datetime = NOW) -> None:
    actions.agree_document(document=document, side=Side.VENDOR, by=paula, now=now)
    actions.agree_document(document=document, side=Side.END_USER, by=alice, now=now + timedelta(minutes=5))


# The work in front of approval


@pytest.mark.clause("C14")
def test_a_registration_without_documents_opens_a_chargeable_task_for_each(
    waiting: ServiceContract, remy: User
) -> None:
    tasks = DocumentTask.objects.filter(contract=waiting).order_by("kind")
    assert [(t.kind, t.state, t.opened_by, t.opened_at) for t in tasks] == [
        ("design", WorkState.OPEN, remy.acting, NOW),
        ("test_plan", WorkState.OPEN, remy.acting, NOW),
    ]


@pytest.mark.clause("C14")
def test_only_the_document_that_lacks_gets_a_task(
    acme: Organisation, pathkeeper: Software, alice: User, paula: User, ada: User
) -> None:
    _agree(_add(paula, acme, pathkeeper, "design", "1.0"), alice, paula)
    contract = actions.register_contract(
        end_user=acme, software=pathkeeper, starts_on=date(2027, 1, 1), ends_on=date(2028, 1, 1),
        purchase_order="", po_end_user_name="", po_end_user_address="", by=ada, now=NOW,
    )  # fmt: skip
    assert [t.kind for t in contract.document_tasks.all()] == [DocumentKind.TEST_PLAN]


def test_a_registration_with_both_documents_agreed_opens_no_task(
    world: World, acme: Organisation, ada: User
) -> None:
    contract = actions.register_contract(
        end_user=acme, software=world.software, starts_on=date(2027, 4, 1), ends_on=date(2028, 4, 1),
        purchase_order="", po_end_user_name="", po_end_user_address="", by=ada, now=NOW,
    )  # fmt: skip
    assert not contract.document_tasks.exists()


def test_asking_again_opens_nothing_twice(waiting: ServiceContract, remy: User) -> None:
    actions.open_document_tasks(contract=waiting, by=remy, now=NOW)
    assert waiting.document_tasks.count() == 2


@pytest.mark.clause("C12", "C14")
def test_approval_waits_while_a_document_is_lacking(waiting: ServiceContract, ada: User) -> None:
    with pytest.raises(PrerequisitesMissing):
        actions.approve_contract(contract=waiting, by=ada, now=NOW)
    waiting.refresh_from_db()
    assert waiting.state == ContractState.WAITING


@pytest.mark.clause("C13", "C14")
def test_the_task_is_done_with_the_second_sides_agreement_and_then_the_contract_can_be_approved(
    waiting: ServiceContract, acme: Organisation, pathkeeper: Software, alice: User, paula: User, ada: User
) -> None:
    design = _add(paula, acme, pathkeeper, "design", "1.0")
    plan = _add(paula, acme, pathkeeper, "test_plan", "1.0")
    actions.agree_document(document=design, side=Side.VENDOR, by=paula, now=NOW)
    assert waiting.document_tasks.open().count() == 2
    at = NOW + timedelta(hours=1)
    actions.agree_document(document=design, side=Side.END_USER, by=alice, now=at)
    done = waiting.document_tasks.get(kind=DocumentKind.DESIGN)
    assert (done.state, done.document, done.closed_by, done.closed_at) == (
        WorkState.DONE,
        design,
        alice.acting,
        at,
    )
    _agree(plan, alice, paula)
    assert not waiting.document_tasks.open().exists()
    approved = actions.approve_contract(contract=waiting, by=ada, now=at)
    assert approved.state == ContractState.APPROVED


@pytest.mark.clause("C14")
def test_an_open_task_alone_keeps_a_contract_from_approval_and_is_named(
    waiting: ServiceContract, acme: Organisation, pathkeeper: Software, alice: User, paula: User, ada: User
) -> None:
    factories.agreed_documents(acme, pathkeeper, alice, paula)  # past the actions: the tasks stay open
    with pytest.raises(PrerequisitesMissing, match="document task"):
        actions.approve_contract(contract=waiting, by=ada, now=NOW)


@pytest.mark.clause("C14")
def test_a_document_that_goes_out_of_date_puts_work_before_contracts_that_wait_and_no_other(
    waiting: ServiceContract, acme: Organisation, pathkeeper: Software, alice: User, paula: User
) -> None:
    design = _add(paula, acme, pathkeeper, "design", "1.0")
    _agree(design, alice, paula)
    assert waiting.document_tasks.open().count() == 1
    actions.mark_out_of_date(document=design, by=paula, now=NOW + timedelta(days=1))
    assert {t.kind for t in waiting.document_tasks.open()} == {"design", "test_plan"}
    assert missing(acme, pathkeeper) == [DocumentKind.DESIGN, DocumentKind.TEST_PLAN]


def test_a_contract_in_force_keeps_its_cover_when_a_document_goes_out_of_date(
    world: World, acme: Organisation, paula: User
) -> None:
    design = PrerequisiteDocument.objects.get(organisation=acme, kind="design")
    actions.mark_out_of_date(document=design, by=paula, now=NOW)
    assert not DocumentTask.objects.exists()
    world.contract.refresh_from_db()
    assert world.contract.is_in_force_at(NOW)


def test_a_refused_contract_takes_its_tasks_along(waiting: ServiceContract, ada: User) -> None:
    actions.refuse_contract(contract=waiting, reason="Wrong end user", by=ada, now=NOW)
    assert set(waiting.document_tasks.values_list("state", flat=True)) == {WorkState.CANCELLED}


@pytest.mark.clause("C14")
def test_staff_say_what_the_work_costs_and_the_trail_keeps_the_older_price(
    waiting: ServiceContract, paula: User
) -> None:
    task = waiting.document_tasks.get(kind="design")
    actions.price_document_task(task=task, price="USD 4,000", by=paula, now=NOW)
    actions.price_document_task(task=task, price="USD 3,500", by=paula, now=NOW)
    task.refresh_from_db()
    assert task.price == "USD 3,500"
    last = AuditEntry.objects.filter(action="document_task.priced").order_by("-pk")[0]
    assert last.detail["from"] == "USD 4,000"


def test_a_task_is_cancelled_with_a_reason_and_only_once(waiting: ServiceContract, ada: User) -> None:
    task = waiting.document_tasks.get(kind="design")
    with pytest.raises(ReasonNeeded):
        actions.cancel_document_task(task=task, reason=" ", by=ada, now=NOW)
    actions.cancel_document_task(task=task, reason="Written by the customer", by=ada, now=NOW)
    with pytest.raises(WrongState):
        actions.cancel_document_task(task=task, reason="Again", by=ada, now=NOW)
    with pytest.raises(WrongState):
        actions.price_document_task(task=task, price="1", by=ada, now=NOW)


@pytest.mark.parametrize("who", ["alice", "remy", "sam", "aki"])
def test_only_those_who_do_the_work_or_decide_touch_a_task(
    who: str, waiting: ServiceContract, request: pytest.FixtureRequest
) -> None:
    task = waiting.document_tasks.get(kind="design")
    by = request.getfixturevalue(who)
    with pytest.raises(NotAllowed):
        actions.price_document_task(task=task, price="1", by=by, now=NOW)
    with pytest.raises(NotAllowed):
        actions.cancel_document_task(task=task, reason="No", by=by, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_an_agreement_and_a_registration_at_the_same_moment_leave_no_task_behind(
    acme: Organisation, pathkeeper: Software, alice: User, paula: User, ada: User
) -> None:
    for kind in DocumentKind:
        document = _add(paula, acme, pathkeeper, kind, "1.0")
        actions.agree_document(document=document, side=Side.VENDOR, by=paula, now=NOW)
    documents = list(PrerequisiteDocument.objects.order_by("pk"))
    begun, failed = threading.Event(), []

    def register() -> None:
        begun.set()
        try:
            actions.register_contract(
                end_user=acme, software=pathkeeper, starts_on=date(2027, 1, 1), ends_on=date(2028, 1, 1),
                purchase_order="", po_end_user_name="", po_end_user_address="", by=ada, now=NOW,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - told to the test
            failed.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=register)
    with transaction.atomic():
        for document in documents:
            actions.agree_document(document=document, side=Side.END_USER, by=alice, now=NOW)
        other.start()
        begun.wait()
        other.join(timeout=0.5)  # it waits for the documents
    other.join(timeout=30)
    assert not failed
    assert not DocumentTask.objects.open().exists()


# Versions and who may


@pytest.mark.clause("C12", "C13")
def test_the_history_keeps_every_version_and_the_newest_agreed_one_counts(
    acme: Organisation, pathkeeper: Software, alice: User, paula: User
) -> None:
    _agree(_add(paula, acme, pathkeeper, "design", "1.0"), alice, paula)
    newer = _add(paula, acme, pathkeeper, "design", "2.0")
    design, plan = slots_of(acme, pathkeeper)
    assert [str(v.document) for v in design.versions] == [
        "design of PathKeeper 2.0",
        "design of PathKeeper 1.0",
    ]
    assert design.counts.document is not None
    assert design.counts.document.version == "1.0"
    assert plan.counts.document is None
    _agree(newer, alice, paula)
    assert slots_of(acme, pathkeeper)[0].counts.document == newer


def test_a_version_is_there_once(acme: Organisation, pathkeeper: Software, paula: User) -> None:
    _add(paula, acme, pathkeeper, "design", "1.0")
    with pytest.raises(VersionTaken):
        _add(paula, acme, pathkeeper, "design", "1.0")
    _add(paula, acme, pathkeeper, "test_plan", "1.0")


def test_nothing_is_written_for_software_of_somebody_else(
    rival: Organisation, pathkeeper: Software, paula: User
) -> None:
    with pytest.raises(SoftwareNotSupported):
        _add(paula, rival, pathkeeper, "design", "1.0")


@pytest.mark.clause("C13")
def test_each_side_agrees_once_and_for_itself(
    acme: Organisation, pathkeeper: Software, alice: User, mallory: User, anna: User, paula: User
) -> None:
    document = _add(paula, acme, pathkeeper, "design", "1.0")
    for side, by in (
        (Side.VENDOR, alice),
        (Side.END_USER, paula),
        (Side.END_USER, mallory),
        (Side.END_USER, anna),
    ):
        with pytest.raises(NotAllowed):
            actions.agree_document(document=document, side=side, by=by, now=NOW)
    actions.agree_document(document=document, side=Side.END_USER, by=alice, now=NOW)
    with pytest.raises(AlreadyAgreed):
        actions.agree_document(document=document, side=Side.END_USER, by=alice, now=NOW)


def test_nobody_agrees_to_a_version_that_is_out_of_date(
    acme: Organisation, pathkeeper: Software, alice: User, paula: User
) -> None:
    document = _add(paula, acme, pathkeeper, "design", "1.0")
    actions.mark_out_of_date(document=document, by=paula, now=NOW)
    with pytest.raises(WrongState):
        actions.agree_document(document=document, side=Side.END_USER, by=alice, now=NOW)
    with pytest.raises(WrongState):
        actions.mark_out_of_date(document=document, by=paula, now=NOW)


def test_files_are_for_staff_and_the_end_user_and_not_for_the_partner(
    waiting: ServiceContract, acme: Organisation, pathkeeper: Software, anna: User, remy: User, mallory: User,
    sam: User, paula: User, root: User,
) -> None:  # fmt: skip
    _add(paula, acme, pathkeeper, "design", "1.0")
    seen = {
        u.name: PrerequisiteDocument.objects.visible_to(u).count()
        for u in (anna, remy, mallory, sam, paula, root)
    }
    assert seen == {anna.name: 1, remy.name: 0, mallory.name: 0, sam.name: 1, paula.name: 1, root.name: 0}
    tasks = {u.name: DocumentTask.objects.visible_to(u).count() for u in (anna, remy, mallory, sam, root)}
    assert tasks == {anna.name: 2, remy.name: 2, mallory.name: 0, sam.name: 2, root.name: 0}


# What the database refuses


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"kind": "novel"}, "kind_is_known"),
        ({"state": "lost", "closed_at": NOW}, "state_is_known"),
        ({"state": "cancelled"}, "closed_names_when_and_by_whom"),
        ({"state": "done", "closed_at": NOW}, "done_names_the_document"),
    ],
)
def test_the_database_refuses_a_task_that_makes_no_sense(
    changes: dict[str, object], name: str, waiting: ServiceContract, ada: User
) -> None:
    if "closed_at" in changes:
        changes = {**changes, "closed_by": ada.acting}
    with pytest.raises(IntegrityError, match=f"contracts_documenttask_{name}"), transaction.atomic():
        waiting.document_tasks.filter(kind="design").update(**changes)


def test_the_database_refuses_two_open_tasks_for_one_document(waiting: ServiceContract, remy: User) -> None:
    with (
        pytest.raises(IntegrityError, match="contracts_documenttask_is_open_once_per_kind"),
        transaction.atomic(),
    ):
        DocumentTask.objects.create(
            contract=waiting, organisation=waiting.end_user, software=waiting.software, kind="design",
            opened_by=remy.acting, opened_at=NOW,
        )  # fmt: skip


# Pages


@pytest.fixture
def page(acme: Organisation, pathkeeper: Software) -> str:
    return f"/documents/{acme.slug}/{pathkeeper.slug}/"


def _pdf(name: str = "design.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"%PDF-1.7 what it does")


@pytest.mark.clause("C12", "C13", "C14")
def test_professional_services_add_a_version_with_its_file_and_both_sides_agree_on_the_page(
    waiting: ServiceContract, page: str, alice: User, paula: User, sign_in: SignIn
) -> None:
    staff, customer = sign_in(paula), sign_in(alice)
    form = {"kind": "design", "version": "1.0", "title": "Design of PathKeeper", "sent": _pdf()}
    assert staff.post(f"{page}new/", form).status_code == 302
    document = PrerequisiteDocument.objects.get()
    shown = customer.get(page).content.decode()
    assert "Design of PathKeeper" in shown
    assert "Agree to this version" in shown
    assert b"".join(customer.get(f"{page}{document.pk}/file/")) == b"%PDF-1.7 what it does"  # type: ignore[arg-type]
    customer.post(f"{page}{document.pk}/agree/")
    staff.post(f"{page}{document.pk}/agree/")
    assert set(document.agreements.values_list("side", "agreed_by")) == {
        ("end_user", alice.acting.pk),  # type: ignore[union-attr]
        ("vendor", paula.acting.pk),  # type: ignore[union-attr]
    }
    assert waiting.document_tasks.get(kind="design").state == WorkState.DONE
    after = customer.get(page).content.decode()
    assert "Agree to this version" not in after
    assert "Alice Brandt" in after


def test_a_taken_version_is_refused_beside_its_field_and_no_file_is_kept(
    waiting: ServiceContract,
    acme: Organisation,
    pathkeeper: Software,
    page: str,
    paula: User,
    sign_in: SignIn,
) -> None:
    _add(paula, acme, pathkeeper, "design", "1.0")
    form = {"kind": "design", "version": "1.0", "title": "Second try", "sent": _pdf()}
    response = sign_in(paula).post(f"{page}new/", form)
    assert response.status_code == 422
    assert "This version of the document exists." in response.content.decode()
    assert "Second try" in response.content.decode()
    assert not StoredFile.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": ""}, "This field is required."),
        ({"version": "1\x07"}, "control character"),
        ({"sent": ""}, "This field is required."),
        ({"sent": SimpleUploadedFile("empty.pdf", b"")}, "empty"),
        ({"kind": "novel"}, "Select a valid choice"),
    ],
)
def test_a_bad_version_form_is_refused_and_nothing_is_written(
    changes: dict[str, object], words: str, waiting: ServiceContract, page: str, paula: User, sign_in: SignIn
) -> None:
    form = {"kind": "design", "version": "1.0", "title": "Design", "sent": _pdf()} | changes
    response = sign_in(paula).post(f"{page}new/", form)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not PrerequisiteDocument.objects.exists()


@pytest.mark.attack("another organisation's object by number or id")
@pytest.mark.parametrize("who", ["mallory", "remy", "root"])
def test_documents_do_not_exist_for_others(
    who: str, waiting: ServiceContract, acme: Organisation, pathkeeper: Software, page: str, paula: User,
    request: pytest.FixtureRequest, sign_in: SignIn,
) -> None:  # fmt: skip
    document = _add(paula, acme, pathkeeper, "design", "1.0")
    client = sign_in(request.getfixturevalue(who))
    for path in (page, f"{page}new/", f"{page}{document.pk}/file/"):
        assert client.get(path).status_code == 404
    for path in ("agree/", "out-of-date/"):
        assert client.post(f"{page}{document.pk}/{path}").status_code == 404


def test_a_document_is_only_found_under_its_own_software(
    waiting: ServiceContract,
    acme: Organisation,
    pathkeeper: Software,
    paula: User,
    alice: User,
    sign_in: SignIn,
) -> None:
    other = factories.SoftwareFactory.make(name="Exporter")
    other.end_users.set([acme])
    document = _add(paula, acme, pathkeeper, "design", "1.0")
    client = sign_in(alice)
    assert client.get(f"/documents/{acme.slug}/{other.slug}/").status_code == 200
    assert client.post(f"/documents/{acme.slug}/{other.slug}/{document.pk}/agree/").status_code == 404


def test_the_list_of_tasks_leads_to_the_price_and_the_cancelling(
    waiting: ServiceContract, paula: User, sign_in: SignIn
) -> None:
    client = sign_in(paula)
    task = waiting.document_tasks.get(kind="design")
    assert f"/documents/tasks/{task.pk}/" in client.get("/documents/tasks/").content.decode()
    assert client.post(f"/documents/tasks/{task.pk}/price/", {"price": "EUR 900"}).status_code == 302
    assert "EUR 900" in client.get(f"/documents/tasks/{task.pk}/").content.decode()
    refused = client.post(f"/documents/tasks/{task.pk}/cancel/", {"reason": ""})
    assert refused.status_code == 422
    assert client.post(f"/documents/tasks/{task.pk}/cancel/", {"reason": "Not needed"}).status_code == 302
    assert "Not needed" in client.get(f"/contracts/{waiting.number}/").content.decode()
    closed = client.get("/documents/tasks/?state=closed").content.decode()
    assert "Cancelled" in closed
    late = client.post(f"/documents/tasks/{task.pk}/price/", {"price": "EUR 1"})
    assert late.status_code == 422
    assert "not open any more" in late.content.decode()


@pytest.mark.parametrize("who", ["anna", "remy", "sam", "paula"])
def test_the_contract_page_shows_the_work_to_everybody_concerned(
    who: str, waiting: ServiceContract, request: pytest.FixtureRequest, sign_in: SignIn
) -> None:
    text = sign_in(request.getfixturevalue(who)).get(f"/contracts/{waiting.number}/").content.decode()
    assert "Document task: Design document" in text
    assert ("/documents/tasks/" in text) == (who == "paula")
    assert (f"/documents/{waiting.end_user.slug}/" in text) == (who != "remy")


def test_the_documents_page_asks_a_fixed_number_of_queries(
    waiting: ServiceContract, acme: Organisation, pathkeeper: Software, page: str, paula: User, sign_in: SignIn,
    django_assert_max_num_queries: Callable[[int], object],
) -> None:  # fmt: skip
    client: Client = sign_in(paula)
    for version in range(6):
        _add(paula, acme, pathkeeper, "design", f"1.{version}")
    client.get(page)
    with django_assert_max_num_queries(16):  # type: ignore[attr-defined]
        client.get(page)
