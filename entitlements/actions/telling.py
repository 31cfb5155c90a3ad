"""Who hears about a request: those who decide, then whoever asked."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from accounts.models import Membership
from accounts.roles import Role
from entitlements.kinds import REQUEST_DECIDED, REQUEST_WAITING
from entitlements.models import ExceptionRequest, QuoteRequest
from notifications import outbox

Asked = ExceptionRequest | QuoteRequest


def path_of(request: Asked) -> str:
    name = "exception_detail" if isinstance(request, ExceptionRequest) else "quote_detail"
    return reverse(name, args=[request.pk])


def deciders(request: Asked) -> QuerySet[Membership]:
    """CSC administrators decide about exceptions, without the first one; Professional Services give quotes."""
    if isinstance(request, QuoteRequest):
        return Membership.objects.active().with_role(Role.PROFESSIONAL_SERVICES).order_by("pk")
    people = Membership.objects.active().with_role(Role.CSC_ADMIN).order_by("pk")
    return people.exclude(user=request.first_by.user_id) if request.first_by else people


def tell_waiting(request: Asked, *, now: datetime) -> None:
    """Tell those who decide that it waits for them."""
    _tell(request, REQUEST_WAITING, deciders(request), now=now)


def tell_decided(request: Asked, *, reason: str, now: datetime) -> None:
    """Tell whoever asked what became of it."""
    people = Membership.objects.active().filter(pk=request.asked_by_id)
    _tell(request, REQUEST_DECIDED, people, now=now, text=reason)


def _tell(request: Asked, kind: str, people: QuerySet[Membership], *, now: datetime, **more: Any) -> None:
    context = {
        "request": request.number,
        "what": "exception" if isinstance(request, ExceptionRequest) else "quote",
        "request_state": str(request.state),
        "organisation": request.organisation.name,
        "software": request.software.name if request.software else "",
        **more,
    }
    outbox.enqueue(
        kind=kind,
        recipients=people,
        subject=request.subject,
        path=path_of(request),
        context=context,
        dedupe=f"{kind}:{request.subject}:{request.state}",
        now=now,
    )
