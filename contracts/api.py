"""`/api/v1/contracts/`: reading, registering, renewing, approving and refusing, by the same actions as the pages."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import exceptions, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.export_control import CountryExcluded
from accounts.models import Organisation, User
from accounts.roles import OrganisationKind, Permission
from accounts.text import clean_line, clean_text
from contracts import actions
from contracts.errors import ContractError, NotAllowed, WrongState
from contracts.kinds import Condition
from contracts.models import ServiceContract, Software
from contracts.terms import add_months


class Conflict(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"
    default_detail = "Somebody else has decided meanwhile."


class ContractSerializer(serializers.ModelSerializer[ServiceContract]):
    end_user = serializers.CharField(source="end_user.slug", read_only=True)
    software = serializers.CharField(source="software.slug", read_only=True)
    partner = serializers.CharField(source="partner.slug", read_only=True, default=None)
    renews = serializers.CharField(source="renews.number", read_only=True, default=None)
    co_terminates_with = serializers.CharField(
        source="co_terminates_with.number", read_only=True, default=None
    )
    condition = serializers.SerializerMethodField()
    last_covered_day = serializers.DateField(read_only=True)

    class Meta:
        model = ServiceContract
        fields = (
            "number",
            "end_user",
            "software",
            "channel",
            "partner",
            "purchase_order",
            "po_end_user_name",
            "po_end_user_address",
            "starts_on",
            "ends_on",
            "last_covered_day",
            "zone",
            "starts_at",
            "ends_at",
            "state",
            "condition",
            "renews",
            "is_internal_use",
            "co_terminates_with",
            "co_termination_reason",
            "registered_at",
            "decided_at",
            "refusal_reason",
            "terminated_at",
            "termination_reason",
        )
        read_only_fields = fields

    def get_condition(self, contract: ServiceContract) -> str:
        return contract.condition_at(timezone.now()).value


@extend_schema_field(OpenApiTypes.STR)
class Visible(serializers.SlugRelatedField[Any]):
    """A row named by one of its columns, of those that the person sees: a stranger's is one that does not exist."""

    def __init__(self, *, rows: Callable[[User], QuerySet[Any]], **kwargs: Any) -> None:
        self.rows = rows
        super().__init__(queryset=ServiceContract.objects.none(), **kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        request = self.context.get("request")
        user = request.user if request is not None else None
        return self.rows(user) if isinstance(user, User) else ServiceContract.objects.none()

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or "\0" in data:
            raise serializers.ValidationError(_("Give a name."))
        return super().to_internal_value(data)


class LineField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        return _cleaned(clean_line, super().to_internal_value(data))


class TextField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        return _cleaned(clean_text, super().to_internal_value(data))


def _cleaned(clean: Callable[[str], str], value: str) -> str:
    try:
        return clean(value)
    except ValidationError as error:
        raise serializers.ValidationError(error.messages) from error


def _end_users(user: User) -> QuerySet[Any]:
    return Organisation.objects.visible_to(user).filter(kind=OrganisationKind.END_USER)


class OrderSerializer(serializers.Serializer[Any]):
    """Term and order of a new contract. `months` from the first day on, by the calendar."""

    months = serializers.IntegerField(min_value=1, max_value=120, default=12)
    purchase_order = LineField(max_length=60, allow_blank=True, default="")
    po_end_user_name = LineField(max_length=200, allow_blank=True, default="")
    po_end_user_address = TextField(max_length=500, allow_blank=True, default="")
    is_internal_use = serializers.BooleanField(
        default=False, help_text="The end user uses the software internally only (C8)."
    )
    co_terminates_with = Visible(
        slug_field="number",
        rows=ServiceContract.objects.visible_to,
        default=None,
        allow_null=True,
        help_text="Ask to let it end together with this contract (C10).",
    )
    co_termination_reason = LineField(max_length=400, allow_blank=True, default="")

    def ends_on(self, starts_on: date, months: int) -> date:
        try:
            return add_months(starts_on, months)
        except ValueError as error:
            raise serializers.ValidationError({"starts_on": [_("This is too far in the future.")]}) from error


class RegisterSerializer(OrderSerializer):
    """`software`, or `sow_reference` where the software is not among those that the person sees."""

    end_user = Visible(slug_field="slug", rows=_end_users)
    software = Visible(slug_field="slug", rows=Software.objects.visible_to, default=None, allow_null=True)
    sow_reference = LineField(max_length=60, allow_blank=True, default="")
    starts_on = serializers.DateField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["software"] is None and not attrs["sow_reference"]:
            raise serializers.ValidationError(
                {"software": [_("Choose the software, or give its statement of work.")]}
            )
        attrs["ends_on"] = self.ends_on(attrs["starts_on"], attrs.pop("months"))
        return attrs


class RenewSerializer(OrderSerializer):
    starts_on = serializers.DateField(
        default=None, allow_null=True, help_text="Later than the old contract's end leaves a gap."
    )


class ApproveSerializer(serializers.Serializer[Any]):
    order_checked = serializers.BooleanField(
        default=False, help_text="The order names another end user or address, and that was found right (C9)."
    )
    co_terminates_with = Visible(
        slug_field="number",
        rows=ServiceContract.objects.visible_to,
        default=None,
        allow_null=True,
        help_text="Approve that it ends together with this contract, however short that makes it (C10).",
    )
    co_termination_reason = LineField(max_length=400, allow_blank=True, default="")


class RefuseSerializer(serializers.Serializer[Any]):
    reason = TextField(max_length=400)


class ContractViewSet(ReadOnlyModelViewSet[ServiceContract]):
    """Contracts that the person may see, newest registration first."""

    serializer_class = ContractSerializer
    lookup_field = "number"
    lookup_value_regex = "CS-[0-9]{4}-[0-9]{4,7}"
    queryset = ServiceContract.objects.none()  # for the schema; every request starts from visible_to

    def get_queryset(self) -> QuerySet[ServiceContract]:
        user = self.request.user
        if not isinstance(user, User):
            return ServiceContract.objects.none()
        contracts = ServiceContract.objects.visible_to(user)
        state = self.request.query_params.get("state")
        if self.action == "list" and state is not None:
            if state not in Condition.values:
                raise exceptions.ValidationError({"state": [f"One of: {', '.join(Condition.values)}."]})
            contracts = contracts.in_condition(Condition(state), timezone.now())
        return contracts.for_list().select_related("renews", "co_terminates_with").order_by("-pk")

    @extend_schema(parameters=[OpenApiParameter("state", str, enum=Condition.values)])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=RegisterSerializer, responses={201: ContractSerializer})
    def create(self, request: Request) -> Response:
        """Register a contract; it waits for approval."""
        asked = RegisterSerializer(data=request.data, context=self._registering(request))
        asked.is_valid(raise_exception=True)
        return self._answer(
            request, actions.register_contract, status.HTTP_201_CREATED, **asked.validated_data
        )

    @extend_schema(request=RenewSerializer, responses={201: ContractSerializer})
    @action(detail=True, methods=["post"])
    def renew(self, request: Request, number: str) -> Response:
        """Register the successor of a contract (C17): it starts where the old one ends unless a later day is given."""
        old = self.get_object()
        asked = RenewSerializer(data=request.data, context=self._registering(request))
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        given["starts_on"] = given["starts_on"] or old.ends_on
        given["ends_on"] = asked.ends_on(given["starts_on"], given.pop("months"))
        return self._answer(
            request,
            actions.register_contract,
            status.HTTP_201_CREATED,
            end_user=old.end_user,
            software=old.software,
            renews=old,
            **given,
        )

    @extend_schema(request=ApproveSerializer, responses=ContractSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, number: str) -> Response:
        contract = self._deciding(request)
        asked = ApproveSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        return self._answer(request, actions.approve_contract, contract=contract, **asked.validated_data)

    @extend_schema(request=RefuseSerializer, responses=ContractSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, number: str) -> Response:
        contract = self._deciding(request)
        asked = RefuseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self._answer(request, actions.refuse_contract, contract=contract, **asked.validated_data)

    def _deciding(self, request: Request) -> ServiceContract:
        contract = self.get_object()
        if not isinstance(request.user, User) or not request.user.can(Permission.CONTRACT_APPROVE):
            raise PermissionDenied
        return contract

    def _registering(self, request: Request) -> Mapping[str, Any]:
        user = request.user
        if not isinstance(user, User) or not (
            user.can(Permission.CONTRACT_REGISTER) or user.can(Permission.CONTRACT_APPROVE)
        ):
            raise PermissionDenied
        return self.get_serializer_context()

    def _answer(self, request: Request, act: Any, code: int = status.HTTP_200_OK, **values: Any) -> Response:
        try:
            contract = act(by=request.user, now=timezone.now(), **values)
        except NotAllowed as refusal:
            raise exceptions.PermissionDenied(str(refusal)) from refusal
        except WrongState as refusal:
            raise Conflict(str(refusal)) from refusal
        except (ContractError, CountryExcluded) as refusal:
            field = getattr(refusal, "field", "") or "non_field_errors"
            raise exceptions.ValidationError({field: [str(refusal)]}) from refusal
        return Response(self.get_serializer(contract).data, status=code)


routes = [("contracts", ContractViewSet, "contract")]
