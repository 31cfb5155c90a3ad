"""What every page costs before it shows anything: header, rail, the signed-in person. And how queries are counted."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


def floor_page(request: HttpRequest) -> HttpResponse:
    return render(request, "base.html")


class FloorApi(APIView):
    """An empty answer to somebody who is signed in."""

    schema = None

    def get(self, request: Request) -> Response:
        return Response({})


class CountQueries:
    """Says in a header how many queries the answer took, sessions and sign-in included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        count = 0

        def counted(execute: Callable[..., Any], *args: Any) -> Any:
            nonlocal count
            count += 1
            return execute(*args)

        with connection.execute_wrapper(counted):
            response = self.get_response(request)
        response["X-Queries"] = str(count)
        return response
