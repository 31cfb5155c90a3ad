from typing import Any

import pytest
from django.template.loader import get_template

from accounts.models import User
from notifications import kinds
from notifications.kinds import Channel
from notifications.models import Delivery
from notifications.outbox import ACCOUNT_MAIL
from notifications.rendering import inbox_line, mail_of, on_one_line
from tests.factories import NOW
from tests.notifications.conftest import Enqueue

CASE = {
    "number": "2026-1122-0007",
    "synopsis": "Core router reboots",
    "organisation": "Acme Telecom",
    "priority": "P1",
    "level": 1,
    "opened_at": NOW,
    "author": "Sam Ruiz",
    "title": "Service restored",
    "software": "PathKeeper",
    "release": "21.4R3-S5.1",
    "text": "Please look at <b>this</b> & that.",
}


def mail_to(enqueue: Enqueue, user: User, **values: Any) -> Any:
    enqueue(user, **values)
    return mail_of(Delivery.objects.select_related("message__recipient__user").get(channel=Channel.MAIL))


def html_of(mail: Any) -> str:
    return str(mail.alternatives[0][0])


def test_a_mail_says_what_happened_and_leads_to_the_page(
    enqueue: Enqueue, alice: User, settings: Any
) -> None:
    mail = mail_to(enqueue, alice, context=CASE)
    assert mail.to == ["alice@acme.example"]
    assert mail.subject == "Service restored"
    link = f"{settings.PUBLIC_URL}/cases/2026-1122-0007/"
    assert link in mail.body
    assert f'href="{link}"' in html_of(mail)
    assert mail.extra_headers["Auto-Submitted"] == "auto-generated"


@pytest.mark.attack("script in every text")
def test_text_of_people_is_plain_in_text_and_escaped_in_html(enqueue: Enqueue, alice: User) -> None:
    mail = mail_to(enqueue, alice, context=CASE | {"title": "<script>alert(1)</script> & co"})
    assert "<b>this</b> & that" in mail.body
    assert "&lt;b&gt;this&lt;/b&gt; &amp; that" in html_of(mail)
    assert "<script>" not in html_of(mail)
    assert mail.subject == "<script>alert(1)</script> & co"


@pytest.mark.attack("header injection and CSV formulas")
@pytest.mark.parametrize("bad", ["\r\nBcc: mallory@rival.example", "\nX: y", "\x0b\x00\u2028\u202e"])
def test_no_field_starts_a_header_of_its_own(enqueue: Enqueue, alice: User, bad: str) -> None:
    context = CASE | {"title": f"Hello{bad}".replace("\x00", "")}
    raw = mail_to(enqueue, alice, context=context).message().as_string()
    headers = raw.split("\n\n", 1)[0]
    assert not any(line.startswith(("Bcc", "X:")) for line in headers.splitlines())


def test_one_subject_is_one_thread_with_an_id_per_delivery(enqueue: Enqueue, alice: User, anna: User) -> None:
    enqueue(alice, anna, dedupe="a")
    enqueue(alice, dedupe="b")
    enqueue(alice, dedupe="c", subject="case:2026-1122-0008")
    mails = Delivery.objects.filter(channel=Channel.MAIL).select_related("message__recipient__user")
    headers = [mail_of(d).extra_headers for d in mails.order_by("pk")]
    assert len({h["Message-ID"] for h in headers}) == 4
    assert len({h["References"] for h in headers}) == 2
    assert headers == [mail_of(d).extra_headers for d in mails.order_by("pk")]


def test_times_stand_in_the_zone_of_the_reader(enqueue: Enqueue, minsu: User) -> None:
    minsu.time_zone = "Asia/Seoul"
    minsu.save()
    mail = mail_to(enqueue, minsu, context=CASE)
    assert "22 Nov 2026 21:00 KST" in mail.body or "21:00 KST" in mail.body
    assert 'lang="ko"' in html_of(mail)


@pytest.mark.parametrize(
    ("kind", "more", "line"),
    [
        ("case_alert", {}, "P1 alert, level 1: 2026-1122-0007 Acme Telecom: Core router reboots"),
        (
            "case_alert",
            {"is_early": True},
            "P1 alert, level 1, nobody below has acknowledged: 2026-1122-0007 Acme Telecom: Core router reboots",
        ),
        (
            "case_escalation",
            {"wish": "engineer_now"},
            "Sam Ruiz of Acme Telecom asks for escalation: 2026-1122-0007: Core router reboots",
        ),
        ("case_opened", {}, "Case 2026-1122-0007 opened for Acme Telecom: Core router reboots"),
        ("case_reply", {}, "Sam Ruiz replied to case 2026-1122-0007: Core router reboots"),
        ("case_update", {"what": "restored"}, "Service restored in case 2026-1122-0007: Core router reboots"),
        ("case_update", {"what": "unheard_of"}, "News in case 2026-1122-0007: Core router reboots"),
        (
            "release_notice",
            {"release_kind": "patch"},
            "Patch 21.4R3-S5.1 of PathKeeper is available: Service restored",
        ),
        (
            "release_notice",
            {"release_kind": "update"},
            "Update 21.4R3-S5.1 of PathKeeper is available: Service restored",
        ),
    ],
)
def test_each_kind_has_its_line_in_mail_and_inbox(
    enqueue: Enqueue, alice: User, kind: str, more: dict[str, Any], line: str
) -> None:
    (message,) = enqueue(alice, context=CASE | more)
    message.kind = kind
    message.save()
    mail = mail_of(Delivery.objects.select_related("message__recipient__user").get(channel=Channel.MAIL))
    assert mail.subject == inbox_line(message) == line
    assert mail.body.startswith(f"{line}\n\n")
    assert "\n\n\n" not in mail.body
    assert f"<h1>{line}</h1>" in html_of(mail)


def test_every_registered_kind_has_texts_of_its_own() -> None:
    for name in kinds.registered():
        # an account mail brings its own text along
        if not name.startswith("test_") and name != ACCOUNT_MAIL:
            for template in (f"inbox/{name}.txt", f"mail/{name}.txt", f"mail/{name}.html"):
                assert get_template(f"notifications/{template}")


def test_an_endless_line_is_cut() -> None:
    assert on_one_line("a" * 500) == "a" * 179 + "…"
    assert on_one_line("  two \n\n words ") == "two words"
