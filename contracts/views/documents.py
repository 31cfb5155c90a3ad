"""`/documents/`: design document and test plan of an end user's software, and the work when one is lacking."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.middleware import current_user
from accounts.models import Organisation, User
from accounts.paging import COUNT_LIMIT, capped_count, page_of
from accounts.roles import Permission
from contracts import actions
from contracts.errors import ContractError
from contracts.forms.documents import CancelTaskForm, DocumentForm, PriceForm
from contracts.kinds import DocumentKind, WorkState
from contracts.models import DocumentAgreement, DocumentTask, PrerequisiteDocument, ServiceContract, Software
from contracts.obligations import may_run_tasks
from contracts.prerequisites import Prerequisite, Slot, is_pair, slots_of
from files.downloads import serve
from files.errors import FileRefused

Side = DocumentAgreement.Side
Pair = tuple[Organisation, Software]


def _pair(user: User, organisation: str, software: str) -> Pair:
    """The end user and its software, for staff and its own people; to anybody else they do not exist."""
    end_user = get_object_or_404(Organisation.objects.visible_to(user), slug=organisation)
    is_own = user.acting is not None and user.acting.organisation_id == end_user.pk
    named = get_object_or_404(Software.objects.visible_to(user), slug=software)
    if not (is_own or user.can(Permission.CONTRACT_VIEW_ALL)) or not is_pair(end_user, named):
        raise Http404
    return end_user, named


def _document(user: User, pair: Pair, pk: int) -> PrerequisiteDocument:
    organisation, software = pair
    documents = PrerequisiteDocument.objects.visible_to(user).select_related("stored")
    return get_object_or_404(documents, pk=pk, organisation=organisation, software=software)


def _side(user: User) -> DocumentAgreement.Side:
    return Side.VENDOR if user.is_vendor_staff else Side.END_USER


def _writes(user: User) -> bool:
    return user.is_vendor_staff and user.can(Permission.PREREQUISITE_AGREE)


@require_safe
def document_list(request: HttpRequest, organisation: str, software: str) -> HttpResponse:
    user = current_user(request)
    pair = _pair(user, organisation, software)
    contracts = ServiceContract.objects.visible_to(user).filter(end_user=pair[0], software=pair[1])
    tasks = DocumentTask.objects.visible_to(user).filter(organisation=pair[0], software=pair[1])
    context = {
        "organisation": pair[0],
        "software": pair[1],
        "slots": [(slot, _rows(slot, user)) for slot in slots_of(*pair)],
        "contracts": contracts.order_by("-starts_on", "-pk")[:20],
        "tasks": tasks.open().select_related("contract").order_by("kind", "pk"),
        "may_write": _writes(user),
    }
    return render(request, "contracts/document_list.html", context)


def _rows(slot: Slot, user: User) -> list[tuple[Prerequisite, bool]]:
    """Each version, and whether this person may agree to it for its side."""
    mine = "by_vendor" if _side(user) == Side.VENDOR else "by_end_user"
    may = user.can(Permission.PREREQUISITE_AGREE)
    return [(v, may and not v.out_of_date_at and getattr(v, mine) is None) for v in slot.versions]


@require_http_methods(["GET", "HEAD", "POST"])
def document_new(request: HttpRequest, organisation: str, software: str) -> HttpResponse:
    user = current_user(request)
    pair = _pair(user, organisation, software)
    if not _writes(user):
        raise PermissionDenied(_("Professional Services write these documents."))
    kind = request.GET.get("kind")
    initial = {"kind": kind if kind in DocumentKind.values else DocumentKind.DESIGN}
    form = DocumentForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid() and _add(form, pair, user):
        messages.success(request, _("The version is there. Now both sides agree to it."))
        return redirect("document_list", organisation, software)
    context = {"form": form, "organisation": pair[0], "software": pair[1]}
    status = 422 if request.method == "POST" else 200
    return render(request, "contracts/document_new.html", context, status=status)


def _add(form: DocumentForm, pair: Pair, user: User) -> bool:
    try:
        actions.add_document(
            organisation=pair[0], software=pair[1], by=user, now=timezone.now(), **form.cleaned_data
        )
    except FileRefused as refusal:
        form.add_error("sent", str(refusal))
    except ContractError as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
    return form.is_valid()


@require_safe
def document_file(request: HttpRequest, organisation: str, software: str, pk: int) -> HttpResponseBase:
    user = current_user(request)
    document = _document(user, _pair(user, organisation, software), pk)
    if document.stored is None:
        raise Http404
    return serve(document.stored, request)


@require_POST
def document_agree(request: HttpRequest, organisation: str, software: str, pk: int) -> HttpResponse:
    user = current_user(request)
    document = _document(user, _pair(user, organisation, software), pk)
    if not user.can(Permission.PREREQUISITE_AGREE):
        raise PermissionDenied(_("You may not agree design documents and test plans."))
    try:
        actions.agree_document(document=document, side=_side(user), by=user, now=timezone.now())
    except ContractError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("You agreed to %(document)s.") % {"document": document})
    return redirect("document_list", organisation, software)


@require_POST
def document_out_of_date(request: HttpRequest, organisation: str, software: str, pk: int) -> HttpResponse:
    user = current_user(request)
    document = _document(user, _pair(user, organisation, software), pk)
    if not _writes(user):
        raise PermissionDenied(_("Professional Services write these documents."))
    try:
        actions.mark_out_of_date(document=document, by=user, now=timezone.now())
    except ContractError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(document)s is out of date now.") % {"document": document})
    return redirect("document_list", organisation, software)


# The work


def _tasks(user: User) -> None:
    if not may_run_tasks(user):
        raise PermissionDenied(_("Professional Services and CSC administrators look after document tasks."))


@require_safe
def document_task_list(request: HttpRequest) -> HttpResponse:
    user = current_user(request)
    _tasks(user)
    is_closed = request.GET.get("state") == "closed"
    tasks = DocumentTask.objects.visible_to(user)
    tasks = tasks.exclude(state=WorkState.OPEN) if is_closed else tasks.open()
    order = ("-closed_at", "-pk") if is_closed else ("opened_at", "pk")
    page = page_of(
        tasks.select_related("organisation", "software", "contract__partner", "document"), order, request.GET
    )
    path = reverse("document_task_list")
    context = {
        "page": page,
        "is_closed": is_closed,
        "sides": [
            (_("Open"), path, not is_closed),
            (pgettext("several tasks", "Closed"), f"{path}?state=closed", is_closed),
        ],
        "words": _in_words(capped_count(tasks, page)),
    }
    return render(request, "contracts/document_task_list.html", context)


def _in_words(total: int) -> str:
    if total > COUNT_LIMIT:
        return _("1,000+ document tasks")
    return ngettext("%(count)s document task", "%(count)s document tasks", total) % {"count": f"{total:,}"}


def _task(user: User, pk: int) -> DocumentTask:
    tasks = DocumentTask.objects.visible_to(user).select_related(
        "organisation", "software", "contract__partner", "opened_by__user", "closed_by__user", "document"
    )
    task = get_object_or_404(tasks, pk=pk)
    _tasks(user)
    return task


@require_safe
def document_task(request: HttpRequest, pk: int) -> HttpResponse:
    task = _task(current_user(request), pk)
    return _task_page(request, task, PriceForm(initial={"price": task.price}), CancelTaskForm())


def _task_page(
    request: HttpRequest, task: DocumentTask, price: PriceForm, cancel: CancelTaskForm, status: int = 200
) -> HttpResponse:
    context = {
        "task": task,
        "price_form": price,
        "cancel_form": cancel,
        "failed": cancel if cancel.is_bound else price,
        "is_open": task.state == WorkState.OPEN,
    }
    return render(request, "contracts/document_task.html", context, status=status)


@require_POST
def document_task_price(request: HttpRequest, pk: int) -> HttpResponse:
    user = current_user(request)
    task, form = _task(user, pk), PriceForm(request.POST)
    if form.is_valid():
        try:
            actions.price_document_task(task=task, by=user, now=timezone.now(), **form.cleaned_data)
        except ContractError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The price is kept."))
            return redirect("document_task", pk)
    return _task_page(request, task, form, CancelTaskForm(), status=422)


@require_POST
def document_task_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    user = current_user(request)
    task, form = _task(user, pk), CancelTaskForm(request.POST)
    if form.is_valid():
        try:
            actions.cancel_document_task(task=task, by=user, now=timezone.now(), **form.cleaned_data)
        except ContractError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The document task is cancelled."))
            return redirect("document_task_list")
    return _task_page(request, task, PriceForm(initial={"price": task.price}), form, status=422)
