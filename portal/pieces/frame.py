"""What frames other pieces: panels, banners, and the words that the script needs."""

import json

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from portal.pieces.icons import icon

_BANNER_ICONS = {"late": "bell-ring", "warn": "triangle-alert", "ok": "circle-check", "note": "lock"}


def panel(content: str, title: str, href: str = "", link: str = "") -> SafeString:
    """A titled section of a card or an aside, with at most one link beside the title."""
    more = format_html('<a href="{}">{}</a>', href, link) if href else ""
    return format_html('<section class="panel"><h2>{}{}</h2>{}</section>', title, more, content)


def banner(content: str, look: str = "", drawing: str = "") -> SafeString:
    """A line above the page's head. Looks: late, warn, ok, quiet, note, or empty for information."""
    mark = icon(drawing or _BANNER_ICONS.get(look, "info"))
    return format_html('<div class="banner {}">{}<div>{}</div></div>', look, mark, content)


def words() -> SafeString:
    """The few words that portal.js puts into the page, as a meta element: inline scripts are not allowed."""
    table = {
        "in": gettext("in %(span)s"),
        "over": gettext("%(span)s over"),
        "soon": gettext("under 1 min"),
        "minutes": gettext("%(minutes)s min"),
        "hours": gettext("%(hours)s h"),
        "both": gettext("%(hours)s h %(minutes)s min"),
        "copied": gettext("Copied"),
        "restored": gettext("Your draft was kept and is back."),
        "discard": gettext("Discard the draft"),
        "sending": gettext("Sending…"),
        "failed": gettext("That did not reach us. What you typed is kept; try again."),
        "close": gettext("Close"),
        "unsaved": gettext("You have typed something that was not sent."),
    }
    return format_html('<meta name="words" content="{}">', json.dumps(table, ensure_ascii=False))
