"""`/api/v1/coverage/`: the decision for a software, a release and a day. Writes nothing."""

from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine

from accounts.models import Organisation, User
from entitlements.models import DecisionRecord
from tests import factories
from tests.conftest import SignIn, World
from tests.factories import NOW


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def _path(**query: Any) -> str:
    return f"/api/v1/coverage/?{urlencode({'software': 'pathkeeper', **query})}"


@pytest.mark.clause("C25", "C42")
def test_a_contact_learns_contract_and_last_covered_day(world: World, anna: User, sign_in: SignIn) -> None:
    answer = sign_in(anna).get(_path(release="21.4R3-S5", site=world.site.pk)).json()
    assert (
        answer["granted"],
        answer["contract"],
        answer["covered_until_on"],
        answer["accepted_release"],
    ) == (
        True,
        world.contract.number,
        "2027-03-31",
        "21.4R3-S5",
    )
    assert answer["reasons"] == []
    assert not DecisionRecord.objects.exists()


@pytest.mark.clause("C25")
@pytest.mark.parametrize(
    ("day", "is_covered"),
    [("2026-10-31", True), ("2026-11-01", True), ("2026-11-02", False), ("2026-11-22", False)],
)
def test_the_answer_is_that_of_the_day_where_the_end_user_is(
    day: str, is_covered: bool, world: World, mallory: User, sign_in: SignIn
) -> None:
    # the factory's instants are midnight in UTC, one hour after the day has begun in Berlin
    answer = sign_in(mallory).get(_path(day=day)).json()
    assert answer["granted"] is is_covered
    if not is_covered:
        (reason,) = answer["reasons"]
        assert (reason["code"], reason["clause"], reason["since"]) == ("ended", "C25", "2026-11-01T00:00:00Z")
        assert "31 October 2026" in reason["sentence"]


def test_staff_name_the_end_user_and_others_only_their_own(
    world: World, sam: User, alice: User, remy: User, sign_in: SignIn
) -> None:
    assert sign_in(sam).get(_path(organisation="acme-telecom")).json()["granted"]
    assert sign_in(sam).get(_path(organisation="rival-net")).json()["granted"] is False
    for who, query in (
        (sam, {}),
        (alice, {"organisation": "rival-net"}),
        (remy, {}),
        (sam, {"organisation": "x"}),
    ):
        answer = sign_in(who).get(_path(**query))
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["organisation"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"software": ""}, "software"),
        ({"software": "nothing"}, "software"),
        ({"software": "a\x00"}, "software"),
        ({"software": "x" * 200_000}, "software"),
        ({"release": "9.9"}, "release"),
        ({"release": "\x00"}, "release"),
        ({"release": "릴리스"}, "release"),
        ({"day": "2027-02-30"}, "day"),
        ({"day": "tomorrow"}, "day"),
        ({"day": "0001-01-01"}, "day"),
        ({"site": "x"}, "site"),
        ({"site": "9" * 30}, "site"),
        ({"site": "-1"}, "site"),
        ({"organisation": "\x00"}, "organisation"),
    ],
)
def test_bad_input_is_told_beside_its_cause(
    query: dict[str, str], field: str, world: World, mallory: User, sign_in: SignIn
) -> None:
    answer = sign_in(mallory).get(_path(**query))
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert list(answer.json()["errors"]) == [field]


def test_foreign_sites_software_and_releases_answer_like_missing_ones(
    world: World, alice: User, paula: User, sign_in: SignIn
) -> None:
    other = factories.ReleaseFactory.make(version="9.9", published_by=paula.acting)
    client = sign_in(alice)
    pairs = [
        ({"site": world.rival_site.pk}, {"site": 999_999}),
        ({"software": other.software.slug}, {"software": "nothing"}),
        ({"release": "9.9"}, {"release": "9.8"}),
    ]
    for foreign, missing in pairs:
        assert client.get(_path(**foreign)).content == client.get(_path(**missing)).content


@pytest.mark.clause("C63")
def test_the_country_of_the_site_counts(
    world: World, acme: Organisation, alice: User, sign_in: SignIn
) -> None:
    site = factories.SiteFactory.make(organisation=acme, country="SY")
    (reason,) = sign_in(alice).get(_path(site=site.pk)).json()["reasons"]
    assert reason["code"] == "export_control"


def test_it_can_only_be_read_and_needs_a_person(
    world: World, alice: User, sign_in: SignIn, client: Any
) -> None:
    assert sign_in(alice).post(_path()).status_code == 405
    assert client.get(_path()).status_code in (302, 401, 403)


def test_the_decision_costs_few_queries(
    world: World, alice: User, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(alice)
    client.get(_path(release="21.4R3-S5"))
    with django_assert_max_num_queries(10):
        client.get(_path(release="21.4R3-S5"))
