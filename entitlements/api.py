"""`/api/v1/coverage/`: the decision for a software, a release and a day, unwritten. `decisions/`: the kept ones."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet, ViewSet

from accounts.models import Organisation, Site, User
from accounts.roles import OrganisationKind, Permission
from contracts.models import Release, Software
from contracts.terms import first_instant
from entitlements.actions import decide
from entitlements.decision import Decision
from entitlements.facts import PREVIEW
from entitlements.models import DecisionRecord

LONGEST = 120


class QuestionSerializer(serializers.Serializer[Any]):
    """What is asked. Staff name the organisation; everybody else asks about the one they act in."""

    software = serializers.CharField(max_length=LONGEST, help_text="Short name of the software.")
    release = serializers.CharField(
        max_length=LONGEST,
        required=False,
        help_text="Version that runs; left out, only the contract is judged.",
    )
    day = serializers.DateField(
        required=False, help_text="A day in the end user's time zone; left out, this very moment."
    )
    site = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="Id of a site."
    )
    organisation = serializers.CharField(
        max_length=LONGEST, required=False, help_text="Short name of an end user; staff only."
    )


class CoverageReasonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    clause = serializers.CharField()
    sentence = serializers.CharField()
    remedy = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)


class AnswerSerializer(serializers.Serializer[Any]):
    organisation = serializers.CharField()
    software = serializers.CharField()
    release = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()
    granted = serializers.BooleanField()
    contract = serializers.CharField(allow_null=True)
    covered_until_on = serializers.DateField(allow_null=True, help_text="The last covered day.")
    covered_until = serializers.DateTimeField(
        allow_null=True, help_text="The first instant that is not covered."
    )
    accepted_release = serializers.CharField(allow_null=True)
    rule_version = serializers.IntegerField()
    reasons = CoverageReasonSerializer(many=True)
    explanation = serializers.ListField(child=serializers.CharField())


class CoverageViewSet(ViewSet):
    """The decision as a case would get it."""

    serializer_class = AnswerSerializer

    @extend_schema(
        operation_id="coverage",
        parameters=[
            QuestionSerializer,
            OpenApiParameter("software", OpenApiTypes.STR, required=True),
        ],
        responses=AnswerSerializer(many=False),
    )
    def list(self, request: Request) -> Response:
        user = request.user
        assert isinstance(user, User)
        question = QuestionSerializer(data=request.query_params)
        question.is_valid(raise_exception=True)
        asked = question.validated_data
        organisation = _organisation(user, asked.get("organisation"))
        software = _software(user, organisation, asked["software"])
        release = _release(user, software, asked.get("release"))
        site = _site(user, organisation, asked.get("site"))
        at = _instant(asked.get("day"), organisation)
        answer = decide(
            organisation=organisation,
            software=software,
            release=release,
            site_country=site.country if site else organisation.country,
            purpose=PREVIEW,
            by=user,
            at=at,
        )
        return Response(_answer(answer, organisation, software, release))


def _organisation(user: User, slug: str | None) -> Organisation:
    assert user.acting is not None
    own = user.acting.organisation
    if slug is None or slug == own.slug:
        if own.kind == OrganisationKind.END_USER:
            return own
        raise ValidationError({"organisation": [_("Name the end user.")]})
    found = Organisation.objects.visible_to(user).filter(slug=slug, kind=OrganisationKind.END_USER).first()
    if found is None or not user.can(Permission.CONTRACT_VIEW_ALL):
        raise ValidationError({"organisation": [_("There is no such end user that you may ask about.")]})
    return found


def _software(user: User, organisation: Organisation, slug: str) -> Software:
    found = Software.objects.visible_to(user).filter(slug=slug, end_users=organisation).first()
    if found is None:
        raise ValidationError({"software": [_("There is no such software.")]})
    return found


def _release(user: User, software: Software, version: str | None) -> Release | None:
    if version is None:
        return None
    releases = Release.objects.visible_to(user).filter(software=software, version=version)
    found = releases.select_related("line").first()
    if found is None:
        raise ValidationError({"release": [_("This software has no such release.")]})
    return found


def _site(user: User, organisation: Organisation, pk: int | None) -> Site | None:
    if pk is None:
        return None
    found = Site.objects.visible_to(user).filter(pk=pk, organisation=organisation).first()
    if found is None:
        raise ValidationError({"site": [_("There is no such site.")]})
    return found


def _instant(day: date | None, organisation: Organisation) -> datetime:
    """The first instant of a day where the end user is; this very moment without one, or for today."""
    now = timezone.now()
    zone = ZoneInfo(organisation.time_zone)
    if day is None or day == now.astimezone(zone).date():
        return now
    try:
        return first_instant(day, zone).astimezone(UTC)
    except OverflowError as error:
        raise ValidationError({"day": [_("This day is out of range.")]}) from error


def _answer(
    answer: Decision, organisation: Organisation, software: Software, release: Release | None
) -> dict[str, Any]:
    return {
        "organisation": organisation.slug,
        "software": software.slug,
        "release": release.version if release else None,
        "at": answer.request.at,
        "granted": answer.granted,
        "contract": answer.contract_number,
        "covered_until_on": answer.covered_until_on,
        "covered_until": answer.covered_until,
        "accepted_release": answer.accepted.version if answer.accepted else None,
        "rule_version": answer.rule_version,
        "reasons": [
            {
                "code": reason.code.value,
                "clause": reason.clause,
                "sentence": reason.sentence,
                "remedy": reason.remedy,
                "since": reason.since,
            }
            for reason in answer.reasons
        ],
        "explanation": answer.explain(),
    }


class DecisionSerializer(serializers.ModelSerializer[DecisionRecord]):
    organisation = serializers.CharField(source="organisation.slug", read_only=True)
    software = serializers.CharField(source="software.slug", read_only=True, default=None)
    release = serializers.CharField(source="release.version", read_only=True, default=None)
    contract = serializers.CharField(source="contract.number", read_only=True, default=None)
    granted = serializers.BooleanField(source="is_granted", read_only=True)

    class Meta:
        model = DecisionRecord
        fields = (
            "id",
            "organisation",
            "software",
            "release",
            "contract",
            "purpose",
            "at",
            "granted",
            "rule_version",
            "facts",
            "request",
            "answer",
        )
        read_only_fields = fields


class DecisionViewSet(ReadOnlyModelViewSet[DecisionRecord]):
    """Decisions as they were taken, newest first: facts, question, answer, version of the rules."""

    serializer_class = DecisionSerializer
    lookup_value_regex = "[0-9]{1,18}"
    queryset = DecisionRecord.objects.none()  # for the schema; every request starts from visible_to

    def get_queryset(self) -> QuerySet[DecisionRecord]:
        user = self.request.user
        if not isinstance(user, User):
            return DecisionRecord.objects.none()
        rows = DecisionRecord.objects.visible_to(user)
        return rows.select_related("organisation", "software", "release", "contract").order_by("-pk")


routes: list[tuple[str, Any, str]] = [
    ("coverage", CoverageViewSet, "coverage"),
    ("decisions", DecisionViewSet, "decision"),
]
