"""Answers begun at the first silence, from the words so far; the final words have the last say."""

import pytest

from avatar.dialogue.prompt import as_sentence
from avatar.events import DraftEnded, ReplyTimed, UserInterim
from avatar.turn_taking import TurnTaking
from speech.errors import LanguageModelError
from speech.types import Transcript
from tests.session.scripted_call import ScriptedCall


def run_with_interims(call, heard_as, until_s=8):
    """Run a call whose recogniser hears `heard_as(nth)` each time, unless that is None.

    Returns how many samples it was given each time.
    """
    recognize, calls = call.recognizer.recognize, []

    async def recognize_so(pcm, draft=None):
        calls.append(len(pcm))
        nth = len(calls)
        transcript = await recognize(pcm, draft)
        text = heard_as(nth) if transcript.text else None
        return transcript if text is None else Transcript(text, "en")

    call.recognizer.recognize = recognize_so
    call.run(until_s)
    return calls


def asked_s(call):
    """When the model was first asked, after the last speech sample."""
    ((_, timed),) = call.of(ReplyTimed)
    return timed.rows_ms["final_transcript"]


def test_an_answer_is_begun_at_the_first_silence_where_the_words_are_known():
    call = ScriptedCall(["I am fine."]).says("how are you", 0.5, 1.5)
    call.recognizer.takes_s = 0.06
    call.run(6)
    assert asked_s(call) <= 65, "the first silent window ends 32 to 64 ms after the last word"
    assert len(call.model.prompts) == 1


def test_words_are_asked_for_at_the_first_silence_if_the_last_ones_are_old():
    call = ScriptedCall(["I am fine."]).says("how are you", 0.5, 1.75)  # 270 ms after the last ones
    call.recognizer.takes_s = 0.1
    call.run(6)
    assert asked_s(call) <= 150, "not only with the final words, 100 ms after the pause"


def test_words_so_far_that_prove_wrong_are_corrected_before_the_final_ones():
    call = ScriptedCall(["Wrong answer.", "Right answer."]).says("I see the sea", 0.5, 1.5)
    call.recognizer.takes_s = 0.03
    run_with_interims(call, lambda n: "I see the C" if n <= 3 else None)
    assert asked_s(call) <= 100, "the pause, which asks for the final words, is known of by then"
    assert call.heard == ["Right answer."]


@pytest.mark.parametrize("end_s", [1.6, 2.2])  # words of before are being looked for, or were
def test_a_recogniser_that_takes_long_is_asked_at_the_first_silence_and_never_twice(end_s):
    call = ScriptedCall(["I am fine."]).says("how are you", 0.5, end_s)
    call.recognizer.takes_s, call.recognizer.interim_every_s = 0.7, 1.0
    lengths = run_with_interims(call, lambda _: None)
    assert len(lengths) == 2, "after a second of speech, and the final words"
    assert asked_s(call) <= 765, "0.7 s after the first silence: what ran before it gave way"
    assert call.person_said == ["how are you"]


def test_what_was_heard_up_to_the_first_silence_is_not_recognised_again_at_the_pause():
    call = ScriptedCall(["I am fine."]).says("how are you", 0.5, 1.5)
    call.recognizer.takes_s = 0.03
    lengths = run_with_interims(call, lambda _: None)
    assert len(lengths) == 3 + 1, "as they speak, and at the first silence"
    assert call.person_said == ["how are you"]


def test_what_was_not_heard_by_the_first_silence_is_recognised_at_the_pause():
    call = ScriptedCall(["I am fine."]).says("how are you", 0.5, 1.5)
    call.recognizer.takes_s, call.recognizer.fails = 0.03, [False, False, False, True]
    assert len(run_with_interims(call, lambda _: None)) == 5
    assert call.person_said == ["how are you"]


def test_a_slow_recognisers_words_come_once_though_a_client_ends_the_turn_before_them():
    call = ScriptedCall(["I am fine."]).says("how are you", 0.5, 2.2)
    call.recognizer.takes_s, call.recognizer.interim_every_s = 0.7, 1.0
    call.presses(
        lambda: call.listener.take_turns(TurnTaking(end_silence_ms=200, patient_silence_ms=200)), 0
    )
    assert len(run_with_interims(call, lambda _: None)) == 2
    assert call.person_said == ["how are you"]


def test_whoever_goes_on_at_once_is_heard_to_the_end_by_a_slow_recogniser():
    call = ScriptedCall(["I am fine."]).says("how", 0.5, 1.2).says("are you", 1.264, 2.2)
    call.recognizer.takes_s, call.recognizer.interim_every_s = 0.3, 1.0
    call.run(8)
    assert call.person_said == ["how are you"]


def test_a_comma_in_mid_speech_is_no_other_word():
    call = ScriptedCall(["I am fine."]).says("how are you.", 0.5, 1.5)
    run_with_interims(call, lambda n: "how are you," if n <= 3 else None)
    assert len(call.model.prompts) == 1
    assert call.asked_of_the_model(0)[-1].content == "how are you."
    assert call.person_said == ["how are you."]
    assert call.heard == ["I am fine."]


def test_the_same_words_again_are_not_read_again():
    call = ScriptedCall(["Fine."]).says("how are you.", 0.5, 3.0)
    read = []

    async def prefill(messages, tools=()):
        read.append(messages[-1].content)
        return True

    call.model.prefill = prefill
    run_with_interims(call, lambda n: "how are you," if n % 2 else None)
    assert read.count("how are you.") == 1


@pytest.mark.parametrize("outcome", [False, LanguageModelError("gone")])
def test_words_of_which_the_reading_came_to_nothing_are_read_again(outcome):
    call = ScriptedCall(["Fine."]).says("how are you.", 0.5, 3.0)
    read = []

    async def prefill(messages, tools=()):
        read.append(messages[-1].content)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    call.model.prefill = prefill
    run_with_interims(call, lambda n: "how are you,")
    assert read.count("how are you.") > 3


def test_other_final_words_are_answered_anew_and_the_first_answer_is_never_heard():
    call = ScriptedCall(["Wrong answer.", "Right answer."]).says("I see the sea", 0.5, 1.5)
    run_with_interims(call, lambda n: "I see the C" if n <= 3 else None)
    assert [call.asked_of_the_model(n)[-1].content for n in (0, 1)] == [
        "I see the C",
        "I see the sea",
    ]
    assert call.heard == ["Right answer."]
    assert call.person_said == ["I see the sea"]
    assert [draft.adopted for _, draft in call.of(DraftEnded)] == [False, True]
    assert call.model.open_replies == 0


def test_nothing_is_heard_of_an_answer_begun_in_a_short_silence_within_speech():
    call = ScriptedCall(["Wrong answer.", "Fine."])
    call.says("how are", 0.5, 1.2).says("you", 1.26, 1.9).run(6)
    asked = [call.asked_of_the_model(n)[-1].content for n in range(len(call.model.prompts))]
    assert asked == ["how are", "how are you"]
    assert call.heard == ["Fine."]
    assert call.person_said == ["how are you"]
    assert [draft.adopted for _, draft in call.of(DraftEnded)] == [False, True]
    assert call.model.open_replies == 0


def test_the_verdict_of_a_silence_that_was_no_pause_counts_for_no_other():
    call = ScriptedCall(["Fine."]).says("how are", 0.5, 1.2).says("you", 1.26, 1.9)
    verdicts = [1.0, 0.0]  # of the short silence, and of the pause

    async def finished(_):
        return verdicts.pop(0)

    call.turn_detector.finished = finished
    call.run(6)
    ((_, timed),) = call.of(ReplyTimed)
    assert timed.rows_ms["turn_ended"] > 1000
    assert not verdicts


def test_the_first_words_shown_are_the_last_ones_of_before_the_pause():
    call = ScriptedCall(["Fine."]).says("how are you", 0.5, 1.5).run(6)
    shown = [at_s for at_s, _ in call.of(UserInterim)]
    assert len(shown) == 3 + 2, "as they speak, at the first silence, and the final ones"


def test_only_marks_that_nothing_ends_with_are_replaced():
    for words, sentence in {
        "how are you,": "how are you.",
        "how are you -": "how are you.",
        "how are you?": "how are you?",
        "how are you": "how are you",
        "well…": "well…",
        "": "",
        ",": "",
    }.items():
        assert as_sentence(words) == sentence


def slow_story(word_s):
    call = ScriptedCall(["I would love to tell you about the old house on the hill."])
    call.model.word_s = word_s
    return call.says("tell me a story", 0.5, 1.5).run(9)


def test_a_late_first_clause_ends_before_the_next_phrase():
    call = slow_story(0.1)
    assert call.clauses[0] == "I would love to tell you "
    assert "".join(call.clauses) == call.heard[0] == call.history.messages[-1].content


def test_a_first_clause_in_time_is_as_long_as_a_voice_likes_it():
    assert slow_story(0.02).clauses[0] == "I would love to tell you about "
