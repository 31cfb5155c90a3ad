"""The house reads its own code: the rules that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db.models import ForeignKey, Model, OneToOneField

from accounts import followups as accounts_followups
from accounts.models import Membership, User
from contracts import followups as contracts_followups
from notifications import followups as notifications_followups

ROOT = Path(settings.BASE_DIR)
APPS = ["accounts", "files", "notifications", "contracts", "entitlements", "cases"]
EDGES = re.compile(r"(^|/)(views|api|software_api|forms|serializers|first_screens|downloads)(/|\.py$)")
FORBIDDEN_MODULES = {"utils", "helpers", "common", "services", "selectors", "managers", "signals"}
# forms may look a name up for uniqueness; what the edge shows still starts from visible_to. Forms of staff, who
# see them all, offer governing documents
FREE_MODELS = {"User", "Policy", "EngineHeartbeat", "GoverningDocument"}
# rows that came with their parent, in a prefetch that started from visible_to
PREFETCHED = {"cases/views/story.py attachments"}


def modules(*apps_: str) -> Iterator[tuple[Path, ast.Module]]:
    for app in apps_:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def tenant_models() -> dict[str, type[Model]]:
    """Every model whose manager knows who may see which rows."""
    ours = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    return {m.__name__: m for m in ours if hasattr(m._default_manager.all(), "visible_to")}


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def test_edges_reach_tenant_rows_through_visible_to_only() -> None:
    tenants = set(tenant_models()) - FREE_MODELS
    found = []
    for path, tree in modules(*APPS, "portal"):
        if not EDGES.search(str(path.relative_to(ROOT))):
            continue
        for node in ast.walk(tree):
            # X.objects.<anything but visible_to>
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == "objects"
                and isinstance(node.value.value, ast.Name)
                and node.value.value.id in tenants
                and node.attr not in {"visible_to", "none", "unread_count", "inbox_of", "model"}
            ):
                found += [f"{where(path, node)} {node.value.value.id}.objects.{node.attr}"]
    assert not found, "\n".join(found)


def test_edges_do_not_walk_to_tenant_rows_through_related_managers() -> None:
    names = {
        relation.get_accessor_name()
        for model in tenant_models().values()
        for relation in model._meta.related_objects
        if relation.related_model.__name__ in tenant_models() and relation.multiple
    }
    found = []
    for path, tree in modules(*APPS, "portal"):
        if not EDGES.search(str(path.relative_to(ROOT))):
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and node.attr
                in {"all", "filter", "get", "exclude", "order_by", "values", "first", "count", "exists"}
                and isinstance(node.value, ast.Attribute)
                and node.value.attr in names
                and f"{path.relative_to(ROOT)} {node.value.attr}" not in PREFETCHED
            ):
                found += [f"{where(path, node)} .{node.value.attr}.{node.attr}"]
    assert not found, "\n".join(found)


def test_no_module_has_a_name_that_says_nothing() -> None:
    found = [str(p.relative_to(ROOT)) for p, _tree in modules(*APPS, "portal") if p.stem in FORBIDDEN_MODULES]
    assert not found


def test_nothing_is_imported_inside_a_function() -> None:
    found = []
    for path, tree in modules(*APPS, "portal"):
        if path.name == "apps.py":
            continue  # AppConfig.ready() is where models may be imported first
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)]
                found += [where(path, node) for node in inner]
    assert not found, "\n".join(found)


def test_public_actions_take_keywords_only_and_say_who_and_when() -> None:
    found = []
    for path, tree in modules(*APPS):
        relative = path.relative_to(ROOT)
        if "actions" not in {*relative.parts, path.stem}:
            continue
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                decorators = [ast.unparse(d) for d in node.decorator_list]
                if not any("atomic" in d for d in decorators):
                    continue
                keywords = {a.arg for a in node.args.kwonlyargs}
                if node.args.args or "now" not in keywords or not keywords & {"by", "membership", "user"}:
                    found.append(f"{where(path, node)} {node.name}")
                if not ast.get_docstring(node):
                    found.append(f"{where(path, node)} {node.name} has no docstring")
    assert not found, "\n".join(found)


def test_rules_never_read_the_clock_themselves() -> None:
    """The clock is an argument; only edges and leases look at it."""
    readers = re.compile(r"(timezone\.now|datetime\.now|datetime\.utcnow|date\.today|localdate)\(")
    found = []
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            relative = str(path.relative_to(ROOT))
            is_rule = re.search(
                r"(^|/)(actions|decision|escalation|clock|ladder|facts|notices|search|terms)(/|\.py$)",
                relative,
            )
            if relative == "entitlements/notices.py":
                continue  # asked at the moment of sending, by the runner, whether somebody may still be told
            if is_rule and readers.search(path.read_text(encoding="utf-8")):
                found.append(relative)
    assert not found


def test_only_one_place_registers_each_follow_up() -> None:
    registered = {
        "membership ended": accounts_followups.MEMBERSHIP_ENDED.registered(),
        "invitation accepted": accounts_followups.INVITATION_ACCEPTED.registered(),
        "release published": contracts_followups.RELEASE_PUBLISHED.registered(),
        "contract approved": contracts_followups.CONTRACT_APPROVED.registered(),
        "contract registered": contracts_followups.CONTRACT_REGISTERED.registered(),
        "release withdrawn": contracts_followups.RELEASE_WITHDRAWN.registered(),
        "release accepted": contracts_followups.RELEASE_ACCEPTED.registered(),
        "message acknowledged": notifications_followups.MESSAGE_ACKNOWLEDGED.registered(),
        "delivery dead": notifications_followups.DELIVERY_DEAD.registered(),
    }
    assert registered == EXPECTED_FOLLOWUPS


EXPECTED_FOLLOWUPS = {
    "membership ended": [
        "cases.actions.handover.hand_over",
        "notifications.actions.leave_to_others",
        "files.actions.drop_uploads_of",
    ],
    "invitation accepted": ["contracts.actions.end_user_decisions.on_invitation_accepted"],
    "release published": ["entitlements.notices.tell_about_release"],
    "release withdrawn": ["entitlements.notices.tell_about_withdrawal"],
    "contract registered": [
        "entitlements.actions.deciding.record_registration",
        "contracts.actions.documents.open_document_tasks",
    ],
    "contract approved": [],
    "release accepted": [],
    "message acknowledged": ["cases.ladder.on_acknowledged"],
    "delivery dead": ["cases.ladder.on_delivery_dead"],
}

# what MEMBERSHIP_ENDED hands over, ends or suppresses
ENDED_WITH_THE_MEMBERSHIP = {
    "accounts.ApiToken.membership",
    "accounts.Invitation.invited_by",
    "cases.Case.owner",
    "cases.Case.contact",
    "cases.Watcher.membership",
    "files.Upload.owner",
    "notifications.Delivery.recipient",
    "notifications.DutyPerson.membership",
    "notifications.DutyPerson.delegate",
}
# who did what, when: history that stays as it was
KEPT_AS_HISTORY = {
    "accounts.Invitation.accepted_by",
    "accounts.Membership.user",
    "cases.Case.backup_confirmed_by",
    "cases.Case.opened_by",
    "cases.CaseEvent.by",
    "cases.Rung.acknowledged_by",
    "contracts.Acceptance.accepted_by",
    "contracts.ContractImport.imported_by",
    "contracts.DocumentAgreement.agreed_by",
    "contracts.DocumentTask.closed_by",
    "contracts.DocumentTask.opened_by",
    "contracts.Drift.ended_by",
    "contracts.Drift.recorded_by",
    "contracts.EndUserRequest.confirmed_by",
    "contracts.EndUserRequest.decided_by",
    "contracts.EndUserRequest.requested_by",
    "contracts.InstallTask.closed_by",
    "contracts.InstallTask.created_by",
    "contracts.IntegrityCheck.checked_by",
    "contracts.LicenceAcceptance.accepted_by",
    "contracts.NonFulfilment.given_by",
    "contracts.NonFulfilment.read_by",
    "contracts.Release.withdrawn_by",
    "contracts.Requirement.met_by",
    "contracts.Requirement.recorded_by",
    "contracts.ServiceContract.terminated_by",
    "contracts.Release.published_by",
    "contracts.ServiceContract.co_termination_approved_by",
    "contracts.ServiceContract.decided_by",
    "contracts.ServiceContract.registered_by",
    "entitlements.DecisionRecord.asked_by",
    "entitlements.Download.membership",
    "entitlements.ExceptionRequest.asked_by",
    "entitlements.ExceptionRequest.closed_by",
    "entitlements.ExceptionRequest.first_by",
    "entitlements.ExceptionRequest.second_by",
    "entitlements.QuoteRequest.answered_by",
    "entitlements.QuoteRequest.asked_by",
    "entitlements.Policy.activated_by",
    "entitlements.Policy.drafted_by",
    "files.StoredFile.uploaded_by",
    "notifications.Acknowledgement.by",
    "notifications.Message.recipient",
    "portal.ApiRate.person",
    "portal.IdempotencyKey.person",
}


def test_every_link_to_a_person_is_ended_with_the_membership_or_kept_as_history() -> None:
    links = {
        f"{model._meta.label}.{field.name}"
        for app in [*APPS, "portal"]
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey | OneToOneField) and field.related_model in (User, Membership)
    }
    assert links == ENDED_WITH_THE_MEMBERSHIP | KEPT_AS_HISTORY


def test_constraints_are_named_as_sentences_of_their_table() -> None:
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            prefix = f"{app}_{model._meta.model_name}_"
            for constraint in model._meta.constraints:
                assert constraint.name.startswith(prefix)
                assert len(constraint.name) <= 63, constraint.name


def test_every_model_that_belongs_to_somebody_knows_who_may_see_it() -> None:
    """A model of ours has `visible_to`, or is reached only through one that has (listed here)."""
    reached_through_another = {
        "accounts.User", "accounts.ExcludedCountry", "contracts.ReleaseLine", "contracts.Defect",
        "contracts.ReleaseFile", "contracts.DocumentAgreement", "contracts.ContractCounter", "contracts.Component",
        "contracts.ContractImportRow", "contracts.GlossaryTerm", "contracts.ReminderRule",
        "entitlements.Policy", "entitlements.PolicyRung", "entitlements.PolicyTarget", "entitlements.BusinessHours",
        "entitlements.Rate", "entitlements.CountryService", "cases.Watcher", "cases.CaseCounter", "cases.Cycle",
    }  # fmt: skip
    known = {m._meta.label for m in tenant_models().values()}
    everything = {
        m._meta.label
        for app in APPS
        for m in apps.get_app_config(app).get_models()
        if not m._meta.auto_created and not m._meta.proxy
    }
    assert everything - known == reached_through_another


def test_templates_have_no_inline_script_style_or_handler() -> None:
    """The content policy forbids them; mails are not under it."""
    inline = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|\son[a-z]+=\"|\sstyle=\"|<style")
    pages = [p for p in (ROOT / "templates").rglob("*.html") if "mail" not in str(p.relative_to(ROOT))]
    tags = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
    found = [
        str(p.relative_to(ROOT)) for p in pages if inline.search(tags.sub("", p.read_text(encoding="utf-8")))
    ]
    assert not found


def test_nothing_reads_the_design_folder_or_names_this_machine() -> None:
    wrong = re.compile(r"\.\./shared|/work/|/root/|/home/[a-z]")
    tracked = [
        p
        for p in ROOT.rglob("*")
        if p.is_file() and p.suffix in {".py", ".md", ".html", ".toml", ".yml", ".sh"}
    ]
    skipped = {".venv", "var", ".git", "node_modules"}
    found = [
        str(p.relative_to(ROOT))
        for p in tracked
        if not skipped & set(p.relative_to(ROOT).parts)
        and p != Path(__file__)
        and wrong.search(p.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not found
