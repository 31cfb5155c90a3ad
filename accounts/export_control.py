"""Export control (C63): countries in or from which no service is given, as dated rows."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _

from accounts.models import ExcludedCountry


class CountryExcluded(Exception):
    """The country is under export control; the message says which row decided."""


def excluded_countries(day: date) -> dict[str, str]:
    """Country code to the source of the row in force on that day."""
    return dict(ExcludedCountry.objects.in_force_on(day).values_list("country", "source"))


def check_countries(countries: Iterable[str], *, day: date) -> None:
    """Raise CountryExcluded when one of the countries is under export control on that day (C63)."""
    excluded = excluded_countries(day)
    for country in countries:
        if country in excluded:
            raise CountryExcluded(
                _("No service is available in %(country)s under export control: %(source)s (C63).")
                % {"country": country, "source": excluded[country]}
            )
