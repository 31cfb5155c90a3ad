"""Who runs what, without which fix, under which contract; the page, its filters, its CSV and its cost."""

import csv
import io
from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from cases.models import Case
from contracts import actions
from contracts.exposure import OPEN_CASES, exposed, running
from contracts.kinds import ReleaseKind
from contracts.models import Release
from tests import factories
from tests.conftest import SignIn, World
from tests.factories import NOW

PAGE = "/software/pathkeeper/exposure/"


@pytest.fixture
def patch(world: World, paula: User) -> Release:
    row = factories.ReleaseFactory.make(
        line=world.line,
        version="21.4R3-S5.1",
        kind=ReleaseKind.PATCH,
        fixes=factories.DefectFactory.make(software=world.software),
        published_by=paula.acting,
    )
    row.applies_to.add(world.release)
    return row


def _lacking(world: World, by: User) -> dict[str, list[str]]:
    rows = list(running(world.software, None, by))
    found = exposed(world.software, rows, by, NOW)
    return {one.acceptance.organisation.slug: [fix.release.version for fix in one.fixes] for one in found}


def test_a_fix_is_lacking_until_it_or_an_update_with_it_is_accepted(
    world: World, patch: Release, alice: User, mallory: User, paula: User, sam: User
) -> None:
    both = {"acme-telecom": ["21.4R3-S5.1"], "rival-net": ["21.4R3-S5.1"]}
    assert _lacking(world, sam) == both
    actions.accept_release(release=patch, by=alice, now=NOW)
    assert _lacking(world, sam) == {"acme-telecom": [], "rival-net": ["21.4R3-S5.1"]}
    other = factories.ReleaseLineFactory.make(software=world.software, name="other")
    update = factories.ReleaseFactory.make(
        line=other,
        version="30.1",
        kind=ReleaseKind.UPDATE,
        has_no_new_features=True,
        published_by=paula.acting,
    )
    update.contains.add(patch)
    actions.accept_release(release=update, by=mallory, now=NOW)
    assert _lacking(world, sam)["rival-net"] == []


def test_each_row_says_contract_open_cases_drift_and_task(
    world: World, patch: Release, sam: User, paula: User, alice: User
) -> None:
    acme = world.contract.end_user
    (task,) = actions.ask_to_install(
        release=patch, organisations=[acme], instruction="Do it.", due_on=date(2026, 12, 1), by=sam, now=NOW
    )
    drift = factories.DriftFactory.make(organisation=acme, release=world.release, recorded_by=sam.acting)
    rows = list(running(world.software, world.release, sam).filter(organisation=acme))
    (one,) = exposed(world.software, rows, sam, NOW)
    assert (one.contract, one.open_cases, one.drift) == (world.contract, 0, drift)
    assert [(fix.release, fix.task) for fix in one.fixes] == [(patch, task)]
    (unseen,) = exposed(world.software, rows, paula, NOW)
    assert unseen.open_cases is None, "who may not see cases gets no count of them"


def test_the_count_of_open_cases_is_given_by_the_app_above() -> None:
    assert OPEN_CASES._counter == Case.objects.open_by_release


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Acme Telecom", "Rival Net"]),
        ("?contract=in_force", ["Acme Telecom"]),
        ("?contract=none", ["Rival Net"]),
        ("?lacks=21.4R3-S5.1", ["Rival Net"]),
        ("?lacks=no-such", []),
        ("?drift=1", ["Rival Net"]),
        ("?lacks=21.4R3-S5.1&contract=in_force", []),
        ("?contract=%00&drift=x&after=~~~", ["Acme Telecom", "Rival Net"]),
    ],
)
def test_the_page_is_filtered_by_fix_contract_and_drift(
    query: str, found: list[str], world: World, patch: Release, sam: User, alice: User, sign_in: SignIn
) -> None:
    now = timezone.now()
    world.contract.ends_at = now.replace(year=now.year + 1)
    world.contract.starts_at = now.replace(year=now.year - 1)
    world.contract.save()
    world.lapsed.ends_at = now.replace(year=now.year - 1)
    world.lapsed.starts_at = now.replace(year=now.year - 2)
    world.lapsed.save()
    actions.accept_release(release=patch, by=alice, now=now)
    factories.DriftFactory.make(
        organisation=world.lapsed.end_user, release=world.release, recorded_by=sam.acting
    )
    answer = sign_in(sam).get(PAGE + query)
    assert [one.acceptance.organisation.name for one in answer.context["rows"]] == found


@pytest.mark.attack("header injection and CSV formulas")
def test_the_csv_is_what_the_page_shows_and_calculates_nothing(
    world: World, patch: Release, sam: User, sign_in: SignIn
) -> None:
    world.contract.end_user.name = '=HYPERLINK("http://x")'
    world.contract.end_user.save()
    answer = sign_in(sam).get(f"{PAGE}?format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert [row["End user"] for row in rows] == ['\'=HYPERLINK("http://x")', "Rival Net"]
    assert rows[1]["Fixes not taken"] == "21.4R3-S5.1"
    assert rows[0]["Open cases"] == "0"


@pytest.mark.parametrize("path", [PAGE, "/software/pathkeeper/21.4R3-S5/exposure/"])
def test_a_hundred_end_users_cost_as_many_queries_as_two(
    path: str, world: World, patch: Release, sam: User, paula: User, alice: User, sign_in: SignIn,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    for _one in range(40):
        organisation = factories.OrganisationFactory.make()
        world.software.end_users.add(organisation)
        factories.accept(organisation, world.release, alice)
    client = sign_in(sam)
    client.get(path)
    with django_assert_max_num_queries(17):
        answer = client.get(path)
    assert len(answer.context["rows"]) == 42


def test_pages_follow_each_other_by_name(world: World, sam: User, alice: User, sign_in: SignIn) -> None:
    for number in range(60):
        organisation = factories.OrganisationFactory.make(name=f"Carrier {number:02}")
        world.software.end_users.add(organisation)
        factories.accept(organisation, world.release, alice)
    client = sign_in(sam)
    first = client.get(PAGE)
    second = client.get(PAGE + first.context["page"].older)
    names = [one.acceptance.organisation.name for page in (first, second) for one in page.context["rows"]]
    assert names == sorted(names)
    assert len(set(names)) == 62
    assert "62 lines" in first.content.decode()
