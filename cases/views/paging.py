"""Pages by key: a page begins after (or before) the sort values of one row, never at a number of rows."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import OrderBy

COUNT_LIMIT: Final = 1000
MAX_CURSOR: Final = 400

RowT = TypeVar("RowT", bound=Model)


@dataclass(frozen=True)
class Key:
    """One column of an order. Missing values (`may_miss`) come last, upwards and downwards alike."""

    name: str
    falls: bool = False
    is_moment: bool = False
    may_miss: bool = False

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


def encode(row: Model, keys: Sequence[Key]) -> str:
    """Where a row stands in an order, as text for an address."""
    values = [getattr(row, key.name) for key in keys]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def decode(text: str, keys: Sequence[Key]) -> list[Any] | None:
    """What `encode` wrote, or None for anything else: a stranger's text starts at the first page."""
    if not text or len(text) > MAX_CURSOR:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(values, list) or len(values) != len(keys):
            return None
        return [_value(value, key) for value, key in zip(values, keys, strict=True)]
    except (binascii.Error, ValueError, TypeError):
        return None


def _value(value: Any, key: Key) -> Any:
    if value is None:
        if not key.may_miss:
            raise ValueError("not a sort value")
        return None
    if key.is_moment:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a moment needs a zone")
        return moment
    if key.name in ("pk", "id"):
        if not isinstance(value, int) or not 0 <= value < 2**63:
            raise ValueError("not a row")
    elif not isinstance(value, str) or "\0" in value:
        raise ValueError("not a sort value")
    return value


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


@dataclass
class Page(Generic[RowT]):
    """The rows of one page, and where its neighbours begin; `newer` and `older` are cursors or empty."""

    rows: list[RowT]
    newer: str
    older: str
    is_whole: bool


def page_of(
    rows: "QuerySet[RowT, RowT]", keys: Sequence[Key], *, after: str = "", before: str = "", size: int
) -> Page[RowT]:
    """One page of `rows` in the order of `keys`, with one query. `after` wins over `before`."""
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


def capped_count(rows: "QuerySet[Any, Any]", page: "Page[Any] | None" = None) -> int:
    """How many rows there are: exact to 1,000, one more than that stands for "1,000+"."""
    if page is not None and page.is_whole:
        return len(page.rows)
    return rows.order_by()[: COUNT_LIMIT + 1].count()
