"""What people do to a case from its page: one small form each, one call, back to the page."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.middleware import current_user
from accounts.models import Membership, User
from accounts.roles import Role
from cases.errors import CaseChanged, CaseError, FieldError, NotAllowed, NotCovered
from cases.forms import ActForm
from cases.models import Case
from cases.views import acts
from cases.views.acts import Act
from cases.views.page import changes_since

either = require_http_methods(["GET", "HEAD", "POST"])


def _seen(request: HttpRequest) -> int:
    """The last entry that the person had before their eyes."""
    value = request.POST.get("seen", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0


def _act_on(request: HttpRequest, number: str, act: Act) -> HttpResponse:
    """GET: the form as a page of its own, for whoever has no dialog. POST: check it, do it, back to the case."""
    user = current_user(request)
    case = get_object_or_404(Case.objects.visible_to(user).for_page(), number=number)
    if not act.is_for(user):
        raise PermissionDenied(_("Your role does not allow this."))
    form = act.form(request.POST if request.method == "POST" else None, case=case, **_extras(act, user))
    if request.method != "POST":
        return _page(request, case, act, form, status=200)
    if not form.is_valid():
        return _page(request, case, act, form, status=400)
    return _carry_out(request, case, act, form, user)


def _extras(act: Act, user: User) -> dict[str, Any]:
    if act is not acts.ASSIGN:
        return {}
    engineers = Membership.objects.visible_to(user).active().with_role(Role.ENGINEER).select_related("user")
    return {"engineers": list(engineers.order_by("user__name", "pk"))}


def _carry_out(request: HttpRequest, case: Case, act: Act, form: ActForm, user: User) -> HttpResponse:
    try:
        _run(case, act, form.values(), user, _seen(request))
    except NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except CaseChanged as error:
        changes = changes_since(case, user, _seen(request))
        again = act.form(_with_version(request, error.version), case=case, **_extras(act, user))
        return _page(request, case, act, again, status=409, changes=changes)
    except NotCovered as error:
        return _page(request, case, act, form, status=403, decision=error.decision)
    except FieldError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return _page(request, case, act, form, status=400)
    except CaseError as error:
        form.add_error(None, str(error))
        return _page(request, case, act, form, status=409)
    messages.success(request, str(act.done))
    return redirect("case_detail", case.number)


def _run(case: Case, act: Act, values: dict[str, Any], user: User, seen: int) -> None:
    """The action. What the person cannot see (an internal note) is no reason to stop them."""
    now = timezone.now()
    try:
        act.run(case=case, by=user, now=now, **values)
    except CaseChanged as error:
        if not seen or changes_since(case, user, seen):
            raise
        act.run(case=case, by=user, now=now, **values | {"expected_version": error.version})


def _with_version(request: HttpRequest, version: int) -> Any:
    data = request.POST.copy()
    data["expected_version"] = str(version)
    return data


def _page(
    request: HttpRequest,
    case: Case,
    act: Act,
    form: ActForm,
    *,
    status: int,
    changes: Any = None,
    decision: Any = None,
) -> HttpResponse:
    context = {
        "case": case,
        "act": act,
        "form": form,
        "changes": changes,
        "decision": decision,
        "seen": changes[-1].pk if changes else _seen(request),
        "is_conflict": changes is not None,
        "is_possible": request.method == "POST" or act.fits(case, current_user(request)),
        "now": timezone.now(),
    }
    return render(request, "cases/act.html", context, status=status)


@require_POST
def case_take(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.TAKE)


@either
def case_assign(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.ASSIGN)


@either
def case_ask(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.ASK)


@either
def case_state(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.STATE)


@either
def case_raise_priority(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.RAISE)


@either
def case_lower_priority(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.LOWER)


@either
def case_restored(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.RESTORED)


@either
def case_deny_restoration(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.DENY)


@either
def case_propose(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.PROPOSE)


@either
def case_accept(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.ACCEPT)


@either
def case_reject(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.REJECT)


@either
def case_request_closure(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.WANT_CLOSURE)


@either
def case_close(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.CLOSE)


@either
def case_reopen(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.REOPEN)


@either
def case_escalate(request: HttpRequest, number: str) -> HttpResponse:
    return _act_on(request, number, acts.ESCALATE)
