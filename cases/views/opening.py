"""`/cases/new/`: one page in four parts, with the coverage answer as soon as it can be given."""

from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.middleware import current_user
from accounts.models import Organisation, User
from accounts.roles import OrganisationKind, Permission
from cases.actions import open_case
from cases.errors import CaseError, FieldError, NotAllowed, NotCovered
from cases.forms import CoverageForm, NewCaseForm, files_in_words, is_mostly_not_latin
from cases.models import Case
from cases.views.coverage import Coverage, coverage_for
from contracts.models import Release
from files.actions import FileRefused

CUSTOMERS_SHOWN: Final = 50


@require_http_methods(["GET", "HEAD", "POST"])
def case_new(request: HttpRequest) -> HttpResponse:
    user, now = current_user(request), timezone.now()
    organisation = _customer(request, user)
    if organisation is None:
        return _choose_customer(request, user)
    if request.method != "POST":
        form = NewCaseForm(user=user, organisation=organisation, initial=_initial(request))
        return _page(request, form, user, now)
    form = NewCaseForm(request.POST, request.FILES, user=user, organisation=organisation)
    if not form.is_valid():
        return _page(request, form, user, now, status=400)
    return _open(request, form, user, now)


def _customer(request: HttpRequest, user: User) -> Organisation | None:
    """For whom: one's own organisation; staff name it in the address. None: still to be chosen.

    Raises: PermissionDenied, and Http404 for a customer that the person may not see."""
    if user.acting is None or not user.can(Permission.CASE_OPEN):
        raise PermissionDenied(_("Your role does not allow this."))
    if not user.can(Permission.CASE_VIEW_ALL):
        return user.acting.organisation
    slug = request.GET.get("organisation", "")
    return get_object_or_404(_customers(user), slug=slug.replace("\0", " ")) if slug else None


def _customers(user: User) -> Any:
    return Organisation.objects.visible_to(user).filter(kind=OrganisationKind.END_USER)


def _choose_customer(request: HttpRequest, user: User) -> HttpResponse:
    """A call has come in: from whom?"""
    words = request.GET.get("name", "").replace("\0", "").strip()[:100]
    customers = _customers(user).filter(name__icontains=words) if words else _customers(user)
    rows = list(customers.order_by("name", "pk")[: CUSTOMERS_SHOWN + 1])
    context = {"customers": rows[:CUSTOMERS_SHOWN], "has_more": len(rows) > CUSTOMERS_SHOWN, "words": words}
    return render(request, "cases/choose_customer.html", context)


def _initial(request: HttpRequest) -> dict[str, str]:
    """What a link from elsewhere (coverage, a release) may have filled in."""
    names = ("site", "software", "release", "priority")
    return {name: request.GET[name][:20] for name in names if request.GET.get(name)}


def _open(request: HttpRequest, form: NewCaseForm, user: User, now: datetime) -> HttpResponse:
    try:
        case = open_case(
            organisation=form.organisation, by=user, now=now, **form.values(by_telephone=_is_call(user))
        )
    except NotCovered as error:
        return _page(request, form, user, now, status=403, decision=error.decision)
    except NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except FieldError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return _page(request, form, user, now, status=400)
    except FileRefused as error:
        form.add_error("files", str(error))
        return _page(request, form, user, now, status=400)
    except CaseError as error:
        form.add_error(None, str(error))
        return _page(request, form, user, now, status=409)
    _say_done(request, case, form)
    return redirect("case_detail", case.number)


def _is_call(user: User) -> bool:
    """What staff enter was told by telephone (C20)."""
    return user.can(Permission.CASE_VIEW_ALL)


def _say_done(request: HttpRequest, case: Case, form: NewCaseForm) -> None:
    words = _("Case %(number)s is open. Our engineers see it now.") % {"number": case.number}
    messages.success(request, words)
    if is_mostly_not_latin(form.cleaned_data["description"]):
        messages.warning(
            request, _("Our engineers work in English (C50b). Add a translation to be helped sooner.")
        )


def _page(
    request: HttpRequest,
    form: NewCaseForm,
    user: User,
    now: datetime,
    *,
    status: int = 200,
    decision: Any = None,
) -> HttpResponse:
    if request.FILES and form.is_bound:
        form["files"].help_text = files_in_words(request.FILES.getlist("files"))
    context = {
        "form": form,
        "organisation": form.organisation,
        "is_call": _is_call(user),
        "coverage": _coverage(
            form, user, now, {name: form[name].value() for name in CoverageForm.base_fields}
        ),
        "decision": decision,
        "hints_at_english": form.is_bound and is_mostly_not_latin(str(form["description"].value() or "")),
        "now": now,
    }
    return render(request, "cases/new.html", context, status=status)


@require_safe
def case_coverage(request: HttpRequest) -> HttpResponse:
    """The answer as a fragment, asked for whenever site, software, release or priority is chosen."""
    user, now = current_user(request), timezone.now()
    organisation = _customer(request, user)
    if organisation is None:
        raise PermissionDenied(_("Choose the customer first."))
    form = NewCaseForm(user=user, organisation=organisation, initial=request.GET.dict())
    coverage = _coverage(form, user, now, request.GET)
    form.narrow_releases()
    context = {
        "form": form,
        "coverage": coverage,
        "organisation": organisation,
        "narrows": request.headers.get("HX-Trigger") == "by-software",
        "now": now,
    }
    return render(request, "cases/_coverage.html", context)


def _coverage(form: NewCaseForm, user: User, now: datetime, chosen: Any) -> Coverage | None:
    """The answer, once there is a question: a site, a software, and one of its releases."""
    asked = CoverageForm(chosen)
    site = form.row("site", asked.answer("site"))
    release = form.row("release", asked.answer("release"))
    if site is None or not isinstance(release, Release) or release.software_id != asked.answer("software"):
        return None
    return coverage_for(
        user=user,
        organisation=form.organisation,
        site=site,
        software=release.software,
        release=release,
        priority=asked.answer("priority") or "",
        now=now,
    )
