"""What the API says about cases, and what it takes. Checks of rows and rules stand in the actions."""

from typing import Any, Final

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Membership, Organisation, Site, User
from accounts.roles import Permission
from cases.actions import EscalationReason
from cases.forms import MAX_BODY, MAX_DESCRIPTION, MAX_FILES, MAX_WATCHERS, no_control_characters
from cases.models import Attachment, Case, CaseEvent
from cases.workflow import CaseState, Environment, FollowUp
from contracts.models import Release, Software
from entitlements.kinds import Priority

MAX_REASON: Final = 400
OPEN: Final = "open"
# what an entry tells staff only
_FOR_STAFF: Final = ("people", "rung", "is_early")


class Text(serializers.CharField):
    """Text that can be shown and searched; tabs and line breaks are its only control characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(no_control_characters)


class PersonSerializer(serializers.Serializer[Membership]):
    """Somebody in an organisation; `id` is the membership."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField(source="user.name")


class OrganisationNameSerializer(serializers.ModelSerializer[Organisation]):
    class Meta:
        model = Organisation
        fields = ["slug", "name"]


class SiteNameSerializer(serializers.ModelSerializer[Site]):
    class Meta:
        model = Site
        fields = ["id", "name", "country", "time_zone"]


class CaseRowSerializer(serializers.ModelSerializer[Case]):
    """A case in a list. Targets are targets, never guarantees (C15, C74)."""

    organisation = OrganisationNameSerializer()
    site = SiteNameSerializer()
    software = serializers.CharField(source="software.slug")
    release = serializers.CharField(source="release.version")
    contact = PersonSerializer()
    owner = PersonSerializer(allow_null=True)

    class Meta:
        model = Case
        fields = [
            "number", "version", "state", "priority", "synopsis", "customer_reference", "organisation", "site",
            "software", "release", "environment", "channel", "contact", "owner", "pending_reason",
            "is_restricted", "opened_at", "updated_at", "first_response_due_at", "first_responded_at",
            "update_due_at", "next_deadline_at", "restored_at", "closed_at",
        ]  # fmt: skip


class CaseSerializer(CaseRowSerializer):
    """A case with its texts, and the entitlement decision that was taken when it was opened."""

    contract = serializers.CharField(source="contract.number")
    decision = serializers.JSONField(source="decision.answer")
    opened_by = PersonSerializer()
    backup_confirmed_by = PersonSerializer()

    class Meta(CaseRowSerializer.Meta):
        fields = [
            *CaseRowSerializer.Meta.fields,
            "description", "activity", "access", "follow_up", "opened_by", "backup_confirmed_at",
            "backup_confirmed_by", "contract", "decision", "proposed_at", "resolution", "cause",
        ]  # fmt: skip


class AttachmentSerializer(serializers.ModelSerializer[Attachment]):
    """A file; its SHA-256 was taken while it came in."""

    name = serializers.CharField(source="stored.name")
    size = serializers.IntegerField(source="stored.size")
    sha256 = serializers.CharField(source="stored.sha256")
    scan = serializers.CharField(source="stored.scan")

    class Meta:
        model = Attachment
        fields = ["id", "name", "size", "sha256", "scan"]


class EventSerializer(serializers.ModelSerializer[CaseEvent]):
    """An entry of the timeline. `detail` depends on the kind; a change of state has `from` and `to` there."""

    by = PersonSerializer(allow_null=True)
    attachments = AttachmentSerializer(many=True)
    detail = serializers.SerializerMethodField()

    class Meta:
        model = CaseEvent
        fields = ["id", "kind", "at", "by", "is_internal", "body", "detail", "attachments"]

    @extend_schema_field(serializers.DictField())
    def get_detail(self, event: CaseEvent) -> dict[str, Any]:
        if self.context["person"].can(Permission.CASE_VIEW_ALL):
            return dict(event.detail)
        return {name: value for name, value in event.detail.items() if name not in _FOR_STAFF}


class FilterSerializer(serializers.Serializer[Any]):
    """Which cases. Several values of `state` or `priority` mean any of them; `state=open` all but the closed."""

    number = serializers.CharField(required=False, max_length=40, help_text="With dashes or without (C30).")
    reference = serializers.CharField(required=False, max_length=80, help_text="The customer's own (C31).")
    q = serializers.CharField(required=False, max_length=10_000, help_text="Words, phrases, identifiers.")
    state = serializers.MultipleChoiceField(required=False, choices=[OPEN, *CaseState.values])
    priority = serializers.MultipleChoiceField(required=False, choices=Priority.values)
    software = serializers.SlugField(required=False, max_length=60)
    updated_since = serializers.DateTimeField(required=False)


class CaseNewSerializer(serializers.Serializer[Case]):
    """What opening a case asks for (C27). `organisation` is for staff, who enter calls."""

    organisation = serializers.SlugRelatedField(
        slug_field="slug", queryset=Organisation.objects.none(), required=False
    )
    contact = serializers.PrimaryKeyRelatedField(queryset=Membership.objects.none(), required=False)
    site = serializers.PrimaryKeyRelatedField(queryset=Site.objects.none())
    software = serializers.SlugRelatedField(slug_field="slug", queryset=Software.objects.none())
    release = serializers.CharField(max_length=64, help_text="The version that runs.")
    synopsis = Text(max_length=160)
    description = Text(max_length=MAX_DESCRIPTION)
    activity = Text(max_length=4000, required=False, allow_blank=True)
    access = Text(max_length=2000, required=False, allow_blank=True)
    customer_reference = Text(max_length=80, required=False, allow_blank=True)
    environment = serializers.ChoiceField(choices=Environment.choices)
    priority = serializers.ChoiceField(choices=Priority.choices)
    follow_up = serializers.ChoiceField(choices=FollowUp.choices, default=FollowUp.FULL_MAIL)
    backup_confirmed = serializers.BooleanField(help_text="Data are protected and backed up (C54, C55).")
    is_restricted = serializers.BooleanField(default=False)
    watchers = serializers.PrimaryKeyRelatedField(
        queryset=Membership.objects.none(), many=True, required=False
    )

    def get_fields(self) -> dict[str, Any]:
        """Rows to choose from are those that the person may see; there are no others."""
        fields = super().get_fields()
        user: User | None = self.context.get("person")
        if user is not None:
            people = Membership.objects.visible_to(user).active().select_related("user", "organisation")
            rows = {
                "organisation": Organisation.objects.visible_to(user),
                "contact": people,
                "site": Site.objects.visible_to(user).select_related("organisation"),
                "software": Software.objects.visible_to(user),
            }
            for name, queryset in rows.items():
                fields[name].queryset = queryset  # type: ignore[attr-defined]
            fields["watchers"].child_relation.queryset = people  # type: ignore[attr-defined]
        return fields

    def validate_watchers(self, value: list[Membership]) -> list[Membership]:
        if len(value) > MAX_WATCHERS:
            raise serializers.ValidationError(_("At most %(limit)d people.") % {"limit": MAX_WATCHERS})
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user: User = self.context["person"]
        releases = Release.objects.visible_to(user).filter(software=attrs["software"])
        release = releases.filter(version=attrs["release"]).first()
        if release is None:
            raise serializers.ValidationError({"release": ["This software has no such release."]})
        organisation = attrs.get("organisation") or (user.acting.organisation if user.acting else None)
        return {**attrs, "release": release, "organisation": organisation}


class ReplySerializer(serializers.Serializer[Any]):
    body = Text(max_length=MAX_BODY)


class FilesSerializer(serializers.Serializer[Any]):
    """Files, with a word about them or without."""

    files = serializers.ListField(child=serializers.FileField(), min_length=1, max_length=MAX_FILES)
    body = Text(max_length=MAX_BODY, required=False, allow_blank=True, default="")


class AssignSerializer(serializers.Serializer[Any]):
    to = serializers.PrimaryKeyRelatedField(
        queryset=Membership.objects.none(), allow_null=True, help_text="A membership, or null for the queue."
    )

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        user: User | None = self.context.get("person")
        if user is not None:
            staff = Membership.objects.visible_to(user).active().select_related("user", "organisation")
            fields["to"].queryset = staff  # type: ignore[attr-defined]
        return fields


class StateSerializer(serializers.Serializer[Any]):
    to = serializers.ChoiceField(choices=CaseState.choices)
    reason = Text(max_length=200, required=False, allow_blank=True, default="")


class PrioritySerializer(serializers.Serializer[Any]):
    to = serializers.ChoiceField(choices=Priority.choices)
    reason = Text(max_length=MAX_REASON)


class ReasonSerializer(serializers.Serializer[Any]):
    reason = Text(max_length=MAX_REASON)


class EscalateSerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(choices=EscalationReason.choices)
    note = Text(max_length=MAX_REASON, required=False, allow_blank=True, default="")
