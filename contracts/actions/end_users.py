"""A partner names an end user that the portal does not know yet (C8, C9)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts import audit
from accounts.export_control import check_countries
from accounts.models import Organisation, User
from accounts.roles import OrganisationKind, Permission
from contracts import countries, errors
from contracts.models import EndUserRequest


@dataclass(frozen=True, kw_only=True)
class NewEndUser:
    """Name and address as on the order, country (two letters), and one person there."""

    name: str
    address: str
    country: str
    contact_name: str
    contact_email: str
    time_zone: str = ""


@transaction.atomic
def request_end_user(*, new: NewEndUser, by: User, now: datetime) -> EndUserRequest:
    """Name a new end user: an organisation that is not qualified yet, until staff have taken it on (C8).

    The zone is guessed from the country where none is given.
    Raises: NotAllowed, EndUserRefused (C9), CountryExcluded (C63)."""
    acting = by.acting
    if acting is None or not acting.organisation.is_partner or not by.can(Permission.CONTRACT_REGISTER):
        raise errors.NotAllowed(_("Only a partner names new end users."))
    _check(new, acting.organisation)
    check_countries([new.country], day=now.date())
    organisation = Organisation.objects.create(
        name=new.name.strip(),
        slug=_free_slug(new.name),
        kind=OrganisationKind.END_USER,
        address=new.address.strip(),
        country=new.country,
        time_zone=new.time_zone or countries.zone_of(new.country),
        is_qualified=False,
        created_at=now,
    )
    organisation.registered_by.add(acting.organisation)
    request = EndUserRequest.objects.create(
        organisation=organisation,
        partner=acting.organisation,
        contact_name=new.contact_name.strip(),
        contact_email=new.contact_email.strip().lower(),
        requested_by=acting,
        requested_at=now,
    )
    audit.record("end_user.requested", by=by, subject=organisation.name, now=now, country=new.country)
    return request


def _check(new: NewEndUser, partner: Organisation) -> None:
    for field in ("name", "address", "contact_name", "contact_email"):
        if not getattr(new, field).strip():
            raise errors.EndUserRefused(_("This is needed for a new end user."), _field(field))
    if new.country not in countries.names():
        raise errors.EndUserRefused(_("Choose the country."), "new_country")
    try:
        validate_email(new.contact_email.strip())
    except ValidationError as error:
        raise errors.EndUserRefused(str(error.message), "contact_email") from error
    letters = _letters(new.name)
    for name in partner.customers.values_list("name", flat=True):
        if _letters(name) == letters:
            raise errors.EndUserRefused(_("%(name)s is your customer already: choose it.") % {"name": name})


def _field(name: str) -> str:
    return name if name.startswith("contact_") else f"new_{name}"


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _free_slug(name: str) -> str:
    """Short and readable where the name has Latin letters; never one that is taken."""
    base = slugify(name)[:48] or "end-user"
    if not Organisation.objects.filter(slug=base).exists() and base != "end-user":
        return base
    return f"{base}-{uuid4().hex[:8]}"
