"""What a thing is, in a word and a shape: priority, state, person, organisation, verdict, file."""

from functools import lru_cache
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from portal.pieces.icons import PRIORITY_SHAPES, STATE_SHAPES, icon

PRIORITY_NAMES: dict[str, str | Promise] = {
    "P1": pgettext_lazy("priority", "Critical"),
    "P2": pgettext_lazy("priority", "High"),
    "P3": pgettext_lazy("priority", "Medium"),
    "P4": pgettext_lazy("priority", "Low"),
}
PRIORITY_MEANINGS: dict[str, str | Promise] = {
    "P1": _("Service down, or a large part of it cut off; danger."),
    "P2": _("Badly limited or comes and goes; redundancy lost. Perhaps with a workaround."),
    "P3": _("Limited, or in a test or pre-production system, or a workaround holds."),
    "P4": _("A question, the documentation, or how something looks."),
}
STATE_NAMES: dict[str, str | Promise] = {
    "new": pgettext_lazy("case state", "New"),
    "dispatched": pgettext_lazy("case state", "Dispatched"),
    "in_progress": pgettext_lazy("case state", "In progress"),
    "customer_pending": pgettext_lazy("case state", "Customer pending"),
    "fix_pending": pgettext_lazy("case state", "Fix pending"),
    "monitoring": pgettext_lazy("case state", "Monitoring"),
    "resolution_proposed": pgettext_lazy("case state", "Resolution proposed"),
    "closed": pgettext_lazy("case state", "Closed"),
}
# Said to the person whose turn it is.
STATE_NAMES_FOR_CUSTOMER = STATE_NAMES | {
    "customer_pending": pgettext_lazy("case state", "Waiting for you"),
    "resolution_proposed": pgettext_lazy("case state", "Solved? Please confirm"),
}


def priority_chip(priority: str, name: bool = False) -> SafeString:
    """P1 to P4 as letter, shape and colour. `name` shows the word too; screen readers always hear it."""
    return _priority_chip(str(priority), name, get_language())


# The same few chips stand in every row of every list; made once per language they cost next to nothing.
@lru_cache(maxsize=256)
def _priority_chip(code: str, name: bool, language: str | None) -> SafeString:
    words = PRIORITY_NAMES.get(code, "")
    word = format_html(" {}" if name else '<span class="sr"> {}</span>', words) if words else ""
    return format_html(
        '<span class="prio {}" title="{}">{}{}{}</span>',
        code.lower(),
        words,
        PRIORITY_SHAPES.get(code, ""),
        code,
        word,
    )


def state_chip(state: str, detail: str = "", for_customer: bool = False) -> SafeString:
    """A case's state as shape and word. `detail` follows it ("Fix pending, 2.6.1-p3")."""
    return _state_chip(str(state), str(detail), for_customer, get_language())


@lru_cache(maxsize=512)
def _state_chip(code: str, detail: str, for_customer: bool, language: str | None) -> SafeString:
    names = STATE_NAMES_FOR_CUSTOMER if for_customer else STATE_NAMES
    text: str | Promise = names.get(code, code)
    if detail:
        text = gettext("%(state)s, %(detail)s") % {"state": text, "detail": detail}
    return format_html(
        '<span class="state {}">{}<span>{}</span></span>', code, STATE_SHAPES.get(code, ""), text
    )


def badge(look: str, text: str) -> SafeString:
    """A short label. Looks: ok, warn, late, info, or empty."""
    return format_html('<span class="tag {}">{}</span>', look, text)


def initials(name: str) -> str:
    """One or two letters for an avatar; a name in Hangul, Kana or Han gives its first character."""
    words = [word for word in name.replace("(", " ").replace("-", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    if ord(words[0][0]) >= 0x1100:
        return words[0][0]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def _name(person: Any) -> str:
    return str(getattr(person, "name", "") or person)


def person(who: Any, empty: str = "", large: bool = False) -> SafeString:
    """A person (anything with `name`, or a string) with initials; None is a dash, or the words in `empty`."""
    if not who:
        return format_html(
            '<span class="muted"><span aria-hidden="true">—</span><span class="sr">{}</span></span>'
            if not empty
            else '<span class="muted">{}</span>',
            empty or gettext("Nobody"),
        )
    return _person(_name(who), large)


@lru_cache(maxsize=2048)
def _person(name: str, large: bool) -> SafeString:
    return format_html(
        '<span class="who{}"><i aria-hidden="true">{}</i><span>{}</span></span>',
        " large" if large else "",
        initials(name),
        name,
    )


def organisation(which: Any, href: str = "") -> SafeString:
    """An organisation's name (anything with `name`, or a string), linked if the reader may open it."""
    if not which:
        return SafeString('<span class="muted">—</span>')
    if href:
        return format_html('<a class="link" href="{}">{}</a>', href, _name(which))
    return format_html("<span>{}</span>", _name(which))


def verdict(covered: bool, text: str) -> SafeString:
    """Covered or not covered, in one line, with its shield."""
    drawing = icon("shield-check") if covered else icon("shield-x")
    return format_html(
        '<div class="verdict{}">{}<span>{}</span></div>', "" if covered else " no", drawing, text
    )


def size(number: int | None) -> str:
    """Bytes in words: "214 MB"; powers of 1,024, one decimal only where it tells something."""
    if number is None:
        return ""
    return filesizeformat(number).replace(".0\xa0", "\xa0")


# In this order: each of them also names the ones after it.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def browser(agent: str) -> str:
    """A user agent in words that a person knows; what we do not know stands as it came, shortened."""
    name = next((word for sign, word in _BROWSERS if sign in agent), "")
    system = next((word for sign, word in _SYSTEMS if sign in agent), "")
    if not name or not system:
        return agent[:60] or gettext("Unknown browser")
    return gettext("%(browser)s on %(system)s") % {"browser": name, "system": system}


FILE_NOTES: dict[str, str | Promise] = {
    "uploading": _("still being uploaded"),
    "scanning": _("being checked"),
    "quarantined": _("held back: the check found something"),
    "removed": _("removed"),
}


def file_row(
    name: str, href: str = "", size_bytes: int | None = None, sha256: str = "", state: str = "ready"
) -> SafeString:
    """A file: name (a link only while it may be downloaded), size, the ends of its SHA-256, or why it waits."""
    note = FILE_NOTES.get(str(state), "")
    facts = [str(fact) for fact in (size(size_bytes), note) if fact]
    digest = ""
    if sha256:
        digest = format_html(
            '<small class="mono" title="SHA-256 {}">sha256 {}…{}</small>', sha256, sha256[:4], sha256[-4:]
        )
    link = (
        format_html('<a class="name" href="{}" download>{}</a>', href, name)
        if href and not note
        else format_html('<span class="name">{}</span>', name)
    )
    drawing = icon("file-exclamation-point" if state == "quarantined" else "file")
    return format_html(
        '<span class="file">{}{}<small>{}</small>{}</span>', drawing, link, " · ".join(facts), digest
    )


def tel(number: str) -> str:
    """A telephone number as an address: digits and the leading plus."""
    return "".join(sign for sign in str(number) if sign.isdigit() or sign == "+")


def copy_button(text: str, label: str = "") -> SafeString:
    """Copies `text`; only shown where the script runs."""
    return format_html(
        '<button type="button" class="copy js-only" data-copy="{}" title="{}"><span class="ready">{}</span>'
        '<span class="done">{}</span><span class="sr">{}</span></button>',
        text,
        label or gettext("Copy"),
        icon("copy"),
        icon("check"),
        label or gettext("Copy"),
    )
