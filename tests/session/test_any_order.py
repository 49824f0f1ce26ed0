"""Random conversations: no order of events leaves one stuck, rude, or remembering the unheard."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar.events import ReplyEnded, ReplyStarted, UserSaid, UserTyped
from avatar.turn_taking import TurnTaking
from tests.session.openers import opener
from tests.session.scripted_call import Configure, Respond, ScriptedCall, Stop

# Of the person's speech: noticed in 96 ms, faded in 20.
QUIET_AFTER_S = 0.3
SETTLED_S = 20.0  # an answer to its end, and another to what was said over it

REPLIES = (
    "Yes.",
    "That is a good question, and I will tell you what I know about it.",
    "One. Two. Three.",
    "Once upon a time there was a boat, which sailed far over the sea, and came back.",
)

seconds = st.floats(0.05, 1.6).map(lambda s: round(s, 2))
said = st.tuples(st.just("says"), seconds, st.floats(0.3, 2.0).map(lambda s: round(s, 2)))
coughed = st.tuples(st.just("coughs"), seconds, st.floats(0.03, 0.11).map(lambda s: round(s, 2)))
listened = st.tuples(st.just("listens"), seconds, st.floats(0.15, 1.2).map(lambda s: round(s, 2)))
slammed = st.tuples(st.just("slams"), seconds, st.floats(0.12, 3.0).map(lambda s: round(s, 2)))
typed = st.tuples(st.just("types"), seconds, st.just(0.0))
configured = st.tuples(st.just("configures"), seconds, st.just(0.0))
happenings = st.lists(
    st.one_of(said, said, said, listened, listened, coughed, slammed, typed, configured),
    min_size=1,
    max_size=6,
)


sometimes = st.integers(0, 3).map(lambda n: n == 0)


@st.composite
def calls(draw):
    call = ScriptedCall([draw(st.sampled_from(REPLIES)) for _ in range(14)])
    call.model.word_s = draw(st.sampled_from([0.01, 0.05, 0.25]))
    call.model.first_word_s = draw(st.sampled_from([0.0, 0.0, 1.5]))
    call.openers = {"en": (opener("Let me see."),)} if draw(st.booleans()) else {}
    call.recognizer.takes_s = draw(st.sampled_from([0.02, 0.15, 0.5]))
    call.turn_detector.probability = draw(st.sampled_from([0.0, 0.5, 1.0]))
    call.recognizer.fails = draw(st.lists(st.booleans(), max_size=4)) if draw(sometimes) else []
    may_interrupt = not draw(sometimes)
    call.presses(Configure(turn_taking=TurnTaking(interrupts=may_interrupt)), 0.0)
    at_s, speech = 0.4, []
    for n, (kind, gap_s, length_s) in enumerate(draw(happenings)):
        at_s = round(at_s + gap_s, 2)
        if kind == "says":
            call.says(f"words {n}", at_s, at_s + length_s)
            speech += [(at_s, at_s + length_s)] if may_interrupt else []
        elif kind == "listens":
            call.says("mm-hm", at_s, at_s + length_s)
        elif kind in ("coughs", "slams"):
            call.coughs(at_s, length_s)
        elif kind == "types":
            call.types(f"typed {n}", at_s)
        else:
            call.presses(Configure(instructions=f"Rule {n}."), at_s)
        at_s += length_s
    return call, speech, at_s


def words_of_the_person(call):
    said = (event.text for _, event in call.of(UserSaid) if not event.is_backchannel)
    typed = (event.text for _, event in call.of(UserTyped))
    return " ".join([*said, *typed]).split()


def words_in_the_history(call):
    return " ".join(m.content for m in call.history.messages if m.role == "user").split()


@settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(calls())
def test_a_conversation_always_comes_to_rest_and_was_polite(drawn):
    call, speech, end_s = drawn
    call.run(end_s + SETTLED_S)
    assert call.conversation.state == "listening", "it is not stuck"
    assert call.left_over == []
    assert call.model.open_replies == 0
    for start_s, stop_s in speech:
        over = call.sounds_between(start_s + QUIET_AFTER_S, stop_s)
        assert not over, f"it talked over the person from {start_s}: {over[:3]}"
    assert sorted(words_of_the_person(call)) == sorted(words_in_the_history(call)), "none is lost"
    said_last = call.history.messages[-1] if call.history.messages else None
    assert said_last is None or said_last.role == "assistant", "what was said was answered"
    assert not call.conversation.playout.speaking, "nothing is held back"
    remembered = " ".join(m.content for m in call.history.messages if m.role == "assistant")
    heard = " ".join(e.heard for _, e in call.of(ReplyEnded) if e.heard)
    assert remembered.replace("…", "").split() == heard.replace("…", "").split()


@settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(calls(), st.floats(0.2, 6.0))
def test_stop_is_obeyed_at_any_time(drawn, after_s):
    call, _, end_s = drawn
    call.presses(Stop(), round(end_s + after_s, 2)).run(end_s + after_s + SETTLED_S)
    assert call.conversation.state == "listening"
    assert call.model.open_replies == 0


meddled = st.tuples(
    st.sampled_from(["stops", "responds", "sends", "forbids", "allows", "commits", "forgets"]),
    st.floats(0.2, 12.0).map(lambda s: round(s, 2)),
)


@settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(calls(), st.lists(meddled, min_size=1, max_size=5))
def test_a_client_that_meddles_at_any_time_is_answered_in_the_end(drawn, meddling):
    call, _, end_s = drawn
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
    assert call.conversation.state == "listening"
    assert (call.left_over, call.model.open_replies) == ([], 0)
    assert not call.conversation.playout.speaking
    assert sorted(words_of_the_person(call)) == sorted(words_in_the_history(call))
    assert call.of(ReplyStarted)[-1][1].response_id == "the last"
    assert call.statuses[-1] == "completed"
    assert [e.response_id for _, e in call.of(ReplyStarted)] == [
        e.response_id for _, e in call.of(ReplyEnded)
    ]
