"""People with names (house.md), a world around them, and the rules of every test run."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from xdist.scheduler import LoadScopeScheduling

from accounts.models import Membership, Organisation, Site, User
from accounts.roles import OrganisationKind, Role
from contracts.models import Release, ReleaseLine, ServiceContract, Software
from tests import factories
from tests.attacks import ATTACKS
from tests.clauses import CLAUSES
from tests.deep import CHECKS

TABLES = {"clause": CLAUSES, "attack": ATTACKS, "deep": CHECKS}
SignIn = Callable[[User], Client]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = set(config.getoption("--only-marked"))
    if wanted:
        carried = {
            item: {a for m in item.iter_markers() if m.name in TABLES for a in m.args} for item in items
        }
        config.hook.pytest_deselected(items=[item for item in items if not carried[item] & wanted])
        items[:] = [item for item in items if carried[item] & wanted]
    for item in items:
        for marker in item.iter_markers("django_db"):
            if marker.kwargs.get("transaction") and not marker.kwargs.get("serialized_rollback"):
                # what migrations shipped (policy, hours, countries) is put back after such a test
                item.add_marker(
                    pytest.mark.django_db(transaction=True, serialized_rollback=True), append=False
                )
                break
        for name, known in TABLES.items():
            for marker in item.iter_markers(name):
                unknown = set(marker.args) - set(known)
                if unknown or not marker.args:
                    raise pytest.UsageError(
                        f"{item.nodeid}: no such {name}: {sorted(unknown) or 'none named'}"
                    )


class OneBrowserScheduling(LoadScopeScheduling):
    """Each test goes where there is time, but those of the browser, which share one portal, to one worker.

    A scheduler of our own because xdist's groups write a private name that pytest 9 computes itself."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/browser" if nodeid.startswith("tests/browser/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneBrowserScheduling:
    return OneBrowserScheduling(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--outcomes", help="append a line of JSON for each test that carries a marker of a table"
    )
    parser.addoption(
        "--only-marked", action="append", default=[], help="only tests that carry this name of a table"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Any:
    report = yield
    path = item.config.getoption("--outcomes")
    if path and (report.when == "call" or report.failed):
        markers = {name: [a for m in item.iter_markers(name) for a in m.args] for name in TABLES}
        line = {"markers": markers, "test": item.nodeid, "outcome": report.outcome}
        with Path(path).open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
    return report


@pytest.fixture(autouse=True)
def _test_settings(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.REQUIRE_STAFF_MFA = False
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def sign_in() -> SignIn:
    def _sign_in(user: User) -> Client:
        client = Client(raise_request_exception=True)
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
        return client

    return _sign_in


# Organisations


def _organisation(name: str, kind: OrganisationKind, country: str, zone: str, **fields: Any) -> Organisation:
    return factories.OrganisationFactory.make(name=name, kind=kind, country=country, time_zone=zone, **fields)


@pytest.fixture
def acme(db: None) -> Organisation:
    return _organisation("Acme Telecom", OrganisationKind.END_USER, "US", "America/Los_Angeles")


@pytest.fixture
def hanbit(db: None) -> Organisation:
    return _organisation("Hanbit Mobile", OrganisationKind.END_USER, "KR", "Asia/Seoul")


@pytest.fixture
def nordlys(db: None) -> Organisation:
    return _organisation("Nordlys Fiber", OrganisationKind.END_USER, "NO", "Europe/Oslo")


@pytest.fixture
def rival(db: None) -> Organisation:
    return _organisation("Rival Net", OrganisationKind.END_USER, "DE", "Europe/Berlin")


@pytest.fixture
def meridian(db: None, nordlys: Organisation) -> Organisation:
    partner = _organisation("Meridian Networks", OrganisationKind.RESELLER, "US", "America/New_York")
    nordlys.registered_by.add(partner)
    return partner


@pytest.fixture
def vendor(db: None) -> Organisation:
    return _organisation("Support Center", OrganisationKind.VENDOR, "US", "UTC")


# People


@pytest.fixture
def alice(acme: Organisation) -> User:
    """Acme's technical contact and account manager."""
    roles = (Role.CONTACT, Role.TECHNICAL_CONTACT, Role.ACCOUNT_MANAGER)
    return factories.person("alice@acme.example", "Alice Brandt", acme, *roles)


@pytest.fixture
def anna(acme: Organisation) -> User:
    """Acme's contact."""
    return factories.person("anna@acme.example", "Anna Okafor", acme, Role.CONTACT)


@pytest.fixture
def minsu(hanbit: Organisation) -> User:
    """Hanbit's technical contact and account manager, who reads Korean."""
    roles = (Role.CONTACT, Role.TECHNICAL_CONTACT, Role.ACCOUNT_MANAGER)
    return factories.person("minsu@hanbit.example", "Minsu Kim", hanbit, *roles, language="ko")


@pytest.fixture
def ingrid(nordlys: Organisation) -> User:
    """Nordlys' technical contact."""
    return factories.person("ingrid@nordlys.example", "Ingrid Dahl", nordlys, Role.TECHNICAL_CONTACT)


@pytest.fixture
def mallory(rival: Organisation) -> User:
    """The rival's technical contact."""
    return factories.person("mallory@rival.example", "Mallory Stein", rival, Role.TECHNICAL_CONTACT)


@pytest.fixture
def remy(meridian: Organisation) -> User:
    """A reseller."""
    return factories.person("remy@meridian.example", "Remy Laurent", meridian, Role.PARTNER)


@pytest.fixture
def sam(vendor: Organisation) -> User:
    return factories.person("sam@jtac.example", "Sam Ruiz", vendor, Role.ENGINEER)


@pytest.fixture
def sofia(vendor: Organisation) -> User:
    return factories.person("sofia@jtac.example", "Sofia Mancini", vendor, Role.ENGINEER)


@pytest.fixture
def lena(vendor: Organisation) -> User:
    """The duty manager."""
    return factories.person("lena@jtac.example", "Lena Fischer", vendor, Role.DUTY_MANAGER)


@pytest.fixture
def omar(vendor: Organisation) -> User:
    """The support director (L2)."""
    return factories.person("omar@jtac.example", "Omar Haddad", vendor, Role.EXECUTIVE)


@pytest.fixture
def paula(vendor: Organisation) -> User:
    """Professional Services."""
    return factories.person("paula@ps.example", "Paula Novak", vendor, Role.PROFESSIONAL_SERVICES)


@pytest.fixture
def ada(vendor: Organisation) -> User:
    """CSC administrator."""
    return factories.person("ada@csc.example", "Ada Moreau", vendor, Role.CSC_ADMIN)


@pytest.fixture
def abel(vendor: Organisation) -> User:
    """The second CSC administrator."""
    return factories.person("abel@csc.example", "Abel Tan", vendor, Role.CSC_ADMIN)


@pytest.fixture
def aki(vendor: Organisation) -> User:
    """The auditor."""
    return factories.person("aki@csc.example", "Aki Sato", vendor, Role.AUDITOR)


@pytest.fixture
def root(db: None) -> User:
    """The superuser, a member of nothing."""
    return factories.UserFactory.make(email="root@csc.example", name="Root", is_superuser=True)


@pytest.fixture
def ended(acme: Organisation) -> User:
    """Somebody who left Acme."""
    user = factories.person("eve@acme.example", "Eve Long", acme, Role.CONTACT)
    Membership.objects.filter(user=user).update(ended_at=factories.NOW)
    user.acting = None
    return user


# What they have


@dataclass
class World:
    """Acme runs PathKeeper 21.4R3-S5 under a contract in force; the rival's contract for it has lapsed."""

    software: Software
    line: ReleaseLine
    release: Release
    contract: ServiceContract
    lapsed: ServiceContract
    site: Site
    rival_site: Site


@pytest.fixture
def world(
    acme: Organisation, rival: Organisation, alice: User, mallory: User, paula: User, ada: User
) -> World:
    software = factories.SoftwareFactory.make(name="PathKeeper")
    software.end_users.set([acme, rival])
    line = factories.ReleaseLineFactory.make(software=software)
    release = factories.ReleaseFactory.make(line=line, published_by=paula.acting)
    staff = {"registered_by": paula.acting, "decided_by": ada.acting}
    for organisation, who in ((acme, alice), (rival, mallory)):
        factories.accept(organisation, release, who)
        factories.agreed_documents(organisation, software, who, paula)
    contract = factories.ContractFactory.make(end_user=acme, software=software, **staff)
    lapsed = factories.ContractFactory.make(
        end_user=rival,
        software=software,
        starts_on=date(2025, 11, 1),
        ends_on=date(2026, 11, 1),
        **staff,
    )
    site = factories.SiteFactory.make(organisation=acme, name="San Jose")
    rival_site = factories.SiteFactory.make(organisation=rival, name="Frankfurt")
    return World(software, line, release, contract, lapsed, site, rival_site)
