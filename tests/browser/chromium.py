"""One Chromium for browser tests and pictures, and what has to go right on every page that it shows."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Response,
    sync_playwright,
)

from portal.run import PASSWORD

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--no-first-run", "--force-color-profile=srgb",
)  # fmt: skip
# what each mail address of the demo is known by
DOMAINS = {
    "acme": "alice anna", "hanbit": "minsu", "nordlys": "ingrid", "rival": "mallory", "meridian": "remy",
    "pacific": "dana", "jtac": "sam sofia jae lena omar vera carl", "ps": "paula", "csc": "ada abel aki root",
}  # fmt: skip
ADDRESSES = {name: f"{name}@{domain}.example" for domain, names in DOMAINS.items() for name in names.split()}

# said by Chromium about answers of 400 and more, which are judged by their response
_ABOUT_STATUS = "Failed to load resource"
WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) => {
  const where = `${event.sourceFile}:${event.lineNumber}`;
  console.error(`content policy: ${event.violatedDirective} ${event.blockedURI} ${where}`);
});
"""

# htmx says so when a newer question replaces one that is under way; a failed answer is noted by its status
_ABANDONED = ("htmx:afterRequest", "htmx:sendAbort")


@dataclass
class Troubles:
    """What went wrong behind the back of whoever looked: errors in the console, violations, failed answers."""

    found: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Note everything on all pages of this context, from now on."""
        context.add_init_script(WATCH_POLICY)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(f"script: {error.error}"))
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        is_expected = _ABOUT_STATUS in message.text or message.text.startswith(_ABANDONED)
        if message.type in ("error", "warning") and not is_expected:
            where = message.page.url if message.page else ""
            self.found.append(f"console {message.type} on {where}: {message.text}")

    def _response(self, response: Response) -> None:
        is_page = response.request.resource_type == "document"
        if response.status >= 500 or (response.status >= 400 and not is_page):
            self.found.append(f"{response.status} {response.request.method} {response.url}")


def find() -> str | None:
    """The system's own Chromium; None means the one that Playwright brought."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window, for as long as the block lasts."""
    with sync_playwright() as playwright:
        browser = _launch(playwright)
        try:
            yield browser
        finally:
            browser.close()


def _launch(playwright: Playwright) -> Browser:
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=find(), args=[*QUIET, *sandbox])


def sign_in(page: Page, base_url: str, who: str) -> None:
    """Through the real form, as a person does; ends on the first screen."""
    page.goto(f"{base_url}/account/login/")
    page.get_by_label("Email").fill(ADDRESSES[who])
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: urlsplit(url).path == "/")
