"""The world while it is being made: who and what is there so far, by the names that the data use."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password

from accounts.actions import create_person
from accounts.models import Membership, Organisation, Site, User
from contracts.models import Defect, Release, ServiceContract, Software
from notifications.models import DutyLevel, DutyPerson
from portal.demo import people
from portal.demo.replay import Replay


@dataclass
class World:
    """Everything at one moment `now` (UTC). Chance comes from `rng` alone."""

    now: datetime
    rng: random.Random
    replay: Replay
    organisations: dict[str, Organisation] = field(default_factory=dict)
    sites: dict[tuple[str, str], Site] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    software: dict[str, Software] = field(default_factory=dict)
    releases: dict[tuple[str, str], Release] = field(default_factory=dict)
    defects: dict[str, Defect] = field(default_factory=dict)
    contracts: dict[str, ServiceContract] = field(default_factory=dict)

    def ago(self, days: int, hours: float = 0) -> datetime:
        """So many days ago, and `hours` after that."""
        return self.now - timedelta(days=days) + timedelta(hours=hours)

    def member(self, key: str) -> Membership:
        """The membership in which the person of this name acts. Raises: KeyError."""
        member = self.people[key].acting
        assert member is not None
        return member


def populate(world: World) -> None:
    """Organisations, sites, people who can sign in, and the roster: there from the beginning."""
    began = world.ago(people.ACCOUNT_AGE_DAYS)
    for company in people.COMPANIES:
        world.organisations[company.slug] = Organisation.objects.create(
            name=company.name,
            slug=company.slug,
            kind=company.kind,
            address=company.address,
            country=company.country,
            time_zone=company.zone,
            created_at=began,
        )
    for company in people.COMPANIES:
        for customer in company.customers:
            world.organisations[customer].registered_by.add(world.organisations[company.slug])
    for place in people.PLACES:
        world.sites[place.organisation, place.name] = Site.objects.create(
            organisation=world.organisations[place.organisation],
            name=place.name,
            country=place.country,
            subdivision=place.subdivision,
            time_zone=place.zone,
            telephone=place.telephone,
        )
    _people(world, began)
    _duties(world)


def _people(world: World, began: datetime) -> None:
    for person in people.PEOPLE:
        organisation = world.organisations[person.organisation]
        user = create_person(
            email=person.email,
            name=person.name,
            password=None,
            now=began,
            language=person.language,
            time_zone=person.zone,
            telephone=person.telephone,
            country=organisation.country,
        )
        user.acting = Membership.objects.create(
            user=user, organisation=organisation, roles=[*person.roles], started_at=began
        )
        world.people[person.key] = user
        world.replay.people[user.acting.pk] = user
    mail, name = people.ROOT
    create_person(email=mail, name=name, password=None, now=began, is_superuser=True)
    # one hash for all: a good one takes a third of a second, and this password is no secret
    salt = "".join(world.rng.choices("abcdefghijkmnpqrstuvwxyz23456789", k=22))
    User.objects.update(password=make_password(people.PASSWORD, salt=salt))


def _duties(world: World) -> None:
    for duty in people.DUTIES:
        level, _is_new = DutyLevel.objects.update_or_create(level=duty.level, defaults={"name": duty.name})
        for key, starts, ends, zone in duty.people:
            DutyPerson.objects.create(
                level=level, membership=world.member(key), starts=starts, ends=ends, zone=zone
            )
