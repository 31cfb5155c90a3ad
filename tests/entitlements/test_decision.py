"""May they? Every reason, at the edges of its period, in three zones."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from contracts.kinds import ContractState, ReleaseKind, SoftwareKind
from entitlements.decision import RULE_VERSION, decide, explain
from entitlements.facts import (
    CASE,
    CONSULTING,
    DOWNLOAD,
    EXCEPTION,
    MODIFICATION,
    NOTICE,
    OUTSIDE_DOCUMENTS,
    PREVIEW,
    REGISTRATION,
    THIRD_PARTY_COMPONENT,
    UPGRADE_OR_ENHANCEMENT,
    WARRANTY,
    Drift,
    Facts,
    Request,
)
from entitlements.reasons import _TEXTS, Code, Refusal
from tests.entitlements.rows import (
    KATHMANDU,
    LOS_ANGELES,
    MOMENT,
    NOW,
    OTHER,
    PATHKEEPER,
    SEOUL,
    accepted,
    ask,
    contract,
    facts,
    kind_of,
    release,
)

PATCH = release("21.4R3-S5.1", ReleaseKind.PATCH)
OLD_PATCH = release("21.4R3-S4", ReleaseKind.PATCH)
WITH_OPENSSL = release(components=("OpenSSL", "expat"))
UPGRADE = release("22.1R1", ReleaseKind.UPGRADE, line="22.1R1")
DRIFTED = facts(drifts=(Drift(software_id=PATHKEEPER, since=NOW, until=NOW + timedelta(days=1)),))
WITHDRAWN = accepted("21.4R3-S5", withdrawn_at=NOW)
LATER = accepted("21.4R3-S6", accepted_at=NOW - timedelta(days=3))
# terminated before it started
CANCELLED = contract(state="terminated", starts_on=date(2026, 7, 1), terminated_at=NOW)
MIDNIGHT = datetime(2026, 6, 2, tzinfo=UTC)

GRANTED: Final[list[tuple[str, Facts, Request]]] = [
    ("a case on the accepted release", facts(), ask()),
    ("a preview", facts(), ask(PREVIEW)),
    ("a preview before a release is chosen", facts(), ask(PREVIEW, release=None)),
    ("a download of the accepted release", facts(), ask(DOWNLOAD)),
    ("a download of a later patch of its line", facts(), ask(DOWNLOAD, release=PATCH)),
    ("a notice about a later patch of its line", facts(), ask(NOTICE, release=PATCH)),
    ("a download of a later update", facts(), ask(DOWNLOAD, release=replace(PATCH, kind=ReleaseKind.UPDATE))),
    (
        "a patch made for the accepted release by name",
        facts(),
        ask(NOTICE, release=replace(PATCH, line="21.4R4", applies_to=frozenset({"release 21.4R3-S5"}))),
    ),
    ("a release accepted at this very moment", facts(accepted=(accepted(accepted_at=NOW),)), ask()),
    ("an earlier accepted release of the line", facts(accepted=(accepted(), LATER)), ask()),
    ("the current release although withdrawn", facts(accepted=(WITHDRAWN,)), ask()),
    (
        "the patch for a current release that was withdrawn",
        facts(accepted=(WITHDRAWN,)),
        ask(DOWNLOAD, release=PATCH),
    ),
    ("an upgrade that was bought and accepted", facts(accepted=(accepted("22.1R1"),)), ask(release=UPGRADE)),
    ("its download", facts(accepted=(accepted("22.1R1"),)), ask(DOWNLOAD, release=UPGRADE)),
    (
        "a consulting deliverable that staff let pass",
        kind_of(SoftwareKind.CONSULTING),
        ask(consulting_override="C2"),
    ),
    ("before the software was modified", DRIFTED, ask(at=NOW - MOMENT)),
    ("after it was put right", DRIFTED, ask(at=NOW + timedelta(days=1))),
    ("a notice although modified", DRIFTED, ask(NOTICE, release=PATCH)),
    (
        "another line was modified",
        facts(drifts=(Drift(software_id=PATHKEEPER, since=NOW, line="20.1R1"),)),
        ask(),
    ),
    ("other software was modified", facts(drifts=(Drift(software_id=OTHER, since=NOW),)), ask()),
    ("a download without a technical contact", facts(has_technical_contact=False), ask(DOWNLOAD)),
    ("a country before its row begins", facts(), ask(site_country="XX", at=MIDNIGHT - MOMENT)),
    ("a country whose row has ended", facts(), ask(site_country="SD", at=MIDNIGHT)),
    ("an exception that is asked before a release is chosen", facts(), ask(EXCEPTION, release=None)),
    ("a component that is none of the release", facts(), ask(release=WITH_OPENSSL, component="zlib")),
    (
        "the download of an update that carries a component",
        facts(),
        ask(DOWNLOAD, release=replace(PATCH, components=("OpenSSL",)), component="OpenSSL"),
    ),
    ("a contract that is terminated later", facts(contracts=(contract(terminated_at=NOW + MOMENT),)), ask()),
]

REFUSED: Final[list[tuple[Code, str, Facts, Request]]] = [
    (Code.ACCOUNT_INACTIVE, "C52", facts(person_active=False), ask()),
    (Code.EXPORT_CONTROL, "C63", facts(country="kp"), ask()),
    (Code.EXPORT_CONTROL, "C63", facts(country="KP"), ask(NOTICE, release=PATCH)),
    (Code.EXPORT_CONTROL, "C63", facts(), ask(site_country="KP")),
    (Code.EXPORT_CONTROL, "C63", facts(), ask(DOWNLOAD, person_country="KP")),
    (Code.EXPORT_CONTROL, "C63", facts(), ask(site_country="SD", at=MIDNIGHT - MOMENT)),
    (Code.EXPORT_CONTROL, "C63", facts(), ask(site_country="XX", at=MIDNIGHT)),
    (Code.OTHER_VENDOR_OR_JUNOS, "C41", kind_of(SoftwareKind.JUNOS), ask()),
    (Code.OTHER_VENDOR_OR_JUNOS, "C41", kind_of(SoftwareKind.JUNOS), ask(DOWNLOAD, release=UPGRADE)),
    (Code.OTHER_VENDOR_OR_JUNOS, "C18", kind_of("somebody else's"), ask()),
    (Code.THIRD_PARTY_COMPONENT, "C70", kind_of(SoftwareKind.THIRD_PARTY), ask()),
    (Code.THIRD_PARTY_COMPONENT, "C70", facts(), ask(subject=THIRD_PARTY_COMPONENT)),
    (Code.CONSULTING_DELIVERABLE, "C73", kind_of(SoftwareKind.CONSULTING), ask()),
    (Code.UPGRADE_OR_ENHANCEMENT, "C39", facts(), ask(subject=UPGRADE_OR_ENHANCEMENT)),
    (Code.UPGRADE_OR_ENHANCEMENT, "C39", facts(), ask(DOWNLOAD, release=UPGRADE)),
    (Code.UPGRADE_OR_ENHANCEMENT, "C39", facts(), ask(NOTICE, release=UPGRADE)),
    (Code.OUTSIDE_DOCUMENTS, "C71", facts(), ask(subject=OUTSIDE_DOCUMENTS)),
    (Code.WARRANTY, "C69", facts(), ask(subject=WARRANTY)),
    (Code.MODIFICATION, "C72", facts(), ask(subject=MODIFICATION)),
    (Code.CONSULTING_DELIVERABLE, "C73", facts(), ask(subject=CONSULTING)),
    (Code.THIRD_PARTY_COMPONENT, "C70", facts(), ask(release=WITH_OPENSSL, component="openssl")),
    (Code.RELEASE_NOT_ACCEPTED, "C42", facts(accepted=()), ask(EXCEPTION)),
    (Code.EXPORT_CONTROL, "C63", facts(country="KP"), ask(REGISTRATION)),
    (Code.EXPORT_CONTROL, "C63", facts(), ask(REGISTRATION, site_country="KP")),
    (Code.EXPORT_CONTROL, "C63", facts(), ask(REGISTRATION, person_country="KP")),
    (Code.CONSULTING_DELIVERABLE, "C73", kind_of(SoftwareKind.CONSULTING), ask(REGISTRATION)),
    (Code.WAITING_FOR_APPROVAL, "C25", facts(contracts=(contract(state="waiting"),)), ask()),
    (Code.WAITING_FOR_APPROVAL, "C33", facts(contracts=(contract(state="draft"),)), ask(DOWNLOAD)),
    (Code.NOT_STARTED, "C25", facts(contracts=(contract(starts_on=date(2026, 7, 1)),)), ask()),
    (Code.ENDED, "C25", facts(contracts=(contract(ends_on=date(2026, 6, 1)),)), ask()),
    (Code.ENDED, "C25", facts(contracts=(contract(ends_on=date(2026, 6, 1)),)), ask(PREVIEW)),
    (Code.ENDED, "C33", facts(contracts=(contract(ends_on=date(2026, 6, 1)),)), ask(DOWNLOAD)),
    (Code.ENDED, "C35", facts(contracts=(contract(ends_on=date(2026, 6, 1)),)), ask(NOTICE, release=PATCH)),
    (Code.TERMINATED, "C25", facts(contracts=(contract(state="terminated", terminated_at=NOW),)), ask()),
    (Code.TERMINATED, "C25", facts(contracts=(contract(state="terminated"),)), ask()),
    (Code.TERMINATED, "C25", facts(contracts=(CANCELLED,)), ask()),
    (Code.NO_CONTRACT, "C25", facts(contracts=(contract(state="waiting", ends_on=date(2026, 6, 1)),)), ask()),
    (Code.REGISTRATION_REFUSED, "C25", facts(contracts=(contract(state="refused"),)), ask()),
    (Code.NO_CONTRACT, "C25", facts(contracts=()), ask()),
    (Code.NO_CONTRACT, "C25", facts(contracts=(contract(software_id=OTHER),)), ask()),
    (Code.NO_CONTRACT, "C25", facts(contracts=(contract(state="unheard of"),)), ask()),
    (Code.PREREQUISITES_MISSING, "C12", facts(contracts=(contract(prerequisites_met=False),)), ask()),
    (Code.RELEASE_NOT_NAMED, "C42", facts(), ask(release=None)),
    (Code.RELEASE_WITHDRAWN, "C34", facts(), ask(NOTICE, release=replace(PATCH, withdrawn_at=NOW))),
    (
        Code.RELEASE_WITHDRAWN,
        "C42",
        facts(accepted=(WITHDRAWN, LATER)),
        ask(release=release(withdrawn_at=NOW)),
    ),
    (Code.RELEASE_NOT_ACCEPTED, "C42", facts(accepted=()), ask()),
    (Code.RELEASE_NOT_ACCEPTED, "C42", facts(accepted=(WITHDRAWN, LATER)), ask()),
    (Code.RELEASE_NOT_ACCEPTED, "C42", facts(accepted=(accepted(accepted_at=NOW + MOMENT),)), ask()),
    (Code.RELEASE_NOT_ACCEPTED, "C42", facts(accepted=(accepted(software_id=OTHER),)), ask()),
    (Code.RELEASE_NOT_ACCEPTED, "C42", facts(), ask(release=PATCH)),
    (Code.RELEASE_NOT_ACCEPTED, "C42", facts(), ask(PREVIEW, release=PATCH)),
    (Code.RELEASE_NOT_ACCEPTED, "C42", facts(), ask(release=release(software_id=OTHER))),
    (Code.RELEASE_NOT_ACCEPTED, "C34", facts(), ask(DOWNLOAD, release=OLD_PATCH)),
    (
        Code.RELEASE_NOT_ACCEPTED,
        "C34",
        facts(),
        ask(DOWNLOAD, release=release("21.4R3.S5", ReleaseKind.PATCH)),
    ),
    (Code.RELEASE_NOT_ACCEPTED, "C34", facts(), ask(DOWNLOAD, release=replace(PATCH, line="21.4R4"))),
    (Code.RELEASE_NOT_ACCEPTED, "C34", facts(), ask(NOTICE, release=replace(PATCH, software_id=OTHER))),
    (
        Code.RELEASE_NOT_ACCEPTED,
        "C34",
        facts(),
        ask(NOTICE, release=replace(PATCH, applies_to=frozenset({"release 21.4R3-S4"}))),
    ),
    (Code.RELEASE_NOT_ACCEPTED, "C34", facts(), ask(DOWNLOAD, release=release("21.4R3-S6"))),
    (Code.DRIFT, "C43", DRIFTED, ask()),
    (Code.DRIFT, "C43", DRIFTED, ask(DOWNLOAD, at=NOW + timedelta(days=1) - MOMENT)),
    (
        Code.DRIFT,
        "C43",
        facts(drifts=(Drift(software_id=PATHKEEPER, since=NOW, line="21.4R3"),)),
        ask(),
    ),
    (Code.NO_TECHNICAL_CONTACT, "C45", facts(has_technical_contact=False), ask()),
    (Code.NO_TECHNICAL_CONTACT, "C45", facts(has_technical_contact=False), ask(PREVIEW)),
]


def refused_cases() -> Iterator[Any]:
    for place, (code, clause, known, request) in enumerate(REFUSED):
        name = f"{place}-{code.value}-{request.purpose}"
        yield pytest.param(code, clause, known, request, id=name, marks=pytest.mark.clause(clause))


@pytest.mark.parametrize(("known", "request_"), [pytest.param(*row[1:], id=row[0]) for row in GRANTED])
@pytest.mark.clause("C25", "C33", "C34", "C42")
def test_what_is_owed_is_granted_with_its_contract_and_last_day(known: Facts, request_: Request) -> None:
    decision = decide(known, request_)
    assert [reason.code for reason in decision.reasons] == []
    assert decision.granted
    assert decision.contract_number == "CS-2025-0031"
    assert decision.covered_until is not None
    assert decision.covered_until > request_.at
    assert decision.rule_version == RULE_VERSION


@pytest.mark.parametrize(("code", "clause", "known", "request_"), list(refused_cases()))
def test_what_is_not_owed_is_refused_for_its_reason_alone(
    code: Code, clause: str, known: Facts, request_: Request
) -> None:
    decision = decide(known, request_)
    assert not decision.granted
    assert [(reason.code, reason.clause) for reason in decision.reasons] == [(code, clause)]


def test_the_tables_cover_every_reason() -> None:
    assert {row[0] for row in REFUSED} == set(Code)
    assert {code for code, _ in _TEXTS} == set(Code)


@pytest.mark.parametrize("zone", [LOS_ANGELES, SEOUL, KATHMANDU], ids=str)
@pytest.mark.parametrize("purpose", [CASE, DOWNLOAD, NOTICE, PREVIEW])
@pytest.mark.clause("C25", "C33", "C35")
def test_a_contract_covers_from_its_first_instant_until_its_end(zone: ZoneInfo, purpose: str) -> None:
    known = facts(zone=zone, contracts=(contract(zone=zone),))
    begin = datetime(2025, 11, 1, tzinfo=zone).astimezone(UTC)
    end = datetime(2026, 11, 1, tzinfo=zone).astimezone(UTC)
    expected = [
        (begin - MOMENT, Code.NOT_STARTED),
        (begin, None),
        (begin + MOMENT, None),
        (end - MOMENT, None),
        (end, Code.ENDED),
        (end + MOMENT, Code.ENDED),
    ]
    for at, code in expected:
        decision = decide(known, ask(purpose, at=at))
        assert [reason.code for reason in decision.reasons] == ([code] if code else []), at
        assert decision.granted is (code is None)
        assert decision.covered_until == (end if code is None else None)
        assert decision.covered_until_on == (date(2026, 10, 31) if code is None else None)


@pytest.mark.parametrize("zone", [LOS_ANGELES, SEOUL, KATHMANDU], ids=str)
@pytest.mark.clause("C25")
def test_a_lapsed_contract_says_its_last_day_and_since_when_it_is_over(zone: ZoneInfo) -> None:
    known = facts(zone=zone, contracts=(contract(zone=zone),))
    (reason,) = decide(known, ask(at=datetime(2026, 12, 24, tzinfo=UTC))).reasons
    assert reason.since == datetime(2026, 11, 1, tzinfo=zone)
    with translation.override("en"):
        assert reason.sentence == "The contract CS-2025-0031 ended on 31 October 2026."
        assert reason.remedy == "Renew the contract, or ask your account manager to."


def test_a_terminated_contract_covers_until_its_termination() -> None:
    known = facts(contracts=(contract(state=ContractState.TERMINATED, terminated_at=NOW),))
    before, after = (decide(known, ask(at=at)) for at in (NOW - MOMENT, NOW))
    assert before.granted
    assert before.covered_until == NOW
    assert before.covered_until_on == date(2026, 6, 1)
    assert after.reasons[0].since == NOW
    assert after.contract_number is None


def test_a_termination_after_the_end_changes_nothing() -> None:
    late = contract(state=ContractState.TERMINATED, terminated_at=datetime(2026, 12, 1, tzinfo=UTC))
    (reason,) = decide(facts(contracts=(late,)), ask(at=datetime(2026, 12, 24, tzinfo=UTC))).reasons
    assert (reason.code, reason.fact["ended_on"]) == (Code.ENDED, "2026-10-31")


@pytest.mark.clause("C17")
def test_a_renewal_takes_over_at_the_instant_the_old_contract_ends() -> None:
    renewal = contract("CS-2026-0032", starts_on=date(2026, 11, 1), ends_on=date(2027, 11, 1))
    known = facts(contracts=(contract(), renewal))
    end = datetime(2026, 11, 1, tzinfo=LOS_ANGELES).astimezone(UTC)
    assert decide(known, ask(at=end - MOMENT)).contract_number == "CS-2025-0031"
    assert decide(known, ask(at=end)).contract_number == "CS-2026-0032"


def test_in_a_gap_both_the_coming_and_the_ended_contract_are_told() -> None:
    coming = contract("CS-2026-0032", starts_on=date(2027, 1, 1), ends_on=date(2028, 1, 1))
    decision = decide(facts(contracts=(contract(), coming)), ask(at=datetime(2026, 12, 1, tzinfo=UTC)))
    assert [reason.code for reason in decision.reasons] == [Code.NOT_STARTED, Code.ENDED]


def test_a_renewal_that_waits_for_approval_is_told_before_the_end_of_the_old_contract() -> None:
    registered = datetime(2026, 10, 1, tzinfo=UTC)
    waiting = contract(
        "CS-2026-0032",
        state=ContractState.WAITING,
        starts_on=date(2026, 11, 1),
        ends_on=date(2027, 11, 1),
        registered_at=registered,
        prerequisites_met=False,
    )
    decision = decide(facts(contracts=(contract(), waiting)), ask(at=datetime(2026, 12, 1, tzinfo=UTC)))
    assert [(reason.code, reason.fact.get("number")) for reason in decision.reasons] == [
        (Code.WAITING_FOR_APPROVAL, "CS-2026-0032"),
        (Code.ENDED, "CS-2025-0031"),
        (Code.PREREQUISITES_MISSING, "CS-2026-0032"),
    ]
    assert decision.reasons[0].since == registered


def test_of_ended_contracts_the_last_one_is_told() -> None:
    older = contract("CS-2024-0001", starts_on=date(2024, 11, 1), ends_on=date(2025, 11, 1))
    decision = decide(facts(contracts=(older, contract())), ask(at=datetime(2026, 12, 1, tzinfo=UTC)))
    assert [reason.fact["number"] for reason in decision.reasons] == ["CS-2025-0031"]


def test_what_no_contract_would_change_is_said_first() -> None:
    known = facts(
        contracts=(), accepted=(), has_technical_contact=False, person_active=False, drifts=DRIFTED.drifts
    )
    decision = decide(known, ask(site_country="KP", subject=OUTSIDE_DOCUMENTS))
    assert [reason.code for reason in decision.reasons] == [
        Code.ACCOUNT_INACTIVE,
        Code.EXPORT_CONTROL,
        Code.OUTSIDE_DOCUMENTS,
        Code.NO_CONTRACT,
        Code.RELEASE_NOT_ACCEPTED,
        Code.DRIFT,
        Code.NO_TECHNICAL_CONTACT,
    ]


def test_for_what_is_no_custom_software_nothing_else_is_asked_of_the_customer() -> None:
    known = replace(kind_of(SoftwareKind.JUNOS), contracts=(), accepted=(), has_technical_contact=False)
    assert [reason.code for reason in decide(known, ask()).reasons] == [Code.OTHER_VENDOR_OR_JUNOS]


@pytest.mark.clause("C63")
def test_every_country_under_export_control_is_told_once() -> None:
    known = facts(country="KP")
    decision = decide(known, ask(site_country="kp", person_country="SD"))
    assert [(reason.variant, reason.fact["country"]) for reason in decision.reasons] == [
        ("end_user", "KP"),
        ("person", "SD"),
    ]
    assert decision.reasons[0].since == datetime(2000, 1, 1, tzinfo=UTC)


def test_a_patch_rests_on_the_newest_accepted_release_that_it_is_for() -> None:
    decision = decide(
        facts(accepted=(accepted(), LATER)), ask(NOTICE, release=release("21.4R3-S10", "patch"))
    )
    assert decision.accepted == LATER


def test_software_that_is_not_among_the_facts_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="not among the facts"):
        decide(facts(), ask(software_id=99))


@pytest.mark.parametrize("change", [{"purpose": "x"}, {"subject": "x"}, {"at": datetime(2026, 6, 1)}])  # noqa: DTZ001
def test_a_question_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ask(**change)


@pytest.mark.parametrize(("known", "request_"), [row[1:] for row in GRANTED] + [row[2:] for row in REFUSED])
def test_a_record_survives_json_and_says_the_same(known: Facts, request_: Request) -> None:
    decision = decide(known, request_)
    record = json.loads(json.dumps(decision.as_record()))
    assert record == decision.as_record()
    assert explain(record) == decision.explain()
    assert tuple(Refusal.from_record(reason) for reason in record["reasons"]) == decision.reasons
    json.dumps([known.as_record(), request_.as_record()])


def test_a_record_holds_the_answer_in_plain_words() -> None:
    record = decide(facts(contracts=(contract(ends_on=date(2026, 6, 1)),)), ask()).as_record()
    assert record == {
        "rule_version": RULE_VERSION,
        "granted": False,
        "contract": None,
        "contract_number": None,
        "covered_until_on": None,
        "covered_until": None,
        "accepted_release": "release 21.4R3-S5",
        "accepted_at": "2025-10-01T00:00:00+00:00",
        "reasons": [
            {
                "code": "ended",
                "variant": "",
                "clause": "C25",
                "fact": {"number": "CS-2025-0031", "ended_on": "2026-05-31"},
                "since": "2026-06-01T07:00:00+00:00",
            }
        ],
        "set_aside": [],
        "targets": [],
    }


def test_the_question_is_recorded_with_its_release_and_places() -> None:
    question = ask(release=replace(PATCH, applies_to=frozenset({UUID(int=2), UUID(int=1)}))).as_record()
    assert question["at"] == "2026-06-01T12:00:00+00:00"
    assert question["release"]["applies_to"] == [str(UUID(int=1)), str(UUID(int=2))]
    assert question["release"]["version"] == "21.4R3-S5.1"
    assert question["site_country"] == "US"


def test_a_granted_decision_names_contract_and_last_day() -> None:
    with translation.override("en"):
        assert decide(facts(), ask()).explain() == [
            "The contract CS-2025-0031 covers this until 31 October 2026."
        ]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_reason_has_a_sentence_and_a_remedy(language: str) -> None:
    with translation.override(language):
        for _, _, known, request in REFUSED:
            for reason in decide(known, request).reasons:
                assert reason.sentence
                assert reason.remedy
                assert "%(" not in reason.sentence + reason.remedy


def test_names_with_percent_signs_and_markup_stay_as_they_are() -> None:
    known = facts(organisation="100%(x)s <b>", contracts=())
    with translation.override("en"):
        assert decide(known, ask()).explain()[0] == "100%(x)s <b> has no service contract for PathKeeper."
