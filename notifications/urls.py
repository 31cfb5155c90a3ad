from django.urls import URLPattern, URLResolver, path

from notifications import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/read/", views.inbox_read_all, name="inbox_read_all"),
    path("inbox/<int:pk>/", views.inbox_open, name="inbox_open"),
    path("inbox/<int:pk>/acknowledge/", views.message_acknowledge, name="message_acknowledge"),
    path("engine/", views.engine, name="engine"),
    path("engine/deliveries/<int:pk>/send-again/", views.delivery_send_again, name="delivery_send_again"),
]
