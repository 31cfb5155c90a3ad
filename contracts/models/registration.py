"""What a partner hands in beside single contracts: new end users, and files with many rows."""

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts.kinds import ImportState, RequestState, RowVerdict
from contracts.models.contract import ServiceContract
from files.models import StoredFile


class EndUserRequestQuerySet(models.QuerySet["EndUserRequest"]):
    def visible_to(self, user: User) -> Self:
        """Staff who see every contract, the partner that named the end user, and the end user itself."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self
        return self.filter(Q(partner_id=acting.organisation_id) | Q(organisation_id=acting.organisation_id))

    def waiting(self) -> Self:
        return self.filter(state=RequestState.WAITING)

    def locked(self, pk: int) -> "EndUserRequest":
        return self.select_for_update(of=("self",)).get(pk=pk)

    def to_be_confirmed_by(self, user: User) -> Self:
        """Taken on, and waiting for this person, the contact that was named, to confirm name and address."""
        if user.acting is None:
            return self.none()
        return self.filter(
            organisation_id=user.acting.organisation_id,
            contact_email__iexact=user.email,
            state=RequestState.TAKEN_ON,
            confirmed_at=None,
        )


class EndUserRequest(models.Model):
    """A partner names an end user that the portal does not know; staff look whether it is a duplicate (C8, C9).

    The organisation exists from the start, not yet qualified, so that contracts can wait on it. Taken on, its
    contact is invited, confirms name and address, and becomes its first account manager. Found to be a duplicate,
    what waits moves to the other organisation."""

    organisation = models.OneToOneField(
        Organisation, on_delete=models.PROTECT, related_name="end_user_request", verbose_name=_("end user")
    )
    partner = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="end_user_requests", verbose_name=_("partner")
    )
    contact_name = models.CharField(_("contact's name"), max_length=120)
    contact_email = models.EmailField(_("contact's mail address"), max_length=254)
    requested_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("asked"))
    state = models.CharField(
        _("state"), max_length=10, choices=RequestState.choices, default=RequestState.WAITING
    )
    decided_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=400, blank=True)
    duplicate_of = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(_("confirmed by the contact"), null=True, blank=True)
    confirmed_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = EndUserRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("new end user")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RequestState.values), name="contracts_enduserrequest_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state=RequestState.WAITING)
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="contracts_enduserrequest_decided_names_when_and_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="contracts_enduserrequest_is_not_decided_by_who_asked",
            ),
            models.CheckConstraint(
                condition=~Q(state=RequestState.REFUSED) | ~Q(reason=""),
                name="contracts_enduserrequest_refusal_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state=RequestState.DUPLICATE) | Q(duplicate_of__isnull=False),
                name="contracts_enduserrequest_duplicate_names_the_other",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False, state=RequestState.TAKEN_ON),
                name="contracts_enduserrequest_confirmed_names_when_and_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return str(self.organisation)


class ContractImportQuerySet(models.QuerySet["ContractImport"]):
    def visible_to(self, user: User) -> Self:
        """One's own organisation's imports; administrators see all."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_APPROVE):
            return self
        return self.filter(imported_by__organisation_id=acting.organisation_id)


class ContractImport(models.Model):
    """A CSV file with contracts to register: checked first, row by row; the good rows go in when asked to."""

    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    imported_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("uploaded"))
    state = models.CharField(
        _("state"), max_length=10, choices=ImportState.choices, default=ImportState.CHECKING
    )
    rows_total = models.PositiveIntegerField(_("rows"), default=0)
    rows_done = models.PositiveIntegerField(_("rows dealt with"), default=0)
    # why the file as a whole cannot be read
    error = models.CharField(_("error"), max_length=400, blank=True)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = ContractImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("contract import")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ImportState.values), name="contracts_contractimport_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(rows_done__lte=F("rows_total")),
                name="contracts_contractimport_deals_with_no_more_than_its_rows",
            ),
        ]

    def __str__(self) -> str:
        return str(self.file)


class ContractImportRow(models.Model):
    """One row of the file, as written, with its verdict: in the dry run, and after the import."""

    import_run = models.ForeignKey(ContractImport, on_delete=models.CASCADE, related_name="rows")
    line_number = models.PositiveIntegerField(_("line"))
    values = models.JSONField()
    verdict = models.CharField(_("verdict"), max_length=12, choices=RowVerdict.choices)
    field = models.CharField(_("column"), max_length=40, blank=True)
    message = models.CharField(_("message"), max_length=400, blank=True)
    contract = models.ForeignKey(
        ServiceContract, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("row of an import")
        constraints = [
            models.UniqueConstraint(
                fields=["import_run", "line_number"], name="contracts_contractimportrow_line_is_once"
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=RowVerdict.values),
                name="contracts_contractimportrow_verdict_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(verdict=RowVerdict.BAD) | ~Q(message=""),
                name="contracts_contractimportrow_bad_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(verdict=RowVerdict.REGISTERED) | Q(contract__isnull=False),
                name="contracts_contractimportrow_registered_names_its_contract",
            ),
        ]

    def __str__(self) -> str:
        return str(self.line_number)
