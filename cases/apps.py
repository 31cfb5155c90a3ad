from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CasesConfig(AppConfig):
    name = "cases"
    verbose_name = _("Cases")

    def ready(self) -> None:
        # models are not there before ready()
        from accounts.followups import MEMBERSHIP_ENDED  # noqa: PLC0415
        from cases import ladder, notices  # noqa: PLC0415
        from cases.actions import hand_over  # noqa: PLC0415
        from cases.models import Case  # noqa: PLC0415
        from contracts.exposure import OPEN_CASES  # noqa: PLC0415
        from notifications import followups, jobs  # noqa: PLC0415

        notices.register_kinds()
        MEMBERSHIP_ENDED.add(hand_over)
        followups.MESSAGE_ACKNOWLEDGED.add(ladder.on_acknowledged)
        followups.DELIVERY_DEAD.add(ladder.on_delivery_dead)
        jobs.register("cases.ladder", jobs.EVERY_PASS, ladder.fire_all_due)
        OPEN_CASES.register(Case.objects.open_by_release)
