"""Whether a page is accessible and within its width, as it is shown."""

from typing import Final

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, ViewportSize

WIDE: Final = ViewportSize(width=1440, height=900)
PHONE: Final = ViewportSize(width=360, height=740)
NARROWEST: Final = 480

# what another size or theme can change; everything else is the same markup
OF_LOOKS: Final = (
    "color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable", "aria-hidden-focus",
    "button-name", "link-name",
)  # fmt: skip
# twelve rows of a table stand for all
RUN_AXE = """
async (rules) => {
  const what = {include: [["html"]], exclude: [["tbody tr:nth-child(n + 13)"]]};
  const options = {resultTypes: ["violations"], preload: false};
  if (rules.length) options.runOnly = {type: "rule", values: rules};
  const results = await axe.run(what, options);
  const places = (nodes) => nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ");
  return results.violations.map((violation) => `${violation.id}: ${places(violation.nodes)}`);
}
"""
OVERFLOW = """
() => {
  const width = document.documentElement.clientWidth;
  const needed = document.documentElement.scrollWidth;
  if (needed <= width) return "";
  const sticksOut = (one) => one.getBoundingClientRect().right > width + 1;
  const places = [...document.querySelectorAll("main *")].filter(sticksOut).slice(0, 3);
  return `${needed} px in ${width}: ` + places.map((one) => one.outerHTML.slice(0, 120)).join(" | ");
}
"""


def squeezed(page: Page) -> list[str]:
    """Whether the content has too little of a wide window."""
    box = page.locator("main").bounding_box()
    return [] if box is None or box["width"] >= NARROWEST else [f"main is {box['width']:.0f} px wide"]


def overflow(page: Page) -> list[str]:
    """What sticks out at the side, if anything does."""
    found: str = page.evaluate(OVERFLOW)
    return [found] if found else []


def axe(page: Page, *rules: str) -> list[str]:
    """What axe has against the page as it is shown now, by all of its rules or by these."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(RUN_AXE, list(rules))
    return found


def flaws(page: Page) -> list[str]:
    """What is wrong with the page in its two looks; size and theme change under it, as they do for a person."""
    found = []
    for look, size, rules in (("light", WIDE, ()), ("dark", PHONE, OF_LOOKS)):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme="dark" if look == "dark" else "light")
        found += [f"{look} {size['width']} px: axe {line}" for line in axe(page, *rules)]
        found += [f"{size['width']} px: too wide, {line}" for line in overflow(page)]
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    return found + squeezed(page)
