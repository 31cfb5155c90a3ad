"""WHO: organisations, their sites, people, memberships with roles, invitations, tokens, the audit trail."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length, Lower, Upper
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.roles import OrganisationKind, Permission, Role, permissions_of

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager

models.CharField.register_lookup(Length)
models.CharField.register_lookup(Upper)

country_code = RegexValidator(r"^[A-Z]{2}$", _("Enter a two-letter country code."))


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def visible_to(self, user: "User") -> Self:
        """Staff see all; an end user its own; a partner its own and the customers it registered contracts for."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.PEOPLE_VIEW_ALL):
            return self
        return self.filter(Q(pk=acting.organisation_id) | Q(registered_by=acting.organisation_id)).distinct()


class Organisation(models.Model):
    """A company: an end user of custom software, a partner that resells support (C8, C9), or the vendor."""

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=OrganisationKind.choices)
    address = models.TextField(_("address"), max_length=500, blank=True)
    country = models.CharField(_("country"), max_length=2, validators=[country_code])
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    is_qualified = models.BooleanField(
        _("qualified end user"), default=True, help_text=_("Bought for internal use only (C8).")
    )
    registered_by = models.ManyToManyField(
        "self",
        verbose_name=_("partners"),
        symmetrical=False,
        blank=True,
        related_name="customers",
        help_text=_("Partners that may name this organisation as their end user (C9)."),
    )
    created_at = models.DateTimeField(_("created"))

    objects = OrganisationQuerySet.as_manager()

    if TYPE_CHECKING:
        sites: RelatedManager["Site"]
        memberships: RelatedManager["Membership"]

    class Meta:
        verbose_name = _("organisation")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=OrganisationKind.values), name="accounts_organisation_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(country__regex=r"^[A-Z]{2}$"), name="accounts_organisation_country_is_two_letters"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_vendor(self) -> bool:
        return self.kind == OrganisationKind.VENDOR

    @property
    def is_partner(self) -> bool:
        return self.kind in (OrganisationKind.RESELLER, OrganisationKind.DISTRIBUTOR)


class SiteQuerySet(models.QuerySet["Site"]):
    def visible_to(self, user: "User") -> Self:
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.PEOPLE_VIEW_ALL):
            return self
        return self.filter(organisation_id=acting.organisation_id)


class Site(models.Model):
    """A place of an organisation, where a case happens: its country decides export control and holidays."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="sites")
    name = models.CharField(_("name"), max_length=120)
    country = models.CharField(_("country"), max_length=2, validators=[country_code])
    subdivision = models.CharField(_("state or province"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64)
    telephone = models.CharField(_("telephone"), max_length=40, blank=True)

    objects = SiteQuerySet.as_manager()

    class Meta:
        verbose_name = _("site")
        constraints = [
            models.UniqueConstraint(
                "organisation", Lower("name"), name="accounts_site_name_is_unique_in_its_organisation"
            ),
            models.CheckConstraint(
                condition=Q(country__regex=r"^[A-Z]{2}$"), name="accounts_site_country_is_two_letters"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username or "")


class User(AbstractBaseUser):
    """A real person (no shared aliases). What the person may do hangs on the memberships, not on this row."""

    email = models.EmailField(_("mail address"), max_length=254)
    name = models.CharField(_("name"), max_length=120)
    language = models.CharField(
        _("language"), max_length=8, blank=True, help_text=_("Empty: as the browser asks.")
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    telephone = models.CharField(_("telephone"), max_length=40, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    theme = models.CharField(_("appearance"), max_length=10, blank=True)
    has_shortcuts = models.BooleanField(_("single-key shortcuts"), default=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_superuser = models.BooleanField(_("superuser"), default=False)
    # part of every session's digest: counting up ends all of the person's sessions, known or not
    session_epoch = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(_("created"))

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    objects: ClassVar[UserManager] = UserManager()

    # The membership the person acts in now; set by ActingMiddleware or by the token, never stored here.
    acting: "Membership | None" = None
    # all memberships that have not ended, loaded with it
    own_memberships: "Sequence[Membership]" = ()

    if TYPE_CHECKING:
        memberships: RelatedManager["Membership"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_is_unique_in_any_case"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def can(self, permission: Permission) -> bool:
        """Whether the person may do this in the membership they act in. Says nothing about rows."""
        return self.acting is not None and permission in self.acting.permissions

    @property
    def is_vendor_staff(self) -> bool:
        return self.acting is not None and self.acting.organisation.is_vendor

    @property
    def is_staff(self) -> bool:
        """Only superusers enter `/admin/`, which is read-only."""
        return self.is_superuser

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        value = f"{self.password}:{self.session_epoch}"
        return str(salted_hmac("accounts.User.session", value, secret=secret, algorithm="sha256").hexdigest())

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_superuser

    def get_full_name(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self) -> Self:
        return self.filter(ended_at__isnull=True, user__is_active=True)

    def with_role(self, role: Role) -> Self:
        return self.filter(roles__contains=[role])

    def of_organisation(self, organisation: Organisation) -> Self:
        return self.filter(organisation=organisation)

    def visible_to(self, user: "User") -> Self:
        """Staff see every person; everybody else the colleagues of the organisation they act in."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.PEOPLE_VIEW_ALL):
            return self
        return self.filter(organisation_id=acting.organisation_id)

    def locked(self, pk: int) -> "Membership":
        # no_key: rows that point here may still be written, or an ending would deadlock with a case under change
        return (
            self.select_for_update(of=("self",), no_key=True)
            .select_related("user", "organisation")
            .get(pk=pk)
        )


class Membership(models.Model):
    """One person in one organisation, with roles there. Tokens, sessions and ownership belong to it."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    roles = ArrayField(models.CharField(max_length=30, choices=Role.choices), verbose_name=_("roles"))
    started_at = models.DateTimeField(_("since"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_reason = models.CharField(_("reason"), max_length=200, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation"],
                condition=Q(ended_at__isnull=True),
                name="accounts_membership_is_one_at_a_time_per_organisation",
            ),
            models.CheckConstraint(
                condition=Q(roles__contained_by=[r.value for r in Role]) & Q(roles__len__gt=0),
                name="accounts_membership_roles_are_known_and_not_empty",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
                name="accounts_membership_ends_after_it_starts",
            ),
        ]
        indexes = [
            # who of an organisation holds a role (technical contacts, people to tell)
            GinIndex(fields=["roles"], name="membership_roles"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.organisation})"

    @property
    def permissions(self) -> frozenset[Permission]:
        return permissions_of(self.roles)

    @property
    def is_active(self) -> bool:
        return self.ended_at is None and self.user.is_active

    @property
    def role_labels(self) -> list[str]:
        return [str(Role(role).label) for role in self.roles]

    def has_role(self, role: Role) -> bool:
        return role in self.roles


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open_at(self, now: datetime) -> Self:
        return self.filter(accepted_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now)

    def visible_to(self, user: "User") -> Self:
        if user.acting is None or not user.can(Permission.PEOPLE_MANAGE):
            return self.none()
        if user.can(Permission.PEOPLE_VIEW_ALL):
            return self
        return self.filter(organisation_id=user.acting.organisation_id)


class Invitation(models.Model):
    """A way in for one address, once, for a time. The link's token is stored as a digest only."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField(_("mail address"), max_length=254)
    name = models.CharField(_("name"), max_length=120)
    roles = ArrayField(models.CharField(max_length=30, choices=Role.choices), verbose_name=_("roles"))
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        constraints = [
            models.UniqueConstraint(
                "organisation",
                Lower("email"),
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="accounts_invitation_is_one_open_per_address",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="accounts_invitation_expires_after_creation"
            ),
        ]

    def __str__(self) -> str:
        return self.email


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable_at(self, now: datetime) -> Self:
        return self.filter(
            revoked_at__isnull=True,
            expires_at__gt=now,
            membership__ended_at__isnull=True,
            membership__user__is_active=True,
        )

    def visible_to(self, user: "User") -> Self:
        return self.none() if user.acting is None else self.filter(membership=user.acting)


class ApiToken(models.Model):
    """A personal token for `/api/v1/`: shown once, stored as a digest, ends with its membership."""

    class Scope(models.TextChoices):
        READ = "read", _("Read only")
        WRITE = "write", _("Read and write")

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(_("name"), max_length=80)
    scope = models.CharField(_("scope"), max_length=10, choices=Scope.choices, default=Scope.READ)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("token")
        constraints = [
            models.CheckConstraint(
                condition=Q(scope__in=["read", "write"]), name="accounts_apitoken_scope_is_known"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="accounts_apitoken_expires_after_creation"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExcludedCountryQuerySet(models.QuerySet["ExcludedCountry"]):
    def in_force_on(self, day: Any) -> Self:
        return self.filter(Q(to_on__isnull=True) | Q(to_on__gt=day), from_on__lte=day)


class ExcludedCountry(models.Model):
    """A dated row of export control (C63): no service in or from this country while it is in force."""

    country = models.CharField(_("country"), max_length=2, validators=[country_code])
    group = models.CharField(_("group"), max_length=40)
    source = models.CharField(_("source"), max_length=200)
    from_on = models.DateField(_("from"))
    to_on = models.DateField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason for ending"), max_length=200, blank=True)

    objects = ExcludedCountryQuerySet.as_manager()

    class Meta:
        verbose_name = _("excluded country")
        verbose_name_plural = _("excluded countries")
        constraints = [
            models.CheckConstraint(
                condition=Q(to_on__isnull=True) | Q(to_on__gt=F("from_on")),
                name="accounts_excludedcountry_ends_after_it_starts",
            ),
            models.UniqueConstraint(
                fields=["country"],
                condition=Q(to_on__isnull=True),
                name="accounts_excludedcountry_is_open_once_per_country",
            ),
        ]

    def __str__(self) -> str:
        return self.country


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def visible_to(self, user: "User") -> Self:
        return self if user.can(Permission.AUDIT_VIEW) else self.none()


class AuditEntry(models.Model):
    """Who did what to whom. Append-only by trigger; no foreign keys, so that nothing can take a row along."""

    at = models.DateTimeField(_("at"))
    action = models.CharField(_("action"), max_length=60)
    person_id = models.BigIntegerField(null=True)
    person = models.CharField(_("person"), max_length=254)
    organisation_id = models.BigIntegerField(null=True)
    subject = models.CharField(_("subject"), max_length=200)
    detail = models.JSONField(_("detail"), default=dict)
    address = models.GenericIPAddressField(_("from"), null=True, blank=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            # the audit page, newest first
            models.Index(F("at").desc(), F("id").desc(), name="audit_newest"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
