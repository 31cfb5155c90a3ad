"""How every API route behaves: who is asking, and paging. (Errors: problems.py.)"""

from typing import Any

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import ApiToken, User


class TokenAuthentication(BaseAuthentication):
    """The token was checked by accounts.middleware.TokenMiddleware; here it becomes DRF's credentials."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        wsgi: HttpRequest = request._request  # noqa: SLF001 (DRF's own would ask us again)
        token: ApiToken | None = getattr(wsgi, "api_token", None)
        user = getattr(wsgi, "user", None)  # the schema is made without any request
        return (user, token) if token is not None and isinstance(user, User) else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class IsActing(BasePermission):
    """Signed in, and acting in a membership that has not ended."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        return isinstance(user, User) and user.acting is not None


class KeysetPagination(CursorPagination):
    """By key, never by OFFSET; every ordering ends in a unique column."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering: Any = ("-id",)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        try:
            page: list[Any] | None = super().paginate_queryset(queryset, request, view)
        except (ValueError, TypeError) as error:
            # a cursor that somebody made up: its position is no value of the column
            raise NotFound(self.invalid_cursor_message) from error
        return page
