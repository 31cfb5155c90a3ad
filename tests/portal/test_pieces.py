"""The pieces of the design: what a reader sees, what a screen reader hears, and that nothing slips through."""

import re
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.http import QueryDict
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone, translation

from portal.pieces import chips, icons, lists, story, times
from portal.pieces.forms import error_summary, help_tip, priority_cards

NOW = datetime(2026, 11, 22, 18, 3, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EVIL = '"><script>alert(1)</script>'


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def render(source: str, **context: object) -> str:
    return Template("{% load i18n pieces %}" + source).render(Context(context))


# ---- chips ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "name"), [("P1", "Critical"), ("P2", "High"), ("P3", "Medium"), ("P4", "Low")]
)
def test_a_priority_is_letter_shape_and_a_word_for_screen_readers(code: str, name: str) -> None:
    html = chips.priority_chip(code)
    assert text_of(html) == f"{code} {name}"
    assert icons.PRIORITY_SHAPES[code] in html


def test_no_two_priorities_and_no_two_states_share_a_shape() -> None:
    assert len(set(icons.PRIORITY_SHAPES.values())) == 4
    assert len(set(icons.STATE_SHAPES.values())) == len(chips.STATE_NAMES) == 8


def test_a_state_that_waits_for_the_customer_says_so_to_the_customer() -> None:
    assert text_of(chips.state_chip("customer_pending")) == "Customer pending"
    assert text_of(chips.state_chip("customer_pending", for_customer=True)) == "Waiting for you"
    assert text_of(chips.state_chip("fix_pending", detail="2.6.1-p3")) == "Fix pending, 2.6.1-p3"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Sam Ruiz", "SR"), ("김민수", "김"), ("ada", "A"), ("", "?"), ("Ola-Nord van Berg", "OB")],
)
def test_initials_are_made_of_any_name(name: str, letters: str) -> None:
    assert chips.initials(name) == letters


def test_nobody_is_a_dash_that_screen_readers_understand() -> None:
    assert text_of(chips.person(None)) == "— Nobody"
    assert text_of(chips.person(SimpleNamespace(name="Sam Ruiz"))) == "SR Sam Ruiz"


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 bytes"), (1536, "1.5 KB"), (224395264, "214 MB"), (None, "")]
)
def test_sizes_are_told_in_the_unit_people_use(number: int | None, words: str) -> None:
    assert chips.size(number).replace("\xa0", " ") == words


def test_a_file_is_a_link_only_while_it_may_be_downloaded() -> None:
    ready = chips.file_row("a.log", "/f/1", 10, "9f3c" + "0" * 58 + "e1")
    assert 'href="/f/1"' in ready
    assert "9f3c…00e1" in ready
    held = chips.file_row("a.log", "/f/1", 10, state="quarantined")
    assert "href" not in held
    assert "held back" in held


@pytest.mark.parametrize(
    "html",
    [
        chips.person(EVIL),
        chips.organisation(EVIL, EVIL),
        chips.file_row(EVIL, EVIL, 1, EVIL),
        chips.copy_button(EVIL),
        chips.state_chip(EVIL, EVIL),
        chips.priority_chip(EVIL),
        lists.filter_chip(EVIL, EVIL, EVIL),
        lists.empty_state(EVIL, EVIL, EVIL, EVIL),
        lists.breadcrumbs(EVIL, EVIL, EVIL),
        story.event(EVIL, kind="message", who=EVIL, role=EVIL, anchor=EVIL),
        story.ladder([SimpleNamespace(level=EVIL, state="fired", title=EVIL, who=EVIL, reason=EVIL)]),
        help_tip(EVIL, EVIL),
    ],
)
def test_no_piece_lets_markup_through(html: str) -> None:
    assert "<script" not in html
    assert 'href="">' not in html


# ---- moments -------------------------------------------------------------------------------------------------


def test_a_moment_names_the_readers_zone_and_gives_utc_on_hover() -> None:
    with timezone.override(ZoneInfo("America/Los_Angeles")):
        html = times.timestamp(NOW)
    assert text_of(html) == "22 Nov 2026 10:03 PST"
    assert 'datetime="2026-11-22T18:03:00Z"' in html
    assert "2026-11-22 18:03:00 UTC" in html


def test_a_zone_without_a_name_is_told_by_its_offset() -> None:
    with timezone.override(ZoneInfo("Asia/Kathmandu")):
        assert text_of(times.timestamp(NOW)).endswith("23:48 UTC+0545")


def test_a_korean_reader_gets_year_month_day() -> None:
    with translation.override("ko"), timezone.override(ZoneInfo("Asia/Seoul")):
        assert text_of(times.timestamp(NOW)) == "2026. 11. 23. 03:03 KST"
        assert times.day(date(2027, 3, 31)) == "2027년 3월 31일"


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (timedelta(seconds=59), "under 1 min"),
        (MINUTE, "1 min"),
        (59 * MINUTE, "59 min"),
        (HOUR, "1 h"),
        (3 * HOUR + 10 * MINUTE, "3 h 10 min"),
        (47 * HOUR + 59 * MINUTE, "47 h"),
        (48 * HOUR, "2 days"),
        (-12 * MINUTE, "12 min"),
    ],
)
def test_a_span_is_as_precise_as_a_person_needs(delta: timedelta, words: str) -> None:
    assert times.span(delta) == words


def test_a_relative_time_never_stands_without_the_exact_one() -> None:
    assert "22 Nov 2026 17:59 UTC" in times.ago(NOW - 4 * MINUTE, NOW)
    assert text_of(times.ago(NOW - 49 * HOUR, NOW)).startswith("20 Nov")
    assert text_of(times.timestamp(NOW - 4 * MINUTE, now=NOW)) == "22 Nov 2026 17:59 UTC · 4 min ago"


@pytest.mark.parametrize(
    ("due", "look", "words"),
    [
        (NOW + 31 * MINUTE, "ahead", "in 31 min"),
        (NOW + 19 * MINUTE, "warn", "in 19 min"),
        (NOW, "late", "under 1 min over"),
        (NOW - 12 * MINUTE, "late", "12 min over"),
    ],
)
def test_a_clock_is_amber_under_a_quarter_left_and_red_once_missed(
    due: datetime, look: str, words: str
) -> None:
    html = times.clock(due, started_at=NOW - HOUR, now=NOW, label="first response")
    assert f'class="clock {look}"' in html
    assert text_of(html).startswith(words)
    assert text_of(html).endswith("first response")
    assert "due " in html


def test_a_quarter_exactly_left_is_not_amber_yet() -> None:
    assert "ahead" in times.clock(NOW + 15 * MINUTE, started_at=NOW - 45 * MINUTE, now=NOW)
    assert "warn" in times.clock(
        NOW + 15 * MINUTE - timedelta(seconds=1), started_at=NOW - 45 * MINUTE, now=NOW
    )


def test_a_paused_clock_says_why_and_a_met_one_how_long_it_took() -> None:
    assert text_of(times.clock(NOW, paused="log files asked", now=NOW)) == "paused log files asked"
    met = times.clock(NOW + HOUR, started_at=NOW, met_at=NOW + 11 * MINUTE, now=NOW + 5 * HOUR)
    assert text_of(met).startswith("met in 11 min")
    late = times.clock(NOW, started_at=NOW - HOUR, met_at=NOW + 5 * MINUTE, now=NOW)
    assert text_of(late).startswith("met 5 min late")
    assert text_of(times.clock(None)) == "—"


def test_a_coverage_bar_shows_the_last_covered_day_not_the_day_after() -> None:
    html = times.coverage_bar(date(2026, 4, 1), date(2027, 4, 1), date(2026, 10, 1), label="CS-2026-0117")
    assert "Covered from 1 April 2026 to 31 March 2027" in html
    assert "31 Mar 2027" in text_of(html)
    assert 'x1="50.1%"' in html


@pytest.mark.parametrize(("today", "at"), [(date(2020, 1, 1), "0.0%"), (date(2030, 1, 1), "100.0%")])
def test_a_coverage_bar_stays_in_its_frame(today: date, at: str) -> None:
    assert f'x1="{at}"' in times.coverage_bar(date(2026, 4, 1), date(2027, 4, 1), today)


# ---- lists ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0"), (999, "999"), (1000, "1,000"), (1001, "1,000+"), (None, "")]
)
def test_a_count_is_exact_to_a_thousand_and_never_lies(number: int | None, words: str) -> None:
    assert lists.capped(number) == words


def test_changing_the_order_keeps_the_filter_and_goes_to_the_first_page() -> None:
    params = QueryDict("state=open&priority=P1&priority=P2&after=abc")
    assert lists.query(params, sort="-updated") == "?state=open&priority=P1&priority=P2&sort=-updated"
    assert lists.query(params, priority=None) == "?state=open"


def test_a_sorted_column_says_so_and_turns_round() -> None:
    params = QueryDict("")
    up = lists.sort_head(params, "updated", "Updated", "updated")
    assert 'aria-sort="ascending"' in up
    assert "?sort=-updated" in up
    other = lists.sort_head(params, "updated", "Updated", "number", falling=True)
    assert "aria-sort" not in other
    assert "?sort=-updated" in other


def test_a_filter_works_without_a_script_and_can_be_taken_off() -> None:
    options = [("P1", "P1", 3), ("P2", "P2", 9)]
    menu = lists.filter_menu(QueryDict("state=open"), "Priority", "priority", options)
    assert 'href="?state=open&amp;priority=P1"' in menu
    chosen = lists.filter_menu(QueryDict("state=open&priority=P1"), "Priority", "priority", options)
    assert 'href="?state=open"' in chosen
    assert "Remove filter: Priority P1" in chosen


def test_several_values_of_one_filter_add_up() -> None:
    menu = lists.filter_menu(QueryDict("p=P1"), "Priority", "p", [("P1", "P1"), ("P2", "P2")], multiple=True)
    assert 'href="?p=P1&amp;p=P2"' in menu
    assert 'href="?"' in menu


def test_an_empty_filter_menu_is_not_shown() -> None:
    assert lists.filter_menu(QueryDict(""), "Priority", "priority", []) == ""


def test_a_pager_has_only_the_neighbours_that_exist() -> None:
    html = lists.pager("", "?after=x", None, "14 cases")
    assert text_of(html) == "14 cases Older"


# ---- forms ---------------------------------------------------------------------------------------------------


class CaseForm(forms.Form):
    synopsis = forms.CharField(label="Synopsis", help_text="One line")
    priority = forms.ChoiceField(
        label="Priority", choices=[(p, p) for p in ("P1", "P2")], widget=forms.RadioSelect
    )
    backup = forms.BooleanField(label="Backed up")
    secret = forms.CharField(widget=forms.HiddenInput())


def test_the_error_summary_names_each_field_and_leads_to_it() -> None:
    form = CaseForm({"synopsis": ""})
    html = error_summary(form)
    assert "There are 4 problems" in html
    for anchor in re.findall(r'href="#([^"]+)"', html):
        assert f'id="{anchor}"' in str(form["synopsis"]) + priority_cards(form["priority"]) + str(
            form["backup"]
        )
    assert "Synopsis: This field is required." in html
    assert error_summary(CaseForm()) == ""


def test_a_field_ties_label_hint_and_error_to_its_control() -> None:
    html = render("{% field form.synopsis %}", form=CaseForm({}))
    assert '<label for="id_synopsis">' in html
    assert 'aria-describedby="id_synopsis_helptext id_synopsis_error"' in html
    assert 'id="id_synopsis_helptext"' in html
    assert 'id="id_synopsis_error"' in html
    assert 'aria-invalid="true"' in html


def test_the_priority_cards_keep_the_choice() -> None:
    html = priority_cards(CaseForm({"priority": "P2"})["priority"])
    assert re.search(r'value="P2"[^>]* checked', html)
    assert not re.search(r'value="P1"[^>]* checked', html)


def test_every_form_gets_a_key_of_its_own() -> None:
    found = re.findall(r'value="([0-9a-f-]{36})"', render("{% form_key %}{% form_key %}"))
    assert len(set(found)) == 2


def test_an_empty_value_leaves_no_line() -> None:
    assert render('{% kv "Site" "" %}{% kv "Site" none %}', none=None) == ""
    assert text_of(render('{% kv "Site" 0 %}')) == "Site 0"


# ---- story ---------------------------------------------------------------------------------------------------


def rung(**facts: object) -> SimpleNamespace:
    return SimpleNamespace(level="L1", title="Duty manager", who="Lena Fischer", **facts)


def test_a_rung_tells_what_has_become_of_its_alert() -> None:
    sent = rung(state="fired", fired_at=NOW, sent_at=NOW, delivered_at=NOW + timedelta(seconds=1))
    words = text_of(story.ladder([sent], now=NOW))
    assert "sent 18:03:00, delivered 18:03:01" in words
    assert "not acknowledged yet" in words
    done = rung(
        state="fired", fired_at=NOW, acknowledged_at=NOW, acknowledged_by=SimpleNamespace(name="Omar")
    )
    assert "acknowledged 18:03:00 by Omar" in text_of(story.ladder([done], now=NOW))


def test_only_the_first_pending_rung_runs_a_clock() -> None:
    rungs = [
        rung(state="cancelled"),
        rung(state="pending", due_at=NOW + HOUR),
        rung(state="pending", due_at=NOW + 3 * HOUR),
    ]
    html = story.ladder(rungs, now=NOW)
    assert html.count("data-left") == 1
    assert html.count('class="rung next"') == 1


def test_an_internal_note_cannot_be_taken_for_a_reply() -> None:
    note = story.event("x", kind="note", who="Sam", role="internal note")
    reply = story.event("x", kind="message", who="Sam", role="reply")
    assert 'class="ev note"' in note
    assert "lucide" not in reply
    assert icons.icon("lock", 13) in note
    assert icons.icon("lock", 13) not in reply


# ---- pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["500.html", "503.html"])
def test_the_pages_of_a_broken_portal_need_neither_request_nor_database(name: str) -> None:
    html = render_to_string(name)
    assert "+1 408 555 0100" in html
    assert 'href="/static/portal.css"' in html
    assert html.count("<h1>") == 1


@pytest.mark.parametrize("name", ["400.html", "403.html", "403_csrf.html", "404.html", "429.html"])
def test_every_error_page_says_what_to_do_and_whom_to_call(name: str) -> None:
    request = RequestFactory().get("/nowhere/")
    html = render_to_string(name, {"request": request, "user": SimpleNamespace(is_authenticated=False)})
    assert "tel:+14085550100" in html
    assert html.count("<h1>") == 1


@pytest.mark.parametrize("name", ["500.html", "404.html"])
def test_no_page_carries_a_style_or_a_script_inside(name: str) -> None:
    html = render_to_string(name, {"user": SimpleNamespace(is_authenticated=False)})
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", html)


def test_a_mail_has_one_button_and_the_same_address_in_words() -> None:
    context = {"action_url": "https://portal.example/cases/1/", "action_label": "Open the case"}
    html = render_to_string("components/mail_base.html", context)
    assert html.count('href="https://portal.example/cases/1/"') == 1
    assert text_of(html).count("https://portal.example/cases/1/") == 1
    assert "https://portal.example/cases/1/" in render_to_string("components/mail_base.txt", context)
