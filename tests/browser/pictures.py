"""Pictures of the main pages, for people to look at.

    python -m tests.browser.pictures OUTDIR [--base URL] [--only alice,sam] [--looks wide-light] [--languages en]

Without --base a portal of its own is started. One folder a person; a file for each page, size, theme and language.
"""

import argparse
import re
import sys
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.chromium import Troubles, chromium, sign_in
from tests.browser.looks import PHONE, WIDE
from tests.browser.pages import DETAILS, EVERYONE, KINDS, OWN, STRANGERS, first_link
from tests.browser.stack import running_stack

SIZES = {"wide": WIDE, "phone": PHONE}
# what is photographed: size, theme
LOOKS = (("wide", "light"), ("wide", "dark"), ("phone", "light"), ("phone", "dark"))
LANGUAGES = ("en", "ko")


def name_of(path: str) -> str:
    """A file name that tells the page."""
    return re.sub(r"[^\w.-]+", "_", path).strip("_") or "home"


def paths_of(page: Page, base: str, who: str) -> list[str]:
    """Every page to take of this person, single things included."""
    found = [*EVERYONE, *OWN[who]]
    for detail in DETAILS:
        if detail.who == who:
            page.goto(base + detail.start)
            href = first_link(page, detail.prefix)
            if href:
                found.append(href)
            else:
                print(f"{who}: no link to {detail.prefix} on {detail.start}")
    return list(dict.fromkeys(found))


def take(page: Page, base: str, path: str, folder: Path, language: str, looks: list[tuple[str, str]]) -> None:
    """One page in all looks, without loading it again: size and theme change under it."""
    page.goto(base + path)
    for size, theme in looks:
        page.set_viewport_size(SIZES[size])
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.screenshot(path=folder / f"{name_of(path)}.{size}.{theme}.{language}.png", full_page=True)


def of_person(
    browser: Browser, base: str, who: str, out: Path, looks: list[tuple[str, str]], languages: list[str]
) -> None:
    troubles = Troubles()
    folder = out / who
    folder.mkdir(parents=True, exist_ok=True)
    with browser.new_context(locale="en-US", reduced_motion="reduce") as context:
        troubles.watch(context)
        page = context.new_page()
        if who != "stranger":
            sign_in(page, base, who)
        paths = list(STRANGERS) if who == "stranger" else paths_of(page, base, who)
        for language in languages:
            page.set_extra_http_headers({"Accept-Language": language})
            for path in paths:
                take(page, base, path, folder, language, looks)
    for line in troubles.found:
        print(f"{who}: {line}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--base")
    parser.add_argument("--only", default=",".join(["stranger", *KINDS]))
    parser.add_argument("--looks", default=",".join("-".join(look) for look in LOOKS))
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    given = parser.parse_args()
    looks = [(size, theme) for size, theme in LOOKS if f"{size}-{theme}" in given.looks.split(",")]
    with ExitStack() as stack:
        base = given.base or stack.enter_context(running_stack()).base_url
        browser = stack.enter_context(chromium())
        for who in given.only.split(","):
            of_person(browser, base.rstrip("/"), who, given.out, looks, given.languages.split(","))
    return 0


if __name__ == "__main__":
    sys.exit(main())
