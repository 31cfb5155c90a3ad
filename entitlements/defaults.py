"""The figures that the portal ships with (support practice): data, versioned and edited in the portal.

The first policy is made from these rows by a data migration, which has copies of its own."""

from typing import Final

from entitlements.kinds import Clock, Priority

_ALWAYS: Final = Clock.ALWAYS.value
_BUSINESS: Final = Clock.BUSINESS.value
_P1, _P2, _P3, _P4 = (priority.value for priority in Priority)
_DAY: Final = 8 * 60  # business minutes from 09:00 to 17:00

DEFAULT_RUNGS: Final = (
    (_P1, 1, 0, _ALWAYS),
    (_P1, 2, 60, _ALWAYS),
    (_P1, 3, 4 * 60, _ALWAYS),
    (_P1, 4, 24 * 60, _ALWAYS),
    (_P2, 1, 0, _ALWAYS),
    (_P2, 2, 4 * 60, _ALWAYS),
    (_P2, 3, 24 * 60, _ALWAYS),
    (_P2, 4, 48 * 60, _ALWAYS),
    (_P3, 1, 72 * 60, _BUSINESS),
    (_P3, 2, 96 * 60, _BUSINESS),
    (_P4, 1, 96 * 60, _BUSINESS),
)
"""(priority, level, minutes after the cycle's start, clock) (C22)."""

DEFAULT_ACK_WAITS: Final = ((_P1, 15), (_P2, 30))
"""(priority, minutes): unacknowledged for so long, the next level is alerted ahead of its hour."""

DEFAULT_TARGETS: Final = (
    (_P1, 60, _ALWAYS, 4 * 60, _ALWAYS),
    (_P2, 60, _ALWAYS, 1 * _DAY, _BUSINESS),
    (_P3, 8 * 60, _BUSINESS, 3 * _DAY, _BUSINESS),
    (_P4, 24 * 60, _BUSINESS, 5 * _DAY, _BUSINESS),
)
"""(priority, first response in minutes, its clock, update to the customer every so many minutes, its clock).

Targets, never guarantees (C15, C74)."""

DEFAULT_WEEKDAYS: Final = (0, 1, 2, 3, 4)
DEFAULT_OPENS: Final = "09:00"
DEFAULT_CLOSES: Final = "17:00"
