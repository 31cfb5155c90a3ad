"""Contracts from a file: checked row by row, nothing written; then the good rows registered, chunk by chunk.

Both are the engine's work: a chunk is one transaction, so that it can be stopped and goes on where it was, and no
row of a file stops another."""

from contextlib import closing
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts import audit
from accounts.export_control import CountryExcluded
from accounts.models import Organisation, User
from contracts import errors, sheet
from contracts.actions.import_rows import Book, book_of, judged
from contracts.actions.registration import register_contract, registrar
from contracts.kinds import ImportState, RowVerdict
from contracts.models import ContractImport, ContractImportRow, Software
from contracts.notices import tell_about_import
from files.actions import FileRefused, store_upload
from files.models import StoredFile

MOST_BYTES: Final = 20 * 1024 * 1024
MOST_ROWS: Final = 10_000
# A chunk is done within a second: alerts are sent by the same loop.
CHECKED_AT_ONCE: Final = 200
REGISTERED_AT_ONCE: Final = 25
BUSY: Final = (ImportState.CHECKING, ImportState.RUNNING)


def most_rows() -> int:
    return int(getattr(settings, "CONTRACT_IMPORT_MAX_ROWS", MOST_ROWS))


@transaction.atomic
def upload_contracts(*, uploaded: UploadedFile[Any], by: User, now: datetime) -> ContractImport:
    """Take a file with contracts; the engine checks it, and nothing is registered before that is asked for.

    Raises: NotAllowed, ImportRefused when it is empty or too large."""
    acting = registrar(by)
    if uploaded.size and uploaded.size > MOST_BYTES:
        raise errors.ImportRefused(
            _("The file is larger than %(most)d MB.") % {"most": MOST_BYTES // 1024**2}
        )
    try:
        stored = store_upload(uploaded=uploaded, by=by, now=now)
    except FileRefused as refusal:
        raise errors.ImportRefused(str(refusal)) from refusal
    run = ContractImport.objects.create(file=stored, imported_by=acting, created_at=now)
    audit.record("contracts.uploaded", by=by, subject=stored.name, now=now, sha256=stored.sha256)
    return run


@transaction.atomic
def start_import(*, run: ContractImport, by: User, now: datetime) -> None:
    """Have the good rows of a checked file registered. Of two who start it, one does.

    Raises: NotAllowed for anybody but who uploaded it, WrongState."""
    acting = registrar(by)
    if run.imported_by_id != acting.pk:
        raise errors.NotAllowed(_("Only who uploaded the file imports it."))
    good = run.rows.filter(verdict=RowVerdict.GOOD).count()
    if not good:
        raise errors.WrongState(_("There is no row that can be registered."))
    waiting = ContractImport.objects.filter(pk=run.pk, state=ImportState.CHECKED)
    if not waiting.update(state=ImportState.RUNNING, started_at=now, rows_total=good, rows_done=0):
        raise errors.WrongState(_("This import has been started already."))
    audit.record("contracts.import_started", by=by, subject=run.file.name, now=now, rows=good)


def work_on_imports(now: datetime) -> dict[str, int]:
    """The engine's job: one chunk of each file that is being checked or imported; rows dealt with, by word."""
    done = {"checked": 0, "registered": 0}
    for pk in ContractImport.objects.filter(state__in=BUSY).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            free = ContractImport.objects.select_for_update(of=("self",), skip_locked=True)
            run = free.select_related("file", "imported_by__user", "imported_by__organisation").filter(pk=pk)
            _work_on(run.filter(state__in=BUSY).first(), now, done)
    return done


def _work_on(run: ContractImport | None, now: datetime, done: dict[str, int]) -> None:
    if run is None or run.file.scan == StoredFile.Scan.PENDING:
        return
    by = run.imported_by.user
    by.acting = run.imported_by
    with override(by.language or settings.LANGUAGE_CODE):
        if run.imported_by.ended_at is not None or not run.file.is_served:
            _give_up(run, _("Not imported: the file or who uploaded it may not do this any more."), now)
        elif run.state == ImportState.CHECKING:
            done["checked"] += _check_some(run, by, now)
        else:
            done["registered"] += _register_some(run, by, now)


def _give_up(run: ContractImport, why: str, now: datetime) -> None:
    run.state, run.error, run.finished_at = ImportState.UNREADABLE, why[:400], now
    run.rows_done = min(run.rows_done, run.rows_total)
    run.save(update_fields=["state", "error", "finished_at", "rows_done"])


def _check_some(run: ContractImport, by: User, now: datetime) -> int:
    try:
        with run.file.content.open("rb") as source:
            if not run.rows_total:
                run.rows_total = _counted(source)
            book = book_of(run, by, now.date())
            with closing(sheet.read(source)) as rows:
                some = [
                    _added(row, book) for row in islice(rows, run.rows_done, run.rows_done + CHECKED_AT_ONCE)
                ]
    except (sheet.Unreadable, FileNotFoundError) as refusal:
        run.rows_total = 0
        is_ours = isinstance(refusal, sheet.Unreadable)
        _give_up(run, str(refusal) if is_ours else _("The file is not there any more."), now)
        return 0
    for row in some:
        row.import_run = run
    ContractImportRow.objects.bulk_create(some)
    run.rows_done += len(some)
    if run.rows_done >= run.rows_total:
        run.state, run.checked_at = ImportState.CHECKED, now
    run.save(update_fields=["rows_total", "rows_done", "state", "checked_at"])
    return len(some)


def _added(row: sheet.Row, book: Book) -> ContractImportRow:
    judgement = judged(row, book)
    book.add(judgement)
    return judgement


def _counted(source: Any) -> int:
    """How many rows there are; the whole file is read once, so that nothing is checked of one that breaks off."""
    with closing(sheet.read(source)) as rows:
        count = sum(1 for _row in islice(rows, most_rows() + 1))
    source.seek(0)
    if count > most_rows():
        raise sheet.Unreadable(_("The file has more than %(most)d rows.") % {"most": most_rows()})
    if not count:
        raise sheet.Unreadable(_("The file has no rows below its header."))
    return count


def _register_some(run: ContractImport, by: User, now: datetime) -> int:
    good = run.rows.filter(verdict=RowVerdict.GOOD).order_by("line_number")
    some = list(good[:REGISTERED_AT_ONCE])
    for row, found in zip(some, _found(some), strict=True):
        _register(row, found, by, now)
    run.rows_done = min(run.rows_total, run.rows_done + len(some))
    if len(some) < REGISTERED_AT_ONCE:
        run.state, run.finished_at = ImportState.DONE, now
    run.save(update_fields=["rows_done", "state", "finished_at"])
    if run.state == ImportState.DONE:
        tell_about_import(run, now)
    return len(some)


def _found(rows: list[ContractImportRow]) -> list[dict[str, Any]]:
    """What each row names, fetched for all of them at once."""
    found = [row.values["found"] for row in rows]
    end_users = Organisation.objects.in_bulk({entry["end_user"] for entry in found})
    software = Software.objects.select_related("licence").in_bulk({entry["software"] for entry in found})
    return [
        {
            "end_user": end_users[entry["end_user"]],
            "software": software[entry["software"]],
            "starts_on": date.fromisoformat(entry["starts_on"]),
            "ends_on": date.fromisoformat(entry["ends_on"]),
        }
        for entry in found
    ]


def _register(row: ContractImportRow, found: dict[str, Any], by: User, now: datetime) -> None:
    """One row in a savepoint of its own: what is wrong with it is written beside it, and the next one goes on."""
    cells = row.values["cells"]
    order = {
        name: cells.get(name, "") for name in ("purchase_order", "po_end_user_name", "po_end_user_address")
    }
    try:
        contract = register_contract(**found, **order, by=by, now=now)
    except (errors.ContractError, CountryExcluded) as refusal:
        row.verdict = RowVerdict.BAD
        row.field, row.message = getattr(refusal, "field", "end_user"), str(refusal)[:400]
    else:
        row.verdict, row.contract = RowVerdict.REGISTERED, contract
    row.save(update_fields=["verdict", "field", "message", "contract"])
