"""THE WORK: cases, their append-only timeline, attachments, people kept informed, cycles and rungs."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation, Site, User
from accounts.roles import Permission
from cases.workflow import OPEN_STATES, CaseState, Channel, Environment, EventKind, FollowUp, RungState
from contracts.models import Release, ServiceContract, Software
from entitlements.kinds import Clock, Priority
from entitlements.models import DecisionRecord, Policy
from files.models import StoredFile

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class SearchVector(Func):
    """The portal's own immutable search function (cases/migrations, docs/search.md)."""

    function = "portal_search_vector"
    output_field = SearchVectorField()


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, user: User) -> Self:
        """Staff who work on cases see all; an end user its organisation's, restricted ones only when named."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CASE_VIEW_ALL):
            return self
        own = self.filter(organisation_id=acting.organisation_id)
        named = Q(opened_by=acting) | Q(contact=acting) | Q(is_watched_by(acting))
        return own.filter(Q(is_restricted=False) | named)

    def open(self) -> Self:
        return self.filter(state__in=sorted(OPEN_STATES))

    def open_by_release(self, *, software_id: int) -> dict[tuple[int, int], int]:
        """How many cases of a software are open, by organisation and release: contracts.exposure shows it."""
        counted = self.open().filter(software=software_id).order_by().values_list("organisation", "release")
        return {(one, release): count for one, release, count in counted.annotate(count=models.Count("pk"))}

    def without_texts(self) -> Self:
        """Without the long columns, of which a search vector alone may be hundreds of kilobytes."""
        return self.defer("search", "description", "activity", "access", "resolution")

    def for_list(self) -> Self:
        """One row of a list, with all it shows, in one query."""
        people = ("owner__user", "contact__user")
        return self.select_related("organisation", "site", "software", "release", *people).without_texts()

    def for_page(self) -> Self:
        """One case with everybody and everything its page names, in one query."""
        return self.select_related(
            "organisation", "site", "software", "release", "contract", "decision", "policy",
            "owner__user", "contact__user", "opened_by__user", "opened_by__organisation",
            "backup_confirmed_by__user",
        ).defer("search")  # fmt: skip

    def of_reference(self, reference: str) -> Self:
        """Those with this reference of the customer's own, in any case of letters (C31)."""
        return self.exclude(customer_reference="").filter(
            customer_reference__upper=Upper(models.Value(reference))
        )

    def locked(self, pk: int) -> "Case":
        """The row, held until the transaction ends. Rows that point to it may still be written meanwhile."""
        return self.select_for_update(of=("self",), no_key=True).defer("search").get(pk=pk)


def is_watched_by(acting: Membership) -> models.Exists:
    return models.Exists(Watcher.objects.filter(case=models.OuterRef("pk"), membership=acting))


class Case(models.Model):
    """One problem of one end user, on one release of one software, at one site."""

    number = models.CharField(_("number"), max_length=20, unique=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="cases", verbose_name=_("customer")
    )
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="cases", verbose_name=_("site"))
    software = models.ForeignKey(
        Software, on_delete=models.PROTECT, related_name="cases", verbose_name=_("software")
    )
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="cases", verbose_name=_("running release")
    )
    contract = models.ForeignKey(ServiceContract, on_delete=models.PROTECT, related_name="cases")
    decision = models.OneToOneField(DecisionRecord, on_delete=models.PROTECT, related_name="case")
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="+")

    synopsis = models.CharField(_("in one line"), max_length=160)
    description = models.TextField(_("description"), max_length=200_000)
    activity = models.TextField(_("what was being done at the time"), max_length=4000, blank=True)
    access = models.TextField(_("access for diagnosis"), max_length=2000, blank=True)
    customer_reference = models.CharField(_("your reference"), max_length=80, blank=True)
    environment = models.CharField(_("environment"), max_length=20, choices=Environment.choices)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices, default=Channel.WEB)
    follow_up = models.CharField(
        _("preferred follow-up"), max_length=12, choices=FollowUp.choices, default=FollowUp.FULL_MAIL
    )
    priority = models.CharField(_("priority"), max_length=2, choices=Priority.choices)
    state = models.CharField(_("state"), max_length=20, choices=CaseState.choices, default=CaseState.NEW)
    pending_reason = models.CharField(_("waits for"), max_length=200, blank=True)
    is_restricted = models.BooleanField(_("restricted to named colleagues"), default=False)

    opened_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="opened_cases", verbose_name=_("opened by")
    )
    # whoever looks after it on the customer's side; a departure hands it to a named colleague
    contact = models.ForeignKey(
        Membership, on_delete=models.PROTECT, related_name="contact_cases", verbose_name=_("contact")
    )
    owner = models.ForeignKey(
        Membership,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_cases",
        verbose_name=_("owner"),
    )
    opened_at = models.DateTimeField(_("opened"))
    updated_at = models.DateTimeField(_("updated"))
    backup_confirmed_at = models.DateTimeField(_("backup confirmed"))
    backup_confirmed_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")

    first_response_due_at = models.DateTimeField(_("first response due"))
    first_responded_at = models.DateTimeField(_("first response"), null=True, blank=True)
    update_due_at = models.DateTimeField(_("next update due"), null=True, blank=True)
    # the earlier of the two while it counts: what queues sort by; empty while the customer is waited for
    next_deadline_at = models.DateTimeField(_("next deadline"), null=True, blank=True)
    pending_since = models.DateTimeField(null=True, blank=True)

    restored_at = models.DateTimeField(_("restored"), null=True, blank=True)
    resolution = models.TextField(_("resolution"), max_length=20_000, blank=True)
    cause = models.CharField(_("cause"), max_length=400, blank=True)
    proposed_at = models.DateTimeField(_("resolution proposed"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    search = models.GeneratedField(
        expression=SearchVector("synopsis", "description", "customer_reference"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = CaseQuerySet.as_manager()

    if TYPE_CHECKING:
        events: RelatedManager["CaseEvent"]
        cycles: RelatedManager["Cycle"]
        watchers: RelatedManager["Watcher"]
        attachments: RelatedManager["Attachment"]

    class Meta:
        verbose_name = _("case")
        constraints = [
            models.CheckConstraint(
                condition=Q(number__regex=r"^\d{4}-\d{4}-\d{4,}$"), name="cases_case_number_has_its_form"
            ),
            models.CheckConstraint(
                condition=Q(priority__in=Priority.values), name="cases_case_priority_is_known"
            ),
            models.CheckConstraint(condition=Q(state__in=CaseState.values), name="cases_case_state_is_known"),
            models.CheckConstraint(
                condition=Q(environment__in=Environment.values), name="cases_case_environment_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state=CaseState.CLOSED, closed_at__isnull=False)
                | (~Q(state=CaseState.CLOSED) & Q(closed_at__isnull=True)),
                name="cases_case_only_a_closed_one_has_a_closing_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=CaseState.CUSTOMER_PENDING)
                | (Q(pending_since__isnull=False) & ~Q(pending_reason="")),
                name="cases_case_waiting_for_the_customer_says_since_when_and_why",
            ),
            models.CheckConstraint(
                condition=~Q(state=CaseState.RESOLUTION_PROPOSED)
                | (Q(proposed_at__isnull=False) & ~Q(resolution="")),
                name="cases_case_proposed_resolution_says_what_and_when",
            ),
            models.CheckConstraint(
                condition=Q(restored_at__isnull=True) | Q(restored_at__gte=F("opened_at")),
                name="cases_case_is_restored_after_it_opened",
            ),
        ]
        indexes = [
            # an organisation's list, last changed first, by state
            models.Index(
                F("organisation"), F("updated_at").desc(), F("id").desc(), name="case_of_org_updated"
            ),
            models.Index(
                F("organisation"),
                F("updated_at").desc(),
                F("id").desc(),
                name="case_of_org_open",
                condition=Q(state__in=sorted(OPEN_STATES)),
            ),
            # the queues: open cases of the world by next deadline
            models.Index(
                F("next_deadline_at").asc(nulls_last=True),
                F("id"),
                name="case_open_by_deadline",
                condition=Q(state__in=sorted(OPEN_STATES)),
            ),
            # an engineer's own work
            models.Index(
                F("owner"),
                F("next_deadline_at").asc(nulls_last=True),
                F("id"),
                name="case_open_of_owner",
                condition=Q(state__in=sorted(OPEN_STATES)),
            ),
            # the whole world, last changed first
            models.Index(F("updated_at").desc(), F("id").desc(), name="case_updated"),
            # exact search by the customer's own reference (C31)
            models.Index(
                F("organisation"),
                models.functions.Upper("customer_reference"),
                name="case_of_org_reference",
                condition=~Q(customer_reference=""),
            ),
            models.Index(
                models.functions.Upper("customer_reference"),
                name="case_reference",
                condition=~Q(customer_reference=""),
            ),
            # words of synopsis and description
            GinIndex(fields=["search"], name="case_search"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def subject(self) -> str:
        """How messages name this case."""
        return f"case:{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state != CaseState.CLOSED


class CaseEventQuerySet(models.QuerySet["CaseEvent"]):
    def visible_to(self, user: User) -> Self:
        """The timeline of visible cases; internal notes for staff only."""
        rows = self.filter(case__in=Case.objects.visible_to(user))
        return rows if user.can(Permission.CASE_VIEW_ALL) else rows.filter(is_internal=False)

    def on_timeline(self) -> Self:
        """In order, with writers and files: three queries for any number of entries."""
        files = models.Prefetch("attachments", Attachment.objects.select_related("stored").order_by("pk"))
        rows = self.select_related("by__user", "by__organisation").prefetch_related(files)
        return rows.defer("search").order_by("at", "pk")


class CaseEvent(models.Model):
    """One entry of a case's timeline. Append-only by trigger."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=30, choices=EventKind.choices)
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    is_internal = models.BooleanField(default=False)
    body = models.TextField(blank=True, max_length=200_000)
    detail = models.JSONField(default=dict)
    search = models.GeneratedField(
        expression=SearchVector("body"), output_field=SearchVectorField(), db_persist=True
    )

    objects = CaseEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline entries")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=EventKind.values), name="cases_caseevent_kind_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind=EventKind.NOTE) | Q(is_internal=True),
                name="cases_caseevent_note_is_internal",
            ),
        ]
        indexes = [
            # the timeline of a case, in order
            models.Index(F("case"), F("at"), F("id"), name="event_of_case"),
            # words of replies; internal notes apart, so that a customer's search cannot touch one
            GinIndex(fields=["search"], name="event_search_public", condition=Q(is_internal=False)),
            GinIndex(fields=["search"], name="event_search_internal", condition=Q(is_internal=True)),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.kind}"


class Watcher(models.Model):
    """A person kept informed about a case."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="watchers")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="watched_cases")

    class Meta:
        verbose_name = _("person kept informed")
        constraints = [
            models.UniqueConstraint(fields=["case", "membership"], name="cases_watcher_is_once_per_case"),
        ]

    def __str__(self) -> str:
        return str(self.membership)


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def visible_to(self, user: User) -> Self:
        rows = self.filter(event__case__in=Case.objects.visible_to(user))
        return rows if user.can(Permission.CASE_VIEW_ALL) else rows.filter(event__is_internal=False)


class Attachment(models.Model):
    """A stored file on an entry of a case; whoever sees the entry may download it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="attachments")
    event = models.ForeignKey(CaseEvent, on_delete=models.PROTECT, related_name="attachments")
    stored = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("attachment")

    def __str__(self) -> str:
        return str(self.stored)


class CaseCounter(models.Model):
    """The last number given on a day (UTC). One row a day; its lock makes numbers safe under concurrency."""

    day = models.DateField(primary_key=True)
    last = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.last}"


class Cycle(models.Model):
    """A run of the escalation ladder: starts at opening, raise, reopening, denied restoration (C22)."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="cycles")
    number = models.PositiveIntegerField()
    priority = models.CharField(max_length=2, choices=Priority.choices)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=30, choices=EventKind.choices)
    ended_at = models.DateTimeField(null=True, blank=True)
    lowered_at = models.DateTimeField(null=True, blank=True)

    if TYPE_CHECKING:
        rungs: RelatedManager["Rung"]

    class Meta:
        verbose_name = _("cycle")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "number"], name="cases_cycle_number_is_unique_in_its_case"
            ),
            models.UniqueConstraint(
                fields=["case"], condition=Q(ended_at__isnull=True), name="cases_cycle_runs_once_per_case"
            ),
            models.CheckConstraint(
                condition=Q(priority__in=Priority.values), name="cases_cycle_priority_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.number}"


class RungQuerySet(models.QuerySet["Rung"]):
    def due(self, now: datetime) -> Self:
        return self.pending().filter(next_at__lte=now)

    def pending(self) -> Self:
        return self.filter(state=RungState.PENDING)

    def visible_to(self, user: User) -> Self:
        return self.filter(cycle__case__in=Case.objects.visible_to(user))


class Rung(models.Model):
    """One level of one cycle: a deadline that is a row, claimed when due, never found by scanning cases."""

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="rungs")
    level = models.PositiveSmallIntegerField()
    clock = models.CharField(max_length=10, choices=Clock.choices)
    # empty while a clock of business hours stands still and nobody knows until when
    due_at = models.DateTimeField(null=True, blank=True)
    # set while the level below is alerted and unacknowledged: then it fires ahead of its hour
    early_at = models.DateTimeField(null=True, blank=True)
    # the earlier of due_at and early_at
    next_at = models.GeneratedField(
        expression=models.functions.Least(F("due_at"), models.functions.Coalesce(F("early_at"), F("due_at"))),
        output_field=models.DateTimeField(),
        db_persist=True,
    )
    acknowledge_minutes = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=12, choices=RungState.choices, default=RungState.PENDING)
    fired_at = models.DateTimeField(null=True, blank=True)
    fired_early = models.BooleanField(default=False)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=200, blank=True)

    objects = RungQuerySet.as_manager()

    class Meta:
        verbose_name = _("rung")
        constraints = [
            models.UniqueConstraint(fields=["cycle", "level"], name="cases_rung_level_is_once_per_cycle"),
            models.CheckConstraint(condition=Q(state__in=RungState.values), name="cases_rung_state_is_known"),
            models.CheckConstraint(condition=Q(clock__in=Clock.values), name="cases_rung_clock_is_known"),
            models.CheckConstraint(
                condition=Q(state=RungState.FIRED, fired_at__isnull=False)
                | (~Q(state=RungState.FIRED) & Q(fired_at__isnull=True)),
                name="cases_rung_only_a_fired_one_has_a_firing_time",
            ),
        ]
        indexes = [
            # the engine's claim: what is due, however many cases are open
            models.Index(F("next_at"), F("id"), name="rung_due", condition=Q(state="pending")),
        ]

    def __str__(self) -> str:
        return f"L{self.level}"
