"""What the demo's mail catcher holds, for staff and in debug only."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.middleware import current_user
from accounts.roles import Permission
from portal import mailcatcher

SHOWN = 100


def _refuse_outside_debug(request: HttpRequest) -> None:
    if not settings.DEBUG:
        raise Http404
    if not current_user(request).can(Permission.ENGINE_VIEW):
        raise PermissionDenied


@require_safe
def mail_list(request: HttpRequest) -> HttpResponse:
    _refuse_outside_debug(request)
    return render(request, "notifications/mail_list.html", {"mails": mailcatcher.latest(SHOWN)})


@require_safe
def mail_detail(request: HttpRequest, name: str) -> HttpResponse:
    _refuse_outside_debug(request)
    mail = mailcatcher.read(name)
    if mail is None:
        raise Http404
    return render(
        request, "notifications/mail_detail.html", {"mail": mail, "recipients": ", ".join(mail.recipients)}
    )
