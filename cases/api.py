"""`/api/v1/cases/`: the same actions as the pages, with optimistic locking by ETag and If-Match."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, NotFound, PermissionDenied, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.middleware import current_user
from accounts.models import User
from accounts.roles import Permission
from cases import actions, search
from cases.errors import CaseChanged, CaseError, FieldError, NotAllowed, NotCovered
from cases.models import Attachment, Case, CaseQuerySet
from cases.serializers import (
    OPEN,
    AssignSerializer,
    CaseNewSerializer,
    CaseRowSerializer,
    CaseSerializer,
    EscalateSerializer,
    EventSerializer,
    FilesSerializer,
    FilterSerializer,
    PrioritySerializer,
    ReasonSerializer,
    ReplySerializer,
    StateSerializer,
)
from cases.timeline import timeline
from cases.workflow import Channel
from files.actions import FileRefused
from files.downloads import serve

NUMBER: Final = r"[0-9A-Za-z-]{1,40}"
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag of the case as you know it; else 412."
)
PROBLEMS: Final = {
    400: OpenApiResponse(description="`errors` says what is wrong, by field."),
    403: OpenApiResponse(description="Your role does not allow it, or no service is owed (`reasons`)."),
    404: OpenApiResponse(description="No such case."),
    409: OpenApiResponse(description="The case is not in a state for it."),
    412: OpenApiResponse(description="The case has changed since; get it again."),
}


# what each route that writes needs; the actions ask again
NEEDED: Final = {
    "create": Permission.CASE_OPEN,
    "reply": Permission.CASE_REPLY,
    "attachments": Permission.CASE_REPLY,
    "note": Permission.CASE_TRIAGE,
    "assign": Permission.CASE_TRIAGE,
    "state": Permission.CASE_TRIAGE,
    "priority": Permission.CASE_RAISE,
    "escalate": Permission.CASE_ANSWER,
    "accept": Permission.CASE_ANSWER,
    "reject": Permission.CASE_ANSWER,
    "request_closure": Permission.CASE_ANSWER,
    "reopen": Permission.CASE_REPLY,
}


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = _("The case is not in a state for this.")


class Changed(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = _("The case has changed.")


class NotEntitled(APIException):
    """403 with the reasons, and the record of the attempt."""

    status_code = status.HTTP_403_FORBIDDEN
    default_detail = _("No service is owed for this.")

    def __init__(self, error: NotCovered) -> None:
        super().__init__(str(error))
        self.members = {
            "decision": error.record.pk,
            "reasons": [
                {**reason.as_record(), "sentence": reason.sentence, "remedy": reason.remedy}
                for reason in error.decision.reasons
            ],
        }


def answer_to(error: Exception) -> Exception:
    """How the API says what stood against an action."""
    if isinstance(error, FieldError):
        return ValidationError({error.field: [str(error)]})
    if isinstance(error, FileRefused):
        return ValidationError({"files": [str(error)]})
    if isinstance(error, NotCovered):
        return NotEntitled(error)
    answers = {NotAllowed: PermissionDenied, CaseChanged: Changed, CaseError: Conflict}
    answer = next((answer for kind, answer in answers.items() if isinstance(error, kind)), None)
    return answer(str(error)) if answer else error


class NewestActivityFirst(CursorPagination):
    """By key: `updated_at`, then `id`, as the indexes of the lists have it."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = ("-updated_at", "-id")

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_moment(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


class OldestFirst(NewestActivityFirst):
    """A timeline in its order."""

    ordering = ("at", "id")


def _is_moment(text: str) -> bool:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return False
    return moment is not None and moment.tzinfo is not None


class CasesApi(viewsets.GenericViewSet[Case]):
    """What every route of cases shares: whose rows, which version, how errors are told."""

    lookup_field = "number"
    lookup_value_regex = NUMBER
    pagination_class = NewestActivityFirst
    serializer_class: type[Serializer[Any]] = CaseSerializer
    queryset = Case.objects.none()

    @property
    def person(self) -> User:
        wsgi: HttpRequest = self.request._request  # noqa: SLF001 - as accounts.middleware knows it
        return current_user(wsgi)

    def rows(self) -> CaseQuerySet:
        return Case.objects.visible_to(self.person)

    def case(self) -> Case:
        """The case of the address. A stranger's is a 404, like one that does not exist."""
        return get_object_or_404(self.rows().for_page(), number=self.kwargs["number"])

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """First whether the case is there for the person, then whether the verb is, then what was sent."""
        super().initial(request, *args, **kwargs)
        needed = NEEDED.get(self.action)
        if needed is None:
            return
        if "number" in self.kwargs and not self.rows().filter(number=self.kwargs["number"]).exists():
            raise NotFound
        if not self.person.can(needed):
            raise PermissionDenied

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(answer_to(exc))

    def context(self) -> dict[str, Any]:
        return {**self.get_serializer_context(), "person": self.person}

    def typed(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """The body, checked. Raises: ValidationError."""
        serializer = serializer_class(data=self.request.data, context=self.context())
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def change(self, run: Callable[..., object], **values: Any) -> Response:
        """Run an action on the case, if it still is what If-Match says; answer with the case as it is then."""
        case = self.case()
        version = _expected(self.request.headers.get("If-Match"), case)
        run(case=case, by=self.person, now=timezone.now(), expected_version=version, **values)
        return self.answer(self.case())

    def answer(self, case: Case, code: int = status.HTTP_200_OK) -> Response:
        body = CaseSerializer(case, context=self.context()).data
        return Response(body, status=code, headers={"ETag": f'"{case.version}"'})


def _expected(header: str | None, case: Case) -> int | None:
    """The version that the person knows. Raises: CaseChanged where none of them is one that stands."""
    if header is None or header.strip() == "*":
        return None
    known = {tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")}
    if str(case.version) not in known:
        raise CaseChanged(case.version)
    return case.version


def _changes(request: Any, summary: str) -> Callable[..., Any]:
    """How the schema tells of an action on a case."""
    return extend_schema(
        summary=summary, request=request, parameters=[IF_MATCH], responses={200: CaseSerializer, **PROBLEMS}
    )


@extend_schema_view(
    list=extend_schema(
        summary="Your cases, newest activity first (C28)",
        parameters=[FilterSerializer],
        responses=CaseRowSerializer(many=True),
    ),
    retrieve=extend_schema(summary="One case; its ETag is its version", responses=CaseSerializer),
    create=extend_schema(
        summary="Open a case (C27)",
        request=CaseNewSerializer,
        responses={201: CaseSerializer, 400: PROBLEMS[400], 403: PROBLEMS[403]},
    ),
)
class CaseViewSet(CasesApi):
    """Cases: open, read, answer, steer."""

    def list(self, request: Request) -> Response:
        wanted = FilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        rows = filtered(self.rows(), self.person, wanted.validated_data).for_list()
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(CaseRowSerializer(page, many=True).data)

    def retrieve(self, request: Request, number: str) -> Response:
        return self.answer(self.case())

    def create(self, request: Request) -> Response:
        values = self.typed(CaseNewSerializer)
        case = actions.open_case(**values, channel=Channel.API, by=self.person, now=timezone.now())
        return self.answer(get_object_or_404(self.rows().for_page(), pk=case.pk), status.HTTP_201_CREATED)

    @extend_schema(
        summary="The timeline of a case, oldest first", filters=False, responses=EventSerializer(many=True)
    )
    @action(detail=True, pagination_class=OldestFirst)
    def events(self, request: Request, number: str) -> Response:
        page: Any = self.paginate_queryset(timeline(self.case(), self.person))  # type: ignore[arg-type]
        entries = EventSerializer(page, many=True, context=self.context())
        return self.get_paginated_response(entries.data)

    @_changes(ReplySerializer, "Write to the other side (C29)")
    @action(detail=True, methods=["post"])
    def reply(self, request: Request, number: str) -> Response:
        return self.change(actions.reply, **self.typed(ReplySerializer))

    @_changes(ReplySerializer, "Write an internal note")
    @action(detail=True, methods=["post"])
    def note(self, request: Request, number: str) -> Response:
        return self.change(actions.add_note, **self.typed(ReplySerializer))

    @_changes(
        {"multipart/form-data": FilesSerializer}, "Attach files, with a word about them or without (C29, C57)"
    )
    @action(detail=True, methods=["post"])
    def attachments(self, request: Request, number: str) -> Response:
        typed = self.typed(FilesSerializer)
        return self.change(actions.reply, body=typed["body"], uploads=typed["files"])

    @extend_schema(
        summary="Download a file",
        parameters=[OpenApiParameter("file", int, OpenApiParameter.PATH)],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, 404: PROBLEMS[404]},
    )
    @action(detail=True, url_path=r"attachments/(?P<file>[0-9]{1,18})", url_name="attachment")
    def attachment(self, request: Request, number: str, file: str) -> HttpResponseBase:
        found = Attachment.objects.visible_to(self.person).select_related("stored")
        return serve(get_object_or_404(found, case=self.case(), pk=file).stored, request)

    @_changes(AssignSerializer, "Give the case to an engineer, or back to the queue")
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, number: str) -> Response:
        return self.change(actions.assign_case, **self.typed(AssignSerializer))

    @_changes(StateSerializer, "Move the case on; waiting for the customer needs a reason (C68)")
    @action(detail=True, methods=["post"])
    def state(self, request: Request, number: str) -> Response:
        return self.change(actions.change_state, **self.typed(StateSerializer))

    @_changes(PrioritySerializer, "Raise or lower the priority (C22)")
    @action(detail=True, methods=["post"])
    def priority(self, request: Request, number: str) -> Response:
        typed = self.typed(PrioritySerializer)
        is_raise = typed["to"] < self.case().priority
        return self.change(actions.raise_priority if is_raise else actions.lower_priority, **typed)

    @_changes(EscalateSerializer, "Ask for escalation (C24)")
    @action(detail=True, methods=["post"])
    def escalate(self, request: Request, number: str) -> Response:
        return self.change(actions.request_escalation, **self.typed(EscalateSerializer))

    @_changes(None, "Accept the proposed resolution: the case closes")
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, number: str) -> Response:
        return self.change(actions.accept_resolution)

    @_changes(ReasonSerializer, "Reject the proposed resolution")
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, number: str) -> Response:
        return self.change(actions.reject_resolution, **self.typed(ReasonSerializer))

    @_changes(None, "Ask for the case to be closed")
    @action(detail=True, methods=["post"], url_path="request-closure")
    def request_closure(self, request: Request, number: str) -> Response:
        return self.change(actions.request_closure)

    @_changes(ReasonSerializer, "Reopen a case, within 14 days of its closing")
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, number: str) -> Response:
        return self.change(actions.reopen_case, **self.typed(ReasonSerializer))


def filtered(rows: CaseQuerySet, user: User, wanted: dict[str, Any]) -> CaseQuerySet:
    """Those of `rows` that pass every filter of the address."""
    if "number" in wanted:
        number = search.number_in(wanted["number"])
        rows = rows.filter(number=number) if number else rows.none()
    if "reference" in wanted:
        rows = rows.of_reference(search.clean(wanted["reference"]))
    if wanted.get("state"):
        states = set(wanted["state"])
        rows = (
            (rows.open() | rows.filter(state__in=states)) if OPEN in states else rows.filter(state__in=states)
        )
    if wanted.get("priority"):
        rows = rows.filter(priority__in=wanted["priority"])
    if "software" in wanted:
        rows = rows.filter(software__slug=wanted["software"])
    if "updated_since" in wanted:
        rows = rows.filter(updated_at__gte=wanted["updated_since"])
    return search.matching(rows, user, wanted["q"]) if "q" in wanted else rows


routes = [("cases", CaseViewSet, "case")]
