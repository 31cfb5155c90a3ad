"""What a refused customer may ask for: an exception, or a quote. And what a day's work or a country brings along."""

from datetime import date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts.models import Release, Software
from entitlements.kinds import CountryServiceKind, QuoteState, QuoteSubject, RequestState
from entitlements.models.decision import DecisionRecord
from entitlements.reasons import LABELS, MAY_BE_SET_ASIDE, Code


class ExceptionRequestQuerySet(models.QuerySet["ExceptionRequest"]):
    def visible_to(self, user: User) -> Self:
        """Staff see all; an end user its own. A partner none: they tell how somebody runs its software."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self
        return self.filter(organisation_id=acting.organisation_id)

    def undecided(self) -> Self:
        return self.filter(state__in=[RequestState.WAITING, RequestState.SECONDED])

    def in_force_at(self, at: datetime) -> Self:
        """Granted, and `at` (UTC) lies in `[starts_at, ends_at)`."""
        return self.filter(state=RequestState.GRANTED, starts_at__lte=at, ends_at__gt=at)

    def locked(self, pk: int) -> "ExceptionRequest":
        return self.select_for_update(of=("self",)).get(pk=pk)


class ExceptionRequest(models.Model):
    """An end user asks that reasons against it be set aside for a while (C43, C51).

    Granted by one CSC administrator and then by a second one, for `[starts_at, ends_at)`; the first one says until
    when, and whether the work is charged. No release: for every release of the software."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="exceptions", verbose_name=_("end user")
    )
    software = models.ForeignKey(
        Software, on_delete=models.PROTECT, related_name="+", verbose_name=_("software")
    )
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("release")
    )
    codes = ArrayField(models.CharField(max_length=40), verbose_name=_("reasons to set aside"))
    reason = models.TextField(_("why"), max_length=4000)
    decision = models.ForeignKey(DecisionRecord, on_delete=models.PROTECT, related_name="exceptions")
    asked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("asked"))
    state = models.CharField(
        _("state"), max_length=10, choices=RequestState.choices, default=RequestState.WAITING
    )
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    is_chargeable = models.BooleanField(_("chargeable"), default=True)
    grounds = models.CharField(_("reason of the grant"), max_length=400, blank=True)
    first_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    first_at = models.DateTimeField(null=True, blank=True)
    second_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    second_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closing_reason = models.CharField(_("reason"), max_length=400, blank=True)

    objects = ExceptionRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request for an exception")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RequestState.values),
                name="entitlements_exceptionrequest_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(codes__len__gt=0)
                & Q(codes__contained_by=sorted(code.value for code in MAY_BE_SET_ASIDE)),
                name="entitlements_exceptionrequest_codes_may_be_set_aside",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[RequestState.SECONDED, RequestState.GRANTED])
                | (Q(first_by__isnull=False, first_at__isnull=False, ends_at__isnull=False) & ~Q(grounds="")),
                name="entitlements_exceptionrequest_first_says_until_when",
            ),
            models.CheckConstraint(
                condition=~Q(state=RequestState.GRANTED)
                | Q(second_by__isnull=False, second_at__isnull=False, starts_at__isnull=False),
                name="entitlements_exceptionrequest_granted_by_two",
            ),
            models.CheckConstraint(
                condition=Q(second_by__isnull=True) | ~Q(second_by=F("first_by")),
                name="entitlements_exceptionrequest_second_is_another",
                violation_error_message=_("A second administrator decides, not the same one."),
            ),
            models.CheckConstraint(
                condition=(Q(first_by__isnull=True) | ~Q(first_by=F("asked_by")))
                & (Q(second_by__isnull=True) | ~Q(second_by=F("asked_by"))),
                name="entitlements_exceptionrequest_asker_decides_not",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="entitlements_exceptionrequest_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[RequestState.REFUSED, RequestState.WITHDRAWN])
                | Q(closed_by__isnull=False, closed_at__isnull=False),
                name="entitlements_exceptionrequest_closed_names_who",
            ),
            models.CheckConstraint(
                condition=~Q(state=RequestState.REFUSED) | ~Q(closing_reason=""),
                name="entitlements_exceptionrequest_refused_says_why",
            ),
        ]
        indexes = [
            # what a decision about an organisation sets aside
            models.Index(
                F("organisation"), F("ends_at"), name="exception_granted", condition=Q(state="granted")
            ),
            # the queue, newest first
            models.Index(F("asked_at").desc(), F("id").desc(), name="exception_newest"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"E-{self.pk}"

    @property
    def subject(self) -> str:
        """How messages name it."""
        return f"exception:{self.pk}"

    @property
    def last_day(self) -> date | None:
        """The last day on which it holds, where the end user is."""
        if self.ends_at is None:
            return None
        zone = ZoneInfo(self.organisation.time_zone)
        return (self.ends_at - timedelta(microseconds=1)).astimezone(zone).date()

    @property
    def is_undecided(self) -> bool:
        return self.state in (RequestState.WAITING, RequestState.SECONDED)

    @property
    def labels(self) -> list[str]:
        """The reasons to set aside, in the active language."""
        return [str(LABELS[Code(code)]) for code in self.codes]


class QuoteRequestQuerySet(models.QuerySet["QuoteRequest"]):
    def visible_to(self, user: User) -> Self:
        """Staff see all; an end user what concerns it; a partner what it asked for its customers."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self
        if acting.organisation.is_partner:
            return self.filter(asked_by__organisation_id=acting.organisation_id)
        return self.filter(organisation_id=acting.organisation_id)

    def undecided(self) -> Self:
        return self.filter(state=QuoteState.WAITING)

    def locked(self, pk: int) -> "QuoteRequest":
        return self.select_for_update(of=("self",)).get(pk=pk)


class QuoteRequest(models.Model):
    """What the service does not include is bought separately from Professional Services (C14, C39, C41, C51)."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="quotes", verbose_name=_("end user")
    )
    software = models.ForeignKey(
        Software,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("software"),
    )
    about = models.CharField(_("for"), max_length=20, choices=QuoteSubject.choices)
    text = models.TextField(_("what is needed"), max_length=4000)
    asked_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("asked"))
    state = models.CharField(
        _("state"), max_length=10, choices=QuoteState.choices, default=QuoteState.WAITING
    )
    amount = models.CharField(_("amount"), max_length=80, blank=True)
    valid_until_on = models.DateField(_("valid until"), null=True, blank=True)
    answer = models.TextField(_("answer"), max_length=4000, blank=True)
    answered_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    objects = QuoteRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request for a quote")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=QuoteState.values), name="entitlements_quoterequest_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(about__in=QuoteSubject.values), name="entitlements_quoterequest_subject_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=QuoteState.QUOTED) | (Q(valid_until_on__isnull=False) & ~Q(amount="")),
                name="entitlements_quoterequest_quoted_names_amount_and_day",
            ),
            models.CheckConstraint(
                condition=Q(state=QuoteState.WAITING)
                | Q(answered_by__isnull=False, answered_at__isnull=False),
                name="entitlements_quoterequest_answered_names_who",
            ),
            models.CheckConstraint(
                condition=~Q(state=QuoteState.DECLINED) | ~Q(answer=""),
                name="entitlements_quoterequest_declined_says_why",
            ),
        ]
        indexes = [
            # the queue, newest first
            models.Index(F("asked_at").desc(), F("id").desc(), name="quote_newest"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        return f"Q-{self.pk}"

    @property
    def subject(self) -> str:
        """How messages name it."""
        return f"quote:{self.pk}"


class RateQuerySet(models.QuerySet["Rate"]):
    def in_force_on(self, day: date) -> Self:
        """The rate of each currency on the day of the work (C51)."""
        return self.filter(in_force_from__lte=day).order_by("currency", "-in_force_from").distinct("currency")


class Rate(models.Model):
    """What an hour of chargeable work costs from a day on (C51). A later row takes over; none is ever changed."""

    currency = models.CharField(_("currency"), max_length=3)
    per_hour = models.DecimalField(_("per hour"), max_digits=10, decimal_places=2)
    in_force_from = models.DateField(_("in force from"))

    objects = RateQuerySet.as_manager()

    class Meta:
        verbose_name = _("rate")
        constraints = [
            models.UniqueConstraint(
                fields=["currency", "in_force_from"], name="entitlements_rate_is_once_per_currency_and_day"
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="entitlements_rate_currency_is_three_letters"
            ),
            models.CheckConstraint(condition=Q(per_hour__gt=0), name="entitlements_rate_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.per_hour}"


class CountryServiceQuerySet(models.QuerySet["CountryService"]):
    def missing_in(self, country: str, day: date) -> Self:
        """Rows that say what is not offered in `country` on that day; a row without a country is for all."""
        in_force = Q(until_on__isnull=True) | Q(until_on__gt=day)
        return self.filter(in_force, from_on__lte=day, country__in=[country.upper(), ""])


class CountryService(models.Model):
    """A service that is not offered in a country during `[from_on, until_on)` (C64). No country: nowhere."""

    service = models.CharField(_("service"), max_length=20, choices=CountryServiceKind.choices)
    country = models.CharField(_("country"), max_length=2, blank=True)
    from_on = models.DateField(_("from"))
    until_on = models.DateField(_("until"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=200)

    objects = CountryServiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("service not offered in a country")
        constraints = [
            models.CheckConstraint(
                condition=Q(service__in=CountryServiceKind.values),
                name="entitlements_countryservice_service_is_known",
            ),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gt=F("from_on")),
                name="entitlements_countryservice_ends_after_it_starts",
            ),
            models.UniqueConstraint(
                fields=["service", "country"],
                condition=Q(until_on__isnull=True),
                name="entitlements_countryservice_is_open_once_per_country",
            ),
            models.CheckConstraint(
                condition=~Q(source=""), name="entitlements_countryservice_names_its_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.country}"
