"""The rail: who sees what, and which link is the present page."""

from collections.abc import Iterator

import pytest

from accounts.roles import OrganisationKind, Role, permissions_of
from portal import navigation
from portal.navigation import Link, Section


@pytest.fixture(autouse=True)
def _every_page_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "page_exists", lambda path: True)


def rail(kind: str, *roles: str, path: str = "/", **counts: int) -> tuple[Section, ...]:
    return navigation.rail(kind=kind, permissions=permissions_of(roles), counts=counts, path=path)


def links(sections: tuple[Section, ...]) -> Iterator[Link]:
    return (link for section in sections for link in section.links)


def labels(sections: tuple[Section, ...]) -> set[str]:
    return {str(link.label) for link in links(sections)}


def current(sections: tuple[Section, ...]) -> list[str]:
    return [link.href for link in links(sections) if link.is_current]


def test_a_contact_sees_cases_and_software_but_no_people() -> None:
    shown = labels(rail(OrganisationKind.END_USER, Role.CONTACT))
    assert {"Waiting for us", "My cases", "Coverage", "Notices"} <= shown
    assert not {"People", "Engine", "Escalations", "Audit trail"} & shown


def test_an_account_manager_sees_people() -> None:
    assert "People" in labels(rail(OrganisationKind.END_USER, Role.ACCOUNT_MANAGER))


def test_a_partner_sees_contracts_and_no_case() -> None:
    shown = rail(OrganisationKind.RESELLER, Role.PARTNER)
    assert {"All contracts", "Register a contract"} <= labels(shown)
    assert not any(link.href.startswith(("/cases/", "/queues/")) for link in links(shown))


def test_staff_see_what_their_roles_allow() -> None:
    engineer = labels(rail(OrganisationKind.VENDOR, Role.ENGINEER))
    assert {"All queues", "Unassigned", "Escalations", "Engine"} <= engineer
    assert not {"To approve", "Audit trail", "Settings"} & engineer
    admin = labels(rail(OrganisationKind.VENDOR, Role.CSC_ADMIN))
    assert {"To approve", "People", "Audit trail", "Settings"} <= admin
    assert not {"Unassigned", "All queues"} & admin
    services = labels(rail(OrganisationKind.VENDOR, Role.PROFESSIONAL_SERVICES))
    assert {"Software", "Contracts"} <= services
    assert "Escalations" not in services


def test_an_auditor_reads_everything_and_is_offered_nothing_to_do() -> None:
    shown = labels(rail(OrganisationKind.VENDOR, Role.AUDITOR))
    assert {"Cases", "Contracts", "People", "Audit trail", "Engine", "Escalations"} <= shown
    assert not {"Unassigned", "To approve", "Settings", "My cases"} & shown


def test_somebody_without_a_role_sees_no_more_than_the_first_page() -> None:
    assert labels(rail(OrganisationKind.VENDOR)) == {"Today"}
    assert rail("unknown kind") == ()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", ["/"]),
        ("/cases/", ["/cases/"]),
        ("/cases/?mine=1", ["/cases/?mine=1"]),
        ("/cases/?mine=1&sort=-updated", ["/cases/?mine=1"]),
        ("/cases/2026-1122-0003/", ["/cases/"]),
        ("/search/?q=x", []),
    ],
)
def test_one_link_at_most_is_the_present_page(path: str, expected: list[str]) -> None:
    assert current(rail(OrganisationKind.END_USER, Role.CONTACT, path=path)) == expected


def test_a_count_is_hot_only_when_it_needs_somebody() -> None:
    found = {
        link.href: link for link in links(rail(OrganisationKind.END_USER, Role.CONTACT, waiting=1, mine=4))
    }
    assert found["/cases/?waiting=us"].is_hot
    assert not found["/cases/?mine=1"].is_hot
    assert found["/cases/?mine=1"].count == 4
    none = {link.href: link for link in links(rail(OrganisationKind.END_USER, Role.CONTACT, waiting=0))}
    assert not none["/cases/?waiting=us"].is_hot


def test_queues_stand_under_all_queues() -> None:
    queue = Link("Routing", "/queues/?queue=routing", count=14)
    sections = navigation.rail(
        kind=OrganisationKind.VENDOR,
        permissions=permissions_of([Role.ENGINEER]),
        counts={},
        path="/queues/?queue=routing",
        queues=[queue],
    )
    hrefs = [link.href for link in links(sections)]
    assert hrefs.index("/queues/?queue=routing") == hrefs.index("/queues/") + 1
    assert current(sections) == ["/queues/?queue=routing"]


def test_a_page_that_does_not_exist_has_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "page_exists", lambda path: path != "/downloads/")
    shown = labels(rail(OrganisationKind.END_USER, Role.CONTACT))
    assert "Downloads" not in shown
    assert "Coverage" in shown


@pytest.mark.parametrize("kind", [choice.value for choice in OrganisationKind])
def test_no_two_links_share_a_shortcut(kind: str) -> None:
    keys = [link.key for link in links(rail(kind, *[role.value for role in Role])) if link.key]
    assert len(keys) == len(set(keys))
