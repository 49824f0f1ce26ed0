"""Random conversations: no order of events leaves one stuck, rude, or remembering the unheard."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar.events import ReplyEnded, ReplyStarted
from avatar.turn_taking import TurnTaking
from tests.session.random_calls import (
    SETTLED_S,
    RandomCall,
    calls,
    listen,
    words_in_the_history,
    words_of_the_person,
)
from tests.session.scripted_call import Configure, Respond, ScriptedCall, Stop


def examples(count):
    slow = [HealthCheck.too_slow]
    return settings(max_examples=count, deadline=None, derandomize=True, suppress_health_check=slow)


@examples(50)
@given(calls())
def test_a_conversation_always_comes_to_rest_and_was_polite(drawn):
    call = drawn.call.run(drawn.end_s + SETTLED_S)
    drawn.check_rest()
    assert sorted(words_of_the_person(call)) == sorted(words_in_the_history(call)), "none is lost"
    said_last = call.history.messages[-1] if call.history.messages else None
    assert said_last is None or said_last.role == "assistant", "what was said was answered"


@examples(25)
@given(calls(), st.floats(0.5, 12.0), st.floats(0.3, 3.0))
def test_a_call_that_ends_at_any_time_and_is_gone_on_with_remembers_what_was_heard(
    drawn, end_s, says_s
):
    first = drawn.call.run(round(end_s, 2))
    drawn.speech = [(start, min(stop, end_s)) for start, stop in drawn.speech]
    drawn.check()
    call = ScriptedCall(["Well, where were we? You had asked me something."] * 9)
    then = RandomCall(call, listen(call), [(says_s, says_s + 1.0)], says_s + 1.0)
    call.history.remember(first.history.everything)
    if call.history.messages and call.history.messages[-1].role == "user":
        call.presses(Respond(), 0.1)  # as a session does, which owes it
    call.says("what was that", says_s, says_s + 1.0).run(says_s + SETTLED_S)
    then.check(heard_before=drawn.ears.whole_words)
    assert call.history.messages[-1].role == "assistant"
    assert words_in_the_history(call)[-3:] == ["what", "was", "that"]


@examples(15)
@given(calls(), st.floats(0.2, 6.0))
def test_stop_is_obeyed_at_any_time(drawn, after_s):
    call = drawn.call.presses(Stop(), round(drawn.end_s + after_s, 2))
    call.run(drawn.end_s + after_s + SETTLED_S)
    drawn.check_rest()


meddled = st.tuples(
    st.sampled_from(["stops", "responds", "sends", "forbids", "allows", "commits", "forgets"]),
    st.floats(0.2, 12.0).map(lambda s: round(s, 2)),
)


@examples(25)
@given(calls(), st.lists(meddled, min_size=1, max_size=5))
def test_a_client_that_meddles_at_any_time_is_answered_in_the_end(drawn, meddling):
    call, end_s = drawn.call, drawn.end_s
    drawn.speech = []  # it may have been forbidden to interrupt
    call.words[7000] = "recorded"
    recording = np.full(8000, 7000, np.int16)
    for what, at_s in meddling:
        end_s = max(end_s, at_s)
        match what:
            case "stops":
                call.presses(Stop(), at_s)
            case "responds":
                call.presses(Respond(), at_s)
            case "sends":
                call.presses(lambda: call.listener.submit(recording, ""), at_s)
                call.presses(Respond(), at_s)
            case "forbids" | "allows":
                turns = TurnTaking(interrupts=what == "allows")
                call.presses(Configure(turn_taking=turns), at_s)
            case "commits":
                call.presses(lambda: call.listener.commit(), at_s)
            case "forgets":
                call.presses(lambda: call.listener.forget(), at_s)
    call.presses(Respond("the last"), end_s + SETTLED_S).run(end_s + 2 * SETTLED_S)
    drawn.check_rest()
    assert sorted(words_of_the_person(call)) == sorted(words_in_the_history(call))
    assert call.of(ReplyStarted)[-1][1].response_id == "the last"
    assert call.statuses[-1] == "completed"
    assert [e.response_id for _, e in call.of(ReplyStarted)] == [
        e.response_id for _, e in call.of(ReplyEnded)
    ]
