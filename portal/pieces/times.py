"""Moments and spans: timestamps in the reader's zone, clocks, gauges, the coverage bar.

Every moment is an aware datetime; it is shown in the zone that Django has active (the reader's), with the
zone named, and in UTC on hover. A relative time never stands without the exact one beside or behind it.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

# The reader's order of day, month and year; the month by name where numbers could be read both ways.
_DAY = {"ko": "Y년 n월 j일"}
_SHORT_DAY = {"ko": "n월 j일"}
_YEAR_DAY = {"ko": "Y. n. j."}


def _language() -> str:
    return (get_language() or "en").split("-")[0]


# The same few days stand in every row of a list.
@lru_cache(maxsize=4096)
def _in_words(form: str, year: int, month: int, of_month: int, language: str) -> str:
    return date_format(date(year, month, of_month), form)


def _date(value: date | datetime, forms: dict[str, str], otherwise: str) -> str:
    language = _language()
    return _in_words(forms.get(language, otherwise), value.year, value.month, value.day, language)


def day(value: date | datetime | None) -> str:
    """A date, complete: "31 March 2027"."""
    return "—" if value is None else _date(value, _DAY, "j F Y")


def short_day(value: date | datetime, today: date) -> str:
    """A date in little room: the year only where it is not this year's."""
    if value.year == today.year:
        return _date(value, _SHORT_DAY, "j M")
    return _date(value, _YEAR_DAY, "j M Y")


def zone_name(local: datetime) -> str:
    """The name readers know (PST, KST), or the offset where a zone has no name."""
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name


def _exact(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _machine(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def full(value: datetime) -> str:
    """A moment, complete, in words: "22 Nov 2026, 01:41 PST"."""
    local = timezone.localtime(value)
    return f"{_date(local, _YEAR_DAY, 'j M Y')} {local:%H:%M} {zone_name(local)}"


def span(delta: timedelta) -> str:
    """A length of time in words, at the precision a person needs: "42 min", "3 h 10 min", "9 days"."""
    return _span(int(abs(delta).total_seconds() // 60), _language())


@lru_cache(maxsize=4096)
def _span(minutes: int, language: str) -> str:
    if minutes < 1:
        return gettext("under 1 min")
    if minutes < 60:
        return gettext("%(minutes)s min") % {"minutes": minutes}
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        if rest == 0 or hours >= 24:
            return gettext("%(hours)s h") % {"hours": hours}
        return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": rest}
    days = hours // 24
    return ngettext("%(days)s day", "%(days)s days", days) % {
        "days": number_format(days, force_grouping=True)
    }


def timestamp(value: datetime | None, now: datetime | None = None, style: str = "full") -> SafeString:
    """A moment. Styles: `full` (date, time, zone), `short` (today only the time), `second` (with seconds).

    With `now` and the style `full`, how long ago it was stands beside it."""
    if value is None:
        return SafeString('<span class="muted">—</span>')
    local = timezone.localtime(value)
    today = timezone.localtime(now or timezone.now()).date()
    exact = text = full(value)
    if style == "second":
        text = f"{local:%H:%M:%S}" if local.date() == today else f"{short_day(local, today)} {local:%H:%M:%S}"
    elif style == "short":
        text = f"{local:%H:%M}" if local.date() == today else f"{short_day(local, today)} {local:%H:%M}"
    elif now is not None:
        text = gettext("%(moment)s · %(ago)s") % {"moment": text, "ago": relative(value, now)}
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', _machine(value), _title(value, exact), text
    )


def _title(value: datetime, text: str = "") -> str:
    return f"{text or full(value)} · {_exact(value)}"


def relative(value: datetime, now: datetime) -> str:
    """ "4 min ago", "in 3 h", "just now"."""
    delta = value - now
    if abs(delta) < timedelta(minutes=1):
        return gettext("just now")
    words = gettext("in %(span)s") if delta > timedelta() else gettext("%(span)s ago")
    return words % {"span": span(delta)}


def ago(value: datetime | None, now: datetime | None = None) -> SafeString:
    """For a narrow column: how long ago within two days, the date before that; exact on hover."""
    if value is None:
        return SafeString('<span class="muted">—</span>')
    now = now or timezone.now()
    exact = full(value)
    old = now - value >= timedelta(days=2)
    text = (
        short_day(timezone.localtime(value), timezone.localtime(now).date()) if old else relative(value, now)
    )
    return format_html(
        '<time datetime="{}" title="{}">{}<span class="sr"> ({})</span></time>',
        _machine(value),
        _title(value, exact),
        text,
        exact,
    )


def clock(
    due_at: datetime | None,
    *,
    started_at: datetime | None = None,
    met_at: datetime | None = None,
    paused: str | bool = "",
    now: datetime | None = None,
    label: str = "",
) -> SafeString:
    """A deadline: time left, over, met, or paused and why.

    `paused` is the reason, or True. Amber under a quarter of [started_at, due_at) (without a start: under an
    hour), red once missed; the words say so too. Exact time for hover and screen readers."""
    now = now or timezone.now()
    look, text = _clock_words(due_at, started_at, met_at, paused, now)
    small = paused if isinstance(paused, str) and paused and met_at is None else label
    tail = format_html("<small>{}</small>", small) if small else ""
    if due_at is None or (paused and met_at is None):
        return format_html('<span class="clock {}">{}{}</span>', look, text, tail)
    live = ""
    if met_at is None:
        left, warn = (due_at - now).total_seconds(), _quarter(due_at, started_at).total_seconds()
        live = format_html(' data-left="{}" data-warn="{}"', int(left), int(warn))
    exact = full(due_at)
    due = gettext("due %(moment)s") % {"moment": exact}
    return format_html(
        '<time class="clock {}" datetime="{}" title="{}"{}><span>{}</span><span class="sr">, {}</span>{}</time>',
        look,
        _machine(due_at),
        _title(due_at, exact),
        live,
        text,
        due,
        tail,
    )


def _clock_words(
    due_at: datetime | None,
    started_at: datetime | None,
    met_at: datetime | None,
    paused: str | bool,
    now: datetime,
) -> tuple[str, str]:
    if met_at is not None:
        return _met_words(due_at, started_at, met_at)
    if paused:
        return "paused", gettext("paused")
    if due_at is None:
        return "none", "—"
    if now >= due_at:
        return "late", gettext("%(span)s over") % {"span": span(now - due_at)}
    left = due_at - now
    look = "warn" if left < _quarter(due_at, started_at) else "ahead"
    return look, gettext("in %(span)s") % {"span": span(left)}


def _quarter(due_at: datetime, started_at: datetime | None) -> timedelta:
    return (due_at - started_at) / 4 if started_at else timedelta(hours=1)


def _met_words(due_at: datetime | None, started_at: datetime | None, met_at: datetime) -> tuple[str, str]:
    if due_at is not None and met_at > due_at:
        return "late", gettext("met %(span)s late") % {"span": span(met_at - due_at)}
    if started_at is None:
        return "met", gettext("met")
    return "met", gettext("met in %(span)s") % {"span": span(met_at - started_at)}


def gauge(
    started_at: datetime | None,
    due_at: datetime | None,
    met_at: datetime | None = None,
    paused: str | bool = "",
    now: datetime | None = None,
) -> SafeString:
    """How much of a deadline is used up, as a thin bar under its clock (which says the same in words)."""
    if started_at is None or due_at is None:
        return SafeString("")
    now = now or timezone.now()
    used = _percent(started_at, due_at, met_at or now)
    look, _text = _clock_words(due_at, started_at, met_at, paused, now)
    return format_html(
        '<svg class="gauge {}" aria-hidden="true"><rect class="track" width="100%" height="4" rx="2"/>'
        '<rect class="fill" width="{}%" height="4" rx="2"/></svg>',
        look,
        used,
    )


def _percent(start: datetime | date, end: datetime | date, at: datetime | date) -> float:
    whole = (end - start).total_seconds()  # type: ignore[operator]  # both dates, or both datetimes
    part = (at - start).total_seconds()  # type: ignore[operator]
    return round(min(100.0, max(0.0, 100 * part / whole if whole > 0 else 100.0)), 1)


def coverage_bar(
    starts_on: date, ends_on: date, today: date, label: str = "", condition: str = ""
) -> SafeString:
    """A contract's half-open period [starts_on, ends_on) with today marked; below it first and last covered day.

    The part that is over is pale, the part that is left is full; a lapsed period is grey (`ends_on` itself is
    not covered). What covers nothing is hollow: a period that has not begun, and, by `condition`, one that is
    only asked for ("waiting", "draft": dashed) or never came to be ("refused": grey), or was broken off
    ("terminated"). `label` stands under the middle, for example the contract's number."""
    last = ends_on - timedelta(days=1)
    used = _percent(starts_on, ends_on, today)
    look, sentence = _coverage_look(starts_on, ends_on, today, condition)
    words = sentence % {"start": day(starts_on), "end": day(last)}
    if look not in ("left", "past"):
        used = 0.0
    return format_html(
        '<svg class="coverbar {}" role="img" aria-label="{}"><rect class="{}" y="4" width="100%" height="8" rx="4"/>'
        '<rect class="gone" y="4" width="{}%" height="8"/>'
        '<line class="today" x1="{}%" x2="{}%" y1="0" y2="16"/></svg>'
        '<div class="coverends" aria-hidden="true"><span>{}</span><span>{}</span><span>{}</span></div>',
        look,
        words,
        look,
        used,
        used,
        used,
        short_day(starts_on, date.min),
        label,
        short_day(last, date.min),
    )


def _coverage_look(starts_on: date, ends_on: date, today: date, condition: str) -> tuple[str, str]:
    if condition in ("waiting", "draft"):
        return "asked", gettext("Asked for from %(start)s to %(end)s; covers nothing yet")
    if condition == "refused":
        return "never", gettext("Refused; would have covered from %(start)s to %(end)s")
    if condition == "terminated":
        return "past", gettext("Terminated; the term was from %(start)s to %(end)s")
    if today >= ends_on:
        return "past", gettext("Covered from %(start)s to %(end)s")
    if today < starts_on:
        return "coming", gettext("Will be covered from %(start)s to %(end)s")
    return "left", gettext("Covered from %(start)s to %(end)s")
