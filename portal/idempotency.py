"""The same POST twice is one act: double click, back button, retry after a lost answer.

An API client sends `Idempotency-Key`; a form carries a hidden `idempotency_key`. The key's row is written
in the transaction of the act, so a second POST waits for the first and is given the first one's answer.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.middleware import problem
from accounts.models import User
from portal.models import IdempotencyKey

KEPT = timedelta(hours=24)
FORM_FIELD = "idempotency_key"
KEPT_HEADERS = ("Content-Type", "Location", "ETag")
MAX_KEY = 100


def _body_digest(request: HttpRequest) -> str:
    """A digest of what was sent; of an upload, its name and size stand for the bytes."""
    parts = [request.method or "", request.get_full_path()]
    if request.content_type in ("multipart/form-data", "application/x-www-form-urlencoded"):
        for name, values in sorted(request.POST.lists()):
            if name != "csrfmiddlewaretoken":
                parts += [name, *values]
        for name, files in sorted(request.FILES.lists()):
            parts += [f"{name}:{f.name}:{f.size}" for f in files]
    else:
        parts.append(request.body.decode("latin-1"))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class IdempotencyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or not isinstance(request.user, User):
            return self.get_response(request)
        key = request.headers.get("Idempotency-Key") or request.POST.get(FORM_FIELD, "")
        if not key or not key.isprintable() or len(key) > MAX_KEY:
            if request.headers.get("Idempotency-Key"):
                return problem(400, _("The Idempotency-Key must be at most 100 printable characters."))
            return self.get_response(request)
        return self._once(request, request.user, key)

    def _once(self, request: HttpRequest, user: User, key: str) -> HttpResponseBase:
        digest = _body_digest(request)
        route = request.path[:300]
        with transaction.atomic():
            row = self._first(user, key, route, digest)
            if row is None:
                return self._again(IdempotencyKey.objects.get(key=key, person=user), route, digest)
            response = self.get_response(request)
            if response.status_code >= 400 or getattr(response, "streaming", False):
                # refused or failed: nothing to repeat, the corrected form may use the same key
                row.delete()
                if response.status_code >= 500:
                    transaction.set_rollback(True)
            else:
                self._keep(row, response)
            return response

    def _first(self, user: User, key: str, route: str, digest: str) -> IdempotencyKey | None:
        """The new row, or None when the key was used before. Waits while the first use is under way."""
        try:
            with transaction.atomic():
                return IdempotencyKey.objects.create(
                    key=key, person=user, route=route, body_digest=digest, created_at=timezone.now()
                )
        except IntegrityError:
            return None

    def _keep(self, row: IdempotencyKey, response: HttpResponse) -> None:
        render = getattr(response, "render", None)
        if render:
            render()
        if "no-store" in response.get("Cache-Control", ""):
            # a secret that is shown once is not kept here either
            response_kept: HttpResponse = problem(409, _("This was done; its answer is shown only once."))
        else:
            response_kept = response
        row.status = response_kept.status_code
        row.headers = {h: response_kept[h] for h in KEPT_HEADERS if h in response_kept}
        row.body = response_kept.content
        row.save(update_fields=["status", "headers", "body"])

    def _again(self, row: IdempotencyKey, route: str, digest: str) -> HttpResponse:
        if row.route != route or row.body_digest != digest:
            detail = _("This Idempotency-Key was used for another request.")
            if row.route.startswith("/api/"):
                return problem(422, detail)
            return HttpResponse(detail, status=422, content_type="text/plain; charset=utf-8")
        answer = HttpResponse(bytes(row.body), status=row.status)
        for name, value in row.headers.items():
            answer[name] = value
        answer["Idempotency-Replayed"] = "true"
        return answer
