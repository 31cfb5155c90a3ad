"""The pages that each kind of person has, for tests and pictures: what the rail leads to, and what it does not."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Page

# people whose pages differ; the others of the demo see the same ones with other rows
KINDS: Final = {
    "alice": "end user, technical contact and account manager",
    "mallory": "end user whose contract has lapsed",
    "remy": "reseller",
    "sam": "JTAC engineer",
    "lena": "duty manager",
    "paula": "Professional Services",
    "ada": "CSC administrator",
    "aki": "auditor",
    "root": "superuser",
}
# one's own account, and what is the same for all
EVERYONE: Final = (
    "/",
    "/help/",
    "/inbox/",
    "/account/profile/",
    "/account/tokens/",
    "/account/sessions/",
    "/account/2fa/",
    "/account/email/",
    "/account/password/change/",
    "/account/logout/",
)
# each page once, with somebody for whom most of it is there
OWN: Final = {
    "alice": (
        "/cases/?state=all", "/cases/?q=nothing-is-called-so", "/cases/new/", "/coverage/", "/contracts/", "/software/",
        "/notices/", "/people/", "/people/invite/", "/search/?q=exporter", "/search/", "/downloads/", "/requests/",
        "/requests/quotes/new/", "/install-tasks/", "/integrity/", "/contracts/timeline/", "/agreements/",
        "/help/glossary/", "/software/pathkeeper/21.4R3-S5/", "/software/pathkeeper/21.4R3-S5/verify/",
        "/documents/acme/pathkeeper/",
    ),
    "mallory": ("/coverage/", "/downloads/"),
    "remy": (
        "/contracts/", "/contracts/register/", "/organisations/", "/contracts/import/", "/contracts/timeline/",
        "/contracts/align/", "/coverage/",
    ),
    "sam": (
        "/cases/", "/queues/", "/escalations/", "/contracts/", "/coverage/", "/coverage/acme/", "/software/",
        "/notices/", "/people/", "/organisations/", "/engine/", "/engine/mail/", "/cases/new/", "/requests/",
        "/install-tasks/", "/integrity/", "/software/pathkeeper/exposure/", "/coverage/nordlys/",
        "/contracts/timeline/?end_user=acme",
    ),
    "lena": (),
    "paula": (
        "/software/pathkeeper/", "/software/pathkeeper/new-release/", "/software/new/", "/software/pathkeeper/edit/",
        "/software/pathkeeper/defects/", "/documents/tasks/", "/documents/hanbit/edgeprov/", "/requests/",
    ),
    "ada": ("/audit/", "/contracts/end-users/", "/requests/", "/agreements/new/", "/contracts/align/"),
    "aki": (),
    "root": (),
}  # fmt: skip
STRANGERS: Final = (
    "/account/login/",
    "/account/password/reset/",
    "/account/signup/",
    "/account/invitation/inv_nobody-was-given-this/",
)


@dataclass(frozen=True)
class Detail:
    """A page of one thing, reached by the first link of a list that starts with `prefix`."""

    who: str
    start: str
    prefix: str


# the pages of single things, whose addresses differ from world to world
DETAILS: Final = (
    Detail("alice", "/cases/?state=closed", "/cases/2"),
    Detail("alice", "/cases/?waiting=us", "/cases/2"),
    Detail("alice", "/contracts/", "/contracts/CS-"),
    Detail("alice", "/software/", "/software/"),
    Detail("alice", "/notices/", "/inbox/"),
    Detail("alice", "/people/", "/people/"),
    Detail("alice", "/install-tasks/", "/install-tasks/"),
    Detail("alice", "/integrity/", "/integrity/"),
    Detail("alice", "/requests/", "/requests/quotes/"),
    Detail("remy", "/contracts/?state=refused", "/contracts/CS-"),
    Detail("sam", "/queues/?owner=none", "/cases/2"),
    Detail("sam", "/cases/new/", "?organisation="),
    Detail("lena", "/escalations/", "/cases/2"),
    Detail("paula", "/notices/", "/software/"),
    Detail("ada", "/contracts/?state=waiting", "/contracts/CS-"),
    Detail("ada", "/people/", "/people/"),
    Detail("ada", "/contracts/end-users/", "/contracts/end-users/"),
    Detail("ada", "/requests/", "/requests/exceptions/"),
)


def first_link(page: Page, prefix: str) -> str | None:
    """Where the first link in the content leads whose address begins with `prefix` and goes on."""
    for link in page.get_by_role("main").locator(f'a[href^="{prefix}"]').all():
        href = link.get_attribute("href") or ""
        if len(href) > len(prefix) and ("?" in prefix or "?" not in href):
            return urljoin(urlsplit(page.url).path, href)
    return None
