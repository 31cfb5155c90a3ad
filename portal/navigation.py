"""The left rail: from what a person may do, and the counts at hand, to sections of links.

Pure: no request, no query. `portal/context.py` gathers the counts. A page that does not exist yet (or is
switched off) has no link: paths are those of the stable list in the design, checked against the URLconf once.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from urllib.parse import parse_qsl, urlsplit

from django.urls import Resolver404, resolve
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.roles import OrganisationKind, Permission

P = Permission
Text = str | Promise


@dataclass(frozen=True)
class Link:
    """`count` is None where there is nothing to count; `is_hot` marks a count that needs somebody."""

    label: Text
    href: str
    icon: str = ""
    needs: frozenset[str] = frozenset()
    counts: str = ""
    burns: bool = False
    key: str = ""
    count: int | None = None
    is_current: bool = False

    @property
    def is_hot(self) -> bool:
        return self.burns and bool(self.count)


@dataclass(frozen=True)
class Section:
    title: Text
    links: tuple[Link, ...] = field(default_factory=tuple)


def _link(
    label: Text,
    href: str,
    icon: str,
    *needs: Permission,
    counts: str = "",
    burns: bool = False,
    key: str = "",
) -> Link:
    return Link(label, href, icon, frozenset(needs), counts, burns, key)


TODAY = _link(_("Today"), "/", "sun", key="h")
_PEOPLE = Section(
    _("Our people"),
    (
        _link(_("People"), "/people/", "users", P.PEOPLE_MANAGE, key="p"),
        _link(
            _("Departures"), "/departures/", "user-minus", P.PEOPLE_MANAGE, counts="departures", burns=True
        ),
    ),
)
_CUSTOMER = (
    Section("", (TODAY,)),
    Section(
        _("Our cases"),
        (
            _link(
                _("Waiting for us"),
                "/cases/?waiting=us",
                "hourglass",
                P.CASE_REPLY,
                counts="waiting",
                burns=True,
            ),
            _link(_("My cases"), "/cases/?mine=1", "user", P.CASE_REPLY, counts="mine", key="m"),
            _link(_("All our cases"), "/cases/", "list", P.CASE_REPLY, counts="open_cases", key="c"),
        ),
    ),
    Section(
        _("Our software"),
        (
            _link(_("Coverage"), "/coverage/", "shield-check"),
            _link(_("Contracts"), "/contracts/", "file-text", key="k"),
            _link(_("Contract timeline"), "/contracts/timeline/", "chart-gantt"),
            _link(_("Notices"), "/notices/", "megaphone", counts="notices"),
            _link(_("Software"), "/software/", "package", key="s"),
            _link(
                _("Install tasks"), "/install-tasks/", "clipboard-check", counts="install_tasks", burns=True
            ),
            _link(_("Integrity"), "/integrity/", "file-check"),
            _link(_("Downloads"), "/downloads/", "download"),
            _link(_("Requests"), "/requests/", "hand"),
            _link(_("Answers"), "/answers/", "lightbulb"),
        ),
    ),
    _PEOPLE,
)
_PARTNER = (
    Section("", (TODAY,)),
    Section(
        _("Contracts"),
        (
            _link(_("All contracts"), "/contracts/", "file-text", key="k"),
            _link(_("Ending soon"), "/contracts/?ending=90", "calendar-clock", counts="ending", burns=True),
            _link(_("Waiting for approval"), "/contracts/?state=waiting", "hourglass", counts="approvals"),
            _link(_("Refused"), "/contracts/?state=refused", "circle-x", counts="refused", burns=True),
            _link(_("Timeline"), "/contracts/timeline/", "chart-gantt"),
            _link(_("Register a contract"), "/contracts/register/", "file-plus", P.CONTRACT_REGISTER),
            _link(_("Import"), "/contracts/import/", "upload", P.CONTRACT_REGISTER),
            _link(_("New end users"), "/contracts/end-users/", "user-plus", P.CONTRACT_REGISTER),
        ),
    ),
    Section(
        _("Customers"),
        (
            _link(_("Organisations"), "/organisations/", "building-2"),
            _link(_("Coverage"), "/coverage/", "shield-check"),
            _link(_("Requests"), "/requests/", "hand"),
            _link(_("Notices"), "/notices/", "megaphone", counts="notices"),
        ),
    ),
    _PEOPLE,
)
QUEUES = _("Queues")
_STAFF = (
    Section(
        "", (TODAY, _link(_("My cases"), "/cases/?owner=me", "user", P.CASE_TRIAGE, counts="mine", key="m"))
    ),
    Section(
        QUEUES,
        (
            _link(_("All queues"), "/queues/", "layers", P.CASE_VIEW_ALL, counts="open_cases", key="q"),
            _link(
                _("Unassigned"),
                "/queues/?owner=none",
                "inbox",
                P.CASE_TRIAGE,
                counts="unassigned",
                burns=True,
                key="u",
            ),
        ),
    ),
    Section(
        _("Watch"),
        (
            _link(
                _("Escalations"),
                "/escalations/",
                "siren",
                P.CASE_VIEW_ALL,
                counts="escalations",
                burns=True,
                key="e",
            ),
            _link(
                _("Targets missed"),
                "/queues/?missed=1",
                "timer-off",
                P.CASE_VIEW_ALL,
                counts="missed",
                burns=True,
            ),
        ),
    ),
    Section(
        _("Access"),
        (
            _link(_("People"), "/people/", "users", P.PEOPLE_VIEW_ALL, key="p"),
            _link(_("Organisations"), "/organisations/", "building-2", P.PEOPLE_VIEW_ALL, key="o"),
            _link(
                _("Departures"),
                "/departures/",
                "user-minus",
                P.ACCOUNT_DEACTIVATE,
                counts="departures",
                burns=True,
            ),
        ),
    ),
    Section(
        _("Records"),
        (
            _link(_("Cases"), "/cases/", "list", P.CASE_VIEW_ALL, key="c"),
            _link(_("Contracts"), "/contracts/", "file-text", P.CONTRACT_VIEW_ALL, key="k"),
            _link(_("Coverage"), "/coverage/", "shield-check", P.CONTRACT_VIEW_ALL),
            _link(
                _("To approve"),
                "/contracts/?state=waiting",
                "stamp",
                P.CONTRACT_APPROVE,
                counts="approvals",
                burns=True,
            ),
            _link(_("New end users"), "/contracts/end-users/?state=waiting", "user-plus", P.CONTRACT_APPROVE),
            _link(
                _("Order differs"),
                "/contracts/?order_differs=1",
                "file-exclamation-point",
                P.CONTRACT_APPROVE,
            ),
            _link(
                _("Document tasks"),
                "/documents/tasks/",
                "file-pen",
                P.PREREQUISITE_AGREE,
                P.CONTRACT_APPROVE,
                counts="document_tasks",
                burns=True,
            ),
            _link(_("Agreements"), "/agreements/", "scroll-text", P.SETTINGS_EDIT),
            _link(_("Software"), "/software/", "package", P.RELEASE_DRAFT, P.CONTRACT_VIEW_ALL, key="s"),
            _link(_("Install tasks"), "/install-tasks/", "clipboard-check", P.CONTRACT_VIEW_ALL),
            _link(_("Integrity"), "/integrity/", "file-check", P.CONTRACT_VIEW_ALL),
            _link(_("Notices"), "/notices/", "megaphone", P.RELEASE_DRAFT, P.CONTRACT_VIEW_ALL),
            _link(_("Requests"), "/requests/", "hand", P.CONTRACT_VIEW_ALL, counts="requests"),
            _link(_("Answers"), "/answers/", "lightbulb", P.CASE_VIEW_ALL),
            _link(_("Reports"), "/reports/", "chart-column", P.CASE_VIEW_ALL, P.CONTRACT_APPROVE),
        ),
    ),
    Section(
        _("Operation"),
        (
            _link(_("Engine"), "/engine/", "activity", P.ENGINE_VIEW, key="n"),
            _link(_("Policies"), "/policies/", "scale", P.POLICY_DRAFT, P.POLICY_ACTIVATE, P.AUDIT_VIEW),
            _link(_("Audit trail"), "/audit/", "scroll-text", P.AUDIT_VIEW),
            _link(_("Settings"), "/settings/", "settings", P.SETTINGS_EDIT),
        ),
    ),
)
_OF_KIND: dict[str, tuple[Section, ...]] = {
    OrganisationKind.END_USER: _CUSTOMER,
    OrganisationKind.RESELLER: _PARTNER,
    OrganisationKind.DISTRIBUTOR: _PARTNER,
    OrganisationKind.VENDOR: _STAFF,
}


@cache
def page_exists(path: str) -> bool:
    """Whether the URLconf knows this path; it does not change while the process lives."""
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def rail(
    *,
    kind: str,
    permissions: Collection[str],
    counts: Mapping[str, int],
    path: str,
    queues: Iterable[Link] = (),
) -> tuple[Section, ...]:
    """The sections for somebody who acts in an organisation of this kind with these permissions.

    `path` is the present full path; `queues` are one link per queue, put first in their section. Links that
    the person has no use for, and sections left empty, are left out."""
    sections = [
        Section(section.title, tuple(_shown(section, permissions, counts, queues)))
        for section in _OF_KIND.get(kind, ())
    ]
    return _with_current([section for section in sections if section.links], path)


def _shown(
    section: Section, permissions: Collection[str], counts: Mapping[str, int], queues: Iterable[Link]
) -> Iterable[Link]:
    for link in section.links:
        if link.needs and link.needs.isdisjoint(permissions):
            continue
        if page_exists(urlsplit(link.href).path):
            yield replace(link, count=counts.get(link.counts) if link.counts else None)
            if link.href == "/queues/":
                yield from queues


def _nearness(link: Link, path: str) -> int:
    """How well a link names the page at `path`: 0 not at all, 3 exactly."""
    here, there = urlsplit(path), urlsplit(link.href)
    if link.href == path:
        return 3
    if here.path == there.path and set(parse_qsl(there.query)) <= set(parse_qsl(here.query)):
        return 2
    return 1 if not there.query and there.path != "/" and here.path.startswith(there.path) else 0


def _with_current(sections: list[Section], path: str) -> tuple[Section, ...]:
    """Exactly one link is the current page, if any is near it; of equals the longest address, then the first."""
    links = [link for section in sections for link in section.links]
    best = max(links, key=lambda link: (_nearness(link, path), len(link.href)), default=None)
    if best is None or not _nearness(best, path):
        return tuple(sections)
    return tuple(
        replace(section, links=tuple(replace(link, is_current=link is best) for link in section.links))
        for section in sections
    )
