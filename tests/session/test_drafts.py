"""Answers drafted before the turn is over: heard if it ends there, otherwise never."""

from avatar.events import DraftEnded, ReplyEnded, ReplyStarted, ReplyTimed
from tests.session.scripted_call import Configure, Respond, ScriptedCall, Stop


def test_an_answer_is_written_while_the_end_of_the_turn_is_awaited():
    call = ScriptedCall(["I am fine, thank you."]).says("how are you", 0.5, 1.8)
    call.turn_detector.probability = 0.4  # waits for 700 ms of silence
    call.run(8)
    (_, timed), *_ = call.of(ReplyTimed)
    assert timed.rows_ms["tts_first_audio"] < timed.rows_ms["turn_ended"]
    assert timed.rows_ms["first_sound"] <= timed.rows_ms["turn_ended"] + 40
    assert len(call.model.prompts) == 1, "the draft is the answer"
    assert (call.conversation.drafts.adopted, call.conversation.drafts.dropped) == (1, 0)


def test_an_adopted_draft_says_how_far_it_was_ahead():
    call = ScriptedCall(["I am fine, thank you."]).says("how are you", 0.5, 1.8)
    call.turn_detector.probability = 0.4
    call.run(8)
    (_, timed), *_ = call.of(ReplyTimed)
    assert timed.rows_ms["final_transcript"] < 300
    gained_ms = timed.rows_ms["turn_ended"] - timed.rows_ms["final_transcript"]
    assert timed.head_start_ms == gained_ms > 300
    ((_, draft),) = call.of(DraftEnded)
    assert draft.adopted
    ((_, ended),) = call.of(ReplyEnded)
    assert ended.tokens == 5, "a piece of text is counted once, drafted or not"


def test_a_greeting_answers_nobody_and_leaves_no_timeline():
    call = ScriptedCall(["Good morning."]).presses(Respond(), 0.2).types("good morning", 6.0).run(9)
    assert len(call.of(ReplyEnded)) == 2
    assert len(call.of(ReplyTimed)) == 1


def test_an_answer_that_was_not_drafted_has_no_head_start():
    call = ScriptedCall(["Good morning."]).types("good morning", 0.5).run(4)
    (_, timed), *_ = call.of(ReplyTimed)
    assert timed.head_start_ms == 0
    assert call.of(DraftEnded) == []


def test_a_dropped_draft_says_what_it_cost():
    call = ScriptedCall(["This answer is wrong.", "Right."])
    call.turn_detector.probability = 0.0
    call.says("I would like", 0.5, 1.5).says("a cup of tea", 2.1, 3.0).run(9)
    dropped, adopted = (draft for _, draft in call.of(DraftEnded))
    assert (dropped.adopted, adopted.adopted) == (False, True)
    assert dropped.tokens == 4
    assert dropped.clauses == 1
    assert 300 < dropped.lasted_ms < 700


def test_a_draft_makes_no_sound_and_no_event_before_the_turn_ends():
    call = ScriptedCall(["I am fine, thank you."]).says("how are you", 0.5, 1.8)
    call.turn_detector.probability = 0.0
    call.run(8)
    (started_s, _), *_ = call.of(ReplyStarted)
    assert started_s >= 2.65
    assert not call.sounds_between(0, started_s)


def test_a_person_who_goes_on_leaves_no_trace_of_the_draft():
    call = ScriptedCall(["Wrong answer.", "Right answer."])
    call.turn_detector.probability = 0.0
    call.says("I would like", 0.5, 1.5).says("a cup of tea", 2.1, 3.0).run(9)
    assert call.heard == ["Right answer."]
    assert call.person_said == ["I would like a cup of tea"]
    assert len(call.of(ReplyStarted)) == 1
    assert "Wrong" not in str(call.history.messages)
    assert (call.conversation.drafts.adopted, call.conversation.drafts.dropped) == (1, 1)
    assert call.model.open_replies == 0


def test_a_failing_draft_is_written_again_and_nobody_notices():
    call = ScriptedCall(["one two three", "Now it works."]).says("hello", 0.5, 1.5)
    call.model.fail_at_word = [0]
    call.run(6)
    assert call.heard == ["Now it works."]
    assert call.statuses == ["completed"]


def test_a_change_of_instructions_drops_the_draft():
    call = ScriptedCall(["Old.", "New."]).says("hello", 0.5, 1.5)
    call.turn_detector.probability = 0.0
    call.presses(Configure(instructions="Be brief."), 2.0).run(6)
    assert call.heard == ["New."]


def test_what_is_typed_while_a_draft_waits_is_answered_with_it():
    call = ScriptedCall(["Wrong.", "Right.", "Both."]).says("hello", 0.5, 1.5)
    call.turn_detector.probability = 0.0
    call.types("good evening", 2.0).run(8)
    assert "Wrong." not in call.heard
    assert call.model.open_replies == 0


def test_a_draft_is_dropped_when_the_call_ends():
    call = ScriptedCall(["Never."]).says("hello", 0.5, 1.5)
    call.turn_detector.probability = 0.0
    call.run(2.0)
    assert call.heard == []
    assert call.left_over == []
    assert call.model.open_replies == 0


def test_stop_during_a_draft_is_about_the_answer_under_way():
    call = ScriptedCall(["Yes."]).says("hello", 0.5, 1.5)
    call.turn_detector.probability = 0.0
    call.presses(Stop(), 2.0).presses(Respond(), 5.0).run(9)
    assert call.statuses.count("completed") >= 1
