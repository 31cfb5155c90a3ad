"""Custom software, release lines, releases with their files, defects, and acceptance."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Organisation, User
from accounts.roles import Permission
from contracts.kinds import AcceptedBy, ReleaseKind, ReleaseState, SoftwareKind
from files.models import StoredFile

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class SoftwareQuerySet(models.QuerySet["Software"]):
    def visible_to(self, user: User) -> Self:
        """Staff see all; an end user what was made for it; a partner what its customers have contracts for."""
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self
        if acting.organisation.is_partner:
            return self.filter(end_users__registered_by=acting.organisation_id).distinct()
        return self.filter(end_users=acting.organisation_id)


class Software(models.Model):
    """Custom software: designed, developed and tested by Professional Services under an SOW (C2, C18)."""

    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(_("description"), max_length=4000, blank=True)
    sow_reference = models.CharField(_("statement of work"), max_length=60)
    deliverable = models.CharField(_("deliverable"), max_length=200)
    kind = models.CharField(
        _("kind"), max_length=30, choices=SoftwareKind.choices, default=SoftwareKind.SUPPORTED
    )
    end_users = models.ManyToManyField(Organisation, related_name="software", verbose_name=_("made for"))
    licence = models.ForeignKey(
        "contracts.GoverningDocument", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()

    objects = SoftwareQuerySet.as_manager()

    if TYPE_CHECKING:
        lines: RelatedManager["ReleaseLine"]
        releases: RelatedManager["Release"]

    class Meta:
        verbose_name = _("software")
        verbose_name_plural = _("software")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=SoftwareKind.values), name="contracts_software_kind_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(sow_reference="") & ~Q(deliverable=""),
                name="contracts_software_names_its_sow_and_deliverable",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ReleaseLine(models.Model):
    """A line along which patches and updates move, such as 21.4R3."""

    software = models.ForeignKey(Software, on_delete=models.PROTECT, related_name="lines")
    name = models.CharField(_("line"), max_length=40)

    if TYPE_CHECKING:
        releases: RelatedManager["Release"]

    class Meta:
        verbose_name = _("release line")
        constraints = [
            models.UniqueConstraint(
                fields=["software", "name"], name="contracts_releaseline_name_is_unique_in_its_software"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Defect(models.Model):
    """A fault of the software; a patch names the one it fixes (C36)."""

    software = models.ForeignKey(Software, on_delete=models.PROTECT, related_name="defects")
    number = models.CharField(_("number"), max_length=20, unique=True)
    title = models.CharField(_("title"), max_length=200)
    workaround = models.TextField(_("workaround"), max_length=4000, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("defect")

    def __str__(self) -> str:
        return self.number


class ReleaseQuerySet(models.QuerySet["Release"]):
    def published(self) -> Self:
        return self.filter(state=ReleaseState.PUBLISHED)

    def visible_to(self, user: User) -> Self:
        """Those who may draft see drafts too; everybody else what is published of software they see."""
        rows = self.filter(software__in=Software.objects.visible_to(user))
        if user.can(Permission.RELEASE_DRAFT):
            return rows
        return rows.exclude(state=ReleaseState.DRAFT)


class Release(models.Model):
    """A specific code release (C42): a release, patch, update or upgrade of one software, on one line."""

    software = models.ForeignKey(Software, on_delete=models.PROTECT, related_name="releases")
    line = models.ForeignKey(ReleaseLine, on_delete=models.PROTECT, related_name="releases")
    version = models.CharField(_("version"), max_length=64)
    # from contracts.versions.sort_key, so that 10.2 comes before 10.10
    sort_key = models.CharField(max_length=400, editable=False, db_collation="C")
    kind = models.CharField(_("kind"), max_length=10, choices=ReleaseKind.choices)
    state = models.CharField(
        _("state"), max_length=10, choices=ReleaseState.choices, default=ReleaseState.DRAFT
    )
    fixes = models.ForeignKey(
        Defect,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="fixed_by",
        verbose_name=_("fixes"),
    )
    applies_to = models.ManyToManyField(
        "self", symmetrical=False, blank=True, related_name="fixes_available", verbose_name=_("applies to")
    )
    contains = models.ManyToManyField(
        "self", symmetrical=False, blank=True, related_name="contained_in", verbose_name=_("contains")
    )
    has_no_new_features = models.BooleanField(_("no new features"), default=False)
    # of an update: the base component, such as a library, that it replaces (C37)
    component = models.CharField(_("base component"), max_length=120, blank=True)
    notes = models.TextField(_("release notes"), max_length=20000, blank=True)
    language = models.CharField(_("language of the notes"), max_length=10, default="en")
    language_reason = models.CharField(_("why not in English"), max_length=400, blank=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    published_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        Membership, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_reason = models.CharField(_("reason"), max_length=400, blank=True)
    # which licence governs what is delivered with it (C5); empty: the software's
    licence = models.ForeignKey(
        "contracts.GoverningDocument", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()

    objects = ReleaseQuerySet.as_manager()

    if TYPE_CHECKING:
        files: RelatedManager["ReleaseFile"]
        components: RelatedManager["Component"]

    class Meta:
        verbose_name = _("release")
        constraints = [
            models.UniqueConstraint(
                fields=["software", "version"], name="contracts_release_version_is_unique_in_its_software"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ReleaseKind.values), name="contracts_release_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ReleaseState.values), name="contracts_release_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state=ReleaseState.DRAFT)
                | Q(published_at__isnull=False, published_by__isnull=False),
                name="contracts_release_published_names_when_and_by_whom",
            ),
            models.CheckConstraint(
                condition=~Q(kind=ReleaseKind.PATCH) | Q(fixes__isnull=False) | Q(state=ReleaseState.DRAFT),
                name="contracts_release_published_patch_names_its_defect",
            ),
            models.CheckConstraint(
                condition=~Q(kind=ReleaseKind.UPDATE)
                | Q(has_no_new_features=True)
                | Q(state=ReleaseState.DRAFT),
                name="contracts_release_published_update_has_no_new_features",
            ),
            models.CheckConstraint(
                condition=~Q(state=ReleaseState.WITHDRAWN)
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_reason="")),
                name="contracts_release_withdrawn_names_when_and_why",
            ),
            models.CheckConstraint(
                condition=Q(language="en") | ~Q(language_reason=""),
                name="contracts_release_notes_are_english_or_say_why",
                violation_error_message=_("Release notes are in English unless there is a reason (C67)."),
            ),
        ]
        indexes = [
            # releases of a software, newest version first
            models.Index(F("software"), F("sort_key").desc(), name="release_by_version"),
        ]

    def __str__(self) -> str:
        return self.version

    @property
    def subject(self) -> str:
        """How messages name this release."""
        return f"release:{self.pk}"


class ReleaseFile(models.Model):
    """One line of a release's manifest: how a customer shows that the accepted version is unmodified (C42)."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(_("path"), max_length=300)
    size = models.BigIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    is_fixed = models.BooleanField(_("fixed"), default=True, help_text=_("Off: edited at the site."))
    stored = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("release file")
        constraints = [
            models.UniqueConstraint(
                fields=["release", "path"], name="contracts_releasefile_path_is_unique_in_its_release"
            ),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
                name="contracts_releasefile_sha256_is_64_hex_digits",
            ),
            models.CheckConstraint(
                condition=Q(size__gte=0), name="contracts_releasefile_size_is_not_negative"
            ),
            models.CheckConstraint(
                # relative, forward slashes only, no way out of its folder, no control characters
                condition=Q(path__regex=r"^(?!/)(?!.*[[:cntrl:]\\])(?!(.*/)?\.{0,2}(/|$)).+$"),
                name="contracts_releasefile_path_stays_inside_its_folder",
            ),
        ]

    def __str__(self) -> str:
        return self.path


class Component(models.Model):
    """A third-party component inside a release: no case is owed about it (C70), though an update may carry one."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="components")
    name = models.CharField(_("component"), max_length=120)
    version = models.CharField(_("version"), max_length=64)
    licence = models.CharField(_("licence"), max_length=120)

    class Meta:
        verbose_name = _("third-party component")
        constraints = [
            models.UniqueConstraint(
                fields=["release", "name", "version"], name="contracts_component_is_listed_once_per_release"
            ),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(version="") & ~Q(licence=""),
                name="contracts_component_names_version_and_licence",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class AcceptanceQuerySet(models.QuerySet["Acceptance"]):
    def current(self) -> Self:
        return self.filter(superseded_at__isnull=True)

    def visible_to(self, user: User) -> Self:
        acting = user.acting
        if acting is None:
            return self.none()
        if user.can(Permission.CONTRACT_VIEW_ALL):
            return self
        return self.filter(organisation_id=acting.organisation_id)


class Acceptance(models.Model):
    """An end user accepted a release (C34, C42). One is current on a line; earlier ones stay as history."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="acceptances")
    software = models.ForeignKey(Software, on_delete=models.PROTECT, related_name="acceptances")
    line = models.ForeignKey(ReleaseLine, on_delete=models.PROTECT, related_name="acceptances")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="acceptances")
    accepted_at = models.DateTimeField(_("accepted"))
    accepted_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    superseded_at = models.DateTimeField(_("superseded"), null=True, blank=True)
    means = models.CharField(
        _("how"), max_length=12, choices=AcceptedBy.choices, default=AcceptedBy.DECLARATION
    )
    # of the files that were accepted: how many, and the SHA-256 over the manifest as `sha256sum` writes it
    file_count = models.PositiveIntegerField(_("files"), default=0)
    manifest_sha256 = models.CharField(max_length=64, blank=True)

    objects = AcceptanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("acceptance")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "line"],
                condition=Q(superseded_at__isnull=True),
                name="contracts_acceptance_is_current_once_per_line",
            ),
            models.UniqueConstraint(
                fields=["organisation", "release"], name="contracts_acceptance_of_a_release_is_once"
            ),
            models.CheckConstraint(
                condition=Q(superseded_at__isnull=True) | Q(superseded_at__gte=F("accepted_at")),
                name="contracts_acceptance_superseded_after_accepted",
            ),
            models.CheckConstraint(
                condition=Q(means__in=AcceptedBy.values), name="contracts_acceptance_means_is_known"
            ),
            models.CheckConstraint(
                condition=Q(manifest_sha256="") | Q(manifest_sha256__regex=r"^[0-9a-f]{64}$"),
                name="contracts_acceptance_manifest_is_64_hex_digits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} {self.release}"
