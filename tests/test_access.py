"""Every URL and API route x method x person: the answers of tests/access_table.py, to an empty request.

A URL that the table does not know fails, and so does a row whose URL is gone. What somebody may not see is 404
for them, what they may see and not do is 403; strangers and people whose membership has ended are sent to the
sign-in page, or get 401 from the API.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from tests.access_objects import Objects, build
from tests.access_table import ROWS, Row
from tests.conftest import SignIn, World

MEMBERS = ["anna", "alice", "mallory", "remy", "sam", "lena", "paula", "ada", "aki", "root"]
STRANGERS = ["ended", "anonymous"]
OTHER_METHODS = ["PUT", "PATCH", "DELETE"]
# the people and their objects are made once for each part, not for each of a hundred routes
PARTS = 8


def routes(
    patterns: list[Any], parameters: frozenset[str] = frozenset()
) -> Iterator[tuple[str, frozenset[str]]]:
    """Name and parameters of every route of ours. django-allauth's and the admin's have tests of their own."""
    for pattern in patterns:
        found = set(pattern.pattern.converters) | set(
            getattr(pattern.pattern, "regex", re.compile("")).groupindex
        )
        inner = parameters | found
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin" and "allauth" not in str(pattern.urlconf_name):
                yield from routes(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            yield pattern.name or str(pattern.pattern), inner


ROUTES = dict(routes(get_resolver().url_patterns))


def test_every_url_stands_in_the_table_and_every_row_has_its_url() -> None:
    assert sorted(ROWS) == sorted(ROUTES)


@pytest.fixture
def clients(request: pytest.FixtureRequest, sign_in: SignIn) -> dict[str, Client]:
    found = {name: sign_in(request.getfixturevalue(name)) for name in [*MEMBERS, "ended"]}
    found["anonymous"] = Client()
    for client in found.values():
        client.raise_request_exception = False
    return found


@pytest.fixture
def objects(world: World, alice: User, anna: User, lena: User, remy: User) -> Objects:
    return build(world, alice=alice, anna=anna, lena=lena, remy=remy)


def _status(client: Client, method: str, path: str) -> int:
    """The answer; whatever it wrote is undone."""
    is_json = path.startswith("/api/") and method != "GET"
    extra = {"content_type": "application/json"} if is_json else {}
    point = transaction.savepoint()
    try:
        response = client.generic(method, path, **extra)
        if response.streaming:
            b"".join(response)  # read to its end, so that the file is closed
    finally:
        transaction.savepoint_rollback(point)
    return int(response.status_code)


def _expected(cell: str, path: str) -> dict[str, int]:
    """Person to status: "200 anna alice; 404 all" where `all` means whoever is not named before."""
    statuses: dict[str, int] = {}
    named = [(int(part.split()[0]), part.split()[1:]) for part in cell.split(";")]
    for status, people in named:
        for person in people:
            if person not in ("all", "everybody"):
                statuses[person] = status
    for status, people in named:
        if "all" in people or "everybody" in people:
            rest = MEMBERS + (STRANGERS if "everybody" in people else [])
            statuses = {**dict.fromkeys(rest, status), **statuses}
    sent_away = 401 if path.startswith("/api/") else 302
    return {**dict.fromkeys(STRANGERS, sent_away), **statuses}


@pytest.mark.attack(
    "another organisation's object by number or id",
    "read-only role tries every write",
    "operations pages without rights",
)
@pytest.mark.parametrize("part", range(PARTS))
def test_each_person_gets_what_the_table_says(
    part: int, clients: dict[str, Client], objects: Objects
) -> None:
    wrong = [line for route in sorted(ROWS)[part::PARTS] for line in _wrong(route, clients, objects)]
    assert not wrong, "\n".join(wrong)


def _wrong(route: str, clients: dict[str, Client], objects: Objects) -> Iterator[str]:
    row: Row = ROWS[route]
    path = reverse(route, kwargs={name: objects.value(route, name) for name in ROUTES[route]})
    for method, cell in (("GET", row.get), ("POST", row.post)):
        expected = _expected(cell, path)
        assert set(expected) == {*MEMBERS, *STRANGERS}, f"{route} {method}: the row forgets somebody"
        for person, client in clients.items():
            status = _status(client, method, path)
            if status != expected[person]:
                yield f"{method} {path} as {person}: {status}, the table says {expected[person]}"
    for method in OTHER_METHODS:
        status = _status(clients["sam"], method, path)
        if status not in (403, 404, 405):
            yield f"{method} {path} answers {status}"


@pytest.mark.attack("another organisation's object by number or id")
@pytest.mark.parametrize(
    ("foreign", "missing"),
    [
        ("/cases/{case}/", "/cases/2020-0101-0001/"),
        ("/cases/{case}/reply/", "/cases/2020-0101-0001/reply/"),
        ("/api/v1/cases/{case}/", "/api/v1/cases/2020-0101-0001/"),
        ("/contracts/{contract}/", "/contracts/CS-1999-0001/"),
        ("/api/v1/contracts/{contract}/", "/api/v1/contracts/CS-1999-0001/"),
        ("/people/{person}/", "/people/987654321/"),
        ("/coverage/{slug}/", "/coverage/no-such-organisation/"),
    ],
)
def test_foreign_and_missing_look_alike_to_the_byte(
    mallory: User, sign_in: SignIn, objects: Objects, foreign: str, missing: str
) -> None:
    client = sign_in(mallory)
    path = foreign.format(
        case=objects.values["case.number"],
        contract=objects.values["contract.number"],
        person=objects.values["person_detail.pk"],
        slug=objects.values["coverage_organisation.slug"],
    )
    method = "post" if path.endswith("/reply/") else "get"
    answers = []
    for address in (path, missing):
        response = getattr(client, method)(address)
        assert response.status_code == 404
        text = re.sub(
            r'(csrf-token" content|csrfmiddlewaretoken" value)="[^"]*"', "", response.content.decode()
        )
        answers.append((text.replace(address, "ADDRESS"), response["Content-Type"]))
    assert answers[0] == answers[1]
