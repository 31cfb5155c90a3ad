from django.urls import path

from accounts import views

urlpatterns = [
    path("people/", views.people_list, name="people_list"),
    path("people/invite/", views.people_invite, name="people_invite"),
    path("people/<int:pk>/", views.person_detail, name="person_detail"),
    path("people/<int:pk>/end/", views.membership_end, name="membership_end"),
    path("people/<int:pk>/deactivate/", views.account_deactivate, name="account_deactivate"),
    path("organisations/", views.organisation_list, name="organisation_list"),
    path("audit/", views.audit_list, name="audit_list"),
]
