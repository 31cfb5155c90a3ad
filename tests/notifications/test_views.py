from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from notifications import views
from notifications.actions import record_heartbeat
from notifications.delivery import run_batch
from notifications.models import Acknowledgement, Delivery, DeliveryState, Incident, Message
from tests.conftest import SignIn
from tests.factories import NOW
from tests.notifications.conftest import Enqueue, MailServer


@pytest.fixture
def told(enqueue: Enqueue, lena: User, alice: User, owner: int, mail_server: MailServer) -> Message:
    """An alert to Lena that has arrived in her inbox."""
    (message,) = enqueue(lena, kind="test_alert", path="/inbox/")
    run_batch(owner)
    return message


def page(client: Any, url: str = "/inbox/") -> str:
    response = client.get(url)
    assert response.status_code == 200
    return str(response.content.decode())


def test_the_inbox_shows_what_came_unread_first_class(told: Message, lena: User, sign_in: SignIn) -> None:
    html = page(sign_in(lena))
    assert "Something happened" in html
    assert 'class="unread"' in html
    assert reverse("message_acknowledge", args=[told.pk]) in html
    assert "Mark all as read" in html


def test_opening_a_message_marks_it_and_leads_to_its_page(told: Message, lena: User, sign_in: SignIn) -> None:
    client = sign_in(lena)
    response = client.get(reverse("inbox_open", args=[told.pk]))
    assert (response.status_code, response.headers["Location"]) == (302, told.path)
    assert Delivery.objects.unread_count(lena) == 0
    assert 'class="unread"' not in page(client)
    assert "Nothing unread" in page(client, "/inbox/?show=unread")


def test_somebody_else_s_message_is_as_if_it_did_not_exist(
    told: Message, omar: User, alice: User, sign_in: SignIn
) -> None:
    for user in (omar, alice):
        client = sign_in(user)
        assert "Something happened" not in page(client)
        for pk in (told.pk, told.pk + 1000):
            assert client.get(reverse("inbox_open", args=[pk])).status_code == 404
            assert client.post(reverse("message_acknowledge", args=[pk])).status_code == 404
    assert not Acknowledgement.objects.exists()


def test_one_press_acknowledges_and_comes_back(told: Message, lena: User, sign_in: SignIn) -> None:
    client = sign_in(lena)
    url = reverse("message_acknowledge", args=[told.pk])
    response = client.post(url, {"next": "/inbox/?show=unread", "note": "한글 🙂"})
    assert response.headers["Location"] == "/inbox/?show=unread"
    found = Acknowledgement.objects.get(message=told)
    assert (found.by, found.note, found.how) == (lena.acting, "한글 🙂", "page")
    html = page(client)
    assert "Lena Fischer acknowledged" in html
    assert url not in html


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_coming_back_never_leads_out_of_the_portal(
    told: Message, lena: User, sign_in: SignIn, elsewhere: str
) -> None:
    response = sign_in(lena).post(reverse("message_acknowledge", args=[told.pk]), {"next": elsewhere})
    assert response.headers["Location"] == "/inbox/"


@pytest.mark.parametrize("note", ["x" * 501, "null\x00byte"])
def test_a_note_that_cannot_be_kept_writes_nothing_and_says_so(
    told: Message, lena: User, sign_in: SignIn, note: str
) -> None:
    client = sign_in(lena)
    client.post(reverse("message_acknowledge", args=[told.pk]), {"note": note})
    assert not Acknowledgement.objects.exists()
    assert "The note is too long" in page(client)


def test_what_asks_for_nothing_cannot_be_acknowledged(
    enqueue: Enqueue, alice: User, owner: int, mail_server: MailServer, sign_in: SignIn
) -> None:
    (message,) = enqueue(alice)
    run_batch(owner)
    client = sign_in(alice)
    client.post(reverse("message_acknowledge", args=[message.pk]))
    assert not Acknowledgement.objects.exists()
    assert "asks for no acknowledgement" in page(client)


def test_all_can_be_marked_as_read_at_once(told: Message, lena: User, sign_in: SignIn) -> None:
    client = sign_in(lena)
    assert client.get(reverse("inbox_read_all")).status_code == 405
    assert client.post(reverse("inbox_read_all")).status_code == 302
    assert Delivery.objects.unread_count(lena) == 0


def test_the_inbox_pages_by_key_both_ways(
    enqueue: Enqueue, alice: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PAGE_SIZE", 2)
    for n in range(5):
        enqueue(alice, dedupe=f"n{n}", context={"title": f"Event {n}"})
    Delivery.objects.filter(channel="inbox").update(state=DeliveryState.CONFIRMED, sent_at=NOW)
    client = sign_in(alice)

    def shown(url: str) -> tuple[list[int], Any]:
        context = client.get(url).context
        lines = [row["line"] for row in context["rows"]]
        return [int(line.split()[1]) for line in lines], context["page"]

    first, links = shown("/inbox/")
    assert (first, links.newer) == ([4, 3], "")
    second, links = shown("/inbox/" + links.older)
    assert second == [2, 1]
    third, last = shown("/inbox/" + links.older)
    assert (third, last.older) == ([0], "")
    assert shown("/inbox/" + last.newer)[0] == [2, 1]
    assert shown("/inbox/" + links.newer)[0] == [4, 3]


@pytest.mark.parametrize("query", ["?before=x", "?before=-1", "?before=", "?after=9" + "9" * 30, "?show=%00"])
def test_nonsense_in_the_address_shows_the_newest(
    told: Message, lena: User, sign_in: SignIn, query: str
) -> None:
    assert "Something happened" in page(sign_in(lena), f"/inbox/{query}")


def test_a_long_inbox_costs_as_many_queries_as_a_short_one(
    enqueue: Enqueue, alice: User, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    for n in range(40):
        enqueue(alice, dedupe=f"n{n}")
    Delivery.objects.filter(channel="inbox").update(state=DeliveryState.CONFIRMED, sent_at=NOW)
    client = sign_in(alice)
    page(client)
    with django_assert_max_num_queries(10):
        page(client)


def test_a_message_of_a_kind_that_is_gone_is_still_shown(told: Message, lena: User, sign_in: SignIn) -> None:
    Message.objects.update(kind="long_gone")
    assert "Something happened" in page(sign_in(lena))


# The engine


@pytest.mark.attack("operations pages without rights")
@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("remy", 403), ("paula", 403), ("aki", 200)])
def test_only_staff_with_the_right_watch_the_engine(
    request: pytest.FixtureRequest, sign_in: SignIn, who: str, status: int
) -> None:
    client = sign_in(request.getfixturevalue(who))
    assert client.get("/engine/").status_code == status


def test_the_engine_page_shows_what_waits_what_died_and_what_happened(
    enqueue: Enqueue, anna: User, sam: User, owner: int, mail_server: MailServer, sign_in: SignIn
) -> None:
    mail_server.replies = ["554 5.7.1 go away"]
    enqueue(anna)
    run_batch(owner)
    enqueue(anna, dedupe="later")
    Incident.objects.create(at=NOW, kind="nobody_on_duty", detail={"level": 1})
    html = page(sign_in(sam), "/engine/")
    for words in ("No runner has shown up", "554 5.7.1 go away", "nobody_on_duty", "Notices: Waiting"):
        assert words in html
    assert "Send again" not in html.split("<tbody>")[1].split("</tbody>")[0]  # an engineer only watches

    record_heartbeat(runner="engine", detail={}, now=timezone.now())
    Delivery.objects.waiting().update(next_at=timezone.now())
    assert "The engine runs" in page(sign_in(sam), "/engine/")
    Delivery.objects.waiting().update(next_at=timezone.now() - timedelta(minutes=2))
    assert "waiting for more than a minute" in page(sign_in(sam), "/engine/")


def test_a_duty_manager_has_a_dead_delivery_sent_again(
    enqueue: Enqueue, anna: User, lena: User, sam: User, owner: int, mail_server: MailServer, sign_in: SignIn
) -> None:
    mail_server.replies = ["554 no"]
    enqueue(anna)
    run_batch(owner)
    dead = Delivery.objects.get(state=DeliveryState.DEAD)
    url = reverse("delivery_send_again", args=[dead.pk])
    assert url in page(sign_in(lena), "/engine/")

    assert sign_in(sam).post(url).status_code == 403
    assert sign_in(anna).post(url).status_code == 403
    assert sign_in(lena).post(url).status_code == 302
    dead.refresh_from_db()
    assert dead.state == DeliveryState.PENDING
    assert sign_in(lena).post(url).status_code == 302
    assert sign_in(lena).post(reverse("delivery_send_again", args=[dead.pk + 99])).status_code == 404
