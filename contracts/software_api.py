"""`/api/v1/software/` and `/api/v1/releases/`: reading, manifests, and publishing by the same action as the page."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.models import User
from accounts.roles import Permission
from contracts import actions
from contracts.api import Conflict
from contracts.errors import ContractError, NotAllowed, WrongState
from contracts.integrity import manifest_digest
from contracts.kinds import ReleaseKind, ReleaseState
from contracts.models import Component, Release, ReleaseFile, Software


class SoftwareSerializer(serializers.ModelSerializer[Software]):
    licence = serializers.CharField(read_only=True, default=None)

    class Meta:
        model = Software
        fields = ("slug", "name", "description", "deliverable", "kind", "licence")
        read_only_fields = fields


class ComponentSerializer(serializers.ModelSerializer[Component]):
    class Meta:
        model = Component
        fields = ("name", "version", "licence")


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    software = serializers.CharField(source="software.slug", read_only=True)
    line = serializers.CharField(source="line.name", read_only=True)
    fixes = serializers.CharField(source="fixes.number", read_only=True, default=None)
    applies_to = serializers.SlugRelatedField[Release](many=True, read_only=True, slug_field="version")
    contains = serializers.SlugRelatedField[Release](many=True, read_only=True, slug_field="version")
    licence = serializers.CharField(read_only=True, default=None)
    components = ComponentSerializer(many=True, read_only=True)

    class Meta:
        model = Release
        fields = (
            "id",
            "software",
            "line",
            "version",
            "kind",
            "state",
            "fixes",
            "applies_to",
            "contains",
            "has_no_new_features",
            "component",
            "components",
            "licence",
            "language",
            "notes",
            "published_at",
            "withdrawn_at",
            "withdrawn_reason",
        )
        read_only_fields = fields


class FileSerializer(serializers.ModelSerializer[ReleaseFile]):
    class Meta:
        model = ReleaseFile
        fields = ("id", "path", "size", "sha256", "is_fixed")


class ManifestSerializer(serializers.Serializer[Any]):
    """The files of a release; `sha256` is over the whole manifest as `sha256sum` writes it."""

    sha256 = serializers.CharField()
    files = FileSerializer(many=True)


class PublishSerializer(serializers.Serializer[Any]):
    has_no_new_features = serializers.BooleanField(default=False, help_text="What an update confirms (C38).")


class SoftwareViewSet(ReadOnlyModelViewSet[Software]):
    """Software that the person may see, latest registered first."""

    serializer_class = SoftwareSerializer
    lookup_field = "slug"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    queryset = Software.objects.none()  # for the schema; every request starts from visible_to

    def get_queryset(self) -> QuerySet[Software]:
        user = self.request.user
        if not isinstance(user, User):
            return Software.objects.none()
        return Software.objects.visible_to(user).select_related("licence").order_by("-pk")


class ReleaseViewSet(ReadOnlyModelViewSet[Release]):
    """Releases that the person may see, latest drafted first."""

    serializer_class = ReleaseSerializer
    lookup_value_regex = "[0-9]{1,18}"
    queryset = Release.objects.none()  # for the schema; every request starts from visible_to

    def get_queryset(self) -> QuerySet[Release]:
        user = self.request.user
        if not isinstance(user, User):
            return Release.objects.none()
        releases: QuerySet[Release] = Release.objects.visible_to(user)
        if self.action == "list":
            releases = self._filtered(releases)
        return (
            releases.select_related("software", "line", "fixes", "licence")
            .prefetch_related("applies_to", "contains", "components")
            .order_by("-pk")
        )

    def _filtered(self, releases: QuerySet[Release]) -> QuerySet[Release]:
        for name, column, known in (
            ("software", "software__slug", None),
            ("kind", "kind", ReleaseKind.values),
            ("state", "state", ReleaseState.values),
        ):
            value = self.request.query_params.get(name)
            if value is None:
                continue
            if "\0" in value or (known is not None and value not in known):
                raise exceptions.ValidationError({name: [f"One of: {', '.join(known or ())}."]})
            releases = releases.filter(**{column: value})
        return releases

    @extend_schema(
        parameters=[
            OpenApiParameter("software", str),
            OpenApiParameter("kind", str, enum=ReleaseKind.values),
            OpenApiParameter("state", str, enum=ReleaseState.values),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(responses=ManifestSerializer)
    @action(detail=True, methods=["get"])
    def manifest(self, request: Request, pk: str) -> Response:
        files = list(self.get_object().files.order_by("path", "pk"))
        digest = manifest_digest((file.path, file.sha256) for file in files)
        return Response(ManifestSerializer({"sha256": digest, "files": files}).data)

    @extend_schema(request=PublishSerializer, responses=ReleaseSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        release, user = self.get_object(), request.user
        if not isinstance(user, User) or not user.can(Permission.RELEASE_PUBLISH):
            raise PermissionDenied
        asked = PublishSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            published = actions.publish_release(
                release=release, by=user, now=timezone.now(), **asked.validated_data
            )
        except NotAllowed as refusal:
            raise exceptions.PermissionDenied(str(refusal)) from refusal
        except WrongState as refusal:
            raise Conflict(str(refusal)) from refusal
        except ContractError as refusal:
            raise exceptions.ValidationError({refusal.field: [str(refusal)]}) from refusal
        return Response(self.get_serializer(published).data)


routes = [("software", SoftwareViewSet, "software"), ("releases", ReleaseViewSet, "release")]
