"""Countries by name, and the time zone that a country most likely has: from the time zone database."""

from functools import cache
from importlib import resources
from typing import Final

_ZONES: Final = resources.files("tzdata") / "zoneinfo"


@cache
def names() -> dict[str, str]:
    """English short names by two-letter code (ISO 3166), in the order of the names."""
    rows = [line.split("\t") for line in _lines("iso3166.tab")]
    return dict(sorted(((code, name) for code, name in rows), key=lambda row: row[1]))


@cache
def _zones() -> dict[str, str]:
    first: dict[str, str] = {}
    for line in _lines("zone.tab"):
        code, _place, zone, *_comment = line.split("\t")
        first.setdefault(code, zone)
    return first


def zone_of(country: str) -> str:
    """The zone of a country, of several the one that the database lists first; UTC where it lists none."""
    return _zones().get(country, "UTC")


def _lines(name: str) -> list[str]:
    text = (_ZONES / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
