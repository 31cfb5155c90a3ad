"""Our own 404 page in debug too, where Django would show the URLconf to whoever tries the demo."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponseBase

from portal.views import not_found


class OwnNotFoundMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 404 and request.resolver_match is None:
            return not_found(request, Http404())
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        return not_found(request, exception) if isinstance(exception, Http404) else None
