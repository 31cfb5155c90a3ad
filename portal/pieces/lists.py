"""What stands around a list: sortable heads, filters, pager, counts, tabs, breadcrumbs, the empty state."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import QueryDict
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from portal.pieces.icons import icon

COUNT_LIMIT = 1000
# Where a page begins belongs to one order and one filter; it is dropped when either changes.
PAGE_KEYS = ("after", "before", "page")


def query(params: QueryDict, **changes: str | Sequence[str] | None) -> str:
    """The present query string with changes; None drops a name; the page position is always dropped."""
    copy = params.copy()
    for key in PAGE_KEYS:
        copy.pop(key, None)
    for key, value in changes.items():
        if value is None:
            copy.pop(key, None)
        elif isinstance(value, str):
            copy[key] = value
        else:
            copy.setlist(key, list(value))
    return "?" + copy.urlencode()


def capped(number: int | None) -> str:
    """A count that never lies: exact to 1,000, then "1,000+"."""
    if number is None:
        return ""
    if number > COUNT_LIMIT:
        return f"{number_format(COUNT_LIMIT, force_grouping=True)}+"
    return number_format(number, force_grouping=True)


def sort_head(
    params: QueryDict,
    key: str,
    label: str,
    sort: str,
    *,
    end: bool = False,
    falling: bool = False,
    more: str = "",
) -> SafeString:
    """A column head that sorts by `key`. `sort` is the present order ("updated" or "-updated").

    `falling`: the first click sorts downwards. `more`: classes, for example "most" to drop it in little room."""
    present = sort.lstrip("-") == key
    down = sort.startswith("-")
    target = (key if down else f"-{key}") if present else (f"-{key}" if falling else key)
    order = format_html(' aria-sort="{}"', "descending" if down else "ascending") if present else ""
    drawing = icon("arrow-down" if (down if present else falling) else "arrow-up")
    classes = " ".join(part for part in ("r" if end else "", more) if part)
    return format_html(
        '<th scope="col" class="{}"{}><a href="{}">{}{}</a></th>',
        classes,
        order,
        query(params, sort=target),
        label,
        drawing,
    )


def filter_chip(label: str, value: str, href: str) -> SafeString:
    """A filter that is on, with the way to take it off."""
    words = gettext("Remove filter: %(label)s %(value)s") % {"label": label, "value": value}
    return format_html(
        '<span class="chip on">{} <b>{}</b><a href="{}" aria-label="{}" title="{}">{}</a></span>',
        label,
        value,
        href,
        words,
        words,
        icon("x"),
    )


def filter_menu(
    params: QueryDict, label: str, name: str, options: Iterable[tuple[Any, ...]], *, multiple: bool = False
) -> SafeString:
    """One filter: a menu of `(value, label)` or `(value, label, count)`; what is chosen stands as a chip.

    Links only, so it works without a script and can be shared. `multiple`: several values of one name."""
    rows = [(str(option[0]), option[1], option[2] if len(option) > 2 else None) for option in options]
    chosen = [value for value in params.getlist(name) if value]
    if not rows and not chosen:
        return SafeString("")
    words = {value: text for value, text, _count in rows}
    if chosen and not multiple:
        return filter_chip(label, str(words.get(chosen[0], chosen[0])), query(params, **{name: None}))
    items = format_html_join("", "{}", ((_option(params, name, row, chosen, multiple),) for row in rows))
    title = format_html("{} <b>{}</b>", label, ", ".join(str(words.get(value, value)) for value in chosen))
    return format_html(
        '<details class="menu"><summary class="chip{}">{}{}</summary><div class="sheet"><ul>{}</ul></div></details>',
        " on-many" if chosen else "",
        title if chosen else label,
        icon("chevron-down"),
        items,
    )


def _option(
    params: QueryDict, name: str, row: tuple[str, Any, int | None], chosen: list[str], multiple: bool
) -> SafeString:
    value, text, count = row
    is_on = value in chosen
    if multiple:
        values = [other for other in chosen if other != value] if is_on else [*chosen, value]
        href = query(params, **{name: values or None})
    else:
        href = query(params, **{name: value})
    tail = format_html('<span class="count">{}</span>', capped(count)) if count is not None else ""
    tick = format_html('<span class="tick">{}</span>', icon("check")) if is_on else ""
    current = SafeString(' aria-current="true"' if is_on else "")  # nosec B703  # constants
    return format_html('<li><a href="{}"{}>{}{}{}</a></li>', href, current, text, tail, tick)


def pager(newer: str | None, older: str | None, total: int | None, words: str) -> SafeString:
    """The foot of a list: how many, and the neighbouring pages by key. `newer` and `older` are links or empty."""
    links = format_html_join(
        "",
        '<a class="btn small" rel="{}" href="{}">{}</a>',
        (
            (rel, href, text)
            for rel, href, text in (("prev", newer, gettext("Newer")), ("next", older, gettext("Older")))
            if href
        ),
    )
    count = format_html("<span>{}</span>", words) if words else format_html("<span>{}</span>", capped(total))
    nav = format_html('<nav class="end" aria-label="{}">{}</nav>', gettext("Pages"), links) if links else ""
    return format_html('<div class="foot">{}{}</div>', count, nav)


def empty_state(
    title: str, text: str = "", href: str = "", label: str = "", drawing: str = "inbox"
) -> SafeString:
    """Nothing here, why, and what to do next."""
    button = format_html('<a class="btn" href="{}">{}</a>', href, label) if href else ""
    words = format_html("<p>{}</p>", text) if text else ""
    return format_html('<div class="empty">{}<h2>{}</h2>{}{}</div>', icon(drawing, 28), title, words, button)


def tabs(items: Iterable[tuple[Any, ...]], label: str = "") -> SafeString:
    """Pages of one thing, side by side: `(label, href, is_current)` or `(label, href, is_current, count)`."""
    links = format_html_join(
        "",
        '<a href="{}"{}>{}{}</a>',
        (
            (
                item[1],
                SafeString(' aria-current="page"' if item[2] else ""),  # nosec B703  # constants
                item[0],
                format_html(' <span class="count">{}</span>', capped(item[3])) if len(item) > 3 else "",
            )
            for item in items
        ),
    )
    return format_html('<nav class="tabs" aria-label="{}">{}</nav>', label or gettext("Views"), links)


def breadcrumbs(*parts: Any) -> SafeString:
    """Where this page stands: label, href, label, href ... and last the page's own name."""
    pairs = [(parts[at], parts[at + 1]) for at in range(0, len(parts) - 1, 2)]
    links = format_html_join("", '<li><a href="{}">{}</a></li>', ((href, text) for text, href in pairs))
    last = format_html('<li aria-current="page">{}</li>', parts[-1]) if len(parts) % 2 else ""
    return format_html(
        '<nav class="crumbs" aria-label="{}"><ol>{}{}</ol></nav>', gettext("You are here"), links, last
    )
