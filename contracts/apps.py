from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContractsConfig(AppConfig):
    name = "contracts"
    verbose_name = _("Contracts")

    def ready(self) -> None:
        # models are not there before ready()
        from accounts.followups import FIRST_PAGES, INVITATION_ACCEPTED  # noqa: PLC0415
        from contracts import install_notices, notices, obligation_notices, reminders  # noqa: PLC0415
        from contracts.actions import documents, end_user_decisions, imports  # noqa: PLC0415
        from contracts.followups import CONTRACT_REGISTERED  # noqa: PLC0415
        from notifications import jobs, kinds  # noqa: PLC0415

        notices.register_kinds()
        INVITATION_ACCEPTED.add(end_user_decisions.on_invitation_accepted)
        FIRST_PAGES.add(notices.page_to_confirm)
        jobs.register("contracts.imports", jobs.EVERY_PASS, imports.work_on_imports)
        kinds.register(obligation_notices.KIND)
        kinds.register(reminders.KIND)
        kinds.register(install_notices.KIND)
        CONTRACT_REGISTERED.add(documents.open_document_tasks)
        jobs.register("contracts.reminders", reminders.EVERY, reminders.remind)
