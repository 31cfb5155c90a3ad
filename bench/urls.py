from django.urls import URLPattern, URLResolver, include, path

from bench import floor

urlpatterns: list[URLPattern | URLResolver] = [
    path("bench/page/", floor.floor_page),
    path("bench/api/", floor.FloorApi.as_view()),
    path("", include("portal.urls")),
]
