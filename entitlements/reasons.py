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
    WARRANTY = "warranty"
    MODIFICATION = "modification"
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


# A contract in force is never set aside: nothing is granted outside [start, end). Export control and an account
# that has ended never are either; an upgrade is bought, not let pass (C39).
MAY_BE_SET_ASIDE: Final = frozenset(
    {
        Code.CONSULTING_DELIVERABLE,
        Code.THIRD_PARTY_COMPONENT,
        Code.OUTSIDE_DOCUMENTS,
        Code.MODIFICATION,
        Code.RELEASE_WITHDRAWN,
        Code.RELEASE_NOT_ACCEPTED,
        Code.DRIFT,
        Code.NO_TECHNICAL_CONTACT,
    }
)


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

    @property
    def clause_text(self) -> str:
        """What the clause says, in a sentence of the active language."""
        return str(CLAUSES.get(self.clause, ""))

    @property
    def may_be_set_aside(self) -> bool:
        return self.code in MAY_BE_SET_ASIDE

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


@dataclass(frozen=True, slots=True)
class SetAside:
    """A reason against that an exception lets pass."""

    code: Code
    exception: str

    @property
    def sentence(self) -> str:
        return _told(_SET_ASIDE, {"exception": self.exception, "reason": str(LABELS[self.code])})

    def as_record(self) -> dict[str, str]:
        return {"code": self.code.value, "exception": self.exception}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "SetAside":
        return cls(Code(record["code"]), record["exception"])


def registered_sentence(number: str) -> str:
    """That nothing stands against registering the contract, in the active language."""
    return _told(_REGISTERED, {"number": number})


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
_REGISTERED: Final = _("Nothing stands against the registration of the contract %(number)s.")
_SET_ASIDE: Final = _("Exception %(exception)s sets aside: %(reason)s.")
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
    (Code.THIRD_PARTY_COMPONENT, "component"): (
        _("%(component)s is a third-party component inside %(software)s, which this service does not cover."),
        _("Describe what fails in %(software)s itself, or turn to the component's makers."),
    ),
    (Code.CONSULTING_DELIVERABLE, "subject"): (
        _("The request is about something that was made for %(software)s within consulting services."),
        _("Ask the customer support centre: staff may decide otherwise for a case, with a reason."),
    ),
    (Code.WARRANTY, ""): (
        _("The request is about a warranty of %(software)s, which this service does not give."),
        _("Turn to the agreement under which %(software)s was bought."),
    ),
    (Code.MODIFICATION, ""): (
        _("The request is about a modification of %(software)s, made or attempted."),
        _("Ask for chargeable work, or restore the accepted release."),
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

LABELS: Final[dict[Code, "StrPromise"]] = {
    Code.ACCOUNT_INACTIVE: _("account no longer active"),
    Code.EXPORT_CONTROL: _("export control"),
    Code.OTHER_VENDOR_OR_JUNOS: _("not custom software"),
    Code.THIRD_PARTY_COMPONENT: _("third-party component"),
    Code.CONSULTING_DELIVERABLE: _("consulting deliverable"),
    Code.UPGRADE_OR_ENHANCEMENT: _("upgrade or enhancement"),
    Code.OUTSIDE_DOCUMENTS: _("used outside its documents"),
    Code.WARRANTY: _("warranty"),
    Code.MODIFICATION: _("modification, made or attempted"),
    Code.WAITING_FOR_APPROVAL: _("contract waits for approval"),
    Code.NOT_STARTED: _("contract not yet started"),
    Code.TERMINATED: _("contract terminated"),
    Code.ENDED: _("contract ended"),
    Code.REGISTRATION_REFUSED: _("contract refused"),
    Code.NO_CONTRACT: _("no contract"),
    Code.PREREQUISITES_MISSING: _("design document or test plan missing"),
    Code.RELEASE_NOT_NAMED: _("release not named"),
    Code.RELEASE_WITHDRAWN: _("release withdrawn"),
    Code.RELEASE_NOT_ACCEPTED: _("release not accepted"),
    Code.DRIFT: _("software modified"),
    Code.NO_TECHNICAL_CONTACT: _("no technical contact"),
}
"""Each reason in a few words, for lists and forms."""

CLAUSES: Final[dict[str, "StrPromise"]] = {
    "C12": _("A design document and a test plan are needed before the service begins."),
    "C18": _("The service is only for custom software that Professional Services developed."),
    "C25": _("The portal is open to the end user during the term of the contract."),
    "C33": _("Patches and updates are included during the term, as needed to restore function."),
    "C34": _("Patches and updates are bound to the specific release that the end user accepted."),
    "C35": _("The end user is notified when a patch or update is available."),
    "C39": _("Upgrades and enhancements are not included; Professional Services sell them separately."),
    "C41": _("Upgrades and enhancements of Junos OS are not included; they are bought separately."),
    "C42": _("The service is tied to a specific code release."),
    "C43": _("If the end user changes the agreed version, the service need not be given."),
    "C45": _("The end user names technical contacts."),
    "C52": _("The end user tells when somebody changes role or leaves, so that the account can be closed."),
    "C63": _("The service is available worldwide except in countries under export control."),
    "C69": _("Warranties, implied or express, are excluded."),
    "C70": _("Third-party open-source components of the custom software are excluded."),
    "C71": _("Use other than as the technical documents describe is excluded."),
    "C72": _("A modification by the end user or a third party, made or attempted, is excluded."),
    "C73": _("Deliverables made specially for the end user within consulting services are excluded."),
}
"""What a clause of the service description says, in our words."""
