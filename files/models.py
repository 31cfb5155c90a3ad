"""BYTES: one row per stored file. What a file is for, and so who may fetch it, is known by the app above."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, User
from files.storage import read_range


def storage_name(stored: "StoredFile", filename: str) -> str:
    """A name that says nothing: no part of it comes from the person who uploaded."""
    return f"{stored.created_at:%Y/%m}/{stored.id.hex}"


class StoredFileQuerySet(models.QuerySet["StoredFile"]):
    def visible_to(self, user: User) -> Self:
        """Own uploads only; what hangs on a case is reached through the case."""
        return self.none() if user.acting is None else self.filter(uploaded_by=user.acting)

    def waiting_for_scan(self, *, untouched_since: datetime) -> Self:
        """To be scanned, and by nobody just now: no runner has begun since then."""
        is_free = Q(scan_began_at=None) | Q(scan_began_at__lt=untouched_since)
        return self.filter(is_free, scan=StoredFile.Scan.PENDING)


class StoredFile(models.Model):
    """Bytes with their size and SHA-256, taken while they came in. Served as a download only."""

    class Scan(models.TextChoices):
        NOT_SCANNED = "not_scanned", _("Not scanned: no scanner is configured")
        PENDING = "pending", _("Being checked")
        CLEAN = "clean", _("Scanned, nothing found")
        QUARANTINED = "quarantined", _("Quarantined")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=200)
    size = models.BigIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    content_type = models.CharField(
        _("type"),
        max_length=100,
        default="application/octet-stream",
        help_text=_("What its first bytes say it is. It is never served as that."),
    )
    declared_type = models.CharField(_("type that was claimed"), max_length=100, blank=True, default="")
    content = models.FileField(upload_to=storage_name, max_length=200)
    scan = models.CharField(max_length=20, choices=Scan.choices, default=Scan.NOT_SCANNED)
    scan_began_at = models.DateTimeField(null=True, blank=True)
    scanned_at = models.DateTimeField(null=True, blank=True)
    scan_finding = models.CharField(_("what the scanner found"), max_length=200, blank=True, default="")
    uploaded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file")
        indexes = [
            # what the scanner asks every few seconds
            models.Index(fields=["created_at", "id"], condition=Q(scan="pending"), name="files_to_scan"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(size__gte=0), name="files_storedfile_size_is_not_negative"),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="files_storedfile_sha256_is_64_hex_digits"
            ),
            models.CheckConstraint(
                condition=Q(scan__in=["not_scanned", "pending", "clean", "quarantined"]),
                name="files_storedfile_scan_is_known",
            ),
            models.CheckConstraint(
                condition=Q(scan__in=["not_scanned", "pending"], scanned_at=None)
                | Q(scan__in=["clean", "quarantined"], scanned_at__isnull=False),
                name="files_storedfile_verdict_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_served(self) -> bool:
        """Whether it may be given out, as far as the scanner has a say."""
        return self.scan in (self.Scan.NOT_SCANNED, self.Scan.CLEAN)

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `stop`, a piece at a time."""
        return read_range(
            self.content.storage, str(self.content.name), start, self.size if stop is None else stop
        )


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: User) -> Self:
        """One's own, of the membership acted in."""
        return self.none() if user.acting is None else self.filter(owner=user.acting)


class Upload(models.Model):
    """A file on its way in, in as many requests as it takes (tus 1.0).

    The row lives until the form that the file was chosen for takes the file, or until it expires: a file that
    still has one is nobody's but the uploader's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=200)
    declared_type = models.CharField(max_length=100, blank=True, default="")
    length = models.BigIntegerField(_("size"))
    offset = models.BigIntegerField(
        default=0, help_text=_("So many bytes are safely on the disk; the part file may hold more.")
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    stored = models.OneToOneField(
        StoredFile, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("upload")
        indexes = [
            # the expiry job; and, by the foreign key's own index, how many a person has
            models.Index(fields=["expires_at", "id"], name="files_upload_expiry"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(length__gt=0), name="files_upload_length_is_positive"),
            models.CheckConstraint(
                condition=Q(offset__gte=0, offset__lte=F("length")),
                name="files_upload_offset_is_within_length",
            ),
            models.CheckConstraint(
                condition=Q(stored=None) | Q(offset=F("length")), name="files_upload_stored_is_complete"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="files_upload_expires_after_it_began"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_complete(self) -> bool:
        return self.offset == self.length
