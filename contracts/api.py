"""`/api/v1/contracts/`: reading contracts, approving and refusing them, through the same actions as the pages."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.export_control import CountryExcluded
from accounts.models import User
from accounts.roles import Permission
from accounts.text import clean_text
from contracts import actions
from contracts.errors import ContractError, NotAllowed, WrongState
from contracts.kinds import Condition
from contracts.models import ServiceContract


class Conflict(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"
    default_detail = "Somebody else has decided meanwhile."


class ContractSerializer(serializers.ModelSerializer[ServiceContract]):
    end_user = serializers.CharField(source="end_user.slug", read_only=True)
    software = serializers.CharField(source="software.slug", read_only=True)
    partner = serializers.CharField(source="partner.slug", read_only=True, default=None)
    renews = serializers.CharField(source="renews.number", read_only=True, default=None)
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
            "registered_at",
            "decided_at",
            "refusal_reason",
            "terminated_at",
            "termination_reason",
        )
        read_only_fields = fields

    def get_condition(self, contract: ServiceContract) -> str:
        return contract.condition_at(timezone.now()).value


class ApproveSerializer(serializers.Serializer[Any]):
    order_checked = serializers.BooleanField(
        default=False, help_text="The order names another end user or address, and that was found right (C9)."
    )


class RefuseSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=400)

    def validate_reason(self, value: str) -> str:
        try:
            return clean_text(value)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from error


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
        return contracts.for_list().select_related("renews").order_by("-pk")

    @extend_schema(parameters=[OpenApiParameter("state", str, enum=Condition.values)])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=ApproveSerializer, responses=ContractSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, number: str) -> Response:
        contract = self._deciding(request)
        asked = ApproveSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self._decided(request, actions.approve_contract, contract, **asked.validated_data)

    @extend_schema(request=RefuseSerializer, responses=ContractSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, number: str) -> Response:
        contract = self._deciding(request)
        asked = RefuseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self._decided(request, actions.refuse_contract, contract, **asked.validated_data)

    def _deciding(self, request: Request) -> ServiceContract:
        contract = self.get_object()
        if not isinstance(request.user, User) or not request.user.can(Permission.CONTRACT_APPROVE):
            raise PermissionDenied
        return contract

    def _decided(self, request: Request, act: Any, contract: ServiceContract, **values: Any) -> Response:
        try:
            decided = act(contract=contract, by=request.user, now=timezone.now(), **values)
        except NotAllowed as refusal:
            raise exceptions.PermissionDenied(str(refusal)) from refusal
        except WrongState as refusal:
            raise Conflict(str(refusal)) from refusal
        except (ContractError, CountryExcluded) as refusal:
            field = getattr(refusal, "field", "") or "non_field_errors"
            raise exceptions.ValidationError({field: [str(refusal)]}) from refusal
        return Response(self.get_serializer(decided).data)


routes = [("contracts", ContractViewSet, "contract")]
