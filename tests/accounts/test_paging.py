"""Lists by key: every row once, in both directions, whatever the address says."""

import base64
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.http import QueryDict

from accounts.models import Organisation, User
from accounts.paging import Page, capped_count, page_of
from contracts.models import Release, ServiceContract
from contracts.versions import sort_key
from tests import factories
from tests.conftest import World


@pytest.fixture
def contracts(acme: Organisation, paula: User, ada: User) -> list[ServiceContract]:
    start = date(2020, 1, 1)
    return [
        factories.ContractFactory.make(
            end_user=acme,
            software=factories.SoftwareFactory.make(),
            starts_on=start,
            ends_on=start + timedelta(days=400 + n // 3),
            registered_by=paula.acting,
            decided_by=ada.acting,
        )
        for n in range(11)
    ]


def _walk(keys: tuple[str, ...], size: int) -> list[Page[ServiceContract]]:
    pages = [page_of(ServiceContract.objects.all(), keys, QueryDict(), size=size)]
    while pages[-1].older:
        params = QueryDict(pages[-1].older.removeprefix("?"))
        pages.append(page_of(ServiceContract.objects.all(), keys, params, size=size))
    return pages


@pytest.mark.parametrize("keys", [("ends_on", "pk"), ("-ends_on", "-pk"), ("pk",), ("-pk",)])
@pytest.mark.parametrize("size", [1, 3, 5, 11, 50])
def test_every_row_comes_once_and_the_way_back_is_the_same(
    keys: tuple[str, ...], size: int, contracts: list[ServiceContract]
) -> None:
    pages = _walk(keys, size)
    expected = list(ServiceContract.objects.order_by(*keys))
    assert [row for page in pages for row in page.rows] == expected
    for before, page in pairwise(pages):
        back = page_of(
            ServiceContract.objects.all(), keys, QueryDict(page.newer.removeprefix("?")), size=size
        )
        assert back.rows == before.rows
    assert (pages[0].newer, pages[-1].older) == ("", "")


def test_a_row_that_is_gone_or_new_does_not_move_the_others(contracts: list[ServiceContract]) -> None:
    first = page_of(ServiceContract.objects.all(), ("pk",), QueryDict(), size=4)
    first.rows[-1].delete()
    params = QueryDict(first.older.removeprefix("?"))
    second = page_of(ServiceContract.objects.all(), ("pk",), params, size=4)
    assert second.rows == contracts[4:8]


def test_filters_stay_in_the_links(contracts: list[ServiceContract]) -> None:
    params = QueryDict("state=ended&before=x&page_size=9")
    page = page_of(ServiceContract.objects.all(), ("pk",), params, size=4)
    assert "state=ended" in page.older
    assert "before" not in page.older


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "%%%",
        "AAAA",
        "bnVsbA",
        "W10",
        "W251bGxd",
        "WzEsMl0",
        "WyJhXHUwMDAwIiwxXQ",
        "Wy0xXQ",
        "e" * 1300,
        base64.urlsafe_b64encode(b"[" * 890).decode(),
        base64.urlsafe_b64encode(rb'["\ud800", 1]').decode(),
        base64.urlsafe_b64encode(b'["2026-02-30", 1]').decode(),
    ],
)
def test_any_other_cursor_begins_at_the_first_page(cursor: str, contracts: list[ServiceContract]) -> None:
    for name in ("after", "before"):
        params = QueryDict(mutable=True)
        params[name] = cursor
        for keys in (("pk",), ("ends_on", "pk")):
            page = page_of(ServiceContract.objects.all(), keys, params, size=4)
            assert page.rows == contracts[:4]


def test_versions_page_in_the_order_of_their_numbers(world: World, paula: User) -> None:
    for n in range(1, 13):
        version = f"21.4R3-S5.{n}"
        factories.ReleaseFactory.make(
            line=world.line, version=version, sort_key=sort_key(version), published_by=paula.acting
        )
    page = page_of(Release.objects.all(), ("-sort_key", "-pk"), QueryDict(), size=4)
    rest = page_of(
        Release.objects.all(), ("-sort_key", "-pk"), QueryDict(page.older.removeprefix("?")), size=50
    )
    versions = [row.version for row in (*page.rows, *rest.rows)]
    assert versions == [*(f"21.4R3-S5.{n}" for n in range(12, 0, -1)), "21.4R3-S5"]


def test_a_count_needs_no_query_when_the_page_shows_everything(
    contracts: list[ServiceContract], django_assert_num_queries: object
) -> None:
    whole = page_of(ServiceContract.objects.all(), ("pk",), QueryDict(), size=50)
    part = page_of(ServiceContract.objects.all(), ("pk",), QueryDict(), size=5)
    assert capped_count(ServiceContract.objects.all(), whole) == 11
    assert capped_count(ServiceContract.objects.all(), part) == 11


def test_a_name_in_any_script_is_a_place_in_the_order(acme: Organisation, world: World) -> None:
    names = ["가" * 199 + letter for letter in "나다라마"]
    for n, name in enumerate(names):
        factories.OrganisationFactory.create(name=name, slug=f"place-{n}")
    found = Organisation.objects.filter(name__in=names)
    page = page_of(found, ("name", "pk"), QueryDict(), size=2)
    rest = page_of(found, ("name", "pk"), QueryDict(page.older.removeprefix("?")), size=2)
    assert [row.name for row in (*page.rows, *rest.rows)] == names
