from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = _("Portal")

    def ready(self) -> None:
        from files import expiry, scanning  # noqa: PLC0415 - models are not there before ready()
        from notifications import jobs  # noqa: PLC0415
        from portal import health  # noqa: F401, PLC0415 - its check must be known before `migrate` runs

        # the jobs of the app that stands below the list of jobs
        jobs.register("files.expire", timedelta(minutes=10), expiry.expire_uploads)
        jobs.register("files.scan", timedelta(seconds=3), scanning.start_scanning)
