"""How often a person may call the API: a count per person and minute, in one statement."""

from collections.abc import Callable

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.middleware import problem
from accounts.models import User

COUNT = """
INSERT INTO portal_apirate AS r (person_id, minute, calls) VALUES (%(person)s, %(minute)s, 1)
    ON CONFLICT (person_id) DO UPDATE
   SET calls = CASE WHEN r.minute = excluded.minute THEN r.calls + 1 ELSE 1 END, minute = excluded.minute
RETURNING calls
"""


class ThrottleMiddleware:
    """429 with Retry-After beyond API_CALLS_PER_MINUTE.

    Before IdempotencyMiddleware and so outside its transaction: the count's row lock is held for a moment only,
    and parallel calls of one person do not wait for each other."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/api/v1/") or not isinstance(request.user, User):
            return self.get_response(request)
        now = timezone.now()
        with connection.cursor() as cursor:
            minute = now.replace(second=0, microsecond=0)
            cursor.execute(COUNT, {"person": request.user.pk, "minute": minute})
            (calls,) = cursor.fetchone()
        if calls > settings.API_CALLS_PER_MINUTE:
            response = problem(429, _("Too many calls in this minute. Wait, then go on."))
            response["Retry-After"] = str(60 - now.second)
            return response
        return self.get_response(request)
