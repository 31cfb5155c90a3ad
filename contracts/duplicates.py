"""Which organisations a new end user may already be: by the likeness of names, and by mail domain."""

from dataclasses import dataclass
from typing import Final

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import Count, Q

from accounts.models import Membership, Organisation
from accounts.roles import OrganisationKind
from contracts.models import EndUserRequest

LIKE: Final = 0.3
MOST: Final = 8
# addresses that say nothing about where somebody works
PUBLIC_DOMAINS: Final = frozenset(
    {"gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "naver.com", "daum.net", "qq.com"}
)


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """An organisation, how alike the names are in percent, and how many of its people share the mail domain."""

    organisation: Organisation
    percent: int
    same_domain: int
    same_country: bool


def look_alikes(request: EndUserRequest) -> list[Likeness]:
    """Qualified end users that this one may be, the most alike first. Two queries."""
    new = request.organisation
    by_domain = _colleagues(request.contact_email)
    known = Organisation.objects.filter(kind=OrganisationKind.END_USER, is_qualified=True).exclude(pk=new.pk)
    found = known.annotate(likeness=TrigramSimilarity("name", new.name)).filter(
        Q(likeness__gte=LIKE) | Q(pk__in=by_domain)
    )
    rows = [
        Likeness(
            organisation=organisation,
            percent=round(100 * float(getattr(organisation, "likeness", 0) or 0)),
            same_domain=by_domain.get(organisation.pk, 0),
            same_country=organisation.country == new.country,
        )
        for organisation in found.order_by("-likeness", "pk")[: 4 * MOST]
    ]
    return sorted(rows, key=lambda row: (row.same_domain > 0, row.percent), reverse=True)[:MOST]


def _colleagues(email: str) -> dict[int, int]:
    domain = email.rpartition("@")[2].lower()
    if not domain or domain in PUBLIC_DOMAINS:
        return {}
    people = Membership.objects.active().filter(
        user__email__iendswith=f"@{domain}", organisation__kind=OrganisationKind.END_USER
    )
    return dict(people.values_list("organisation").annotate(count=Count("pk")))
