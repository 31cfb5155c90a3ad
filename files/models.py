"""BYTES: one row per stored file. What a file is for, and so who may fetch it, is known by the app above."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, User


def storage_name(stored: "StoredFile", filename: str) -> str:
    """A name that says nothing: no part of it comes from the person who uploaded."""
    return f"{stored.created_at:%Y/%m}/{stored.id.hex}"


class StoredFileQuerySet(models.QuerySet["StoredFile"]):
    def visible_to(self, user: User) -> Self:
        """Own uploads only; what hangs on a case is reached through the case."""
        return self.none() if user.acting is None else self.filter(uploaded_by=user.acting)


class StoredFile(models.Model):
    """Bytes with their size and SHA-256, taken while they came in. Served as a download only."""

    class Scan(models.TextChoices):
        NOT_SCANNED = "not_scanned", _("Not scanned: no scanner is configured")
        CLEAN = "clean", _("Scanned, nothing found")
        QUARANTINED = "quarantined", _("Quarantined")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=200)
    size = models.BigIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    content_type = models.CharField(_("type"), max_length=100, default="application/octet-stream")
    content = models.FileField(upload_to=storage_name, max_length=200)
    scan = models.CharField(max_length=20, choices=Scan.choices, default=Scan.NOT_SCANNED)
    uploaded_by = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("file")
        constraints = [
            models.CheckConstraint(condition=Q(size__gte=0), name="files_storedfile_size_is_not_negative"),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="files_storedfile_sha256_is_64_hex_digits"
            ),
            models.CheckConstraint(
                condition=Q(scan__in=["not_scanned", "clean", "quarantined"]),
                name="files_storedfile_scan_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name
