"""How long answers took, shown on the page behind a key and a button."""

import re
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from avatar.latency import LIMIT_MS, TARGET_MS
from tests.e2e.page.kit import DESKTOP, PHONE, call, eventually

pytestmark = pytest.mark.e2e

ROWS = {
    "turn_ended": 212,
    "final_transcript": 98,
    "llm_first_token": 141,
    "first_clause": 420,
    "tts_first_audio": 462,
    "first_sound": 480,
    "first_face_frame": 812,
}
STARTS = {
    "turn_ended": 0,
    "final_transcript": 0,
    "llm_first_token": 98,
    "first_clause": 141,
    "tts_first_audio": 420,
    "first_sound": 462,
    "first_face_frame": 480,
}


def answer(server, rows=ROWS, **more):
    server.call.send(
        "avatar.timeline",
        response_id="r",
        rows=rows,
        starts=STARTS,
        targets=TARGET_MS,
        limits=LIMIT_MS,
        **more,
    )


def table(page):
    rows = page.locator("#latency-rows tr").all()
    return {row.locator("th").inner_text(): row.locator("td.time").text_content() for row in rows}


def test_a_key_and_a_button_show_and_hide_the_latency(open_page, server):
    page = open_page()
    call(page)
    panel, button = page.locator("#latency"), page.get_by_role("button", name="Latency")
    expect(panel).to_be_hidden()
    page.keyboard.press("l")
    expect(panel).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(panel).to_contain_text("after the next answer")
    page.keyboard.press("l")
    expect(panel).to_be_hidden()
    button.click()
    expect(panel).to_be_visible()
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()


def test_the_key_is_a_letter_in_the_text_field(open_page, server):
    page = open_page()
    call(page)
    page.locator("#words").press_sequentially("hello")
    expect(page.locator("#latency")).to_be_hidden()


def test_each_stage_stands_beside_what_was_planned_for_it(open_page, server):
    page = open_page()
    call(page)
    page.keyboard.press("l")
    answer(server, head_start=114, actions=["short_first_clause", "opener"])
    eventually(page, lambda: len(table(page)) == len(ROWS))
    shown = table(page)
    assert shown["End of turn"].startswith("212 ms, in time: 300 ms are planned")
    assert shown["First clause"].startswith("420 ms, longer than the 300 ms planned")
    assert shown["Face moves"].startswith("812 ms, late")
    expect(page.locator("#latency-total")).to_have_text("812 ms")
    chips = page.locator("#latency-chips li")
    expect(chips).to_have_text(
        ["begun 114 ms before your turn was over", "shorter first clause", "opening words"]
    )


def test_a_bar_ends_where_its_time_does_and_begins_where_its_stage_could(open_page, server):
    page = open_page()
    call(page)
    page.keyboard.press("l")
    answer(server)
    bars = page.locator("#latency-rows .bar")
    expect(bars).to_have_count(len(ROWS))
    track = page.locator("#latency-rows .track").first.bounding_box()
    axis_ms = 900  # the longest row, rounded up to a hundred
    for bar, (row, end_ms) in zip(bars.all(), ROWS.items(), strict=True):
        box = bar.bounding_box()
        left = (box["x"] - track["x"]) / track["width"] * axis_ms
        right = (box["x"] + box["width"] - track["x"]) / track["width"] * axis_ms
        assert left == pytest.approx(STARTS[row], abs=8)
        assert right == pytest.approx(end_ms, abs=12)


def test_the_median_is_of_this_call_and_a_new_call_begins_anew(open_page, server):
    page = open_page()
    call(page)
    page.keyboard.press("l")
    for last_ms in (500, 300, 400):
        answer(server, {**ROWS, "first_face_frame": last_ms})
    expect(page.locator("#latency-median")).to_have_text("median 400 of 3")
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator("#latency")).to_be_hidden()
    call(page)
    expect(page.locator("#latency")).to_contain_text("after the next answer")


@pytest.mark.parametrize(
    ("excused", "words"),
    [("held", "waited for a sound of yours"), ("tool", "waited for a tool")],
)
def test_an_answer_that_was_kept_waiting_says_so_and_counts_in_no_median(
    open_page, server, excused, words
):
    page = open_page()
    call(page)
    page.keyboard.press("l")
    answer(server, {**ROWS, "first_face_frame": 4000}, excused=excused)
    expect(page.locator("#latency-total")).to_have_text("4000 ms")
    expect(page.locator("#latency-chips")).to_have_text(words)
    expect(page.locator("#latency-median")).to_have_text("")
    answer(server)
    expect(page.locator("#latency-median")).to_have_text("median 812 of 1")
    expect(page.locator("#latency-chips li")).to_have_count(0)


def test_an_answer_that_was_never_heard_counts_in_no_median(open_page, server):
    page = open_page()
    call(page)
    page.keyboard.press("l")
    answer(server)
    answer(server, {"turn_ended": 212, "final_transcript": 98}, excused="of_tomorrow")
    expect(page.locator("#latency-total")).to_have_text("98 ms")
    expect(page.locator("#latency-median")).to_have_text("median 812 of 1")


@pytest.mark.parametrize(
    "rows", [{}, {"first_sound": "soon"}, [], None, {"first_sound": -5}, {"of_tomorrow": 7}]
)
def test_a_malformed_timeline_costs_itself_alone(open_page, server, rows):
    page = open_page()
    call(page)
    page.keyboard.press("l")
    server.call.send("avatar.timeline", response_id="r", rows=rows, actions="opener")
    answer(server)
    expect(page.locator("#latency-rows tr")).to_have_count(len(ROWS))


def test_opening_words_are_shown_as_they_are_heard_and_apart_from_the_answer(open_page, server):
    page = open_page()
    call(page)
    server.call.send("avatar.opener", response_id="r", text="Let me see.", duration_ms=800)
    expect(page.locator("#caption")).to_have_text("Let me see.")
    server.call.say("The moon goes around the earth.")
    expect(page.locator("#caption")).to_have_text("The moon goes around the earth.")
    expect(page.locator("#lines .words")).to_have_text(
        ["Let me see.", "The moon goes around the earth."]
    )


def test_another_language_is_taken_up(open_page, server):
    page = open_page()
    call(page)
    page.keyboard.press("l")
    answer(server, actions=["smaller_model"])
    expect(page.locator("#latency-rows")).to_contain_text("End of turn")
    page.get_by_text("Español").click()
    server.call.send("session.updated", session={})
    expect(page.locator("#latency-rows")).to_contain_text("Fin de turno")
    expect(page.locator("#latency-chips")).to_have_text("modelo más pequeño")


def test_lips_and_voice_are_measured_as_the_browser_plays_them(open_page, server):
    page = open_page()
    call(page)
    page.keyboard.press("l")
    expect(page.locator("#skew-words")).to_have_text(re.compile(r"^voice \d+ ms (early|late)$"))
    server.call.show_face("audio")
    expect(page.locator("#skew-words")).to_have_text("not known")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [PHONE, {"width": 740, "height": 360}, DESKTOP])
def test_it_fits_every_screen_and_axe_finds_nothing(open_page, server, size, dark):
    page = open_page(size=size, dark=dark)
    call(page)
    page.get_by_role("button", name="Latency").click()
    answer(server, head_start=114, actions=["short_first_clause", "opener", "smaller_face"])
    expect(page.locator("#latency-rows tr")).to_have_count(len(ROWS))
    for part in ("#latency-title", "#words", "#hang-up", "#status", "#latency-toggle"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight") <= 0
    assert page.evaluate(
        "composer.getBoundingClientRect().top >= latency.getBoundingClientRect().bottom"
    )
    page.evaluate((Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8"))
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
    )
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found["violations"]] == []
