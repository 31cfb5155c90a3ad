from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from notifications import kinds


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        from accounts.followups import MEMBERSHIP_ENDED  # noqa: PLC0415 - models are not there before ready()
        from notifications.actions import leave_to_others  # noqa: PLC0415
        from notifications.outbox import ACCOUNT_MAIL  # noqa: PLC0415

        MEMBERSHIP_ENDED.add(leave_to_others)
        kinds.register(
            kinds.Kind(
                name=ACCOUNT_MAIL,
                label=_("Mail about your account"),
                channels=(kinds.Channel.MAIL,),
                urgency=3,
                mandatory=True,
                is_secret=True,
            )
        )
