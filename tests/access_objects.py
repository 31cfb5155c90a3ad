"""Acme's objects, for the access table: one of everything that an address can name."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts import actions as accounts_actions
from accounts.models import User
from cases.actions import open_case
from cases.models import Attachment, Case
from contracts.kinds import Channel, ContractState, ReleaseKind, ReleaseState
from contracts.models import Release, ServiceContract
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
            "case.number": case.number,
            "case_file.file": attachment.stored_id,
            "api_case.number": case.number,
            "api_case-attachment.file": attachment.pk,
            "contract.number": world.contract.number,
            "contract_approve.number": waiting.number,
            "contract_refuse.number": waiting.number,
            "api_contract-detail.number": world.contract.number,
            "api_contract-approve.number": waiting.number,
            "api_contract-refuse.number": waiting.number,
            "slug": world.software.slug,
            "coverage_organisation.slug": world.contract.end_user.slug,
            "release_detail.version": world.release.version,
            "release_accept.version": world.release.version,
            "release_publish.version": draft.version,
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
