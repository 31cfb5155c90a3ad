"""Case numbers: `YYYY-MMDD-NNNN`, the date in UTC and a counter of that day."""

from datetime import UTC, datetime

from django.db import connection

NEXT = """
INSERT INTO cases_casecounter (day, last) VALUES (%s, 1)
    ON CONFLICT (day) DO UPDATE SET last = cases_casecounter.last + 1
RETURNING last
"""


def next_number(now: datetime) -> str:
    """The next free number of the day of `now`; five digits rather than running out. Gaps are no fault.

    Others who open a case wait until the transaction ends, so ask for it as late as possible."""
    day = now.astimezone(UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(NEXT, [day])
        (last,) = cursor.fetchone()
    return f"{day:%Y-%m%d}-{last:04d}"
