"""The business hours of a site: its country's row, or the default, in the site's zone, less holidays."""

from zoneinfo import ZoneInfo

from accounts.models import Site
from entitlements.clock import PublicHolidays, WorkingHours
from entitlements.models import BusinessHours


def hours_for(site: Site) -> WorkingHours:
    """Working hours at `site`; the country's own row comes before the default one. One query."""
    # the default row has the empty country, which sorts last
    row = BusinessHours.objects.filter(country__in=[site.country, ""]).order_by("-country").first()
    holidays = PublicHolidays(
        country=site.country,
        subdivision=site.subdivision or None,
        added=frozenset(row.extra_holidays if row else ()),
    )
    if row is None:
        return WorkingHours(zone=ZoneInfo(site.time_zone), holidays=holidays)
    return WorkingHours(
        zone=ZoneInfo(site.time_zone),
        weekdays=frozenset(row.weekdays),
        start=row.opens,
        end=row.closes,
        holidays=holidays,
    )
