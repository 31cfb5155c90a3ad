"""`/help/glossary/` and `/agreements/`: the words of the agreements, and the agreements themselves (C4-C7)."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.prose import prose
from accounts.roles import Permission
from contracts import actions
from contracts.errors import ContractError
from contracts.forms.obligations import GoverningForm
from contracts.models import GlossaryTerm, GoverningDocument

MOST_WORDS = 500
MOST_VERSIONS = 200


@require_safe
def glossary(request: HttpRequest) -> HttpResponse:
    terms = GlossaryTerm.objects.order_by(Lower("term"), "pk")[:MOST_WORDS]
    return render(request, "contracts/glossary.html", {"terms": terms})


@require_safe
def agreement_list(request: HttpRequest) -> HttpResponse:
    user, today = current_user(request), timezone.localdate()
    documents = GoverningDocument.objects.visible_to(user).defer("text")
    rows = documents.order_by("kind", "title", "-in_force_from", "-pk")[:MOST_VERSIONS]
    context = {"documents": rows, "today": today, "may_add": user.can(Permission.SETTINGS_EDIT)}
    return render(request, "contracts/agreement_list.html", context)


@require_safe
def agreement_detail(request: HttpRequest, pk: int) -> HttpResponse:
    document = get_object_or_404(GoverningDocument.objects.visible_to(current_user(request)), pk=pk)
    context = {
        "document": document,
        "text": prose(document.text) if document.text else "",
        "is_coming": document.in_force_from > timezone.localdate(),
    }
    return render(request, "contracts/agreement_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def agreement_new(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    if not user.can(Permission.SETTINGS_EDIT):
        raise PermissionDenied(_("Only CSC administrators add agreements and licences."))
    form = GoverningForm(request.POST or None, initial={"in_force_from": timezone.localdate()})
    document = _add(form, user) if request.method == "POST" and form.is_valid() else None
    if document is not None:
        messages.success(request, _("%(document)s is there for everybody to read.") % {"document": document})
        return redirect("agreement_detail", document.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "contracts/agreement_new.html", {"form": form}, status=status)


def _add(form: GoverningForm, user: User) -> GoverningDocument | None:
    try:
        return actions.add_governing_document(by=user, now=timezone.now(), **form.cleaned_data)
    except ContractError as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
    return None
