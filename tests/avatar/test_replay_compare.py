"""What became of a call, and what to think of another run of it: from events alone."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from avatar.recording.format import Entry, Header
from avatar.recording.reading import RecordedCall
from avatar.replay.compare import compare
from avatar.replay.outcome import outcome_of
from avatar.replay.report import ReplayReport, changed_settings

ROWS = {"turn_ended": 200, "first_sound": 400}


class Call:
    """Events of a call, each at its second of the microphone's stream."""

    def __init__(self):
        self.entries = []

    def event(self, at_s, type_, **body):
        sample = round(at_s * 16_000)
        entry = Entry(at_s, "conversation", type_, body, sample, round(at_s * 48_000))
        self.entries.append(entry)
        return self

    def says(self, words, start_s, end_s):
        item = f"item_{start_s}"
        self.event(start_s + 0.1, "UserStarted", item_id=item, at_ms=round(start_s * 1000))
        self.event(end_s + 0.2, "UserStopped", item_id=item, at_ms=round(end_s * 1000))
        return self.event(end_s + 0.2, "UserSaid", item_id=item, text=words, duration_s=1.0)

    def answers(self, start_s, end_s, status="completed", *, sounds_s=None, by_client=False):
        ids = {"response_id": f"resp_{start_s}", "item_id": "i"}
        self.event(start_s, "ReplyStarted", **ids)
        if sounds_s is not None:
            self.event(sounds_s, "ReplyHeard", **ids, text="Well.")
            self.event(sounds_s, "ReplyTimed", response_id=ids["response_id"], rows_ms=ROWS)
        heard = "" if sounds_s is None else "Well."
        self.event(end_s, "ReplyEnded", **ids, status=status, heard=heard, by_client=by_client)
        return self

    @property
    def recorded(self):
        entries = tuple(sorted(self.entries, key=lambda entry: entry.at_s))
        return RecordedCall(Path("calls/c1"), HEADER, (), entries, cut_off=False)

    @property
    def outcome(self):
        return outcome_of(self.recorded)


HEADER = Header(
    call_id="rtc_1",
    started=datetime.now(UTC),
    language="en",
    session={},
    settings={},
    versions={},
    machine={},
    seeds={},
)


def polite(words="how are you"):
    return Call().says(words, 1, 2).answers(2.2, 5, sounds_s=2.5)


def findings(first, now, **options):
    compared = compare(first.recorded, now.recorded, **options)
    return compared, {f.name: (f.first, f.now, f.verdict) for f in compared.findings}


def test_a_turn_and_its_answer_are_read_from_the_events():
    outcome = polite().outcome
    (turn,), (answer,) = outcome.turns, outcome.answers
    assert (turn.start_s, turn.end_s, turn.words) == (1, 2, "how are you")
    assert (answer.sounded_s, answer.status, answer.heard) == (2.5, "completed", "Well.")
    assert outcome.medians_ms() == ROWS
    rude = (outcome.cut_short, outcome.talked_over, outcome.interrupted, outcome.unanswered)
    assert rude == ([], [], [], [])


def test_a_person_who_speaks_over_an_answer_interrupts_it():
    call = Call().says("go on", 1, 2).answers(2.2, 4, "cancelled", sounds_s=2.5)
    assert len(call.says("stop", 3.8, 4.5).answers(4.7, 6, sounds_s=5).outcome.interrupted) == 1
    assert not call.outcome.cut_short


def test_a_button_is_no_interruption():
    call = Call().says("go on", 1, 2)
    call.answers(2.2, 4, "cancelled", sounds_s=2.5, by_client=True)
    assert not call.outcome.interrupted


def test_an_answer_in_a_pause_cuts_the_person_off():
    call = Call().says("I would like", 1, 2).answers(2.2, 2.9, "cancelled", sounds_s=2.5)
    call.says("a cup of tea", 2.7, 3.5).answers(3.8, 5, sounds_s=4)
    assert [turn.words for turn in call.outcome.cut_short] == ["I would like"]


def test_an_answer_that_nobody_heard_cut_nobody_off():
    call = Call().says("I would like", 1, 2).answers(2.2, 2.9, "cancelled")
    call.says("a cup of tea", 2.7, 3.5).answers(3.8, 5, sounds_s=4)
    assert not call.outcome.cut_short
    assert not call.outcome.unanswered


def test_an_answer_that_begins_while_the_person_speaks_talks_over_them():
    assert len(Call().says("how are you", 1, 3).answers(2, 5, sounds_s=2.5).outcome.talked_over)


def test_a_turn_after_which_nothing_comes_is_unanswered():
    call = Call().says("hello", 1, 2).says("hello?", 6, 7).answers(7.2, 9, sounds_s=7.5)
    assert [turn.words for turn in call.outcome.unanswered] == ["hello"]


def test_noise_is_no_turn():
    call = polite().says("", 6, 6.3)
    assert (len(call.outcome.turns), len(call.outcome.noises)) == (1, 1)


def test_a_listeners_word_over_an_answer_is_no_turn_that_wants_one():
    call = Call().says("how are you", 1, 2).answers(2.2, 8, sounds_s=2.5).says("mm-hm", 5, 5.4)
    call.entries[-1].body["is_backchannel"] = True
    outcome = call.outcome
    assert (len(outcome.turns), len(outcome.backchannels), outcome.noises) == (1, 1, ())
    assert outcome.words == "how are you"
    assert not outcome.unanswered
    compared, found = findings(polite(), call)
    assert found["words taken for a listener's"] == ("0", "1", "changed")
    assert not compared.holds
    table = ReplayReport(polite().recorded, call.recorded, compared, []).as_table()
    assert "words taken for a listener's, recorded: nowhere; now: 5.0 s" in table


def test_events_that_nobody_knew_yet_are_counted():
    now = polite().event(3, "ReplyHeld", response_id="r").event(4, "ReplyHeld", response_id="r")
    compared, found = findings(polite(), now)
    assert found["ReplyHeld"] == ("0", "2", "shown")
    assert compared.holds


# ---- Verdicts ----


def test_two_equal_runs_hold():
    compared, found = findings(polite(), polite())
    assert compared.holds
    assert {verdict for _, _, verdict in found.values()} == {"same"}


def test_other_words_are_a_change():
    compared, found = findings(polite(), polite("who are you all then"))
    assert found["words unlike the first run's"][2] == "changed"
    assert not compared.holds


def test_with_a_reference_the_words_are_judged_by_it():
    compared, found = findings(polite("who are you"), polite(), reference="How are you?")
    assert found["word error rate"] == ("33.3 %", "0.0 %", "better")
    assert compared.holds
    compared, found = findings(polite(), polite("who are you"), reference="How are you?")
    assert found["word error rate"][2] == "worse"


def test_a_person_cut_off_now_makes_it_worse_and_then_better():
    rude = Call().says("how are", 1, 2).answers(2.2, 2.9, "cancelled", sounds_s=2.5)
    rude.says("you", 2.7, 3.5).answers(3.8, 5, sounds_s=4)
    assert findings(polite(), rude)[1]["person cut off by the avatar"] == ("0", "1", "worse")
    assert findings(rude, polite())[1]["person cut off by the avatar"] == ("1", "0", "better")


def test_an_interruption_more_or_less_is_a_change_that_a_person_must_judge():
    cut = Call().says("how are you", 1, 2).answers(2.2, 5, "cancelled", sounds_s=2.5)
    assert findings(polite(), cut)[1]["avatar cut off by the person"][2] == "changed"


@pytest.mark.parametrize(
    ("now_ms", "verdict"), [(400, "same"), (540, "same"), (560, "worse"), (250, "better")]
)
def test_latency_is_judged_beyond_what_two_runs_differ_by(now_ms, verdict):
    now = polite()
    for entry in now.entries:
        if entry.type == "ReplyTimed":
            entry.body["rows_ms"] = {**ROWS, "first_sound": now_ms}
    name = next(name for name in findings(polite(), now)[1] if name.startswith("first_sound"))
    assert findings(polite(), now)[1][name] == ("400", str(now_ms), verdict)
    assert findings(polite(), now, timed=False)[1][name][2] == "shown"


def test_an_answer_that_something_kept_waiting_counts_in_no_latency():
    now = polite()
    late = {**ROWS, "first_sound": 9000}
    now.answers(20, 32, sounds_s=29).event(
        29, "ReplyTimed", response_id="resp_20", rows_ms=late, excused="tool"
    )
    first = now.outcome.answers[0]
    assert first.rows_ms == ROWS
    assert 9000 not in now.outcome.rows_ms()["first_sound"]


def test_a_report_holds_no_word_of_what_was_said():
    first, now = polite("giraffes eat leaves").recorded, polite("zebras graze").recorded
    compared = compare(first, now, reference="Giraffes eat leaves.")
    report = ReplayReport(first, now, compared, ["A note."])
    for text in (report.as_table(), report.as_json()):
        assert not any(word in text for word in ("iraffe", "leaves", "zebra", "graze", "Well"))
        assert "A note." in text
    assert json.loads(report.as_json())["holds"] is False
    assert report.as_table().endswith("It does not hold: see what is worse or changed.")


def test_settings_that_are_others_now_are_named():
    first = {"llm": {"model": "a", "threads": 1}, "persona": "default"}
    now = {"llm": {"model": "b", "threads": 1}, "persona": "default", "new": 1}
    assert changed_settings(first, now) == [
        'setting llm.model: was "a", is "b"',
        "setting new: was null, is 1",
    ]
