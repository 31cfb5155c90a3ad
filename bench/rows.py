"""The rows of the benchmark: what is asked, by whom, the best SQL for the same answer, and the targets.

A target is a ratio in one run: to the floor (an empty page under the same server plus that SQL), and to the same
page with a hundred times fewer cases. SQL takes its values from `bench.prepare`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from bench import words

Samples = Mapping[str, Any]

OPEN = (
    "state IN ('new','dispatched','in_progress','customer_pending','fix_pending','monitoring',"
    "'resolution_proposed')"
)
COLUMNS = """c.number, c.synopsis, c.priority, c.state, c.updated_at, c.opened_at, c.next_deadline_at, o.name, s.name,
 w.name, r.version, ou.name, cu.name"""
JOINS = """JOIN accounts_organisation o ON o.id = c.organisation_id JOIN accounts_site s ON s.id = c.site_id
 JOIN contracts_software w ON w.id = c.software_id JOIN contracts_release r ON r.id = c.release_id
 LEFT JOIN accounts_membership om ON om.id = c.owner_id LEFT JOIN accounts_user ou ON ou.id = om.user_id
 JOIN accounts_membership cm ON cm.id = c.contact_id JOIN accounts_user cu ON cu.id = cm.user_id"""


@dataclass(frozen=True)
class Row:
    name: str
    who: str
    path: str
    sql: str = ""
    ratio: float = 4
    growth: float = 1.3
    queries: int = 8
    floor: str = "page"
    # follow so many "older" links before measuring
    pages: int = 0
    # an answer may never take longer than this, where an empty page takes 5 ms
    most_ms: float = 0


def _list(where: str, order: str) -> str:
    count = f"SELECT count(*) FROM (SELECT 1 FROM cases_case c WHERE {where} LIMIT 1001) x"
    rows = f"SELECT {COLUMNS} FROM cases_case c {JOINS} WHERE {where} ORDER BY {order} LIMIT 51"
    return f"{rows}; {count}"


def _search(text: str, query: str, where: str = "true") -> Row:
    hits = (
        f"SELECT id FROM cases_case WHERE search @@ {query} UNION"
        f" SELECT case_id FROM cases_caseevent WHERE NOT is_internal AND search @@ {query}"
        f" UNION SELECT case_id FROM cases_caseevent WHERE is_internal AND search @@ {query}"
    )
    walk = (
        f"SELECT {COLUMNS} FROM (SELECT c.* FROM cases_case c WHERE {where} AND (search @@ {query} OR EXISTS"
        f" (SELECT 1 FROM cases_caseevent e WHERE e.case_id = c.id AND e.search @@ {query}))"
        f" ORDER BY c.updated_at DESC, c.id DESC LIMIT 26) c {JOINS}"
    )
    collect = (
        f"WITH hits AS MATERIALIZED ({hits}) SELECT {COLUMNS} FROM hits JOIN cases_case c ON c.id = hits.id {JOINS}"
        f" WHERE {where} ORDER BY c.updated_at DESC, c.id DESC LIMIT 26"
    )
    is_common = text in (words.COMMON, f"{words.COMMON} standby", "재시작")
    return Row(
        f"search: {text}",
        "engineer",
        f"/search/?q={quote(text)}",
        walk if is_common else collect,
        ratio=3,
        growth=2,
        most_ms=300,
    )


_OWN = "c.organisation_id = %(organisation)s AND NOT c.is_restricted"
_TEXT = "plainto_tsquery('pg_catalog.english', '{0}') || plainto_tsquery('pg_catalog.simple', '{0}')"


def _word(text: str) -> str:
    return f"({_TEXT.format(text)})"


ROWS: Final = (
    Row(
        "customer's list",
        "customer",
        "/cases/",
        _list(f"{_OWN} AND c.{OPEN}", "c.updated_at DESC, c.id DESC"),
    ),
    Row(
        "customer's list, all, page 10",
        "customer",
        "/cases/?state=all",
        _list(_OWN, "c.updated_at DESC, c.id DESC"),
        pages=9,
    ),
    Row(
        "customer's list, closed, oldest first",
        "customer",
        "/cases/?state=closed&sort=opened",
        _list(f"{_OWN} AND c.state = 'closed'", "c.opened_at, c.id"),
    ),
    Row(
        "customer's list, P1 and P2 by deadline",
        "customer",
        "/cases/?priority=P1&priority=P2&sort=deadline",
        _list(f"{_OWN} AND c.{OPEN} AND c.priority IN ('P1','P2')", "c.next_deadline_at NULLS LAST, c.id"),
    ),
    Row(
        "customer's list, mine",
        "customer",
        "/cases/?mine=1&state=all",
        _list(f"{_OWN} AND c.contact_id = %(membership)s", "c.updated_at DESC, c.id DESC"),
    ),
    Row(
        "engineer's queue by deadline",
        "engineer",
        "/queues/?state=open&sort=deadline",
        _list(f"c.{OPEN}", "c.next_deadline_at NULLS LAST, c.id"),
    ),
    Row(
        "engineer's queue by deadline, page 10",
        "engineer",
        "/queues/?state=open&sort=deadline",
        _list(f"c.{OPEN}", "c.next_deadline_at NULLS LAST, c.id"),
        pages=9,
    ),
    Row(
        "all cases, last changed first",
        "engineer",
        "/cases/?state=all",
        _list("true", "c.updated_at DESC, c.id DESC"),
    ),
    Row(
        "case page, 50 entries",
        "engineer",
        "/cases/%(long_number)s/",
        f"SELECT c.*, {COLUMNS} FROM cases_case c {JOINS} WHERE c.number = '%(long_number)s';"
        " SELECT e.*, u.name FROM cases_caseevent e JOIN accounts_membership m ON m.id = e.by_id"
        " JOIN accounts_user u ON u.id = m.user_id WHERE e.case_id = %(long_pk)s ORDER BY e.at, e.id;"
        " SELECT * FROM cases_cycle y JOIN cases_rung g ON g.cycle_id = y.id WHERE y.case_id = %(long_pk)s",
        ratio=3,
        growth=1.2,
        queries=12,
    ),
    Row(
        "by number",
        "customer",
        "/search/?q=%(number)s",
        f"SELECT {COLUMNS} FROM cases_case c {JOINS} WHERE c.number = '%(number)s' AND {_OWN}",
        ratio=2,
        growth=1.1,
        queries=5,
    ),
    Row(
        "by own reference",
        "customer",
        "/search/?q=%(reference)s",
        f"SELECT {COLUMNS} FROM cases_case c {JOINS} WHERE upper(c.customer_reference) = upper('%(reference)s')"
        f" AND c.customer_reference <> '' AND {_OWN}",
        ratio=2,
        growth=1.1,
        queries=5,
    ),
    _search(words.ONE_CASE, _word(words.ONE_CASE)),
    _search(words.COMMON, _word(words.COMMON)),
    _search(f"{words.COMMON} standby", f"({_word(words.COMMON)} && {_word('standby')})"),
    _search(f'"{words.PHRASE}"', f"phraseto_tsquery('pg_catalog.simple', '{words.PHRASE}')"),
    _search(words.ERROR_CODE, _word(words.ERROR_CODE)),
    _search("21.4R2-S3", "'''21.4r2-s3'':*'::tsquery"),
    _search(words.HOST, "'''core-rtr-17.sel'':*'::tsquery"),
    _search(words.KOREAN_WORD, "'''장애'''::tsquery"),
    _search("재시작", "'''재시'' & ''시작'''::tsquery"),
    _search(f'"{words.KOREAN_PHRASE}"', "'''경로'' & ''보호'' & ''장애'' & ''접수'''::tsquery"),
    _search("zyzzogeton", _word("zyzzogeton")),
    Row(
        "customer's search: a common word",
        "customer",
        f"/search/?q={words.COMMON}",
        f"SELECT {COLUMNS} FROM (SELECT c.* FROM cases_case c WHERE {_OWN} AND (search @@ {_word(words.COMMON)}"
        f" OR EXISTS (SELECT 1 FROM cases_caseevent e WHERE e.case_id = c.id AND NOT e.is_internal AND e.search @@"
        f" {_word(words.COMMON)})) ORDER BY c.updated_at DESC, c.id DESC LIMIT 26) c {JOINS}",
        ratio=3,
        growth=2,
        most_ms=300,
    ),
    Row(
        "first screen of a customer",
        "customer",
        "/",
        _list(f"{_OWN} AND c.{OPEN}", "c.updated_at DESC, c.id DESC"),
        growth=1.5,
        queries=15,
    ),
    Row(
        "first screen of an engineer",
        "engineer",
        "/",
        _list(f"c.{OPEN} AND c.owner_id IS NULL", "c.next_deadline_at NULLS LAST, c.id"),
        growth=1.5,
        queries=15,
    ),
    Row(
        "API: list of 50",
        "engineer",
        "/api/v1/cases/",
        _list("true", "c.updated_at DESC, c.id DESC"),
        ratio=3,
        floor="api",
    ),
    Row(
        "API: a case",
        "engineer",
        "/api/v1/cases/%(number)s/",
        f"SELECT {COLUMNS} FROM cases_case c {JOINS} WHERE c.number = '%(number)s'",
        ratio=3,
        floor="api",
    ),
)

# name: ratio to the bare statements, growth, most queries; measured by `bench.acts`
ACTS: Final = {
    "open a case": (4.0, 1.2, 40),
    "reply": (4.0, 1.1, 25),
    "tick with nothing due": (0.0, 1.5, 3),
}
