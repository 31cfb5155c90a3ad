"""Service contracts, the documents that must be agreed first, and the agreements that govern."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts.kinds import Channel, Condition, ContractState, DocumentKind, GoverningKind
from contracts.models.software import Software

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class GoverningDocumentQuerySet(models.QuerySet["GoverningDocument"]):
    def in_force_on(self, day: date) -> Self:
        return self.filter(in_force_from__lte=day)

    def agreements(self) -> Self:
        """What a contract can be governed by (C4)."""
        return self.filter(kind__in=[GoverningKind.EUSA, GoverningKind.MSA])

    def licences(self) -> Self:
        """What delivered software can be licensed by (C5)."""
        return self.filter(kind=GoverningKind.LICENCE)

    def in_force(self, kind: GoverningKind, on: date) -> "GoverningDocument | None":
        """The version of this kind that is in force on a day: the one that came into force last."""
        return self.in_force_on(on).filter(kind=kind).newest()

    def visible_to(self, user: User) -> Self:
        """Everybody reads the EUSA and the licences; a master agreement staff, and those whose contract names it."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self
        named = ServiceContract.objects.visible_to(user).values("agreement")
        return self.filter(~Q(kind=GoverningKind.MSA) | Q(pk__in=named))

    def newest(self) -> "GoverningDocument | None":
        return self.order_by("-in_force_from", "-pk").first()


class GoverningDocument(models.Model):
    """An agreement (EUSA or a named master agreement, C4) or a licence (C5), by version."""

    kind = models.CharField(_("kind"), max_length=10, choices=GoverningKind.choices)
    title = models.CharField(_("title"), max_length=200)
    version = models.CharField(_("version"), max_length=40)
    in_force_from = models.DateField(_("in force from"))
    text = models.TextField(_("text"), blank=True)

    objects = GoverningDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("governing document")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "title", "version"], name="contracts_governingdocument_version_is_unique"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=GoverningKind.values), name="contracts_governingdocument_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.version}"


class ContractCounter(models.Model):
    """The last number given in a year (UTC); its row's lock makes numbers safe under concurrency."""

    year = models.PositiveIntegerField(primary_key=True)
    last = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("contract counter")

    def __str__(self) -> str:
        return f"{self.year} {self.last}"


class DateRange(Func):
    """The half-open period of two date columns, as the database sees it."""

    function = "daterange"
    output_field = DateRangeField()


def _letters(one: str, other: str) -> Func:
    """Whether two texts have the same letters and digits, whatever the case."""
    parts = [
        Lower(Func(F(name), Value("[^[:alnum:]]"), Value(""), Value("g"), function="regexp_replace"))
        for name in (one, other)
    ]
    return Func(*parts, template="(%(expressions)s)", arg_joiner=" = ", output_field=models.BooleanField())


class ServiceContractQuerySet(models.QuerySet["ServiceContract"]):
    def in_force_at(self, at: datetime) -> Self:
        """Approved, and `at` (UTC) lies in the half-open period [starts_at, ends_at)."""
        return self.filter(state=ContractState.APPROVED, starts_at__lte=at, ends_at__gt=at)

    def in_condition(self, condition: Condition, at: datetime) -> Self:
        """Contracts of which `condition_at(at)` says the same."""
        approved = self.filter(state=ContractState.APPROVED)
        if condition == Condition.IN_FORCE:
            return self.in_force_at(at)
        if condition == Condition.NOT_STARTED:
            return approved.filter(starts_at__gt=at)
        if condition == Condition.ENDED:
            return approved.filter(ends_at__lte=at)
        return self.filter(state=condition.value)

    def for_list(self) -> Self:
        return self.select_related("end_user", "software", "partner")

    def locked(self, pk: int) -> "ServiceContract":
        return self.select_for_update(of=("self",)).get(pk=pk)

    def not_renewed(self) -> Self:
        """Without a successor that was handed in: a draft of one is no renewal yet."""
        return self.filter(Q(renewed_by=None) | Q(renewed_by__state=ContractState.DRAFT))

    def order_differs(self) -> Self:
        """Whose purchase order names another end user or address than the organisation's record (C9).

        For lists; what decides about one contract is `prerequisites.order_differs`, which folds case further."""
        rows = self.filter(partner__isnull=False)
        same = Q(_letters("po_end_user_name", "end_user__name")) & Q(
            _letters("po_end_user_address", "end_user__address")
        )
        return rows.exclude(same)

    def visible_to(self, user: User) -> Self:
        """Staff see all but partners' drafts; an end user its own but drafts; a partner what it registered."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self.exclude(state=ContractState.DRAFT, partner__isnull=False)
        if acting.organisation.is_partner:
            return self.filter(partner_id=acting.organisation_id)
        return self.filter(end_user_id=acting.organisation_id).exclude(state=ContractState.DRAFT)


class ServiceContract(models.Model):
    """A fixed-term commitment (C11): one software, one end user, at least twelve months (C10).

    Start and end are dates in the end user's zone, half-open: `ends_on` is the first day not covered. The
    UTC instants are derived once, at approval, and never move afterwards.
    """

    number = models.CharField(_("number"), max_length=20, unique=True)
    end_user = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="contracts", verbose_name=_("end user")
    )
    software = models.ForeignKey(
        Software, on_delete=models.PROTECT, related_name="contracts", verbose_name=_("software")
    )
    channel = models.CharField(_("channel"), max_length=12, choices=Channel.choices)
    partner = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="registered_contracts",
        verbose_name=_("partner"),
    )
    purchase_order = models.CharField(_("purchase order"), max_length=60, blank=True)
    po_end_user_name = models.CharField(_("end user as the order names it"), max_length=200, blank=True)
    po_end_user_address = models.CharField(_("address as the order gives it"), max_length=500, blank=True)
    starts_on = models.DateField(_("starts"))
    ends_on = models.DateField(_("ends before"))
    zone = models.CharField(_("time zone"), max_length=64)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=12, choices=ContractState.choices, default=ContractState.DRAFT
    )
    agreement = models.ForeignKey(
        GoverningDocument, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    renews = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="renewed_by"
    )
    co_terminates_with = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    co_termination_approved_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    co_termination_reason = models.CharField(max_length=400, blank=True)
    registered_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="+", verbose_name=_("registered by")
    )
    registered_at = models.DateTimeField(_("registered"))
    has_agreed_documents = models.BooleanField(_("documents agreed"), default=False)
    decided_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    refusal_reason = models.CharField(_("reason"), max_length=400, blank=True)
    terminated_at = models.DateTimeField(_("terminated"), null=True, blank=True)
    termination_reason = models.CharField(_("reason"), max_length=400, blank=True)
    terminated_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    licence = models.ForeignKey(
        GoverningDocument, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # the end user declared that it uses the software internally only (C8)
    is_internal_use = models.BooleanField(_("internal use only"), default=True)

    objects = ServiceContractQuerySet.as_manager()

    class Meta:
        verbose_name = _("service contract")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ContractState.values), name="contracts_servicecontract_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values), name="contracts_servicecontract_channel_is_known"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")), name="contracts_servicecontract_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(
                    ends_on__gte=Func(
                        F("starts_on"),
                        template="((%(expressions)s + interval '12 months')::date)",
                        output_field=models.DateField(),
                    )
                )
                | (
                    Q(co_terminates_with__isnull=False, co_termination_approved_by__isnull=False)
                    & ~Q(co_termination_reason="")
                ),
                name="contracts_servicecontract_lasts_twelve_months_or_co_terminates",
                violation_error_message=_("A service contract lasts at least 12 months (C10)."),
            ),
            models.CheckConstraint(
                condition=Q(channel=Channel.DIRECT, partner__isnull=True)
                | (~Q(channel=Channel.DIRECT) & Q(partner__isnull=False, state=ContractState.DRAFT))
                | (
                    ~Q(channel=Channel.DIRECT)
                    & Q(partner__isnull=False)
                    & ~Q(purchase_order="")
                    & ~Q(po_end_user_name="")
                    & ~Q(po_end_user_address="")
                ),
                name="contracts_servicecontract_partner_names_order_and_end_user",
                violation_error_message=_(
                    "A contract through a partner needs its purchase order with the end user's name and address (C9)."
                ),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[ContractState.APPROVED, ContractState.TERMINATED])
                | Q(
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                    starts_at__isnull=False,
                    ends_at__gt=F("starts_at"),
                ),
                name="contracts_servicecontract_approved_names_who_when_and_instants",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[ContractState.APPROVED, ContractState.TERMINATED])
                | Q(has_agreed_documents=True),
                name="contracts_servicecontract_approved_has_agreed_documents",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("registered_by")),
                name="contracts_servicecontract_is_not_approved_by_who_registered_it",
                violation_error_message=_("Nobody approves what they registered."),
            ),
            models.CheckConstraint(
                condition=Q(co_termination_approved_by__isnull=True)
                | ~Q(co_termination_approved_by=F("registered_by")),
                name="contracts_servicecontract_co_term_not_by_who_registered_it",
            ),
            models.CheckConstraint(
                condition=~Q(state=ContractState.APPROVED) | Q(is_internal_use=True),
                name="contracts_servicecontract_approved_is_for_internal_use",
            ),
            models.CheckConstraint(
                condition=~Q(state=ContractState.REFUSED) | ~Q(refusal_reason=""),
                name="contracts_servicecontract_refusal_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state=ContractState.TERMINATED)
                | (Q(terminated_at__isnull=False) & ~Q(termination_reason="")),
                name="contracts_servicecontract_terminated_names_when_and_why",
            ),
            ExclusionConstraint(
                name="contracts_servicecontract_periods_never_overlap",
                expressions=[
                    ("end_user", RangeOperators.EQUAL),
                    ("software", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=[ContractState.WAITING, ContractState.APPROVED]),
                violation_error_message=_(
                    "Another contract for this software and end user covers part of these dates."
                ),
            ),
        ]
        indexes = [
            # contracts by end date: the reseller's first screen, reminders
            models.Index(F("ends_on"), F("id"), name="contract_by_end"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def last_covered_day(self) -> date:
        """The last day with cover, in the end user's zone: that of its termination, where it was terminated."""
        return self.covered_before - timedelta(days=1)

    @property
    def covered_before(self) -> date:
        """The first day, in the end user's zone, on which nothing is covered: earlier than `ends_on` if terminated."""
        if self.terminated_at is None:
            return self.ends_on
        last = self.terminated_at.astimezone(ZoneInfo(self.zone)).date()
        return max(self.starts_on, min(self.ends_on, last + timedelta(days=1)))

    def condition_at(self, at: datetime) -> Condition:
        """What the contract is worth at `at` (UTC)."""
        if self.state != ContractState.APPROVED or self.starts_at is None or self.ends_at is None:
            return Condition(self.state)
        if at < self.starts_at:
            return Condition.NOT_STARTED
        return Condition.IN_FORCE if at < self.ends_at else Condition.ENDED

    def is_in_force_at(self, at: datetime) -> bool:
        return (
            self.state == ContractState.APPROVED
            and self.starts_at is not None
            and self.ends_at is not None
            and self.starts_at <= at < self.ends_at
        )


class PrerequisiteDocumentQuerySet(models.QuerySet["PrerequisiteDocument"]):
    def visible_to(self, user: User) -> Self:
        """Staff and the end user. A partner reads whether they are agreed on its contract's page, not what they say."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self
        return self.filter(organisation_id=acting.organisation_id)


class PrerequisiteDocument(models.Model):
    """A version of the design document or the test plan (C12) for one end user's software."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="documents")
    software = models.ForeignKey(Software, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(_("kind"), max_length=10, choices=DocumentKind.choices)
    version = models.CharField(_("version"), max_length=40)
    title = models.CharField(_("title"), max_length=200)
    stored = models.ForeignKey("files.StoredFile", on_delete=models.PROTECT, null=True, blank=True)
    out_of_date_at = models.DateTimeField(_("out of date since"), null=True, blank=True)
    created_at = models.DateTimeField()

    objects = PrerequisiteDocumentQuerySet.as_manager()

    if TYPE_CHECKING:
        agreements: RelatedManager["DocumentAgreement"]

    class Meta:
        verbose_name = _("prerequisite document")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "software", "kind", "version"],
                name="contracts_prerequisitedocument_version_is_unique",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=DocumentKind.values), name="contracts_prerequisitedocument_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.version}"


class DocumentAgreement(models.Model):
    """One side, by a named person, agrees to a document's content (C13). Both sides are needed."""

    class Side(models.TextChoices):
        END_USER = "end_user", _("End user")
        VENDOR = "vendor", _("Vendor")

    document = models.ForeignKey(PrerequisiteDocument, on_delete=models.PROTECT, related_name="agreements")
    side = models.CharField(_("side"), max_length=10, choices=Side.choices)
    agreed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    agreed_at = models.DateTimeField(_("agreed"))

    class Meta:
        verbose_name = _("agreement to a document")
        constraints = [
            models.UniqueConstraint(
                fields=["document", "side"], name="contracts_documentagreement_is_once_per_side"
            ),
            models.CheckConstraint(
                condition=Q(side__in=["end_user", "vendor"]), name="contracts_documentagreement_side_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document} {self.side}"
