"""Who may do what: the one table of roles and permissions (security.md of the design, "Roles")."""

from collections.abc import Iterable

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class OrganisationKind(TextChoices):
    END_USER = "end_user", _("End user")
    RESELLER = "reseller", _("Reseller")
    DISTRIBUTOR = "distributor", _("Distributor")
    VENDOR = "vendor", _("Vendor")


class Role(TextChoices):
    CONTACT = "contact", _("Contact")
    TECHNICAL_CONTACT = "technical_contact", _("Technical contact")
    ACCOUNT_MANAGER = "account_manager", _("Account manager")
    PARTNER = "partner", _("Partner")
    ENGINEER = "engineer", _("JTAC engineer")
    DUTY_MANAGER = "duty_manager", _("Duty manager")
    EXECUTIVE = "executive", _("Support management")
    PROFESSIONAL_SERVICES = "professional_services", _("Professional Services")
    CSC_ADMIN = "csc_admin", _("CSC administrator")
    AUDITOR = "auditor", _("Auditor")


class Permission(TextChoices):
    """A verb. Which rows it may be done to is `visible_to`, never this table."""

    CASE_OPEN = "case.open", _("Open cases")
    CASE_REPLY = "case.reply", _("Reply to cases")
    CASE_RAISE = "case.raise", _("Raise the priority of a case")
    CASE_ANSWER = "case.answer", _("Accept, reject, deny, ask for escalation or closure")
    CASE_TRIAGE = "case.triage", _("Take, assign and move cases, write internal notes")
    CASE_VIEW_ALL = "case.view_all", _("See every case")
    ALERT_ACKNOWLEDGE = "alert.acknowledge", _("Acknowledge management alerts")
    CONTRACT_REGISTER = "contract.register", _("Register and renew contracts")
    CONTRACT_APPROVE = "contract.approve", _("Approve and refuse contracts")
    CONTRACT_VIEW_ALL = "contract.view_all", _("See every contract")
    PREREQUISITE_AGREE = "prerequisite.agree", _("Agree design documents and test plans")
    OBLIGATION_RECORD = "obligation.record", _("Record requirements and answer written notices")
    OBLIGATION_MEET = "obligation.meet", _("Say that a requirement is met")
    OBLIGATION_NOTIFY = "obligation.notify", _("Give written notice of a responsibility that is not met")
    RELEASE_ACCEPT = "release.accept", _("Accept releases")
    RELEASE_DRAFT = "release.draft", _("Draft patches and updates")
    RELEASE_PUBLISH = "release.publish", _("Publish and withdraw releases")
    RELEASE_VERIFY = "release.verify", _("Compare what is installed with a release")
    RELEASE_INSTRUCT = "release.instruct", _("Ask for installations, record and end drift")
    FILE_UPLOAD = "file.upload", _("Send files")
    PEOPLE_MANAGE = "people.manage", _("Invite colleagues and end their access")
    PEOPLE_VIEW_ALL = "people.view_all", _("See every organisation and person")
    ACCOUNT_DEACTIVATE = "account.deactivate", _("Deactivate accounts")
    POLICY_DRAFT = "policy.draft", _("Draft escalation policies")
    POLICY_ACTIVATE = "policy.activate", _("Activate escalation policies")
    AUDIT_VIEW = "audit.view", _("Read the audit trail")
    ENGINE_VIEW = "engine.view", _("Watch the alert engine")
    REQUEST_ASK = "request.ask", _("Ask for exceptions and quotes")
    REQUEST_DECIDE = "request.decide", _("Decide about exceptions, together with a second person")
    REQUEST_QUOTE = "request.quote", _("Answer requests for a quote")
    SETTINGS_EDIT = "settings.edit", _("Edit settings")


P = Permission
_CONTACT = {
    P.RELEASE_VERIFY,
    P.FILE_UPLOAD,
    P.CASE_OPEN,
    P.CASE_REPLY,
    P.CASE_RAISE,
    P.CASE_ANSWER,
    P.OBLIGATION_NOTIFY,
    P.REQUEST_ASK,
}
_ENGINEER = {
    P.CASE_VIEW_ALL,
    P.CASE_OPEN,
    P.CASE_REPLY,
    P.CASE_RAISE,
    P.CASE_TRIAGE,
    P.CONTRACT_VIEW_ALL,
    P.OBLIGATION_RECORD,
    P.RELEASE_DRAFT,
    P.RELEASE_INSTRUCT,
    P.FILE_UPLOAD,
    P.PEOPLE_VIEW_ALL,
    P.ENGINE_VIEW,
}
_MANAGER = _ENGINEER | {P.ALERT_ACKNOWLEDGE, P.POLICY_DRAFT}

PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.CONTACT: frozenset(_CONTACT),
    Role.TECHNICAL_CONTACT: frozenset(_CONTACT | {P.RELEASE_ACCEPT, P.PREREQUISITE_AGREE, P.OBLIGATION_MEET}),
    Role.ACCOUNT_MANAGER: frozenset({P.PEOPLE_MANAGE, P.OBLIGATION_NOTIFY}),
    Role.PARTNER: frozenset({P.CONTRACT_REGISTER, P.FILE_UPLOAD, P.REQUEST_ASK}),
    Role.ENGINEER: frozenset(_ENGINEER),
    Role.DUTY_MANAGER: frozenset(_MANAGER),
    Role.EXECUTIVE: frozenset(_MANAGER),
    Role.PROFESSIONAL_SERVICES: frozenset(
        {
            P.RELEASE_DRAFT,
            P.RELEASE_PUBLISH,
            P.RELEASE_INSTRUCT,
            P.PREREQUISITE_AGREE,
            P.OBLIGATION_RECORD,
            P.CONTRACT_VIEW_ALL,
            P.FILE_UPLOAD,
            P.PEOPLE_VIEW_ALL,
            P.REQUEST_QUOTE,
        }
    ),
    Role.CSC_ADMIN: frozenset(
        {
            P.CONTRACT_VIEW_ALL,
            P.CONTRACT_APPROVE,
            P.OBLIGATION_RECORD,
            P.FILE_UPLOAD,
            P.PEOPLE_VIEW_ALL,
            P.PEOPLE_MANAGE,
            P.ACCOUNT_DEACTIVATE,
            P.POLICY_ACTIVATE,
            P.AUDIT_VIEW,
            P.ENGINE_VIEW,
            P.REQUEST_DECIDE,
            P.SETTINGS_EDIT,
        }
    ),
    Role.AUDITOR: frozenset(
        {P.CASE_VIEW_ALL, P.CONTRACT_VIEW_ALL, P.PEOPLE_VIEW_ALL, P.AUDIT_VIEW, P.ENGINE_VIEW}
    ),
}

ROLES_OF_KIND: dict[str, frozenset[Role]] = {
    OrganisationKind.END_USER: frozenset({Role.CONTACT, Role.TECHNICAL_CONTACT, Role.ACCOUNT_MANAGER}),
    OrganisationKind.RESELLER: frozenset({Role.PARTNER, Role.ACCOUNT_MANAGER}),
    OrganisationKind.DISTRIBUTOR: frozenset({Role.PARTNER, Role.ACCOUNT_MANAGER}),
    OrganisationKind.VENDOR: frozenset(
        {
            Role.ENGINEER,
            Role.DUTY_MANAGER,
            Role.EXECUTIVE,
            Role.PROFESSIONAL_SERVICES,
            Role.CSC_ADMIN,
            Role.AUDITOR,
        }
    ),
}


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """Everything that a person with these roles may do."""
    return frozenset().union(*(PERMISSIONS.get(role, frozenset()) for role in roles))
