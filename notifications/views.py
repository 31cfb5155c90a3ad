"""The inbox, and the page on which staff watch the engine."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.paging import page_of
from accounts.roles import Permission
from notifications import kinds
from notifications.actions import (
    NotDeadError,
    NothingToAcknowledgeError,
    acknowledge,
    mark_opened,
    send_again,
)
from notifications.condition import condition, counts_by_queue
from notifications.forms import AcknowledgeForm
from notifications.kinds import Queue
from notifications.models import (
    Delivery,
    DeliveryState,
    EngineHeartbeat,
    How,
    Incident,
    Message,
)
from notifications.rendering import inbox_line

PAGE_SIZE = 50


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    show = "unread" if request.GET.get("show") == "unread" else "all"
    found = Delivery.objects.inbox_of(user).select_related("message__acknowledgement__by__user")
    page = page_of(found.unread() if show == "unread" else found, ("-pk",), request.GET, size=PAGE_SIZE)
    unread = Delivery.objects.unread_count(user)
    context = {
        "rows": [_row(delivery) for delivery in page.rows],
        "page": page,
        "tabs": _tabs(unread, show),
        "unread": unread,
        "show": show,
    }
    return render(request, "notifications/inbox.html", context)


def _row(delivery: Delivery) -> dict[str, object]:
    message = delivery.message
    return {
        "message_id": message.pk,
        "message": message,
        "opened_at": delivery.opened_at,
        "line": inbox_line(message),
        "kind": kinds.find(message.kind),
        "acknowledgement": message.acknowledged,
    }


def _tabs(unread: int, show: str) -> Iterable[tuple[object, ...]]:
    return (
        (_("All"), reverse("inbox"), show == "all"),
        (_("Unread"), f"{reverse('inbox')}?show=unread", show == "unread", unread),
    )


@require_GET
def inbox_open(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one message as opened and go where it points to."""
    user = current_user(request)
    message = get_object_or_404(Message.objects.visible_to(user), pk=pk)
    mark_opened(by=user, now=timezone.now(), message=message)
    return redirect(message.path)


@require_POST
def inbox_read_all(request: HttpRequest) -> HttpResponse:
    mark_opened(by=current_user(request), now=timezone.now())
    return redirect("inbox")


@require_POST
def message_acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """The recipient takes care of what an alert tells. Being alerted is the right to acknowledge."""
    user = current_user(request)
    message = get_object_or_404(Message.objects.visible_to(user), pk=pk)
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The note is too long, or has characters that cannot be kept."))
        return redirect(_back(request))
    try:
        done = acknowledge(
            message=message, by=user, how=How.PAGE, note=form.cleaned_data["note"], now=timezone.now()
        )
    except NothingToAcknowledgeError:
        messages.error(request, _("This message asks for no acknowledgement."))
        return redirect(_back(request))
    if done.by_id == message.recipient_id:
        messages.success(request, _("Acknowledged. Everybody who was alerted sees it."))
    else:
        messages.info(request, _("%(person)s has already acknowledged.") % {"person": done.by.user.name})
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if wanted and is_ours else reverse("inbox")


# The engine


def _refuse_unless_watching(user: User) -> None:
    if not user.can(Permission.ENGINE_VIEW):
        raise PermissionDenied


def _may_send_again(user: User) -> bool:
    return user.can(Permission.ALERT_ACKNOWLEDGE) or user.can(Permission.SETTINGS_EDIT)


@require_safe
def engine(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    _refuse_unless_watching(user)
    dead = (
        Delivery.objects.visible_to(user)
        .filter(state=DeliveryState.DEAD)
        .select_related("message__recipient__user", "recipient__organisation")
    )
    context = {
        "condition": condition(timezone.now()),
        "heartbeats": EngineHeartbeat.objects.visible_to(user).order_by("runner"),
        "counts": [_labelled(count) for count in counts_by_queue()],
        "page": page_of(
            dead.select_related("message__recipient__user", "recipient__organisation"),
            ("-pk",),
            request.GET,
            size=PAGE_SIZE,
        ),
        "incidents": Incident.objects.visible_to(user).order_by("-at", "-pk")[:20],
        "shows_caught_mail": settings.DEBUG,
        "may_send_again": _may_send_again(user),
    }
    return render(request, "notifications/engine.html", context)


def _labelled(count: dict[str, Any]) -> dict[str, Any]:
    words = {"queue": Queue(count["queue"]).label, "state": DeliveryState(count["state"]).label}
    return {"label": _("%(queue)s: %(state)s") % words, "number": count["number"]}


@require_POST
def delivery_send_again(request: HttpRequest, pk: int) -> HttpResponse:
    user = current_user(request)
    _refuse_unless_watching(user)
    if not _may_send_again(user):
        raise PermissionDenied
    delivery = get_object_or_404(Delivery.objects.visible_to(user), pk=pk)
    try:
        send_again(delivery=delivery, by=user, now=timezone.now())
    except NotDeadError:
        messages.info(request, _("This delivery is on its way already."))
    else:
        messages.success(request, _("It will be sent again now."))
    return redirect("engine")
