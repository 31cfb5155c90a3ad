from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EntitlementsConfig(AppConfig):
    name = "entitlements"
    verbose_name = _("Entitlements")

    def ready(self) -> None:
        from contracts.followups import RELEASE_PUBLISHED  # noqa: PLC0415 - models are not there before ready()
        from entitlements import notices  # noqa: PLC0415
        from notifications import kinds  # noqa: PLC0415

        kinds.register(notices.KIND)
        RELEASE_PUBLISHED.add(notices.tell_about_release)
