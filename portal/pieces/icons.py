"""Icons: lucide's drawings inline, and the few shapes of our own (priority, state, rung)."""

from functools import cache

from django.utils.html import format_html
from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide


@cache
def _drawing(name: str, size: int) -> SafeString:
    """One icon as SVG. Cached: lucide opens its archive and copies a tree for every icon."""
    svg = lucide(str(name), size=size, stroke_width="1.5", **{"class": "icon", "aria-hidden": "true"})
    return SafeString(" ".join(svg.split()))  # nosec B703  # lucide's own drawing


def icon(name: str, size: int = 16, label: str = "") -> SafeString:
    """A lucide icon with 1.5 px strokes. `label` is for the rare icon that stands without a word."""
    drawing = _drawing(str(name), size)
    if not label:
        return drawing
    return format_html('{}<span class="sr">{}</span>', drawing, label)


def _shape(body: str, size: int) -> SafeString:
    return SafeString(f'<svg viewBox="0 0 {size} {size}" aria-hidden="true">{body}</svg>')  # nosec B703  # drawn below


PRIORITY_SHAPES = {
    "P1": _shape('<path d="M5 0l5 5-5 5-5-5z"/>', 10),
    "P2": _shape('<path d="M5 .5l5 9H0z"/>', 10),
    "P3": _shape('<circle cx="5" cy="5" r="4.5"/>', 10),
    "P4": _shape('<circle class="ring" cx="5" cy="5" r="3.6"/>', 10),
}

_RING = '<circle class="o" cx="6" cy="6" r="5"/>'
_DISC = '<circle class="f" cx="6" cy="6" r="6"/>'
_TICK = '<path class="{}" d="M3.7 6.200l1.6 1.6 3-3.4" stroke-width="1.6"/>'
# The fuller the ring, the nearer the end: a reader learns the order without the colours.
STATE_SHAPES = {
    "new": _shape('<circle class="o" cx="6" cy="6" r="5" stroke-dasharray="2.1 1.8"/>', 12),
    "dispatched": _shape(_RING + '<circle class="f" cx="6" cy="6" r="1.5"/>', 12),
    "in_progress": _shape(_RING + '<path class="f" d="M6 3a3 3 0 0 1 0 6z"/>', 12),
    "customer_pending": _shape(_RING + '<path class="o" d="M4.7 4v4M7.3 4v4" stroke-width="1.4"/>', 12),
    "fix_pending": _shape(_RING + '<path class="f" d="M6 3a3 3 0 1 1-3 3h3z"/>', 12),
    "monitoring": _shape(_RING + '<circle class="f" cx="6" cy="6" r="3"/>', 12),
    "resolution_proposed": _shape(_RING + _TICK.format("o"), 12),
    "closed": _shape(_DISC + _TICK.format("k"), 12),
}

_RUNG_RING = '<circle class="o" cx="8" cy="8" r="6"/>'
_RUNG_DISC = '<circle class="f" cx="8" cy="8" r="7"/>'
RUNG_SHAPES = {
    "pending": _shape(_RUNG_RING, 16),
    "next": _shape(_RUNG_RING + '<path class="o" d="M8 5v3.200l2 1.3" stroke-width="1.5"/>', 16),
    "fired": _shape(_RUNG_DISC + '<path class="k" d="M8 4.500v4M8 10.700v.9" stroke-width="1.7"/>', 16),
    "acknowledged": _shape(
        _RUNG_DISC + '<path class="k" d="M5 8.200l2.1 2.100L11 6" stroke-width="1.7"/>', 16
    ),
    "off": _shape(_RUNG_RING + '<path class="o" d="M5.5 8h5" stroke-width="1.5"/>', 16),
}

MARK = SafeString(
    '<svg viewBox="0 0 22 22" aria-hidden="true"><rect class="tile" width="22" height="22" rx="6"/>'
    '<path class="drop" d="M11 5.400a4.4 4.4 0 0 1 4.4 4.400c0 2.9-4.4 6.8-4.4 6.8'
    's-4.4-3.9-4.4-6.800A4.4 4.4 0 0 1 11 5.400z" fill="none" stroke-width="1.8"'
    ' stroke-linejoin="round"/></svg>'
)
