from django.urls import URLPattern, URLResolver, path

from entitlements import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("coverage/", views.coverage, name="coverage"),
    path("coverage/<slug:slug>/", views.coverage_organisation, name="coverage_organisation"),
    path("notices/", views.notice_list, name="notice_list"),
]
