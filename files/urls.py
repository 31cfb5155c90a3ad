from django.urls import path

from files import views

urlpatterns = [
    path("files/uploads/", views.uploads, name="uploads"),
    path("files/uploads/<uuid:pk>/", views.upload, name="upload"),
]
