"""Contracts from a file: what each row would do, then doing it; whatever encoding, whatever is in it."""

import csv
import io
import threading
from datetime import date, timedelta
from typing import Any

import psutil
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from accounts.models import Organisation, User
from contracts import actions, errors, sheet
from contracts.actions import imports
from contracts.kinds import ContractState, ImportState, RowVerdict
from contracts.models import ContractImport, ContractImportRow, ServiceContract, Software
from notifications.models import Message
from tests import factories
from tests.conftest import SignIn
from tests.factories import NOW

HEAD = [
    "number", "end_user", "software", "starts_on", "months", "purchase_order", "po_end_user_name",
    "po_end_user_address", "internal_use",
]  # fmt: skip
ORDER = ["PO-7731", "Nordlys Fiber", "1 Main Street, San Jose, CA", "yes"]


@pytest.fixture
def edgeprov(nordlys: Organisation) -> Software:
    software = factories.SoftwareFactory.make(name="EdgeProv", sow_reference="SOW-2026-031")
    software.end_users.add(nordlys)
    return software


def _text(rows: list[list[str]], delimiter: str = ",", head: list[str] = HEAD) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([head, *rows])
    return out.getvalue()


def _row(number: int, start: str, *changes: tuple[int, str]) -> list[str]:
    row = [str(number), "nordlys-fiber", "EdgeProv", start, "12", *ORDER]
    for at, text in changes:
        row[at] = text
    return row


def _upload(by: User, content: str | bytes, name: str = "contracts.csv") -> ContractImport:
    data = content.encode() if isinstance(content, str) else content
    return actions.upload_contracts(uploaded=SimpleUploadedFile(name, data), by=by, now=NOW)


def _work(run: ContractImport) -> ContractImport:
    """As the engine does, pass after pass."""
    for _pass in range(500):
        run = ContractImport.objects.get(pk=run.pk)
        if run.state not in imports.BUSY:
            return run
        imports.work_on_imports(NOW)
    raise AssertionError("the import does not end")


def _verdicts(run: ContractImport) -> list[tuple[str, str]]:
    return list(run.rows.order_by("line_number").values_list("verdict", "field"))


GOOD = ("good", "")


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", ";"), ("utf-16-le", "\t"), ("utf-16-be", ",")],
)
def test_any_usual_encoding_and_delimiter_is_read(
    encoding: str, delimiter: str, remy: User, edgeprov: Software
) -> None:
    rows = [_row(1, "2027-01-01", (6, "노르드리스")), _row(2, "2028. 1. 1.", (2, "sow-2026-031"))]
    run = _work(_upload(remy, _text(rows, delimiter).encode(encoding)))
    assert (run.state, _verdicts(run)) == (ImportState.CHECKED, [GOOD, GOOD])
    assert run.rows.first().values["cells"]["po_end_user_name"] == "노르드리스"


def test_headers_are_known_by_more_than_one_name(remy: User, edgeprov: Software) -> None:
    head = ["No.", "Customer", "Product", "Start date", "Last covered day", "PO number", "End user on order",
            "Address on order", "Internal use only", "Remarks"]  # fmt: skip
    row = ["1", "Nordlys FIBER", "edgeprov", "2027-01-01", "2027-12-31", *ORDER, "whatever"]
    assert _verdicts(_work(_upload(remy, _text([row], head=head)))) == [GOOD]


@pytest.mark.clause("C8", "C9", "C10", "C65")
@pytest.mark.attack("header injection and CSV formulas")
def test_every_bad_row_is_named_with_its_column_and_reason(
    remy: User, acme: Organisation, edgeprov: Software
) -> None:
    factories.SoftwareFactory.make(name="Foreign").end_users.add(acme)
    rows = [
        _row(1, "2027-01-01"),
        _row(2, "2027-06-01"),  # overlaps the row above
        _row(1, "2028-01-01"),  # the same number as the first
        _row(4, "2028-01-01", (4, "11")),
        _row(5, "2028-02-30"),
        _row(6, "01/02/2028"),
        _row(7, "2028-01-01", (1, "acme-telecom")),
        _row(8, "2028-01-01", (2, "Foreign")),
        _row(9, "2028-01-01", (5, "=cmd|' /C calc'!A0")),
        _row(10, "2028-01-01", (5, "")),
        _row(11, "2028-01-01", (8, "no")),
        _row(12, "2028-01-01", (6, "x" * 201)),
        _row(13, "2028-01-01", (5, "a\x01b")),
        [*_row(14, "2028-01-01"), "one too many"],
        _row(15, "2028-01-01", (4, "twelve")),
        _row(16, "9999-12-31"),
        _row(17, "2028-01-01", (7, "a\0b")),
    ]
    run = _work(_upload(remy, _text(rows)))
    assert _verdicts(run) == [
        GOOD,
        ("bad", "starts_on"),
        ("bad", "number"),
        ("bad", "months"),
        ("bad", "starts_on"),
        ("bad", "starts_on"),
        ("bad", "end_user"),
        ("bad", "software"),
        ("bad", "purchase_order"),
        ("bad", "purchase_order"),
        ("bad", "is_internal_use"),
        ("bad", "po_end_user_name"),
        ("bad", "purchase_order"),
        ("bad", ""),
        ("bad", "months"),
        ("bad", "starts_on"),
        GOOD,  # what no database can hold was replaced when it was read
    ]
    assert not run.rows.filter(verdict=RowVerdict.BAD, message="").exists()
    assert not ServiceContract.objects.exists()  # a dry run


@pytest.mark.clause("C10", "C65")
def test_a_term_of_twelve_months_less_a_day_is_bad_and_29_february_is_dealt_with(
    remy: User, edgeprov: Software
) -> None:
    head = [*HEAD[:4], "last_day", *HEAD[5:]]
    rows = [_row(1, "2028-02-29", (4, "2029-02-26")), _row(2, "2028-02-29", (4, "2029-02-27"))]
    run = _work(_upload(remy, _text(rows, head=head)))
    assert _verdicts(run) == [("bad", "months"), GOOD]
    reversed_dates = _row(1, "2027-01-01", (4, "2026-01-01"))
    assert _verdicts(_work(_upload(remy, _text([reversed_dates], head=head)))) == [("bad", "months")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xff\xff\xff\x80", "no text"),
        (b"number,end_user\n1,x\n", "Columns are missing"),
        (b"\n\n", "no header"),
        (",".join(HEAD).encode() + b"\n", "no rows"),
        ((",".join([*HEAD, "number"])).encode() + b"\n1\n", "stands twice"),
        (_text([_row(1, "2027-01-01")]).encode() + b"\xff\xfe", "no text"),
        (b"PK\x03\x04 a spreadsheet, not a csv", "missing"),
    ],
)
def test_a_file_that_is_no_csv_of_contracts_says_why(
    content: bytes, words: str, remy: User, edgeprov: Software
) -> None:
    run = _work(_upload(remy, content))
    assert run.state == ImportState.UNREADABLE
    assert words in run.error
    assert not run.rows.exists()


def test_files_that_are_too_long_or_empty_are_refused(
    remy: User, edgeprov: Software, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CONTRACT_IMPORT_MAX_ROWS = 2
    run = _work(_upload(remy, _text([_row(n, f"{2027 + n}-01-01") for n in range(3)])))
    assert "more than 2 rows" in run.error
    with pytest.raises(errors.ImportRefused):
        _upload(remy, b"")
    monkeypatch.setattr(imports, "MOST_BYTES", 10)
    with pytest.raises(errors.ImportRefused):
        _upload(remy, b"x" * 11)


def test_the_good_rows_are_registered_and_the_same_file_again_changes_nothing(
    remy: User, nordlys: Organisation, edgeprov: Software
) -> None:
    content = _text([_row(1, "2027-01-01"), _row(2, "2027-03-01"), _row(3, "2028-01-01")])
    run = _work(_upload(remy, content))
    actions.start_import(run=run, by=remy, now=NOW)
    with pytest.raises(errors.WrongState):
        actions.start_import(run=run, by=remy, now=NOW)
    run = _work(run)
    assert (run.state, [v for v, _field in _verdicts(run)]) == (
        ImportState.DONE,
        ["registered", "bad", "registered"],
    )
    contracts = ServiceContract.objects.order_by("starts_on")
    assert [(c.starts_on, c.state, c.partner) for c in contracts] == [
        (date(2027, 1, 1), ContractState.WAITING, remy.acting.organisation),
        (date(2028, 1, 1), ContractState.WAITING, remy.acting.organisation),
    ]
    assert Message.objects.get(kind="contract_import").recipient == remy.acting
    again = _work(_upload(remy, content))
    assert [verdict for verdict, _field in _verdicts(again)] == ["known", "bad", "known"]
    with pytest.raises(errors.WrongState):
        actions.start_import(run=again, by=remy, now=NOW)
    assert ServiceContract.objects.count() == 2


def test_a_row_that_became_wrong_since_the_check_stops_no_other(
    remy: User, nordlys: Organisation, edgeprov: Software
) -> None:
    run = _work(_upload(remy, _text([_row(1, "2027-01-01"), _row(2, "2028-05-01")])))
    factories.ContractFactory.make(
        end_user=nordlys,
        software=edgeprov,
        starts_on=date(2027, 5, 1),
        ends_on=date(2028, 5, 1),
        registered_by=remy.acting,
        decided_by=factories.MembershipFactory.make(),
    )
    actions.start_import(run=run, by=remy, now=NOW)
    run = _work(run)
    assert [verdict for verdict, _field in _verdicts(run)] == ["bad", "registered"]
    assert run.state == ImportState.DONE


def test_an_import_of_somebody_who_has_left_is_given_up(remy: User, edgeprov: Software) -> None:
    run = _work(_upload(remy, _text([_row(1, "2027-01-01")])))
    actions.start_import(run=run, by=remy, now=NOW)
    remy.acting.ended_at = NOW
    remy.acting.save()
    assert _work(run).state == ImportState.UNREADABLE
    assert not ServiceContract.objects.exists()


def test_others_neither_see_nor_start_it(
    remy: User, mallory: User, ada: User, edgeprov: Software, sign_in: SignIn
) -> None:
    run = _work(_upload(remy, _text([_row(1, "2027-01-01")])))
    for path in (f"/contracts/import/{run.pk}/", f"/contracts/import/{run.pk}/bad.csv"):
        assert sign_in(mallory).get(path).status_code == 404
        assert sign_in(ada).get(path).status_code == 200
    with pytest.raises(errors.NotAllowed):
        actions.start_import(run=run, by=ada, now=NOW)
    assert sign_in(mallory).get("/contracts/import/").status_code == 403


@pytest.fixture
def client_of_remy(remy: User, sign_in: SignIn) -> Client:
    return sign_in(remy)


def test_the_pages_lead_from_the_file_to_the_contracts(client_of_remy: Client, edgeprov: Software) -> None:
    assert client_of_remy.post("/contracts/import/", {}).status_code == 422
    template = b"".join(client_of_remy.get("/contracts/import/template.csv").streaming_content)
    assert template.startswith(b"\xef\xbb\xbfnumber,end_user,software")
    content = _text([_row(1, "2027-01-01"), _row(2, "2027-02-01", (5, "=1+1"))])
    sent = client_of_remy.post("/contracts/import/", {"file": SimpleUploadedFile("c.csv", content.encode())})
    run = ContractImport.objects.get()
    path = f"/contracts/import/{run.pk}/"
    assert sent["Location"] == path
    assert "every 2s" in client_of_remy.get(path).content.decode()
    _work(run)
    page = client_of_remy.get(path).content.decode()
    assert "must not begin like a formula" in page
    assert "every 2s" not in page
    only_bad = client_of_remy.get(f"{path}?verdict=bad").context["page"].rows
    assert [row.line_number for row in only_bad] == [3]
    bad = b"".join(client_of_remy.get(f"{path}bad.csv").streaming_content).decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(bad))
    assert (line["purchase_order"], line["column"], line["line_in_file"]) == ("'=1+1", "purchase_order", "3")
    assert client_of_remy.post(f"{path}start/").status_code == 302
    _work(run)
    assert ServiceContract.objects.get().number in client_of_remy.get(path).content.decode()
    assert client_of_remy.get(f"{path}?verdict=%00&after=x").status_code == 200


def _many(rows: int, bad: int) -> str:
    """Twenty years for each customer, and every so often a term that is a month too short."""
    every = rows // bad
    made = []
    for at in range(rows):
        row = _row(
            at + 1, f"{2027 + at % 20}-01-01", (1, f"Customer {at // 20}"), (2, f"Software {at // 20}")
        )
        if at % every == 0:
            row[4] = "11"
        made.append(row)
    return _text(made)


def _prepare(partner: Organisation, rows: int) -> None:
    for at in range(rows // 20):
        customer = factories.OrganisationFactory.make(name=f"Customer {at}")
        customer.registered_by.add(partner)
        factories.SoftwareFactory.make(name=f"Software {at}", slug=f"file-{at}").end_users.add(customer)


def _import_of(remy: User, content: str) -> ContractImport:
    run = _work(_upload(remy, content))
    actions.start_import(run=run, by=remy, now=NOW)
    return _work(run)


def test_a_file_of_many_chunks_is_dealt_with_row_by_row(
    remy: User, meridian: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHECKED_AT_ONCE", 7)
    monkeypatch.setattr(imports, "REGISTERED_AT_ONCE", 6)
    _prepare(meridian, 60)
    content = _many(60, 6)
    run = _import_of(remy, content)
    assert (run.rows.filter(verdict="registered").count(), run.rows.filter(verdict="bad").count()) == (54, 6)
    again = _work(_upload(remy, content))
    assert again.rows.filter(verdict="known").count() == 54
    assert ServiceContract.objects.count() == 54


@pytest.mark.deep("5,000 contracts from a file: every bad row named, flat memory, nothing twice")
def test_five_thousand_rows_with_two_hundred_bad_ones(remy: User, meridian: Organisation) -> None:
    _prepare(meridian, 5000)
    content = _many(5000, 200)
    before = psutil.Process().memory_info().rss
    run = _import_of(remy, content)
    grown = (psutil.Process().memory_info().rss - before) / 1024**2
    assert (run.rows.filter(verdict="registered").count(), run.rows.filter(verdict="bad").count()) == (
        4800,
        200,
    )
    assert not run.rows.filter(verdict="bad").exclude(field="months").exists()
    assert grown < 50  # MB; the file's rows together are several times that as objects
    again = _work(_upload(remy, content))
    assert again.rows.filter(verdict="known").count() == 4800
    assert ServiceContract.objects.count() == 4800


@pytest.mark.django_db(transaction=True)
def test_two_engines_do_not_deal_with_a_row_twice(remy: User, meridian: Organisation) -> None:
    _prepare(meridian, 40)
    run = _work(_upload(remy, _many(40, 4)))
    actions.start_import(run=run, by=remy, now=NOW)
    troubles: list[BaseException] = []

    def work() -> None:
        try:
            for _pass in range(4):
                imports.work_on_imports(NOW + timedelta(seconds=1))
        except BaseException as error:  # noqa: BLE001 - told by the assertion below
            troubles.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles
    assert (
        ContractImportRow.objects.filter(verdict="registered").count()
        == ServiceContract.objects.count()
        == 36
    )


# Reading


def test_cells_are_written_so_that_no_spreadsheet_calculates_them() -> None:
    lines = list(sheet.written([["=1", "+1", "-1", "@x", "\tx", "＝1", "plain", None]]))
    assert lines == ["\ufeff'=1,'+1,'-1,'@x,'\tx,'＝1,plain,\r\n"]
