"""Pages by key: a page begins after (or before) the sort values of one row, never at a number of rows."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from django.http import QueryDict

COUNT_LIMIT: Final = 1000
LONGEST_CURSOR: Final = 600

RowT = TypeVar("RowT", bound=Model)


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """The rows of one page; `newer` and `older` are query strings of its neighbours, or empty."""

    rows: list[RowT]
    newer: str = ""
    older: str = ""
    is_whole: bool = False


def page_of(
    rows: "QuerySet[RowT, RowT]", keys: Sequence[str], params: QueryDict, *, size: int = 50
) -> Page[RowT]:
    """The page that `?after=` or `?before=` asks for, in the order of `keys`; nonsense means the first. One query.

    `keys` are columns without nulls, all rising or all falling ("-"), the last one unique."""
    names = [key.lstrip("-") for key in keys]
    falls = keys[0].startswith("-")
    after = _decode(params.get("after", ""), rows.model, names)
    before = _decode(params.get("before", ""), rows.model, names) if after is None else None
    start = after if before is None else before
    is_back = before is not None
    found = rows.filter(_beyond(names, start, falls=falls != is_back)) if start is not None else rows
    order = [name if falls == is_back else f"-{name}" for name in names]
    taken = list(found.order_by(*order)[: size + 1])
    has_more, taken = len(taken) > size, taken[:size]
    if is_back:
        taken.reverse()
    has_newer = has_more if is_back else after is not None
    has_older = bool(taken) if is_back else has_more
    return Page(
        rows=taken,
        newer=_link(params, "before", taken[0], names) if taken and has_newer else "",
        older=_link(params, "after", taken[-1], names) if taken and has_older else "",
        is_whole=start is None and not has_more,
    )


def capped_count(rows: "QuerySet[Any, Any]", page: Page[Any]) -> int:
    """Exact to 1,000; one more than that stands for "1,000+"."""
    return len(page.rows) if page.is_whole else rows.order_by()[: COUNT_LIMIT + 1].count()


def _beyond(names: Sequence[str], values: Sequence[Any], *, falls: bool) -> Q:
    condition, same = Q(pk__in=[]), Q()
    for name, value in zip(names, values, strict=True):
        condition |= same & Q(**{f"{name}__{'lt' if falls else 'gt'}": value})
        same &= Q(**{name: value})
    # says nothing new, but lets an index begin here
    return condition & Q(**{f"{names[0]}__{'lte' if falls else 'gte'}": values[0]})


def _link(params: QueryDict, name: str, row: Model, names: Sequence[str]) -> str:
    values = [getattr(row, column) for column in names]
    plain = [value.isoformat() if isinstance(value, date) else value for value in values]
    cursor = base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")
    copy = params.copy()
    for old in ("after", "before"):
        copy.pop(old, None)
    copy[name] = cursor
    return f"?{copy.urlencode()}"


def _decode(text: str, model: type[Model], names: Sequence[str]) -> list[Any] | None:
    if not text or len(text) > LONGEST_CURSOR:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(values, list) or len(values) != len(names):
            return None
        return [_value(value, model, name) for value, name in zip(values, names, strict=True)]
    except (binascii.Error, ValueError, TypeError, ValidationError):
        return None


def _value(value: Any, model: type[Model], name: str) -> Any:
    if name == "pk":
        if not isinstance(value, int) or not 0 <= value < 2**63:
            raise ValueError("not a row")
        return value
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("not a sort value")
    field = model._meta.get_field(name)
    if not isinstance(field, Field):
        raise TypeError("not a column")
    value = field.to_python(value)
    if value is None:
        raise ValueError("not a sort value")
    return value
