"""What a registrar is told: a decision about a contract, the end of an import; and a new customer's first contact."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, User
from contracts.kinds import RowVerdict
from contracts.models import ContractImport, EndUserRequest, ServiceContract
from notifications import kinds, outbox
from notifications.kinds import Channel, Kind

DECIDED = Kind(name="contract_decided", label=_("Decision about a contract"))
IMPORTED = Kind(name="contract_import", label=_("Import of contracts"), channels=(Channel.INBOX,))
CONFIRM = Kind(name="end_user_confirm", label=_("Confirm your organisation"))
ASKED = Kind(name="end_user_decided", label=_("Decision about a new end user"))


def register_kinds() -> None:
    for kind in (DECIDED, IMPORTED, CONFIRM, ASKED):
        kinds.register(kind)


def tell_about_decision(contract: ServiceContract, now: datetime) -> None:
    """Whoever registered it hears what became of it (approved, refused, terminated), once."""
    outbox.enqueue(
        kind=DECIDED.name,
        recipients=[contract.registered_by],
        subject=f"contract:{contract.number}",
        path=reverse("contract_detail", args=[contract.number]),
        context={
            "contract": contract.number,
            "outcome": contract.state,
            "end_user": contract.end_user.name,
            "software": contract.software.name,
            "reason": contract.termination_reason or contract.refusal_reason,
        },
        dedupe=f"{DECIDED.name}:{contract.number}:{contract.state}",
        now=now,
    )


def tell_about_import(run: ContractImport, now: datetime) -> None:
    """A long import ends in the inbox of who started it."""
    registered = run.rows.filter(verdict=RowVerdict.REGISTERED).count()
    outbox.enqueue(
        kind=IMPORTED.name,
        recipients=[run.imported_by],
        subject=f"contract_import:{run.pk}",
        path=reverse("contract_import_detail", args=[run.pk]),
        context={"title": run.file.name, "registered": registered},
        dedupe=f"{IMPORTED.name}:{run.pk}",
        now=now,
    )


def tell_about_end_user(request: EndUserRequest, now: datetime) -> None:
    """The partner's person hears what staff decided about the new end user."""
    outbox.enqueue(
        kind=ASKED.name,
        recipients=[request.requested_by],
        subject=f"end_user:{request.pk}",
        path=reverse("end_user_list"),
        context={
            "outcome": request.state,
            "end_user": request.organisation.name,
            "known_as": request.duplicate_of.name if request.duplicate_of else "",
            "reason": request.reason,
        },
        dedupe=f"{ASKED.name}:{request.pk}",
        now=now,
    )


def ask_to_confirm(request: EndUserRequest, membership: Membership, now: datetime) -> None:
    """The first contact is asked to confirm name and address, in case the page after sign-up was left."""
    outbox.enqueue(
        kind=CONFIRM.name,
        recipients=[membership],
        subject=f"end_user:{request.pk}",
        path=reverse("end_user_confirm"),
        context={"end_user": request.organisation.name},
        dedupe=f"{CONFIRM.name}:{request.pk}:{membership.pk}",
        now=now,
    )


def page_to_confirm(*, user: User) -> str:
    """Where somebody has to go first who is to confirm name and address of a new end user."""
    return reverse("end_user_confirm") if EndUserRequest.objects.to_be_confirmed_by(user).exists() else ""
