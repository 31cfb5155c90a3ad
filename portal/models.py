"""What belongs to the edge itself: answers kept for a day, so that the same POST twice is one act."""

from django.conf import settings
from django.db import models


class IdempotencyKey(models.Model):
    key = models.CharField(max_length=100)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    route = models.CharField(max_length=300)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "idempotency key"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "key"], name="portal_idempotencykey_is_used_once_per_person"
            ),
        ]
        indexes = [
            # forgetting what is older than a day
            models.Index(fields=["created_at"], name="idempotency_age"),
        ]

    def __str__(self) -> str:
        return self.key


class ApiRate(models.Model):
    """How often a person called the API in the minute that is named; one row a person, written by throttle.py."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    minute = models.DateTimeField()
    calls = models.PositiveIntegerField()

    class Meta:
        verbose_name = "API rate"

    def __str__(self) -> str:
        return f"{self.calls} at {self.minute:%H:%M}"
