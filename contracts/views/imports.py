"""`/contracts/import/`: a file with contracts, what each row would do, and the progress of doing it."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.middleware import current_user
from accounts.models import User
from accounts.paging import page_of
from contracts import actions, sheet
from contracts.actions.imports import BUSY, most_rows
from contracts.errors import ContractError
from contracts.forms.contract import UploadForm
from contracts.kinds import ImportState, RowVerdict
from contracts.models import ContractImport, ContractImportRow
from contracts.views.registration import blame, may_register

SHOWN = 20
EXAMPLE = (
    "1", "nordlys-fiber", "SOW-2026-031", "2027-01-01", "12", "", "PO-7731", "Nordlys Fiber ASA",
    "Karl Johans gate 1, 0154 Oslo", "yes",
)  # fmt: skip


def _importing(request: HttpRequest) -> User:
    user = current_user(request)
    if not may_register(user):
        raise PermissionDenied(_("You may not register contracts."))
    return user


@require_http_methods(["GET", "HEAD", "POST"])
def contract_import(request: HttpRequest) -> HttpResponse:
    user = _importing(request)
    is_sent = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if is_sent else UploadForm()
    if is_sent and form.is_valid():
        try:
            run = actions.upload_contracts(uploaded=form.cleaned_data["file"], by=user, now=timezone.now())
        except ContractError as refusal:
            blame(form, refusal)
        else:
            return redirect("contract_import_detail", run.pk)
    runs = ContractImport.objects.visible_to(user).select_related("file", "imported_by__user")
    context = {"form": form, "runs": runs.order_by("-pk")[:SHOWN], "most_rows": most_rows()}
    return render(request, "contracts/import.html", context, status=422 if is_sent else 200)


def _visible(request: HttpRequest, pk: int) -> ContractImport:
    rows = ContractImport.objects.visible_to(current_user(request))
    return get_object_or_404(rows.select_related("file", "imported_by__user"), pk=pk)


@require_safe
def contract_import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    run = _visible(request, pk)
    verdict = request.GET.get("verdict", "")
    rows = ContractImportRow.objects.filter(import_run=run).select_related("contract")
    counts = rows.aggregate(**{name: Count("pk", filter=Q(verdict=name)) for name in RowVerdict.values})
    if verdict in RowVerdict.values:
        rows = rows.filter(verdict=verdict)
    context = {
        "run": run,
        "page": page_of(rows, ("line_number", "pk"), request.GET),
        "counts": counts,
        "total": sum(counts.values()),
        "words": _rows_in_words(counts[verdict] if verdict in RowVerdict.values else sum(counts.values())),
        "verdicts": [(value, label, counts[value]) for value, label in RowVerdict.choices],
        "is_busy": run.state in BUSY,
        "may_start": run.state == ImportState.CHECKED
        and counts[RowVerdict.GOOD] > 0
        and run.imported_by == current_user(request).acting,
    }
    return render(request, "contracts/import_detail.html", context)


def _rows_in_words(count: int) -> str:
    return ngettext("%(count)s row", "%(count)s rows", count) % {"count": f"{count:,}"}


@require_POST
def contract_import_start(request: HttpRequest, pk: int) -> HttpResponse:
    run = _visible(request, pk)
    try:
        actions.start_import(run=run, by=_importing(request), now=timezone.now())
    except ContractError as refusal:
        messages.error(request, str(refusal))
    return redirect("contract_import_detail", pk)


@require_safe
def contract_import_bad(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The rows that cannot be registered, as they were, with the reason: to be corrected and sent again."""
    run = _visible(request, pk)
    rows = ContractImportRow.objects.filter(import_run=run, verdict=RowVerdict.BAD).order_by("line_number")
    return _csv(_bad_lines(rows.iterator(chunk_size=500)), f"not-registered-{run.pk}.csv")


def _bad_lines(rows: Any) -> Iterator[list[Any]]:
    yield [*sheet.COLUMNS, "line_in_file", "column", "reason"]
    for row in rows:
        cells = row.values.get("cells", {})
        yield [*(cells.get(name, "") for name in sheet.COLUMNS), row.line_number, row.field, row.message]


@require_safe
def contract_import_template(request: HttpRequest) -> StreamingHttpResponse:
    _importing(request)
    return _csv(iter([list(sheet.COLUMNS), list(EXAMPLE)]), "contracts.csv")


def _csv(rows: Iterator[list[Any]], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(sheet.written(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
