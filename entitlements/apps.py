from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EntitlementsConfig(AppConfig):
    name = "entitlements"
    verbose_name = _("Entitlements")

    def ready(self) -> None:
        from contracts import followups  # noqa: PLC0415 - models are not there before ready()
        from entitlements import actions, notices  # noqa: PLC0415
        from notifications import kinds  # noqa: PLC0415

        for kind in notices.KINDS:
            kinds.register(kind)
        followups.RELEASE_PUBLISHED.add(notices.tell_about_release)
        followups.RELEASE_WITHDRAWN.add(notices.tell_about_withdrawal)
        followups.CONTRACT_REGISTERED.add(actions.record_registration)
