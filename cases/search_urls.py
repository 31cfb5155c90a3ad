from django.urls import URLPattern, URLResolver, path

from cases.views import searching

urlpatterns: list[URLPattern | URLResolver] = [path("", searching.search_page, name="search")]
