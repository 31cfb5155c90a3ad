"""The pages that each kind of person has, for tests and pictures: what the rail leads to, and what it does not."""

from dataclasses import dataclass
from typing import Final

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
_STAFF_PAGES = ("/cases/", "/queues/", "/escalations/", "/contracts/", "/coverage/", "/coverage/acme/", "/software/",
                "/notices/", "/people/", "/organisations/", "/engine/", "/engine/mail/")  # fmt: skip
EVERYONE: Final = (
    "/",
    "/help/",
    "/inbox/",
    "/inbox/?show=unread",
    "/account/profile/",
    "/account/tokens/",
    "/account/sessions/",
    "/account/2fa/",
    "/account/email/",
    "/account/password/change/",
    "/account/logout/",
)
OWN: Final = {
    "alice": (
        "/cases/", "/cases/?waiting=us", "/cases/?state=all", "/cases/?q=nothing-is-called-so", "/cases/new/",
        "/coverage/", "/contracts/", "/software/", "/notices/", "/people/", "/people/?show=ended",
        "/people/invite/", "/organisations/", "/search/?q=exporter", "/search/?q=nothing-is-called-so", "/search/",
    ),
    "mallory": ("/cases/new/", "/coverage/", "/contracts/"),
    "remy": ("/contracts/", "/contracts/?state=refused", "/contracts/register/", "/organisations/", "/notices/",
             "/people/", "/coverage/"),
    "sam": (*_STAFF_PAGES, "/queues/?owner=none", "/cases/new/", "/cases/new/?organisation=acme", "/search/?q=exporter"),
    "lena": ("/escalations/", "/queues/?missed=1"),
    "paula": ("/software/", "/software/pathkeeper/", "/software/pathkeeper/new-release/", "/contracts/", "/notices/"),
    "ada": ("/contracts/?state=waiting", "/people/", "/people/invite/", "/audit/", "/coverage/"),
    "aki": ("/audit/", "/cases/"),
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
    Detail("remy", "/contracts/?state=refused", "/contracts/CS-"),
    Detail("sam", "/escalations/", "/cases/2"),
    Detail("sam", "/queues/?owner=none", "/cases/2"),
    Detail("lena", "/escalations/", "/cases/2"),
    Detail("paula", "/notices/", "/software/"),
    Detail("ada", "/contracts/?state=waiting", "/contracts/CS-"),
    Detail("ada", "/people/", "/people/"),
    Detail("sam", "/engine/mail/", "/engine/mail/"),
)


def first_link(page: Page, prefix: str) -> str | None:
    """The first link in the content whose address goes on after `prefix`."""
    for link in page.get_by_role("main").locator(f'a[href^="{prefix}"]').all():
        href = link.get_attribute("href") or ""
        if len(href) > len(prefix) and "?" not in href:
            return href
    return None
