"""The demo world: the same each time, nobody's real data harmed, and nothing of its past ever sent."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import Membership, Organisation, User
from accounts.roles import OrganisationKind
from cases.models import Attachment, Case, Rung
from cases.workflow import CaseState, RungState
from contracts.actions import approve_contract, publish_release, register_contract
from contracts.kinds import ContractState, ReleaseState
from contracts.models import Release, ServiceContract, Software
from contracts.terms import add_months
from entitlements.kinds import Priority
from entitlements.models import DecisionRecord, Policy
from notifications.models import ARRIVED_STATES, Delivery, Incident, Message
from portal.demo import people
from portal.demo.build import SEED, load
from portal.demo.clearing import last_load
from portal.run import PASSWORD, PEOPLE

NOW = datetime(2026, 11, 22, 17, 41, tzinfo=UTC)
LEAP_DAY = datetime(2028, 2, 29, 23, 30, tzinfo=UTC)
LABELS = {"accounts", "files", "notifications", "contracts", "entitlements", "cases", "account"}
# Measured on two cores: a thousand statements of a load take a second, and `make run` has ten for everything.
MOST_STATEMENTS = 7_500
# made by chance on purpose: nobody may guess it
SECRET = {("accounts", "invitation", "token_digest")}


statements: Counter[str] = Counter()


def _count(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
    statements["load"] += 1
    return execute(sql, params, many, context)


@pytest.fixture(scope="module", autouse=True)
def media(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The world, loaded once for all tests here, in a transaction of its own; gives the folder of its files."""
    folder = str(tmp_path_factory.mktemp("demo-files"))
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with django_db_blocker.unblock(), transaction.atomic():
        with (
            override_settings(MEDIA_ROOT=folder, PASSWORD_HASHERS=hashers),
            connection.execute_wrapper(_count),
        ):
            load(now=NOW)
        yield folder
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _files(media: str, settings: Any, db: None) -> None:
    settings.MEDIA_ROOT = media


def _acting(mail: str) -> User:
    user = User.objects.get(email=mail)
    user.acting = Membership.objects.active().select_related("organisation", "user").get(user=user)
    return user


def _digest() -> str:
    """Over every column of every row that the world consists of."""
    found = hashlib.sha256()
    for model in sorted(apps.get_models(include_auto_created=True), key=lambda m: m._meta.label_lower):
        if model._meta.app_label in LABELS:
            for row in model._default_manager.order_by("pk").values_list(*_columns(model)):
                found.update(f"{model._meta.label_lower}{row!r}\n".encode())
    return found.hexdigest()


def _columns(model: type[models.Model]) -> list[str]:
    meta = model._meta
    return [
        f.attname for f in meta.concrete_fields if (meta.app_label, meta.model_name, f.name) not in SECRET
    ]


def _command(*words: str) -> str:
    out = StringIO()
    call_command("demo_world", *words, stdout=out)
    return out.getvalue()


def test_the_same_seed_and_moment_give_the_same_world_to_the_last_column() -> None:
    first = _digest()

    _command("--now", NOW.isoformat(), "--seed", str(SEED))

    assert _digest() == first


def test_a_load_is_quick_enough_for_a_start_in_ten_seconds() -> None:
    assert 1_000 < statements["load"] <= MOST_STATEMENTS


def test_a_world_that_has_grown_old_is_loaded_anew_also_on_a_leap_day() -> None:
    assert "is there (" in _command("--if-needed", "--now", LEAP_DAY.isoformat())

    loaded = last_load()
    assert loaded is not None
    assert loaded.at == LEAP_DAY
    assert Case.objects.exclude(state=CaseState.CLOSED).filter(priority=Priority.P1).count() == 2
    assert not Rung.objects.due(LEAP_DAY).filter(cycle__ended_at=None).exists()
    assert Policy.objects.in_force_at(LEAP_DAY).rungs.count() == 11


def test_a_fresh_world_is_left_as_it_is() -> None:
    answer = _command("--if-needed", "--now", (NOW + timedelta(hours=5, minutes=59)).isoformat())

    assert answer == "The demo world is there.\n"
    loaded = last_load()
    assert loaded is not None
    assert loaded.at == NOW


def test_a_person_who_is_not_of_the_demo_keeps_it_out_in_one_line() -> None:
    User.objects.create(email="jo@operator.net", name="Jo", created_at=NOW)
    before = Case.objects.count()

    with pytest.raises(CommandError) as refusal:
        _command("--now", LEAP_DAY.isoformat())

    assert "jo@operator.net" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "jo@operator.net" in _command("--if-needed", "--now", LEAP_DAY.isoformat())
    assert Case.objects.count() == before


def test_an_organisation_that_is_not_of_the_demo_keeps_it_out() -> None:
    Organisation.objects.create(
        name="Operator", slug="operator", kind=OrganisationKind.END_USER, country="US", created_at=NOW
    )

    with pytest.raises(CommandError, match="Operator"):
        _command("--now", LEAP_DAY.isoformat())


def test_cases_that_no_load_has_made_keep_it_out() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_auditentry")

    with pytest.raises(CommandError, match="did not make"):
        _command("--now", LEAP_DAY.isoformat())


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-22", "2026-11-22T10:00:00", "2026-13-40T10:00:00Z"])
def test_what_is_no_instant_is_refused(moment: str) -> None:
    with pytest.raises(CommandError, match="--now"):
        _command("--now", moment)


@pytest.mark.parametrize("mail", [mail for mail, _who in PEOPLE])
def test_everybody_of_the_sign_in_table_can_sign_in(mail: str) -> None:
    client = Client()

    answer = client.post(reverse("account_login"), {"login": mail, "password": PASSWORD})

    assert answer.status_code == 302, answer.content.decode()[-2000:]
    assert client.session["_auth_user_id"] == str(User.objects.get(email=mail).pk)


def test_passwords_and_addresses_are_those_of_the_sign_in_table() -> None:
    assert people.PASSWORD == PASSWORD
    assert {mail for mail, _who in PEOPLE} <= set(User.objects.values_list("email", flat=True))
    assert not EmailAddress.objects.filter(verified=False).exists()


def test_nothing_of_the_past_is_left_to_send() -> None:
    assert not Delivery.objects.exclude(state__in=ARRIVED_STATES).exists()
    assert not Delivery.objects.filter(sent_at__gt=NOW).exists()
    assert not Rung.objects.due(NOW).filter(cycle__ended_at=None).exists()
    assert not Incident.objects.exists()


def test_one_of_the_two_burning_cases_waits_for_its_acknowledgement() -> None:
    acme = Case.objects.get(customer_reference="INC0042117")
    hanbit = Case.objects.get(customer_reference="HM-88213")

    assert Rung.objects.get(cycle__case=acme, level=1).acknowledged_by == _acting("lena@jtac.example").acting
    climb = Rung.objects.get(cycle__case=hanbit, level=2)
    assert climb.state == RungState.PENDING
    assert climb.next_at == NOW + timedelta(minutes=5)
    unanswered = Message.objects.get(needs_acknowledgement=True, acknowledgement=None)
    assert unanswered.subject == hanbit.subject


def test_an_alert_that_was_answered_late_had_gone_up_a_level() -> None:
    rung = Rung.objects.get(cycle__case__customer_reference="HM-87420", level=2)

    assert rung.fired_early
    assert rung.fired_at == rung.cycle.started_at + timedelta(minutes=15)


def test_only_one_update_is_overdue() -> None:
    late = Case.objects.filter(next_deadline_at__lte=NOW)

    assert [case.customer_reference for case in late] == ["HM-87950"]


def test_cases_stand_in_every_state_and_priority_and_tell_a_story() -> None:
    assert set(Case.objects.values_list("state", flat=True)) == set(CaseState.values)
    assert set(Case.objects.values_list("priority", flat=True)) == set(Priority.values)
    assert 58 <= Case.objects.count() <= 66
    closed = Case.objects.filter(state=CaseState.CLOSED)
    assert not closed.filter(cause="").exists()


def test_attachments_hold_the_bytes_that_their_digests_say() -> None:
    rows = Attachment.objects.select_related("stored")

    assert rows.count() > 30
    for row in rows:
        with row.stored.content.open("rb") as content:
            data = content.read()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (row.stored.size, row.stored.sha256)


def test_the_lapsed_customer_was_refused_and_the_attempt_is_on_record() -> None:
    refused = DecisionRecord.objects.get(purpose="case", is_granted=False)

    assert refused.organisation.slug == "rival"


def test_contracts_stand_in_every_condition() -> None:
    contracts = ServiceContract.objects.all()
    ending = contracts.get(end_user__slug="nordlys", software__slug="edgeprov")

    assert set(contracts.values_list("state", flat=True)) == set(ContractState.values)
    assert ending.is_in_force_at(NOW)
    assert ending.ends_on - date(2026, 11, 22) == timedelta(days=25)
    assert contracts.filter(co_terminates_with__isnull=False).exists()
    assert not contracts.in_force_at(NOW).filter(end_user__slug="rival").exists()
    assert contracts.filter(state=ContractState.APPROVED, starts_at__gt=NOW).exists()


def test_the_reseller_can_register_the_next_year_and_the_administrator_approve_it() -> None:
    now = NOW + timedelta(minutes=1)
    ending = ServiceContract.objects.get(end_user__slug="nordlys", software__slug="edgeprov")

    contract = register_contract(
        end_user=ending.end_user,
        software=ending.software,
        starts_on=ending.ends_on,
        ends_on=add_months(ending.ends_on, 12),
        purchase_order="MN-79001",
        po_end_user_name=ending.end_user.name,
        po_end_user_address=ending.end_user.address,
        renews=ending,
        by=_acting("remy@meridian.example"),
        now=now,
    )
    contract = approve_contract(contract=contract, by=_acting("ada@csc.example"), now=now)

    assert contract.starts_at is not None
    assert contract.is_in_force_at(contract.starts_at)


def test_the_drafted_patch_can_be_published_and_reaches_whom_it_concerns() -> None:
    patch = Release.objects.get(version="21.4R3-S5.1")
    assert patch.state == ReleaseState.DRAFT

    patch = publish_release(release=patch, by=_acting("paula@ps.example"), now=NOW + timedelta(minutes=1))

    told = Message.objects.filter(subject=patch.subject).values_list(
        "recipient__organisation__slug", flat=True
    )
    assert set(told) == {"acme", "hanbit"}


def test_a_published_patch_has_receipts_of_those_who_opened_the_notice() -> None:
    patch = Release.objects.get(version="2.6.1-p2")
    inbox = Delivery.objects.filter(message__subject=patch.subject, channel="inbox")

    assert inbox.count() == 7
    assert inbox.filter(opened_at__isnull=False).count() >= 5


def test_the_leaver_is_out_and_the_work_is_with_a_colleague() -> None:
    tom = User.objects.get(email="tom@acme.example")

    assert not Membership.objects.active().filter(user=tom).exists()
    assert not Case.objects.filter(contact__user=tom).exists()


def test_one_deliverable_is_outside_the_service() -> None:
    assert Software.objects.filter(kind="consulting").count() == 1
