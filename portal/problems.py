"""Errors of the API as application/problem+json."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every error as application/problem+json: type, title, status, detail, and `errors` by field."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(str(error) or None)
    elif isinstance(error, RecursionError):
        error = exceptions.ParseError()  # ten thousand brackets
    response = exception_handler(error, context)
    if response is None:
        return None
    data: Any = response.data
    title = str(getattr(error, "default_detail", "Error"))
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": response.status_code}
    if isinstance(error, exceptions.ValidationError):
        body["title"] = body["detail"] = "The request has errors."
        body["errors"] = data if isinstance(data, dict) else {"non_field_errors": data}
    else:
        body["detail"] = str(data.get("detail", title)) if isinstance(data, dict) else title
    # a refusal that has more to say, such as the reasons of an entitlement decision
    response.data = body | getattr(error, "members", {})
    response.content_type = "application/problem+json"
    return response
