"""Acme's objects, for the access table: one of everything that an address can name."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts import actions as accounts_actions
from accounts.models import User
from cases.actions import open_case
from cases.models import Attachment, Case
from contracts.kinds import Channel, ContractState, ReleaseKind, ReleaseState
from contracts.models import (
    ContractImport,
    DocumentTask,
    EndUserRequest,
    GoverningDocument,
    NonFulfilment,
    PrerequisiteDocument,
    Release,
    ReleaseFile,
    Requirement,
    ServiceContract,
)
from entitlements.models import ExceptionRequest, QuoteRequest
from files.actions import start_upload, store_upload
from files.models import Upload
from notifications.models import Delivery, DutyLevel, DutyPerson, Message
from tests import factories
from tests.conftest import World


@dataclass
class Objects:
    """What the parameters of the addresses stand for, by route name and parameter."""

    values: dict[str, Any]

    def value(self, route: str, parameter: str) -> Any:
        prefix = route.split("-", maxsplit=1)[0]
        for key in (
            f"{route}.{parameter}",
            f"{prefix}.{parameter}",
            f"{prefix.split('_')[0]}.{parameter}",
            parameter,
        ):
            if key in self.values:
                return self.values[key]
        raise KeyError(f"{route} has a parameter {parameter} that the access table knows no object for")


def _case(world: World, alice: User) -> Case:
    log = SimpleUploadedFile("rpd.log", b"rpd[2211]: BGP_IO_ERROR\n")
    return open_case(
        organisation=world.contract.end_user,
        site=world.site,
        software=world.software,
        release=world.release,
        synopsis="BGP sessions flap",
        description="Both route reflectors lost their sessions.",
        priority="P1",
        environment="production",
        backup_confirmed=True,
        by=alice,
        now=timezone.now(),
        uploads=[log],
    )


def _upload(alice: User) -> Upload:
    return start_upload(name="core.tgz", length=10, declared_type="", by=alice, now=timezone.now())


def _waiting_contract(world: World, remy: User) -> ServiceContract:
    assert remy.acting is not None
    world.contract.end_user.registered_by.add(remy.acting.organisation)
    contract: ServiceContract = factories.ContractFactory.make(
        number="CS-2027-0001",
        end_user=world.contract.end_user,
        software=world.software,
        channel=Channel.RESELLER,
        partner=remy.acting.organisation,
        purchase_order="PO-1",
        po_end_user_name="Acme Telecom",
        po_end_user_address="1 Main Street",
        starts_on=date(2027, 4, 1),
        ends_on=date(2028, 4, 1),
        starts_at=None,
        ends_at=None,
        state=ContractState.WAITING,
        registered_by=remy.acting,
        decided_by=None,
        decided_at=None,
    )
    return contract


def _draft(world: World) -> Release:
    defect = factories.DefectFactory.make(software=world.software)
    patch: Release = factories.ReleaseFactory.make(
        line=world.line,
        version="21.4R3-S5.1",
        kind=ReleaseKind.PATCH,
        state=ReleaseState.DRAFT,
        fixes=defect,
        published_at=None,
        published_by=None,
    )
    patch.applies_to.add(world.release)
    return patch


def _obligations(world: World, waiting: ServiceContract, alice: User) -> dict[str, Any]:
    """What hangs on Acme's contracts: documents and their task, a requirement, a written notice, an agreement."""
    now = timezone.now()
    pair = {"organisation": world.contract.end_user, "software": world.software}
    document = PrerequisiteDocument.objects.filter(kind="design", **pair).get()
    document.stored = store_upload(
        uploaded=SimpleUploadedFile("design.pdf", b"%PDF-1.7 x"), by=alice, now=now
    )
    document.save()
    task = DocumentTask.objects.create(
        contract=waiting, kind="design", opened_by=alice.acting, opened_at=now, **pair
    )
    requirement = Requirement.objects.create(
        contract=world.contract,
        text="PostgreSQL 15 or later",
        source="user_guide",
        source_title="Chapter 2",
        dated_on=date(2026, 5, 1),
        recorded_by=world.contract.registered_by,
        recorded_at=now,
    )
    notice = NonFulfilment.objects.create(
        contract=world.contract, responsibility="training", text="Late", given_by=alice.acting, given_at=now
    )
    agreement = GoverningDocument.objects.create(
        kind="eusa", title="End User Support Agreement", version="5.1", in_force_from=date(2024, 1, 1)
    )
    number = world.contract.number
    return {
        "document.organisation": world.contract.end_user.slug,
        "document.software": world.software.slug,
        "document.pk": document.pk,
        "document_task.pk": task.pk,
        "document_task_price.pk": task.pk,
        "document_task_cancel.pk": task.pk,
        "requirement.number": number,
        "requirement.pk": requirement.pk,
        "non_fulfilment_new.number": number,
        "non_fulfilment_answer.number": number,
        "non_fulfilment_answer.pk": notice.pk,
        "agreement.pk": agreement.pk,
    }


def _running(world: World, alice: User) -> dict[str, Any]:
    """What runs at Acme: a published patch to install, a check of what it has, a drift with its evidence."""
    patch = factories.ReleaseFactory.make(
        line=world.line,
        version="21.4R3-S5.2",
        kind=ReleaseKind.PATCH,
        fixes=factories.DefectFactory.make(software=world.software),
        published_by=world.contract.registered_by,
    )
    patch.applies_to.add(world.release)
    pair = {"organisation": world.contract.end_user, "software": world.software}
    task = factories.InstallTaskFactory.make(release=patch, created_by=world.contract.registered_by, **pair)
    check = factories.IntegrityCheckFactory.make(release=world.release, checked_by=alice.acting, **pair)
    photo = store_upload(uploaded=SimpleUploadedFile("diff.txt", b"-a"), by=alice, now=timezone.now())
    drift = factories.DriftFactory.make(
        line=world.line,
        release=world.release,
        evidence_file=photo,
        recorded_by=world.contract.registered_by,
        **pair,
    )
    return {
        "release_manifest.version": world.release.version,
        "release_verify.version": world.release.version,
        "release_withdraw.version": world.release.version,
        "exposure_release.version": world.release.version,
        "install_task_new.version": patch.version,
        "install_task.pk": task.pk,
        "install_task_done.pk": task.pk,
        "install_task_cancel.pk": task.pk,
        "integrity_check.pk": check.pk,
        "drift_end.pk": drift.pk,
        "drift_evidence.pk": drift.pk,
        "drift_new.slug": world.contract.end_user.slug,
        "defect_edit.pk": patch.fixes_id,
    }


def _entitlements(world: World, case: Case, waiting: ServiceContract, alice: User) -> dict[str, Any]:
    """What Acme asked for, a file that it may fetch, and the licence of a contract that it sees."""
    now = timezone.now()
    assert alice.acting is not None
    asked: dict[str, Any] = {
        "organisation": case.organisation,
        "software": world.software,
        "asked_by": alice.acting,
        "asked_at": now,
    }
    exception = ExceptionRequest.objects.create(
        codes=["drift"], reason="We patched it.", decision=case.decision, **asked
    )
    # what they modified does not keep them from downloads, while this lasts
    ExceptionRequest.objects.create(
        codes=["drift"],
        reason="A hot fix, until the next patch.",
        decision=case.decision,
        state="granted",
        grounds="Agreed.",
        first_by=world.contract.decided_by,
        first_at=now,
        second_by=world.contract.registered_by,
        second_at=now,
        starts_at=now - timedelta(minutes=1),
        ends_at=now + timedelta(days=1),
        **asked,
    )
    quote = QuoteRequest.objects.create(about="upgrade", text="22.1", **asked)
    stored = store_upload(uploaded=SimpleUploadedFile("core.bin", b"\x7fELF"), by=alice, now=now)
    release_file = ReleaseFile.objects.create(
        release=world.release, path="core.bin", size=4, sha256=stored.sha256, stored=stored
    )
    waiting.licence = GoverningDocument.objects.create(
        kind="licence", title="Script Licence", version="9", in_force_from=date(2024, 1, 1)
    )
    waiting.save()
    return {
        "decision.pk": case.decision_id,
        "api_decision-detail.pk": case.decision_id,
        "download_file.pk": release_file.pk,
        "licence_accept.pk": waiting.licence.pk,
        "exception.pk": exception.pk,
        "quote.pk": quote.pk,
    }


def _handed_in(world: World, remy: User) -> dict[str, Any]:
    """What the reseller has under way: a draft, a new end user, a file with contracts."""
    assert remy.acting is not None
    draft: ServiceContract = factories.ContractFactory.make(
        number="CS-2027-0002",
        end_user=world.contract.end_user,
        software=world.software,
        channel=Channel.RESELLER,
        partner=remy.acting.organisation,
        starts_on=date(2028, 4, 1),
        ends_on=date(2029, 4, 1),
        starts_at=None,
        ends_at=None,
        state=ContractState.DRAFT,
        registered_by=remy.acting,
        decided_by=None,
        decided_at=None,
    )
    now = timezone.now()
    asked = EndUserRequest.objects.create(
        organisation=factories.OrganisationFactory.make(name="Fjordkraft", is_qualified=False),
        partner=remy.acting.organisation,
        contact_name="Kari Lie",
        contact_email="kari@fjordkraft.example",
        requested_by=remy.acting,
        requested_at=now,
    )
    content = SimpleUploadedFile("contracts.csv", b"end_user\n")
    stored = store_upload(uploaded=content, by=remy, now=now)
    run = ContractImport.objects.create(
        file=stored, imported_by=remy.acting, created_at=now, state="checked", checked_at=now
    )
    imports = ("detail", "start", "bad")
    return {
        "contract_edit.number": draft.number,
        "contract_discard.number": draft.number,
        "end.pk": asked.pk,
        **{f"contract_import_{name}.pk": run.pk for name in imports},
    }


def build(world: World, *, alice: User, anna: User, lena: User, remy: User) -> Objects:
    assert anna.acting is not None
    assert lena.acting is not None
    assert alice.acting is not None
    level = DutyLevel.objects.create(level=1, name="Duty manager")
    DutyPerson.objects.create(level=level, membership=lena.acting)
    case = _case(world, alice)
    attachment = Attachment.objects.get(case=case)
    alert = Message.objects.get(recipient=lena.acting, kind="case_alert")
    waiting, draft = _waiting_contract(world, remy), _draft(world)
    token, _secret = accounts_actions.create_token(
        membership=anna.acting, name="script", scope="read", by=anna, now=datetime.now(UTC)
    )
    return Objects(
        {
            **_entitlements(world, case, waiting, alice),
            **_handed_in(world, remy),
            "case.number": case.number,
            "case_file.file": attachment.stored_id,
            "upload.pk": _upload(alice).pk,
            "api_case.number": case.number,
            "api_case-attachment.file": attachment.pk,
            "contract.number": world.contract.number,
            "contract_approve.number": waiting.number,
            "contract_refuse.number": waiting.number,
            "api_contract-detail.number": world.contract.number,
            "api_contract-renew.number": world.contract.number,
            "api_contract-approve.number": waiting.number,
            "api_contract-refuse.number": waiting.number,
            "slug": world.software.slug,
            "coverage_organisation.slug": world.contract.end_user.slug,
            "release_detail.version": world.release.version,
            "release_accept.version": world.release.version,
            "release_publish.version": draft.version,
            "release_edit.version": draft.version,
            "api_release.pk": world.release.pk,
            "api_release-publish.pk": draft.pk,
            **_running(world, alice),
            **_obligations(world, waiting, alice),
            "token_revoke.pk": token.pk,
            "invitation.secret": "inv_unknown",
            "person_detail.pk": anna.acting.pk,
            "membership_end.pk": anna.acting.pk,
            "account_deactivate.pk": anna.acting.pk,
            "inbox_open.pk": alert.pk,
            "message_acknowledge.pk": alert.pk,
            "delivery_send_again.pk": Delivery.objects.filter(message=alert).first().pk,  # type: ignore[union-attr]
            "mail_detail.name": "20261122T120000.000000Z-00000000.eml",
        }
    )
