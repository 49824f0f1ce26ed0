"""Conversations as scripts on a virtual clock."""

import pytest

from avatar.events import ReplyTimed
from tests.session.scripted_call import APOLOGY, Configure, Respond, ScriptedCall, Stop

LONG = "Well, once upon a time there was a little boat that sailed far across the wide blue sea."


def test_a_question_is_heard_and_answered_aloud():
    call = ScriptedCall(["I am fine, thank you."]).says("how are you", 0.5, 1.8).run(8)
    assert call.person_said == ["how are you"]
    assert call.statuses == ["completed"]
    assert call.heard == ["I am fine, thank you."]
    assert call.sounds_between(1.8, 2.7), "the answer began within 900 ms"
    assert not call.sounds_between(0, 1.8)
    assert call.states == ["thinking", "speaking", "listening"]


def test_every_reply_leaves_a_timeline_in_order():
    call = ScriptedCall(["I am fine."]).says("how are you", 0.5, 1.8).run(6)
    (_, timed), *_ = call.of(ReplyTimed)
    rows = list(timed.rows_ms)
    assert rows[:2] == ["turn_ended", "final_transcript"]
    stages = [timed.rows_ms[row] for row in rows[1:]]
    assert stages == sorted(stages)
    assert 150 <= timed.rows_ms["turn_ended"] <= 350
    assert timed.rows_ms["first_sound"] >= timed.rows_ms["turn_ended"]


def test_a_second_turn_sees_the_first_in_its_prompt():
    call = ScriptedCall(["Nice to meet you.", "Your name is Anna."])
    call.says("my name is Anna", 0.5, 1.5).says("what is my name", 5.0, 6.0).run(10)
    contents = [m.content for m in call.asked_of_the_model(1)]
    assert contents == ["my name is Anna", "Nice to meet you.", "what is my name"]


def test_speaking_over_the_avatar_silences_it_within_200_ms():
    call = ScriptedCall([LONG]).says("tell me a story", 0.5, 1.5).says("stop", 4.0, 5.0).run(9)
    assert call.sounds_between(3.5, 4.0), "it was speaking"
    assert not call.sounds_between(4.2, 5.2)
    assert call.statuses[0] == "cancelled"


def test_history_keeps_only_what_was_heard_of_an_interrupted_reply():
    call = ScriptedCall([LONG]).says("tell me a story", 0.5, 1.5).says("stop", 4.0, 5.0).run(9)
    heard = call.heard[0]
    assert heard
    assert LONG.startswith(heard)
    assert len(heard) < len(LONG)
    remembered = [m.content for m in call.asked_of_the_model(1) if m.role == "assistant"]
    assert remembered[0].startswith(heard.rstrip(" ,."))
    assert "blue sea" not in remembered[0]


def test_an_interruption_before_the_first_sound_leaves_no_words():
    call = ScriptedCall([LONG]).says("tell me", 0.5, 1.5).says("no wait", 1.85, 3.0)
    call.model.word_s = 0.3
    call.run(8)
    assert call.heard[0] == ""
    assert not call.sounds_between(1.5, 3.0)
    assert [m.role for m in call.asked_of_the_model(-1)] == ["user"]


def test_a_cough_does_not_interrupt():
    call = ScriptedCall([LONG]).says("tell me a story", 0.5, 1.5).coughs(4.0).run(14)
    assert call.statuses == ["completed"]
    assert call.heard == [LONG]


def test_noise_before_the_answer_is_heard_only_delays_it():
    call = ScriptedCall(["It is noon."]).says("what time is it", 0.5, 1.5)
    call.model.word_s = 0.3
    call.coughs(1.85, 0.4).run(8)
    assert call.person_said == ["what time is it", ""]
    assert call.heard == ["It is noon."]
    assert call.statuses == ["completed"]


def test_a_person_who_goes_on_is_not_talked_over():
    call = ScriptedCall(["Fine."] * 2).says("one thing", 0.5, 1.5).says("and another", 1.9, 4.0)
    call.model.word_s = 0.5
    call.run(8)
    assert not call.sounds_between(0, 4.0)
    assert [m.content for m in call.model.prompts[-1] if m.role == "user"][-1].endswith(
        "and another"
    )


def test_an_unfinished_sentence_is_waited_for():
    call = ScriptedCall(["Fine."])
    call.turn_detector.probability = 0.0
    call.says("my number is", 0.5, 1.5).says("five five five", 2.2, 3.0).run(8)
    assert call.person_said == ["my number is five five five"]


@pytest.mark.parametrize("words", [[0, 0], [3]], ids=["draft and answer", "adopted draft"])
def test_a_failing_language_model_is_apologised_for_and_the_next_turn_works(words):
    call = ScriptedCall(["one two three four five six"] * len(words) + ["Now it works."])
    call.model.fail_at_word = words
    call.says("hello", 0.5, 1.5).says("again please", 6.0, 7.0).run(12)
    assert call.statuses == ["failed", "completed"]
    assert APOLOGY in call.clauses
    assert call.heard[1] == "Now it works."


@pytest.mark.parametrize("clause", [0, 1])
def test_a_failing_voice_is_apologised_for_and_the_next_turn_works(clause):
    call = ScriptedCall(["First this. Then that, and so on.", "Now it works."])
    call.voice.fail_at_clause = [clause]
    call.says("hello", 0.5, 1.5).says("again please", 8.0, 9.0).run(14)
    assert call.statuses == ["failed", "completed"]
    assert APOLOGY in call.clauses


@pytest.mark.parametrize("failure", [True, ValueError("nobody foresaw this")])
def test_failing_recognition_is_apologised_for_and_the_next_turn_works(failure):
    call = ScriptedCall(["Now it works."])
    call.recognizer.fails = [failure] * 5  # as they speak, at the first silence, at the pause
    call.says("hello", 0.5, 1.5).says("again please", 6.0, 7.0).run(12)
    assert APOLOGY in call.clauses
    assert call.statuses == ["failed", "completed"]
    assert call.person_said == ["again please"]


def test_the_apology_for_words_that_were_lost_is_timed_from_their_end():
    call = ScriptedCall([]).says("hello", 0.5, 1.5)
    call.recognizer.fails = [True] * 5
    call.run(6)
    ((_, timed),) = call.of(ReplyTimed)
    assert list(timed.rows_ms) == ["turn_ended", "first_sound"]
    assert timed.rows_ms["first_sound"] / 1000 == pytest.approx(call.loud_frames[0] - 1.5, abs=0.05)
    assert timed.rows_ms["turn_ended"] > 150


def test_a_turn_detector_that_breaks_leaves_the_end_of_the_turn_to_silence():
    call = ScriptedCall(["Fine."])
    call.turn_detector.fails = [ZeroDivisionError("nobody foresaw this")]
    call.says("hello", 0.5, 1.5).run(6)
    assert (call.person_said, call.statuses) == (["hello"], ["completed"])


def test_typed_words_are_answered_aloud():
    call = ScriptedCall(["Good morning."]).types("good morning", 0.5).run(4)
    assert call.heard == ["Good morning."]
    assert call.sounds_between(0.5, 1.2)


def test_typing_interrupts_like_speaking():
    call = ScriptedCall([LONG, "Sure."]).types("story", 0.5).types("be brief", 3.0).run(8)
    assert call.statuses == ["cancelled", "completed"]
    assert call.heard[1] == "Sure."


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_is_typed_in_a_pause_is_answered_with_the_words_around_it(goes_on):
    call = ScriptedCall([LONG, LONG]).says("let me think", 0.5, 1.5).types("be quick", 1.7)
    call.turn_detector.probability, call.model.word_s = 0.0, 0.01
    if goes_on:
        call.says("about it", 2.1, 4.0)
    call.run(6.0)
    assert not call.sounds_between(0.5, 4.0 if goes_on else 2.5), "they had not finished"
    assert call.sounds_between(4.0, 6.0)
    last = call.model.prompts[-1][-1].content
    assert all(words in last for words in ("let me think", "be quick") + ("about it",) * goes_on)


def test_stop_silences_and_waits():
    call = ScriptedCall([LONG]).types("story", 0.5).presses(Stop(), 3.0).run(8)
    assert call.statuses == ["cancelled"]
    assert not call.sounds_between(3.05, 8)
    assert call.states[-1] == "listening"


def test_an_empty_conversation_is_opened_with_the_greeting():
    call = ScriptedCall().presses(Respond(), 0.2).run(12)
    assert call.statuses == ["completed"]
    assert call.model.prompts == [], "the greeting is the persona's own"
    assert call.heard[0]


def test_two_answers_asked_for_at_once_leave_one():
    call = ScriptedCall(["First.", "Second."])
    call.presses(Configure(), 0.4).types("a", 0.5).types("b", 0.5).run(4)
    assert call.statuses == ["cancelled", "completed"]


def test_two_sessions_do_not_hear_each_other():
    import asyncio

    from tests.session import virtual_clock

    first = ScriptedCall(["The first."]).says("one", 0.5, 1.5)
    second = ScriptedCall(["The second."]).says("two", 0.7, 2.5)

    async def both():
        await asyncio.gather(first.play(6), second.play(6))

    virtual_clock.run(both())
    assert (first.person_said, first.heard) == (["one"], ["The first."])
    assert (second.person_said, second.heard) == (["two"], ["The second."])


def test_the_end_of_a_call_leaves_no_task_and_no_open_model():
    call = ScriptedCall([LONG]).says("tell me a story", 0.5, 1.5).run(3.5)
    assert call.left_over == []
    assert call.model.open_replies == 0


@pytest.mark.parametrize("reply", ["", " ", "🙂", "...", "[happy] 👍 !"])
def test_a_model_that_writes_nothing_to_be_said_is_apologised_for(reply):
    call = ScriptedCall([reply] * 9).says("how are you", 0.5, 1.5).run(8)
    assert call.statuses == ["failed"]
    assert call.clauses == [APOLOGY]
    assert call.history.messages[-1].content == APOLOGY
    assert call.conversation.state == "listening"


def test_marks_behind_words_need_no_apology():
    call = ScriptedCall(["I am fine. 🙂"]).says("how are you", 0.5, 1.5).run(8)
    assert call.statuses == ["completed"]
    assert call.heard == ["I am fine. 🙂"]


def test_what_is_only_written_may_be_an_emoji():
    call = ScriptedCall(["🙂"]).presses(Configure(speaks=False), 0.0).types("hi", 0.5).run(3)
    assert (call.statuses, call.heard) == (["completed"], ["🙂"])
