"""What becomes of an answer when the person makes a sound during it."""

import pytest

from avatar.events import ReplyEnded, ReplyHeld, ReplyResumed, UserSaid
from tests.session.scripted_call import ScriptedCall, Stop

LONG = "Well, once upon a time there was a little boat that sailed far across the wide blue sea."


def story(replies=(LONG,)):
    """The avatar tells it from about 2 s to 7.5 s."""
    return ScriptedCall(list(replies)).says("tell me a story", 0.5, 1.5)


def of_the_person(call):
    return [m.content for m in call.history.messages if m.role == "user"]


@pytest.mark.parametrize("sound", ["Mm-hm.", "Yeah.", "Right.", "Uh-huh.", "Ha ha ha.", "You"])
def test_it_goes_on_after_what_a_listener_says(sound):
    call = story().says(sound, 4.0, 4.4).run(14)
    assert call.statuses == ["completed"]
    assert call.heard == [LONG]
    assert of_the_person(call) == ["tell me a story"]
    assert [e.is_backchannel for _, e in call.of(UserSaid)] == [False, True]
    assert len(call.model.prompts) == 1, "nothing is answered"
    assert [e.reason for _, e in call.of(ReplyResumed)] == ["backchannel"]


def test_it_goes_on_after_a_spanish_listeners_words():
    from tests.session.scripted_call import Configure

    call = story().presses(Configure(language="es"), 0.1).says("Ajá, sí.", 4.0, 4.5).run(14)
    assert call.heard == [LONG]
    assert of_the_person(call) == ["tell me a story"]


def test_it_nods_at_a_listeners_words_but_not_at_a_noise():
    nods = {
        sound: len(getattr(story(), sound)(*what).run(6).conversation.cues().nods)
        for sound, what in {"says": ("Mm-hm.", 4.0, 4.4), "coughs": (4.0, 0.4)}.items()
    }
    assert nods["says"] == nods["coughs"] + 1


def test_a_held_answer_is_still_under_way_though_the_face_listens():
    call = story().says("Mm-hm.", 4.0, 4.4).run(14)
    assert call.states == ["thinking", "speaking", "listening"]
    shown = [state for _, state in call.conversation.cues().states]
    assert shown[-4:] == ["speaking", "listening", "speaking", "listening"]


def test_it_is_silent_at_once_and_soon_goes_on():
    call = story().says("Mm-hm.", 4.0, 4.4).run(14)
    assert call.sounds_between(3.5, 4.0)
    assert not call.sounds_between(4.16, 4.4), "silent 150 ms after the person began"
    assert call.sounds_between(4.4, 5.0), "and on again before 600 ms of silence"


@pytest.mark.parametrize(("of_speech", "after_s"), [(0.6, 0.096), (0.79, 0.096), (0.9, 0.064)])
def test_what_is_sure_to_be_speech_silences_it_a_window_sooner(of_speech, after_s):
    call = ScriptedCall([LONG], of_speech=of_speech).says("tell me a story", 0.512, 1.504)
    call.says("Mm-hm.", 4.0, 4.4).run(6)
    (held_s, _), *_ = call.of(ReplyHeld)
    assert after_s <= held_s - 4.0 < after_s + 0.02, "and a packet of the microphone"


@pytest.mark.parametrize("length_s", [0.1, 0.3, 1.0, 3.0])
def test_it_goes_on_after_a_noise_of_any_length(length_s):
    call = story().coughs(4.0, length_s).run(16)
    assert call.statuses == ["completed"]
    assert call.heard == [LONG]
    silent = 4.16
    assert call.sounds_between(silent, silent + 1.3), "held for 1.2 s at most"


def test_it_goes_on_after_a_noise_in_which_a_slow_recogniser_finds_nothing():
    call = story().coughs(4.0, 0.4)
    call.recognizer.takes_s, call.recognizer.interim_every_s = 0.5, 1.0
    call.presses(lambda: setattr(call.turn_detector, "probability", 0.0), 3.0).run(16)
    assert call.heard == [LONG]
    assert call.sounds_between(5.2, 5.4), "and not only 1.1 s after it"


def test_words_take_the_floor_as_soon_as_they_are_known():
    call = story([LONG, "Sure."]).says("no tell me another one", 4.0, 6.0).run(10)
    assert call.statuses == ["cancelled", "completed"]
    assert not call.sounds_between(4.16, 6.1)
    assert of_the_person(call)[-1] == "no tell me another one"
    (held_s, _), *_ = call.of(ReplyHeld)
    assert held_s <= 4.16
    assert call.of(ReplyResumed) == []


def test_a_listeners_words_that_go_on_are_a_turn():
    call = story([LONG, "Sure."]).says("Yeah.", 4.0, 4.4).says("but why", 4.4, 5.2).run(10)
    assert call.statuses == ["cancelled", "completed"]
    assert of_the_person(call)[-1] == "Yeah. but why"
    assert not call.sounds_between(4.7, 5.2)


def test_yes_is_an_answer_to_the_question_just_asked():
    question = "Shall I tell you about it? There is a lot to tell, and I would like to."
    call = ScriptedCall([question, "Good."]).says("hello", 0.5, 1.0)
    call.says("Yes.", 3.6, 3.9).run(12)
    assert call.heard[0].endswith("it?")
    assert of_the_person(call) == ["hello", "Yes."]
    assert call.heard[-1] == "Good."


def test_a_listeners_words_after_the_answer_are_a_turn():
    call = ScriptedCall(["I am fine.", "Good."]).says("how are you", 0.5, 1.5)
    call.says("Right.", 5.0, 5.4).run(10)
    assert of_the_person(call) == ["how are you", "Right."]


def test_what_is_said_after_a_pause_in_an_answer_is_all_remembered():
    call = story().coughs(3.0, 0.4).says("Mm-hm.", 4.5, 4.9).coughs(6.0, 0.1).run(16)
    assert call.history.messages[-1].content == LONG
    assert "".join(call.clauses) == LONG, "each clause is announced once"


def test_a_word_that_was_cut_is_not_remembered_if_the_person_takes_the_floor():
    call = story([LONG, "Sure."]).says("stop that", 4.0, 4.8).run(10)
    assert LONG.startswith(call.heard[0])
    assert LONG[len(call.heard[0])] in " ,", "whole words"


def test_stop_ends_a_held_answer():
    call = story().coughs(4.0, 2.0).presses(Stop(), 4.5).run(10)
    assert call.statuses == ["cancelled"]
    assert not call.sounds_between(4.52, 10)
    assert not call.conversation.playout.speaking


def test_a_recogniser_too_slow_to_say_what_it_is_loses_the_avatar_the_floor():
    call = story([LONG, "Sure."]).says("no no I mean another one entirely", 4.0, 8.0)
    call.recognizer.interim_every_s = 9.0
    call.run(12)
    assert call.statuses[0] == "cancelled"
    assert not call.sounds_between(4.16, 8.0)


def test_the_end_of_a_call_during_a_hold_leaves_nothing_behind():
    call = story().coughs(4.0, 3.0).run(4.5)
    assert call.left_over == []
    assert call.model.open_replies == 0


def test_while_its_own_voice_comes_back_a_short_sound_is_none():
    call = story()
    call.is_echoing = True
    call.says("you", 4.0, 4.14).says("no please stop it", 5.0, 6.0).run(12)
    assert call.sounds_between(4.2, 4.4), "not even held"
    assert of_the_person(call) == ["tell me a story", "no please stop it"]
    assert not call.sounds_between(5.3, 6.0)


TALE = LONG[:-1] + ", and nobody has ever seen it again."  # 7.2 s long


def noisy(every_s, length_s):
    """The tale, told while a noise comes again and again, which might go on by its sound."""
    call = story([TALE, "Sure."])
    call.presses(lambda: setattr(call.turn_detector, "probability", 0.0), 1.9)
    for n in range(20):
        call.coughs(2.6 + n * every_s, length_s)
    return call


@pytest.mark.parametrize(("every_s", "length_s"), [(0.8, 0.2), (1.3, 0.2), (1.3, 0.4), (2.0, 0.6)])
def test_noises_hold_it_ever_less(every_s, length_s):
    call = noisy(every_s, length_s).run(30)
    assert call.heard == [TALE]
    ((ended_s, _),) = call.of(ReplyEnded)
    assert ended_s < 1.9 + 1.5 * 7.2
    assert call.of(ReplyHeld)


@pytest.mark.parametrize("interim_every_s", [0.32, 1.0])
def test_who_speaks_among_noises_silences_it_within_half_a_second(interim_every_s):
    call = noisy(1.3, 0.2).says("no tell me another one", 6.9, 8.1)
    call.recognizer.interim_every_s = interim_every_s
    call.run(9)
    assert call.sounds_between(6.7, 6.9)
    assert not call.sounds_between(7.4, 8.1)
    assert call.statuses == ["cancelled"]


def test_noises_in_one_answer_do_not_make_the_next_one_hard_to_stop():
    call = noisy(0.7, 0.2).types("and then", 16.5)
    call.replies[1] = LONG
    call.says("Mm-hm.", 18.0, 18.3).run(20)
    assert not call.sounds_between(18.16, 18.3)


def test_it_goes_on_as_soon_as_a_sound_is_over_that_had_no_words():
    call = story().coughs(4.0, 0.4)
    call.presses(lambda: setattr(call.turn_detector, "probability", 0.0), 3.0).run(16)
    assert not call.sounds_between(4.16, 4.4)
    assert call.sounds_between(4.4, 4.7)
