"""`/requests/`: exceptions and quotes, for those who ask and for those who decide."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.paging import COUNT_LIMIT, capped_count, page_of
from accounts.roles import OrganisationKind, Permission
from entitlements import actions, errors
from entitlements.forms import (
    AnswerQuoteForm,
    AskExceptionForm,
    AskQuoteForm,
    GrantForm,
    ReasonForm,
)
from entitlements.kinds import QuoteState, RequestState
from entitlements.models import ExceptionRequest, QuoteRequest, Rate

EXCEPTION_RELATED = ("organisation", "software", "release__software", "asked_by__user")
QUOTE_RELATED = ("organisation", "software", "asked_by__user", "asked_by__organisation")
PEOPLE = ("first_by__user", "second_by__user", "closed_by__user", "decision")


@require_safe
def request_list(request: HttpRequest) -> HttpResponse:
    """Exceptions or quotes, newest first; staff begin with what waits."""
    user = current_user(request)
    is_quotes = request.GET.get("kind", _first_kind(user)) == "quotes"
    rows, states = _quotes(user) if is_quotes else _exceptions(user)
    state = request.GET.get("state", "")
    if state in {value for value, _label in states}:
        rows = rows.filter(state=state)
    page = page_of(rows, ("-asked_at", "-pk"), request.GET)
    context = {
        "page": page,
        "words": _in_words(capped_count(rows, page)),
        "is_quotes": is_quotes,
        "states": states,
        "is_filtered": bool(state),
        "is_staff": user.can(Permission.CONTRACT_VIEW_ALL),
        "may_ask_exception": _may_ask_exception(user),
        "may_ask_quote": user.can(Permission.REQUEST_ASK),
        "tabs": [
            (_("Exceptions"), "?kind=exceptions", not is_quotes),
            (_("Quotes"), "?kind=quotes", is_quotes),
        ],
    }
    return render(request, "entitlements/requests.html", context)


def _in_words(total: int) -> str:
    if total > COUNT_LIMIT:
        return _("1,000+ requests")
    return ngettext("%(count)s request", "%(count)s requests", total) % {"count": f"{total:,}"}


def _first_kind(user: User) -> str:
    is_for_quotes = user.can(Permission.REQUEST_QUOTE) or (
        user.acting is not None and user.acting.organisation.is_partner
    )
    return "quotes" if is_for_quotes else "exceptions"


def _exceptions(user: User) -> tuple[QuerySet[Any], list[tuple[str, Any]]]:
    return ExceptionRequest.objects.visible_to(user).select_related(*EXCEPTION_RELATED), RequestState.choices


def _quotes(user: User) -> tuple[QuerySet[Any], list[tuple[str, Any]]]:
    return QuoteRequest.objects.visible_to(user).select_related(*QUOTE_RELATED), QuoteState.choices


def _may_ask_exception(user: User) -> bool:
    acting = user.acting
    is_end_user = acting is not None and acting.organisation.kind == OrganisationKind.END_USER
    return is_end_user and user.can(Permission.REQUEST_ASK)


# Asking


@require_http_methods(["GET", "HEAD", "POST"])
def exception_new(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    if not _may_ask_exception(user):
        raise PermissionDenied(_("A contact of the end user asks for an exception."))
    form = AskExceptionForm(request.POST or None, by=user, initial=_named(request))
    return _asked(request, form, actions.ask_exception, "exception")


@require_http_methods(["GET", "HEAD", "POST"])
def quote_new(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    if not user.can(Permission.REQUEST_ASK):
        raise PermissionDenied(_("A contact of the end user, or its partner, asks for a quote."))
    form = AskQuoteForm(request.POST or None, by=user, initial=_named(request))
    return _asked(request, form, actions.ask_quote, "quote")


def _named(request: HttpRequest) -> dict[str, Any]:
    """What the address names; a stranger's text chooses nothing."""
    given = {name: request.GET.get(name, "") for name in ("software", "release", "about", "end_user")}
    found: dict[str, Any] = {name: value for name, value in given.items() if value and "\0" not in value}
    return {**found, "codes": request.GET.getlist("codes")}


def _asked(request: HttpRequest, form: Any, ask: Callable[..., Any], kind: str) -> HttpResponse:
    template = f"entitlements/{kind}_new.html"
    if request.method != "POST":
        return render(request, template, {"form": form})
    if form.is_valid():
        try:
            row = ask(**form.values(), by=current_user(request), now=timezone.now())
        except errors.EntitlementError as refusal:
            _blame(form, refusal)
        else:
            messages.success(request, _("%(number)s is asked and waits.") % {"number": row.number})
            return redirect(f"{kind}_detail", row.pk)
    return render(request, template, {"form": form}, status=422)


def _blame(form: forms.Form, refusal: errors.EntitlementError) -> None:
    """Beside the field that caused it, where there is one."""
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


# An exception


def _exception(user: User, pk: int) -> ExceptionRequest:
    rows = ExceptionRequest.objects.visible_to(user).select_related(*EXCEPTION_RELATED, *PEOPLE)
    return get_object_or_404(rows, pk=pk)


@require_safe
def exception_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _exception_page(request, _exception(current_user(request), pk))


def _exception_page(
    request: HttpRequest, row: ExceptionRequest, status: int = 200, **failed: Any
) -> HttpResponse:
    user, now = current_user(request), timezone.now()
    decides = user.can(Permission.REQUEST_DECIDE) and row.is_undecided
    is_first = row.first_by is not None and row.first_by.user_id == user.pk
    context = {
        "row": row,
        "rates": Rate.objects.in_force_on(now.date()),
        "may_grant": decides and row.state == RequestState.WAITING,
        "may_second": decides and row.state == RequestState.SECONDED and not is_first,
        "is_first": decides and is_first,
        "may_refuse": decides,
        "may_withdraw": row.is_undecided and _may_ask_exception(user),
        "grant_form": GrantForm(),
        "reason_form": ReasonForm(),
        "is_in_force": row.state == RequestState.GRANTED and row.starts_at <= now < row.ends_at,  # type: ignore[operator]  # granted has both
        **failed,
    }
    return render(request, "entitlements/exception.html", context, status=status)


def _deciding(request: HttpRequest, pk: int, permission: Permission) -> ExceptionRequest:
    """404 before 403, so that a stranger learns nothing."""
    user = current_user(request)
    row = _exception(user, pk)
    if not user.can(permission):
        raise PermissionDenied(_("CSC administrators decide about exceptions."))
    return row


@require_POST
def exception_grant(request: HttpRequest, pk: int) -> HttpResponse:
    row = _deciding(request, pk, Permission.REQUEST_DECIDE)
    form = GrantForm(request.POST)
    if form.is_valid() and _done(request, form, actions.grant_exception, request=row, **form.cleaned_data):
        messages.success(request, _("Granted. It holds as soon as a second administrator confirms."))
        return redirect("exception_detail", pk)
    return _exception_page(request, row, 422, grant_form=form, failed=form)


@require_POST
def exception_second(request: HttpRequest, pk: int) -> HttpResponse:
    row = _deciding(request, pk, Permission.REQUEST_DECIDE)
    form = forms.Form(request.POST)
    if form.is_valid() and _done(request, form, actions.second_exception, request=row):
        messages.success(request, _("The exception holds from now on."))
        return redirect("exception_detail", pk)
    return _exception_page(request, row, 422, failed=form)


@require_POST
def exception_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    row = _deciding(request, pk, Permission.REQUEST_DECIDE)
    form = ReasonForm(request.POST)
    if form.is_valid() and _done(request, form, actions.refuse_exception, request=row, **form.cleaned_data):
        messages.success(request, _("Refused; whoever asked is told why."))
        return redirect("exception_detail", pk)
    return _exception_page(request, row, 422, reason_form=form, failed=form)


@require_POST
def exception_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    row = _deciding(request, pk, Permission.REQUEST_ASK)
    form = forms.Form(request.POST)
    if form.is_valid() and _done(request, form, actions.withdraw_exception, request=row):
        messages.success(request, _("Withdrawn."))
        return redirect("exception_detail", pk)
    return _exception_page(request, row, 422, failed=form)


def _done(http: HttpRequest, form: forms.Form, act: Callable[..., Any], **values: Any) -> bool:
    """Whether the act went through; if not, the form says why."""
    try:
        act(**values, by=current_user(http), now=timezone.now())
    except errors.NotAllowed as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    except errors.EntitlementError as refusal:
        _blame(form, refusal)
        return False
    return True


# A quote


def _quote(user: User, pk: int) -> QuoteRequest:
    rows = QuoteRequest.objects.visible_to(user).select_related(*QUOTE_RELATED, "answered_by__user")
    return get_object_or_404(rows, pk=pk)


@require_safe
def quote_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _quote_page(request, _quote(current_user(request), pk))


def _quote_page(request: HttpRequest, row: QuoteRequest, status: int = 200, **failed: Any) -> HttpResponse:
    user = current_user(request)
    is_waiting = row.state == QuoteState.WAITING
    is_asker = user.acting is not None and user.acting.organisation_id == row.asked_by.organisation_id
    context = {
        "row": row,
        "may_answer": is_waiting and user.can(Permission.REQUEST_QUOTE),
        "may_withdraw": is_waiting and is_asker,
        "answer_form": AnswerQuoteForm(),
        "reason_form": ReasonForm(),
        **failed,
    }
    return render(request, "entitlements/quote.html", context, status=status)


def _quoting(request: HttpRequest, pk: int, permission: Permission) -> QuoteRequest:
    user = current_user(request)
    row = _quote(user, pk)
    if not user.can(permission):
        raise PermissionDenied(_("Professional Services answer requests for a quote."))
    return row


@require_POST
def quote_answer(request: HttpRequest, pk: int) -> HttpResponse:
    row = _quoting(request, pk, Permission.REQUEST_QUOTE)
    form = AnswerQuoteForm(request.POST)
    if form.is_valid() and _done(request, form, actions.answer_quote, request=row, **form.cleaned_data):
        messages.success(request, _("The quote is sent."))
        return redirect("quote_detail", pk)
    return _quote_page(request, row, 422, answer_form=form, failed=form)


@require_POST
def quote_decline(request: HttpRequest, pk: int) -> HttpResponse:
    row = _quoting(request, pk, Permission.REQUEST_QUOTE)
    form = ReasonForm(request.POST)
    if form.is_valid() and _done(request, form, actions.decline_quote, request=row, **form.cleaned_data):
        messages.success(request, _("Declined; whoever asked is told why."))
        return redirect("quote_detail", pk)
    return _quote_page(request, row, 422, reason_form=form, failed=form)


@require_POST
def quote_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    row = _quoting(request, pk, Permission.REQUEST_ASK)
    form = forms.Form(request.POST)
    if form.is_valid() and _done(request, form, actions.withdraw_quote, request=row):
        messages.success(request, _("Withdrawn."))
        return redirect("quote_detail", pk)
    return _quote_page(request, row, 422, failed=form)
