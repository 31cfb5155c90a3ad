"""Replies and internal notes from the composer of a case page."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.middleware import current_user
from accounts.models import User
from accounts.roles import Permission
from cases.actions import add_note, reply
from cases.errors import CaseChanged, CaseError, NotAllowed
from cases.forms import TalkForm, files_in_words, is_mostly_not_latin
from cases.models import Case
from cases.views.page import cases_for_page, changes_since, show
from files.actions import FileRefused


@require_POST
def case_reply(request: HttpRequest, number: str) -> HttpResponse:
    """A reply; or the internal note that the composer says it is, which then never becomes a reply."""
    return _talk(request, number, as_note=request.POST.get("kind") == "note")


@require_POST
def case_note(request: HttpRequest, number: str) -> HttpResponse:
    return _talk(request, number, as_note=True)


def _talk(request: HttpRequest, number: str, *, as_note: bool) -> HttpResponse:
    user = current_user(request)
    case = get_object_or_404(cases_for_page(user), number=number)
    if not user.can(Permission.CASE_TRIAGE if as_note else Permission.CASE_REPLY):
        raise PermissionDenied(_("Your role does not allow this."))
    form = TalkForm(request.POST, request.FILES)
    if not form.is_valid():
        return _again(request, case, user, form, as_note=as_note, status=400)
    try:
        _send(case, form.cleaned_data, user, as_note=as_note)
    except NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except CaseChanged:
        return _changed(request, case, user, form, as_note=as_note)
    except FileRefused as error:
        form.add_error("files", str(error))
        return _again(request, case, user, form, as_note=as_note, status=400)
    except CaseError as error:
        form.add_error("body", str(error))
        return _again(request, case, user, form, as_note=as_note, status=409)
    _say_done(request, form.cleaned_data["body"], user, as_note=as_note)
    return redirect("case_detail", case.number)


def _send(case: Case, typed: dict[str, Any], user: User, *, as_note: bool) -> None:
    """The action. Only what the person can see and has not seen yet stands against sending."""
    now = timezone.now()
    if as_note:
        add_note(case=case, body=typed["body"], by=user, now=now, uploads=typed["files"])
        return
    version, seen = typed["expected_version"], typed["seen"]
    send = {"case": case, "body": typed["body"], "by": user, "now": now, "uploads": typed["files"]}
    try:
        reply(**send, expected_version=version)
    except CaseChanged as error:
        if seen is None or changes_since(case, user, seen):
            raise
        for upload in typed["files"]:
            if isinstance(upload, UploadedFile):
                upload.seek(0)
        reply(**send, expected_version=error.version)


def _say_done(request: HttpRequest, body: str, user: User, *, as_note: bool) -> None:
    if as_note:
        messages.success(request, _("The internal note was saved. The customer does not see it."))
    elif user.can(Permission.CASE_VIEW_ALL):
        messages.success(request, _("Your reply was sent to the customer."))
    else:
        messages.success(request, _("Your reply was sent to the engineers."))
        if is_mostly_not_latin(body):
            messages.warning(
                request, _("Our engineers work in English (C50b). A translation helps them to help you.")
            )


def _changed(request: HttpRequest, case: Case, user: User, form: TalkForm, *, as_note: bool) -> HttpResponse:
    case = get_object_or_404(cases_for_page(user), pk=case.pk)
    changes = changes_since(case, user, form.cleaned_data["seen"] or 0)
    words = render_to_string("cases/_changed.html", {"changes": changes}, request)
    return _again(request, case, user, form, as_note=as_note, status=409, summary=words)


def _again(
    request: HttpRequest,
    case: Case,
    user: User,
    form: TalkForm,
    *,
    as_note: bool,
    status: int,
    summary: str = "",
) -> HttpResponse:
    """The page with what was typed, and what stands against it."""
    lines = [(error,) for errors in form.errors.values() for error in errors]
    if request.FILES:
        lines.append((files_in_words(request.FILES.getlist("files")),))
    wrong = format_html_join("", "<li>{}</li>", lines)
    # what a template has rendered is escaped, and so is what is joined of such
    title = SafeString(render_to_string("cases/_not_sent.html", {"lines": wrong}, request)) if lines else ""  # nosec B703
    typed = {
        "text": request.POST.get("body", ""),
        "errors": SafeString(summary + title),  # nosec B703
        "writes_note": as_note,
        "upload": form["files"],
    }
    return show(request, case, user, timezone.now(), typed=typed, status=status)
