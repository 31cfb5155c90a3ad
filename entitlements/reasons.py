"""The reasons against a request: their codes, and what each says in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from django.utils import dateformat
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


class Code(StrEnum):
    """In the order in which they are told: first what no contract would change."""

    ACCOUNT_INACTIVE = "account_inactive"
    EXPORT_CONTROL = "export_control"
    OTHER_VENDOR_OR_JUNOS = "other_vendor_or_junos"
    THIRD_PARTY_COMPONENT = "third_party_component"
    CONSULTING_DELIVERABLE = "consulting_deliverable"
    UPGRADE_OR_ENHANCEMENT = "upgrade_or_enhancement"
    OUTSIDE_DOCUMENTS = "outside_documents"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    NOT_STARTED = "not_started"
    TERMINATED = "terminated"
    ENDED = "ended"
    REGISTRATION_REFUSED = "registration_refused"
    NO_CONTRACT = "no_contract"
    PREREQUISITES_MISSING = "prerequisites_missing"
    RELEASE_NOT_NAMED = "release_not_named"
    RELEASE_WITHDRAWN = "release_withdrawn"
    RELEASE_NOT_ACCEPTED = "release_not_accepted"
    DRIFT = "drift"
    NO_TECHNICAL_CONTACT = "no_technical_contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One reason against: what stands in the way, since when, by which clause, and what would change it.

    `fact` holds text only, under a key in `_on` an ISO date. `variant` picks the wording of a code."""

    code: Code
    clause: str
    fact: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    variant: str = ""

    @property
    def sentence(self) -> str:
        """The reason in the active language."""
        return _told(_TEXTS[self.code, self.variant][0], self.fact)

    @property
    def remedy(self) -> str:
        """One thing that would change it, in the active language."""
        return _told(_TEXTS[self.code, self.variant][1], self.fact)

    def as_record(self) -> dict[str, Any]:
        """The reason as JSON can keep it, free of language."""
        return {
            "code": self.code.value,
            "variant": self.variant,
            "clause": self.clause,
            "fact": dict(self.fact),
            "since": self.since.astimezone(UTC).isoformat() if self.since else None,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Refusal":
        """What `as_record` wrote. Raises: ValueError for a code that this version does not know."""
        since = record["since"]
        return cls(
            code=Code(record["code"]),
            variant=record["variant"],
            clause=record["clause"],
            fact=dict(record["fact"]),
            since=datetime.fromisoformat(since) if since else None,
        )


def granted_sentence(number: str, covered_until_on: date) -> str:
    """That the contract covers it, and its last covered day, in the active language."""
    return _told(_GRANTED, {"number": number, "covered_until_on": covered_until_on.isoformat()})


def _told(text: "StrPromise", fact: Mapping[str, str]) -> str:
    return str(text) % {key: _shown(key, value) for key, value in fact.items()}


def _shown(key: str, value: str) -> str:
    if not key.endswith("_on"):
        return value
    return dateformat.format(date.fromisoformat(value), str(_LONG_DATE))


_LONG_DATE: Final = pgettext_lazy("date format of Django, as in 31 October 2026", "j F Y")
_GRANTED: Final = _("The contract %(number)s covers this until %(covered_until_on)s.")
_RENEW: Final = _("Renew the contract, or ask your account manager to.")

# (code, variant): what stands in the way, and one thing that would change it
_TEXTS: Final[dict[tuple[Code, str], tuple["StrPromise", "StrPromise"]]] = {
    (Code.ACCOUNT_INACTIVE, ""): (
        _("This account is no longer active."),
        _("An account manager of your organisation can invite you again."),
    ),
    (Code.EXPORT_CONTROL, "end_user"): (
        _("The service is not available in the end user's country (%(country)s, group %(group)s)."),
        _("Write to the customer support centre if the country is wrong."),
    ),
    (Code.EXPORT_CONTROL, "site"): (
        _("The service is not available in the country of the site (%(country)s, group %(group)s)."),
        _("Choose a site in another country, or have the site's country corrected if it is wrong."),
    ),
    (Code.EXPORT_CONTROL, "person"): (
        _("The service is not available in the country of this person (%(country)s, group %(group)s)."),
        _("Let a colleague elsewhere ask, or have the country in the profile corrected if it is wrong."),
    ),
    (Code.OTHER_VENDOR_OR_JUNOS, ""): (
        _("%(software)s is not custom software, so this service does not cover it."),
        _("Ask for help under the support contract of that product."),
    ),
    (Code.THIRD_PARTY_COMPONENT, ""): (
        _("%(software)s is a third-party component, which this service does not cover."),
        _("Report what fails in the custom software that uses it, or turn to the component's makers."),
    ),
    (Code.THIRD_PARTY_COMPONENT, "subject"): (
        _("The request is about a third-party component of %(software)s, which this service does not cover."),
        _("Describe what fails in %(software)s itself, or turn to the component's makers."),
    ),
    (Code.CONSULTING_DELIVERABLE, ""): (
        _("%(software)s was made within consulting services, which this service does not cover."),
        _("Ask the customer support centre: staff may decide otherwise for a case, with a reason."),
    ),
    (Code.UPGRADE_OR_ENHANCEMENT, ""): (
        _("The request is for new or better features of %(software)s, which this service does not include."),
        _("Ask Professional Services for a quote."),
    ),
    (Code.UPGRADE_OR_ENHANCEMENT, "release"): (
        _("Release %(version)s is an upgrade with new features, which this service does not include."),
        _("Ask Professional Services for a quote."),
    ),
    (Code.OUTSIDE_DOCUMENTS, ""): (
        _("%(software)s is used in a way that its technical documents do not describe."),
        _("Show the problem in a use that the documents describe, or ask for chargeable work."),
    ),
    (Code.WAITING_FOR_APPROVAL, ""): (
        _("The contract %(number)s waits for approval."),
        _("The customer support centre approves it."),
    ),
    (Code.WAITING_FOR_APPROVAL, "draft"): (
        _("The contract %(number)s is a draft that nobody has handed in."),
        _("Whoever drafted the contract hands it in for approval."),
    ),
    (Code.NOT_STARTED, ""): (
        _("The contract %(number)s starts on %(starts_on)s."),
        _("Ask again on %(starts_on)s or later."),
    ),
    (Code.TERMINATED, ""): (
        _("The contract %(number)s was terminated on %(terminated_on)s."),
        _("Register a new contract."),
    ),
    (Code.ENDED, ""): (_("The contract %(number)s ended on %(ended_on)s."), _RENEW),
    (Code.REGISTRATION_REFUSED, ""): (
        _("The registration of the contract %(number)s was refused."),
        _("Register the contract again without what it was refused for."),
    ),
    (Code.NO_CONTRACT, ""): (
        _("%(organisation)s has no service contract for %(software)s."),
        _("Buy a service contract for %(software)s, directly or through a reseller."),
    ),
    (Code.PREREQUISITES_MISSING, ""): (
        _("The design document or the test plan of the contract %(number)s is missing or out of date."),
        _("Both sides agree on a current design document and a current test plan."),
    ),
    (Code.RELEASE_NOT_NAMED, ""): (
        _("The running release was not named, and the service is tied to one."),
        _("Name the release that is running."),
    ),
    (Code.RELEASE_WITHDRAWN, ""): (
        _("Release %(version)s was withdrawn on %(withdrawn_on)s."),
        _("Move to a release of the same line that stands."),
    ),
    (Code.RELEASE_NOT_ACCEPTED, ""): (
        _("Release %(version)s is not a release that the end user has accepted."),
        _("A technical contact accepts release %(version)s, if it is the one that runs."),
    ),
    (Code.RELEASE_NOT_ACCEPTED, "offer"): (
        _("Release %(version)s is not made for a release that the end user has accepted."),
        _("A technical contact accepts the release that runs, if it is one that %(version)s is made for."),
    ),
    (Code.DRIFT, ""): (
        _("The installed software has differed from the accepted release since %(since_on)s."),
        _("Restore the accepted release and verify it, or ask for chargeable work."),
    ),
    (Code.NO_TECHNICAL_CONTACT, ""): (
        _("%(organisation)s has no active technical contact."),
        _("An account manager of the organisation names a technical contact."),
    ),
}
