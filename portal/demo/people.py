"""Who lives in the demo world: organisations, their sites, people with names, and who is on duty."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from typing import Final

from accounts.roles import OrganisationKind, Role

PASSWORD: Final = "portal-demo"  # noqa: S105  # nosec B105  # the demo's, shown at every start of `make run`

ACCOUNT_AGE_DAYS: Final = 700
"""How long ago the first organisations and people came in."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A site, and its organisation's short name."""

    organisation: str
    name: str
    country: str
    zone: str
    telephone: str
    subdivision: str = ""


@dataclass(frozen=True, kw_only=True)
class Company:
    slug: str
    name: str
    kind: OrganisationKind
    address: str
    country: str
    zone: str
    # short names of the end users that a partner may register contracts for (C9)
    customers: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Person:
    """`key` is how conversations name the person; `left` days ago the membership ended, handed to `successor`."""

    key: str
    domain: str
    name: str
    organisation: str
    roles: tuple[Role, ...]
    zone: str
    telephone: str = ""
    language: str = ""
    left: int | None = None
    successor: str = ""

    @property
    def email(self) -> str:
        return f"{self.key}@{self.domain}"


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Who is alerted at a level; two on one level share the day."""

    level: int
    name: str
    people: tuple[tuple[str, time | None, time | None, str], ...]


_END_USER, _VENDOR = OrganisationKind.END_USER, OrganisationKind.VENDOR

COMPANIES: Final = (
    Company(
        slug="jtac",
        name="JTAC",
        kind=_VENDOR,
        address="1133 Innovation Way, Sunnyvale, CA 94089",
        country="US",
        zone="America/Los_Angeles",
    ),
    Company(
        slug="professional-services",
        name="Professional Services",
        kind=_VENDOR,
        address="1133 Innovation Way, Sunnyvale, CA 94089",
        country="US",
        zone="America/Los_Angeles",
    ),
    Company(
        slug="csc",
        name="CSC",
        kind=_VENDOR,
        address="1133 Innovation Way, Sunnyvale, CA 94089",
        country="US",
        zone="America/Los_Angeles",
    ),
    Company(
        slug="acme",
        name="Acme Telecom",
        kind=_END_USER,
        address="2200 Almaden Expressway, San Jose, CA 95125",
        country="US",
        zone="America/Los_Angeles",
    ),
    Company(
        slug="hanbit",
        name="Hanbit Mobile",
        kind=_END_USER,
        address="서울특별시 구로구 디지털로 300 (300 Digital-ro, Guro-gu, Seoul 08379)",
        country="KR",
        zone="Asia/Seoul",
    ),
    Company(
        slug="nordlys",
        name="Nordlys Fiber",
        kind=_END_USER,
        address="Ulvenveien 90, 0581 Oslo",
        country="NO",
        zone="Europe/Oslo",
    ),
    Company(
        slug="rival",
        name="Rival Net",
        kind=_END_USER,
        address="Hanauer Landstraße 310, 60314 Frankfurt am Main",
        country="DE",
        zone="Europe/Berlin",
    ),
    Company(
        slug="meridian",
        name="Meridian Networks",
        kind=OrganisationKind.RESELLER,
        address="40 Gracechurch Street, London EC3V 0BT",
        country="GB",
        zone="Europe/London",
        customers=("nordlys", "rival"),
    ),
    Company(
        slug="pacific",
        name="Pacific Distribution",
        kind=OrganisationKind.DISTRIBUTOR,
        address="10 Pasir Panjang Road, Singapore 117438",
        country="SG",
        zone="Asia/Singapore",
        customers=("hanbit",),
    ),
)

PLACES: Final = (
    Place(
        organisation="acme",
        name="San Jose",
        country="US",
        subdivision="CA",
        zone="America/Los_Angeles",
        telephone="+1 408 555 0142",
    ),
    Place(
        organisation="acme",
        name="Dallas",
        country="US",
        subdivision="TX",
        zone="America/Chicago",
        telephone="+1 214 555 0117",
    ),
    Place(
        organisation="acme",
        name="Ashburn lab",
        country="US",
        subdivision="VA",
        zone="America/New_York",
        telephone="+1 703 555 0190",
    ),
    Place(
        organisation="hanbit",
        name="Seoul Guro",
        country="KR",
        zone="Asia/Seoul",
        telephone="+82 2 555 0119",
    ),
    Place(
        organisation="hanbit",
        name="Busan",
        country="KR",
        zone="Asia/Seoul",
        telephone="+82 51 555 0121",
    ),
    Place(
        organisation="nordlys",
        name="Oslo Ulven",
        country="NO",
        zone="Europe/Oslo",
        telephone="+47 22 55 01 30",
    ),
    Place(
        organisation="nordlys",
        name="Tromsø",
        country="NO",
        zone="Europe/Oslo",
        telephone="+47 77 55 01 12",
    ),
    Place(
        organisation="rival",
        name="Frankfurt",
        country="DE",
        zone="Europe/Berlin",
        telephone="+49 69 5550 144",
    ),
)

_LA, _SEOUL, _OSLO, _BERLIN = "America/Los_Angeles", "Asia/Seoul", "Europe/Oslo", "Europe/Berlin"
_TECHNICAL, _MANAGER, _CONTACT = Role.TECHNICAL_CONTACT, Role.ACCOUNT_MANAGER, Role.CONTACT


def _customer(
    key: str, name: str, organisation: str, zone: str, *roles: Role, telephone: str = "", **more: object
) -> Person:
    return Person(
        key=key,
        domain=f"{organisation}.example",
        name=name,
        organisation=organisation,
        roles=roles or (_CONTACT,),
        zone=zone,
        telephone=telephone,
        **more,  # type: ignore[arg-type]  # language, left, successor
    )


def _staff(key: str, name: str, domain: str, organisation: str, zone: str, *roles: Role) -> Person:
    return Person(key=key, domain=domain, name=name, organisation=organisation, roles=roles, zone=zone)


PEOPLE: Final = (
    _customer("alice", "Alice Brandt", "acme", _LA, _TECHNICAL, _MANAGER, telephone="+1 408 555 0171"),
    _customer("anna", "Anna Kowalski", "acme", _LA, telephone="+1 408 555 0172"),
    _customer("priya", "Priya Raman", "acme", _LA, _TECHNICAL, telephone="+1 408 555 0173"),
    _customer("ben", "Ben Ortega", "acme", "America/Chicago"),
    _customer("tom", "Tom Whitaker", "acme", _LA, left=70, successor="anna"),
    _customer(
        "minsu", "김민수 (Minsu Kim)", "hanbit", _SEOUL, _TECHNICAL, _MANAGER,
        telephone="+82 2 555 0120", language="ko",
    ),
    _customer("hyunwoo", "박현우 (Hyunwoo Park)", "hanbit", _SEOUL, language="ko"),
    _customer("jiwoo", "이지우 (Jiwoo Lee)", "hanbit", _SEOUL, language="ko"),
    _customer("ingrid", "Ingrid Solberg", "nordlys", _OSLO, _TECHNICAL, telephone="+47 22 55 01 31"),
    _customer("lars", "Lars Haugen", "nordlys", _OSLO, _CONTACT, _MANAGER),
    _customer("silje", "Silje Dahl", "nordlys", _OSLO),
    _customer("mallory", "Mallory Voss", "rival", _BERLIN, _TECHNICAL, telephone="+49 69 5550 145"),
    _customer("felix", "Felix Bauer", "rival", _BERLIN, _CONTACT, _MANAGER),
    _customer("remy", "Remy Laurent", "meridian", "Europe/London", Role.PARTNER, _MANAGER),
    _customer("grace", "Grace Adeyemi", "meridian", "Europe/London", Role.PARTNER),
    _customer("dana", "Dana Lim", "pacific", "Asia/Singapore", Role.PARTNER, _MANAGER),
    _customer("wei", "Wei Zhang", "pacific", "Asia/Singapore", Role.PARTNER),
    _staff("sam", "Sam Ruiz", "jtac.example", "jtac", _LA, Role.ENGINEER),
    _staff("sofia", "Sofia Mancini", "jtac.example", "jtac", "Europe/Rome", Role.ENGINEER),
    _staff("jae", "Jae Park", "jtac.example", "jtac", _SEOUL, Role.ENGINEER),
    _staff("lena", "Lena Fischer", "jtac.example", "jtac", _BERLIN, Role.DUTY_MANAGER),
    _staff("omar", "Omar Haddad", "jtac.example", "jtac", _LA, Role.EXECUTIVE),
    _staff("vera", "Vera Lindqvist", "jtac.example", "jtac", "Europe/Stockholm", Role.EXECUTIVE),
    _staff("carl", "Carl Osei", "jtac.example", "jtac", _LA, Role.EXECUTIVE),
    _staff("paula", "Paula Novak", "ps.example", "professional-services", _LA, Role.PROFESSIONAL_SERVICES),
    _staff("henrik", "Henrik Aalto", "ps.example", "professional-services", "Europe/Helsinki",
           Role.PROFESSIONAL_SERVICES),
    _staff("ada", "Ada Lindgren", "csc.example", "csc", _LA, Role.CSC_ADMIN),
    _staff("abel", "Abel Moreau", "csc.example", "csc", _LA, Role.CSC_ADMIN),
    _staff("aki", "Aki Tanaka", "csc.example", "csc", "Asia/Tokyo", Role.AUDITOR),
)  # fmt: skip

# of the end user that a partner has named and nobody has taken on yet
NEW_CONTACT_DOMAIN: Final = "fjordlink.example"

ROOT: Final = ("root@csc.example", "Root")

DUTIES: Final = (
    Duty(level=1, name="Duty manager", people=(("lena", None, None, _BERLIN),)),
    Duty(level=2, name="Support director", people=(("omar", None, None, _LA),)),
    Duty(level=3, name="Vice president", people=(("vera", None, None, "Europe/Stockholm"),)),
    Duty(level=4, name="Chief executive", people=(("carl", None, None, _LA),)),
)


def domains() -> frozenset[str]:
    """The mail domains of the demo; `.example` can never be anybody's real address (RFC 2606)."""
    return frozenset({person.domain for person in PEOPLE} | {ROOT[0].partition("@")[2], NEW_CONTACT_DOMAIN})


def is_demo_address(email: str) -> bool:
    return email.rpartition("@")[2].lower() in domains()


def slugs() -> Iterable[str]:
    return [company.slug for company in COMPANIES]
