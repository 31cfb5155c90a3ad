"""Pages by key: a page begins after (or before) the sort values of one row, never at a number of rows."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Generic, TypeVar

from django.db.models import DateField, DateTimeField, F, Field, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.http import QueryDict

COUNT_LIMIT: Final = 1000
LONGEST_CURSOR: Final = 1200
"""A name of 200 Hangul syllables beside a row's number fits in."""

RowT = TypeVar("RowT", bound=Model)


def moment(text: str) -> datetime:
    """An instant as `encode` writes it. Raises: ValueError for anything else, and for one without its zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return found


@dataclass(frozen=True)
class Key:
    """One column of an order. Missing values (`may_miss`) come last, upwards and downwards alike."""

    name: str
    falls: bool = False
    may_miss: bool = False
    reads: Callable[[str], Any] = str

    def order(self, backwards: bool) -> OrderBy:
        column = F(self.name)
        # said only where it matters: an index in plain order serves no "nulls last"
        nulls = {"nulls_first" if backwards else "nulls_last": True} if self.may_miss else {}
        return column.desc(**nulls) if self.falls != backwards else column.asc(**nulls)

    def past(self, value: Any, backwards: bool) -> Q | None:
        """Rows that come after `value` in this column; None where there are none."""
        if value is None:
            return Q(**{f"{self.name}__isnull": False}) if backwards else None
        beyond = Q(**{f"{self.name}__{'lt' if self.falls != backwards else 'gt'}": value})
        return beyond | Q(**{f"{self.name}__isnull": True}) if self.may_miss and not backwards else beyond

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})


Order = Sequence[Key | str]
"""Columns, the last one unique: "-name" falls. What is no column of the model (an annotation) is a Key."""


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """The rows of one page; `newer` and `older` lead to its neighbours, or are empty."""

    rows: list[RowT]
    newer: str = ""
    older: str = ""
    is_whole: bool = False


def page_of(rows: "QuerySet[RowT, RowT]", order: Order, params: QueryDict, *, size: int = 50) -> Page[RowT]:
    """The page that `?after=` or `?before=` of an address asks for, with query strings of its neighbours.

    Everything else that the address says stays in them. A stranger's text means the first page. One query."""
    part = part_of(rows, order, after=params.get("after", ""), before=params.get("before", ""), size=size)
    return Page(
        rows=part.rows,
        newer=_link(params, "before", part.newer) if part.newer else "",
        older=_link(params, "after", part.older) if part.older else "",
        is_whole=part.is_whole,
    )


def part_of(
    rows: "QuerySet[RowT, RowT]", order: Order, *, after: str = "", before: str = "", size: int
) -> Page[RowT]:
    """The same by bare cursors. `after` wins over `before`."""
    keys = keys_of(rows.model, order)
    start = decode(after, keys)
    end = decode(before, keys) if start is None else None
    backwards = end is not None
    at = end if backwards else start
    found = rows.order_by(*(key.order(backwards) for key in keys))
    if at is not None:
        found = found.filter(beyond(keys, at, backwards=backwards))
    taken = list(found[: size + 1])
    has_more, taken = len(taken) > size, taken[:size]
    if backwards:
        taken.reverse()
    before_these = has_more if backwards else start is not None
    after_these = bool(taken) if backwards else has_more
    return Page(
        rows=taken,
        newer=encode(taken[0], keys) if taken and before_these else "",
        older=encode(taken[-1], keys) if taken and after_these else "",
        is_whole=at is None and not has_more,
    )


def capped_count(rows: "QuerySet[Any, Any]", page: Page[Any] | None = None) -> int:
    """How many rows there are: exact to 1,000, one more than that stands for "1,000+"."""
    if page is not None and page.is_whole:
        return len(page.rows)
    return rows.order_by()[: COUNT_LIMIT + 1].count()


def keys_of(model: type[Model], order: Order) -> list[Key]:
    """The columns of an order, with what the model knows of them."""
    return [name if isinstance(name, Key) else _key(model, name) for name in order]


def _key(model: type[Model], text: str) -> Key:
    name = text.removeprefix("-")
    falls = name != text
    if name == "pk":
        return Key(name, falls=falls)
    field = model._meta.get_field(name)
    if not isinstance(field, Field):
        raise TypeError(f"{name} is no column of {model.__name__}.")
    reads = moment if isinstance(field, DateTimeField) else str
    return Key(name, falls, field.null, date.fromisoformat if type(field) is DateField else reads)


def encode(row: Model, keys: Sequence[Key]) -> str:
    """Where a row stands in an order, as text for an address."""
    values = [getattr(row, key.name) for key in keys]
    plain = [value.isoformat() if isinstance(value, date) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain, ensure_ascii=False).encode()).decode().rstrip("=")


def decode(text: str, keys: Sequence[Key]) -> list[Any] | None:
    """What `encode` wrote, or None for anything else: a stranger's text starts at the first page."""
    if not text or len(text) > LONGEST_CURSOR:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(values, list) or len(values) != len(keys):
            return None
        return [_value(value, key) for value, key in zip(values, keys, strict=True)]
    except (ValueError, RecursionError):  # a thousand brackets are one text that somebody sends
        return None


def _value(value: Any, key: Key) -> Any:
    """Raises: ValueError for what no row of ours can have in this column."""
    if value is None and key.may_miss:
        return None
    if key.name in ("pk", "id"):
        if not isinstance(value, int) or not 0 <= value < 2**63:
            raise ValueError("not a row")
        return value
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("not a sort value")
    value.encode()  # half a surrogate pair is no text for a database
    return key.reads(value)


def beyond(keys: Sequence[Key], values: Sequence[Any], *, backwards: bool = False) -> Q:
    """Rows strictly after (or before) these sort values, column by column."""
    condition = Q(pk__in=[])
    same = Q()
    for key, value in zip(keys, values, strict=True):
        past = key.past(value, backwards)
        if past is not None:
            condition |= same & past
        same &= key.same(value)
    first, value = keys[0], values[0]
    if not first.may_miss:
        # says nothing new, but lets the index begin here instead of reading all that was paged past
        condition &= Q(**{f"{first.name}__{'lte' if first.falls != backwards else 'gte'}": value})
    return condition


def _link(params: QueryDict, name: str, cursor: str) -> str:
    copy = params.copy()
    for old in ("after", "before"):
        copy.pop(old, None)
    copy[name] = cursor
    return f"?{copy.urlencode()}"
