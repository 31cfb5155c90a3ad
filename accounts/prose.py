"""What people wrote, as HTML: Markdown without any HTML of its own, and nh3 has the last word."""

from typing import Final

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

# Longer text is a log rather than a letter; setting it would cost more than the rest of the page
MAX_MARKDOWN: Final = 30_000

# No pictures: an address in a reply must not tell somebody when it was read
_MARKDOWN: Final = (
    MarkdownIt("commonmark", {"html": False, "breaks": True})
    .enable(["table", "strikethrough"])
    .disable("image")
)
_TAGS: Final = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES: Final = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES: Final = {"http", "https", "mailto", "tel"}


def prose(text: str) -> SafeString:
    """Text as it may stand in a page; headings are two levels down, for the page has its own."""
    if len(text) > MAX_MARKDOWN:
        return format_html('<div class="prose" dir="auto"><pre>{}</pre></div>', text)
    clean = nh3.clean(
        _MARKDOWN.render(text),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    for level in (4, 3, 2, 1):
        clean = clean.replace(f"<h{level}>", f"<h{level + 2}>").replace(f"</h{level}>", f"</h{level + 2}>")
    safe = mark_safe(clean)  # noqa: S308  # nosec B308 B703  # nh3 has cleaned it, and headings moved only
    return format_html('<div class="prose" dir="auto">{}</div>', safe)
