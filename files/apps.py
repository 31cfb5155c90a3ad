from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FilesConfig(AppConfig):
    name = "files"
    verbose_name = _("Files")

    def ready(self) -> None:
        from accounts.followups import MEMBERSHIP_ENDED  # noqa: PLC0415 - models are not there before ready()
        from files.actions import drop_uploads_of  # noqa: PLC0415

        MEMBERSHIP_ENDED.add(drop_uploads_of)
