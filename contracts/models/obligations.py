"""What both sides owe each other beside the code: document work, requirements, written notices, reminders, words."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts.kinds import DocumentKind, RequirementSource, Responsibility, WorkState
from contracts.models.contract import PrerequisiteDocument, ServiceContract
from contracts.models.software import Software


class OfContractQuerySet(models.QuerySet["Requirement"]):
    def visible_to(self, user: User) -> Self:
        """Who sees the contract sees what hangs on it."""
        return self.filter(contract__in=ServiceContract.objects.visible_to(user))


class DocumentTaskQuerySet(models.QuerySet["DocumentTask"]):
    def visible_to(self, user: User) -> Self:
        """Staff, the end user, and a partner for its own customers: the work stands before their contract."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self
        if acting.organisation.is_partner:
            return self.filter(contract__partner_id=acting.organisation_id)
        return self.filter(organisation_id=acting.organisation_id)

    def open(self) -> Self:
        return self.filter(state=WorkState.OPEN)


class DocumentTask(models.Model):
    """Chargeable work: a design document or test plan must be written or brought up to date (C14)."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="document_tasks")
    software = models.ForeignKey(Software, on_delete=models.PROTECT, related_name="+")
    contract = models.ForeignKey(
        ServiceContract, on_delete=models.PROTECT, related_name="document_tasks", verbose_name=_("contract")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=DocumentKind.choices)
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.OPEN)
    opened_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(_("opened"))
    # what it costs, as agreed with the customer; empty while it is not known
    price = models.CharField(_("price"), max_length=80, blank=True)
    closed_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    document = models.ForeignKey(
        PrerequisiteDocument, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closing_note = models.CharField(_("note"), max_length=400, blank=True)

    objects = DocumentTaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("document task")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=DocumentKind.values), name="contracts_documenttask_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=WorkState.values), name="contracts_documenttask_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["contract", "kind"],
                condition=Q(state=WorkState.OPEN),
                name="contracts_documenttask_is_open_once_per_kind",
            ),
            models.CheckConstraint(
                condition=Q(state=WorkState.OPEN) | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="contracts_documenttask_closed_names_when_and_by_whom",
            ),
            models.CheckConstraint(
                condition=~Q(state=WorkState.DONE) | Q(document__isnull=False),
                name="contracts_documenttask_done_names_the_document",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract} {self.kind}"


class Requirement(models.Model):
    """Something the end user must have in place so that the solution works (C58), and where that comes from (C59)."""

    contract = models.ForeignKey(ServiceContract, on_delete=models.PROTECT, related_name="requirements")
    text = models.CharField(_("requirement"), max_length=400)
    source = models.CharField(_("source"), max_length=20, choices=RequirementSource.choices)
    source_title = models.CharField(_("named in"), max_length=200)
    dated_on = models.DateField(_("dated"))
    recorded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(_("recorded"))
    met_at = models.DateTimeField(_("met"), null=True, blank=True)
    met_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    met_note = models.CharField(_("note"), max_length=400, blank=True)
    retired_at = models.DateTimeField(_("no longer asked"), null=True, blank=True)

    objects = OfContractQuerySet.as_manager()

    class Meta:
        verbose_name = _("requirement")
        constraints = [
            models.CheckConstraint(
                condition=Q(source__in=RequirementSource.values), name="contracts_requirement_source_is_known"
            ),
            models.CheckConstraint(
                condition=Q(met_at__isnull=True, met_by__isnull=True)
                | Q(met_at__isnull=False, met_by__isnull=False),
                name="contracts_requirement_met_names_when_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return self.text


class NonFulfilmentQuerySet(models.QuerySet["NonFulfilment"]):
    def visible_to(self, user: User) -> Self:
        """Staff and the end user; not the partner: it is between the end user and the vendor."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self
        return self.filter(contract__end_user_id=acting.organisation_id)


class NonFulfilment(models.Model):
    """Written notice by the end user that it will not, or may not, meet a responsibility (C62). Never changed."""

    contract = models.ForeignKey(ServiceContract, on_delete=models.PROTECT, related_name="non_fulfilments")
    responsibility = models.CharField(_("responsibility"), max_length=20, choices=Responsibility.choices)
    is_certain = models.BooleanField(_("certain"), default=False, help_text=_("Off: likely."))
    text = models.TextField(_("what, why, until when"), max_length=4000)
    given_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField(_("given"))
    read_by = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=400, blank=True)

    objects = NonFulfilmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("written notice")
        constraints = [
            models.CheckConstraint(
                condition=Q(responsibility__in=Responsibility.values),
                name="contracts_nonfulfilment_responsibility_is_known",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="contracts_nonfulfilment_says_what"),
            models.CheckConstraint(
                condition=Q(read_at__isnull=True, read_by__isnull=True)
                | Q(read_at__gte=F("given_at"), read_by__isnull=False),
                name="contracts_nonfulfilment_read_names_when_and_by_whom",
            ),
        ]
        triggers = [
            # what the end user wrote stays as it was written; only its being read is added, once
            pgtrigger.ReadOnly(
                name="stays_as_given",
                fields=["contract", "responsibility", "is_certain", "text", "given_by", "given_at"],
            ),
            pgtrigger.Protect(
                name="read_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__read_at__isnull=False),
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.contract} {self.responsibility}"


class ReminderRule(models.Model):
    """How many days before its end a contract is brought to mind. Rows, so that an administrator can edit them."""

    days_before = models.PositiveSmallIntegerField(_("days before the end"), unique=True)

    class Meta:
        verbose_name = _("reminder")
        constraints = [
            models.CheckConstraint(
                condition=Q(days_before__gte=1, days_before__lte=365),
                name="contracts_reminderrule_is_within_a_year",
            ),
        ]

    def __str__(self) -> str:
        return str(self.days_before)


class GlossaryTerm(models.Model):
    """A capitalised word of the agreements and what it means there (C7)."""

    term = models.CharField(_("word"), max_length=80, unique=True)
    meaning = models.TextField(_("meaning"), max_length=2000)
    source = models.CharField(_("source"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("glossary entry")

    def __str__(self) -> str:
        return self.term
