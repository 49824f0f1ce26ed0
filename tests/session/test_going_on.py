"""A person goes on after their turn was taken for over: before the answer is heard, it never is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.events import ReplyEnded, ReplyHeard, ReplyHeld, ReplyStarted, ReplyTimed, UserSaid
from avatar.tape import TAPE_S
from tests.session.scripted_call import ScriptedCall

FIRST_ENDS_S = 1.5
SPEECH_IS_KNOWN_S = 0.117  # two windows, the one that it began in, and a frame


def goes_on(gap_s, answer_takes_s=0.6, barge_in_ms=96):
    """Says a sentence in two breaths; both sound finished."""
    replies = ["Wrong answer.", "Right answer.", "Late answer."]
    call = ScriptedCall(replies, barge_in_ms=barge_in_ms)
    call.voice.takes_s = answer_takes_s
    begins_s = FIRST_ENDS_S + gap_s
    call.says("I would like", 0.5, FIRST_ENDS_S).says("a cup of tea", begins_s, begins_s + 1.2)
    return call.run(begins_s + 9)


def first_sound_s(answer_takes_s):
    """When the answer to the first breath would be heard."""
    call = ScriptedCall(["Wrong answer."])
    call.voice.takes_s = answer_takes_s
    call.says("I would like", 0.5, FIRST_ENDS_S).run(6)
    return call.loud_frames[0]


def test_nothing_is_heard_of_an_answer_before_which_the_person_goes_on():
    call = goes_on(gap_s=0.5)
    assert len(call.of(ReplyStarted)) == 2, "the turn was taken for over"
    assert call.heard == ["", "Right answer."]
    assert [event.text for _, event in call.of(ReplyHeard)] == ["Right answer."]
    assert not call.sounds_between(0, 2.0 + 1.2)


def test_both_breaths_are_one_message_and_the_answer_is_to_all_of_it():
    call = goes_on(gap_s=0.5)
    assert [event.text for _, event in call.of(UserSaid)] == ["I would like", "a cup of tea"]
    assert [(m.role, m.content) for m in call.history.messages] == [
        ("user", "I would like a cup of tea"),
        ("assistant", "Right answer."),
    ]
    assert call.asked_of_the_model(-1)[-1].content == "I would like a cup of tea"


def test_an_answer_that_a_click_has_delayed_is_given():
    call = ScriptedCall(["Here I am."])
    call.voice.takes_s = 0.6
    call.says("are you there?", 0.5, FIRST_ENDS_S).coughs(1.95, 0.09).run(6)
    assert call.heard == ["Here I am."]
    assert call.statuses == ["completed"]
    ((_, timed),) = call.of(ReplyTimed)
    assert timed.excused == "held", "which says nothing of the machine"
    assert timed.rows_ms["first_sound"] > 500


def test_an_answer_that_is_never_heard_because_they_went_on_leaves_a_timeline_too():
    call = goes_on(gap_s=0.5)
    never, given_ = (timed for _, timed in call.of(ReplyTimed))
    assert never.excused == "held"
    assert "first_sound" not in never.rows_ms
    assert given_.excused is None
    assert "first_sound" in given_.rows_ms


def test_a_click_while_an_answer_is_heard_does_not_change_when_it_began():
    call = ScriptedCall(["Here I am, and I stay."])
    call.says("are you there?", 0.5, FIRST_ENDS_S).coughs(2.6, 0.11).run(6)
    assert call.of(ReplyHeld)
    ((_, timed),) = call.of(ReplyTimed)
    assert timed.excused is None


def test_speech_keeps_it_back_before_it_has_lasted_long_enough_to_interrupt():
    gap_s = first_sound_s(0.2) - SPEECH_IS_KNOWN_S - FIRST_ENDS_S
    call = goes_on(gap_s, 0.2, barge_in_ms=640)
    assert not call.sounds_between(0, FIRST_ENDS_S + gap_s + 0.6)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(24, 100), st.sampled_from([0.2, 0.4, 0.8]))
def test_whenever_they_go_on_they_hear_nothing_or_it_had_begun(gap_10ms, answer_takes_s):
    gap_s = gap_10ms / 100
    call = goes_on(gap_s, answer_takes_s)
    begins_s = FIRST_ENDS_S + gap_s
    early = call.sounds_between(0, begins_s + 1.2)
    if begins_s + SPEECH_IS_KNOWN_S < first_sound_s(answer_takes_s):
        assert not early, "it was not under way yet"
    assert not [at_s for at_s in early if at_s > begins_s + 0.2], "it falls silent"
    users = [m.content for m in call.history.messages if m.role == "user"]
    if not any(event.heard for _, event in call.of(ReplyEnded)[:-1]):
        assert users == ["I would like a cup of tea"]
    assert call.history.messages[-1].role == "assistant"
    assert call.left_over == []


def test_a_recogniser_that_takes_long_has_nothing_said_between_two_breaths():
    call = ScriptedCall(["Wrong answer.", "Right answer."])
    call.recognizer.takes_s, call.recognizer.interim_every_s = 0.5, 1.0
    call.voice.takes_s = 0.6
    call.says("I would like", 0.5, 1.5).says("some tea", 2.3, 3.1).run(12)
    assert call.clauses == ["Right answer."]
    assert not call.sounds_between(0, 4.2), "not while the words are being looked for"
    assert [m.content for m in call.history.messages] == ["I would like some tea", "Right answer."]


def test_how_a_turn_ends_is_judged_by_all_of_it():
    call = ScriptedCall(["Wrong answer.", "Thank you."])
    call.voice.takes_s = 0.9
    judged = []

    class Judge:
        async def finished(self, pcm):
            judged.append(len(pcm) / 16_000)
            return 1.0

    call.turn_detector = Judge()
    call.says("I would like", 0.5, 1.5).says("a cup of tea", 2.0, 2.8).run(12)
    first, second = judged
    assert 1.0 < first < 1.4
    assert 2.3 < second < 2.7, "from the turn's beginning, with the pause in it"


def test_words_are_weighed_with_those_that_the_turn_began_with():
    def ended_after_s(*said):
        call = ScriptedCall(["Well.", "Well.", "Well."])
        call.voice.takes_s = 0.9
        for text, start_s, end_s in said:
            call.says(text, start_s, end_s)
        call.run(12)
        starts = [at_s for at_s, _ in call.of(ReplyStarted)]
        return starts[-1] - said[-1][2]

    alone = ended_after_s(("is five", 2.0, 2.8))
    behind = ended_after_s(("my phone number", 0.5, 1.5), ("is five", 2.0, 2.8))
    assert alone < 0.4
    assert behind > 1.4, "a number that is not whole"


def test_what_follows_an_answer_that_was_heard_is_a_turn_of_its_own():
    call = ScriptedCall(["Yes.", "No."])
    lengths = []

    class Judge:
        async def finished(self, pcm):
            lengths.append(len(pcm) / 16_000)
            return 1.0

    call.turn_detector = Judge()
    call.says("are you there", 0.5, 1.5).says("and are you well", 5.0, 6.0).run(10)
    assert all(length < 1.4 for length in lengths)


def test_what_is_said_long_after_a_turn_does_not_go_on_with_it_though_the_avatar_thinks():
    call = ScriptedCall(["Fine.", "Late.", "Good."]).says("my phone number", 0.5, 1.5)
    call.types("hello", 60.0).says("is five", 61.0, 61.8)
    lengths = []

    class Judge:
        async def finished(self, pcm):
            lengths.append(len(pcm) / 16_000)
            return 1.0

    call.turn_detector = Judge()
    call.presses(lambda: setattr(call.model, "first_word_s", 9.0), 30.0)
    states = []
    call.presses(lambda: states.append(call.conversation.state), 60.9).run(64)
    assert call.heard[0] == "Fine."
    assert states == ["thinking"]
    assert all(length < 1.4 for length in lengths)
    said_s, _ = call.of(UserSaid)[-1]
    assert said_s - 61.8 < 0.5, "and not weighed as a number that is not whole"


def test_a_turn_of_many_breaths_is_judged_by_no_more_than_is_kept_of_it():
    call = ScriptedCall(["Well."] * 9)
    call.voice.takes_s, call.recognizer.interim_every_s = 3.0, 99.0
    for n in range(2):
        call.says(f"so {n}", 1 + 26 * n, 26 + 26 * n)
    lengths = []

    class Judge:
        async def finished(self, pcm):
            lengths.append(len(pcm) / 16_000)
            return 1.0

    call.turn_detector = Judge()
    call.run(54)
    assert 25 < lengths[0] < 27
    assert max(lengths) == TAPE_S


def waits_ms(last_s, *earlier, answer="Yes.", meanwhile=None):
    """How long the end of the last thing said is waited for, behind earlier ones.

    Meanwhile something is said from 2.2 s on.
    """
    call = ScriptedCall([answer] * 9)
    call.turn_detector.probability = 0.98
    if meanwhile is not None:
        call.says(meanwhile, 2.2, 2.6)
    for begins_s in (*earlier, last_s):
        call.says("is it far", begins_s, begins_s + 0.6)
    call.run(last_s + 6)
    return call.of(ReplyTimed)[-1][1].rows_ms["turn_ended"]


def test_who_was_cut_short_is_waited_for_longer_and_who_had_a_short_answer_is_not():
    alone = waits_ms(6.0, 0.5)
    assert waits_ms(6.0, 0.5, 2.5) == alone, "1.4 s later, behind a short answer"
    assert waits_ms(6.0, 0.5, 1.55) > alone, "half a second later, over the answer"


STORY = "There was a little boat that sailed far across the sea."


def test_who_says_mm_hm_to_an_answer_or_laughs_at_it_is_waited_for_no_longer():
    alone = waits_ms(12.0, 0.5, answer=STORY)
    assert waits_ms(12.0, 0.5, answer=STORY, meanwhile="mm-hm") == alone
    assert waits_ms(12.0, 0.5, answer=STORY, meanwhile="ha ha") == alone
    assert waits_ms(12.0, 0.5, answer=STORY, meanwhile="to the sea") > alone
