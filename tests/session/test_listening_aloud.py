"""A listener's "okay" while the avatar thinks, to an opener, to a cover, between clauses."""

import pytest

from avatar.events import CoverHeard, OpenerHeard, ReplyHeard, UserSaid
from tests.session.openers import opener
from tests.session.scripted_call import Configure, Respond, ScriptedCall, ToolResult
from tests.session.scripted_tools import COVERS, LIGHTS, ScriptedServerTools, wants

ANSWER = "It is booked for two at eight."


def of_the_person(call):
    return [m.content for m in call.history.messages if m.role == "user"]


def backchannels(call):
    return [event.text for _, event in call.of(UserSaid) if event.is_backchannel]


def late_answer(said="book me a table"):
    """The opener is heard from about 2.3 to 2.9 s, the answer from 4 s on."""
    call = ScriptedCall([ANSWER, "Never."]).says(said, 0.5, 1.8)
    call.openers = {"en": (opener("Let me see."),)}
    call.model.first_word_s = 2.0
    return call


def with_a_slow_tool():
    """A server's tool runs from about 2 to 6 s, covered from 2.8 to 3.4 s."""
    call = ScriptedCall([[wants()], ANSWER, "Never."]).says("book me a table", 0.5, 1.8)
    call.server_tools = ScriptedServerTools(takes_s=4.0)
    call.covers = COVERS
    return call


def with_a_clients_tool():
    """A client's tool runs from about 2 to 6 s, covered from 2.8 to 3.4 s."""
    call = ScriptedCall([[wants(LIGHTS, "{}")], ANSWER, "Never."])
    call.covers = COVERS
    call.presses(Configure(tools=(LIGHTS,)), 0.1).says("book me a table", 0.5, 1.8)
    return call.presses(ToolResult("call_1", "on"), 6.0).presses(Respond(), 6.0)


@pytest.mark.parametrize("at_s", [2.4, 2.7, 3.1, 3.5])
@pytest.mark.parametrize("sound", ["Okay.", "Mm-hm."])
def test_to_an_opener_and_behind_it_it_lets_the_answer_come(sound, at_s):
    call = late_answer().says(sound, at_s, at_s + 0.35).run(12)
    assert call.of(OpenerHeard)
    assert call.statuses == ["completed"]
    assert call.heard == [ANSWER]
    assert of_the_person(call) == ["book me a table"]
    assert backchannels(call) == [sound]
    assert len(call.model.prompts) == 1


@pytest.mark.parametrize("at_s", [2.2, 3.0, 3.6, 5.0])
def test_to_a_tools_cover_and_around_it_it_leaves_the_tool_running(at_s):
    call = with_a_slow_tool().says("Okay.", at_s, at_s + 0.35).run(14)
    assert call.of(CoverHeard)
    assert call.heard == [ANSWER]
    assert of_the_person(call) == ["book me a table"]
    assert len(call.server_tools.calls) == call.server_tools.finished == 1


@pytest.mark.parametrize("at_s", [2.2, 3.0, 3.6, 5.0, 5.7, 5.9, 5.95])
def test_and_so_with_a_tool_of_the_clients(at_s):
    call = with_a_clients_tool().says("Okay.", at_s, at_s + 0.35).run(14)
    assert call.of(CoverHeard)
    assert call.heard[-1] == ANSWER
    assert of_the_person(call) == ["book me a table"]
    assert backchannels(call) == ["Okay."]
    assert len(call.model.prompts) == 2


def test_words_still_end_the_wait_for_a_clients_tool():
    call = with_a_clients_tool()
    call.says("no forget it", 3.0, 3.8).run(14)
    assert of_the_person(call)[-1] == "no forget it"
    assert call.model.prompts[1][-1].content == "no forget it"


def between_clauses(first):
    """The voice takes 3.5 s for a clause: the first is heard at about 5, the second 2 s later."""
    call = ScriptedCall([first + " And then you go on to the church.", "Never."])
    call.says("which way", 0.5, 1.5)
    call.voice.takes_s = 3.5
    return call


def gap_of(first):
    """Between which two times the avatar is silent between its clauses."""
    call = between_clauses(first).run(12)
    first_s, second_s = (at_s for at_s, _ in call.of(ReplyHeard))
    return max(call.sounds_between(first_s, second_s)), second_s


@pytest.mark.parametrize("sound", ["Okay.", "Mm-hm."])
def test_between_two_clauses_it_lets_the_next_one_come(sound):
    first = "Walk to the bridge."
    begins_s, ends_s = gap_of(first)
    assert ends_s - begins_s > 1.8
    call = between_clauses(first).says(sound, begins_s + 0.2, begins_s + 0.5).run(14)
    assert call.statuses == ["completed"]
    assert of_the_person(call) == ["which way"]
    assert backchannels(call) == [sound]


def test_between_two_clauses_yes_answers_the_question_that_the_first_one_asked():
    first = "Are you on foot?"
    begins_s, ends_s = gap_of(first)
    for late_s in (0.2, ends_s - begins_s - 0.4):
        call = between_clauses(first).says("Yes.", begins_s + late_s, begins_s + late_s + 0.3)
        call.run(14)
        assert of_the_person(call) == ["which way", "Yes."]
        assert call.statuses[0] == "cancelled"


@pytest.mark.parametrize("sound", ["Okay.", "Yeah.", "Mm-hm."])
def test_while_the_avatar_still_thinks_it_is_no_other_question(sound):
    call = late_answer()
    call.openers = {}
    call.says(sound, 2.6, 2.95).run(12)
    assert call.statuses == ["completed"]
    assert call.heard == [ANSWER]
    assert of_the_person(call) == ["book me a table"]
    assert len(call.model.prompts) == 1


@pytest.mark.parametrize("openers", [{}, {"en": (opener("Let me see."),)}])
@pytest.mark.parametrize("begun", ["I think that is", "I would like a", "Well, um"])
def test_what_makes_an_unfinished_sentence_whole_is_part_of_it(begun, openers):
    call = late_answer(begun)
    call.openers = openers
    call.turn_detector.probability = 1.0
    call.says("right.", 3.9, 4.3).run(14)
    assert of_the_person(call)[0] == f"{begun} right."
    assert call.heard[-1] == "Never."


@pytest.mark.parametrize("more", ["Yes and a chair.", "No.", "Wait."])
def test_words_still_take_the_floor_while_the_avatar_thinks(more):
    call = late_answer().says(more, 2.6, 3.2).run(12)
    assert call.statuses[0] == "cancelled"
    assert of_the_person(call)[-1].endswith(more)
    assert call.heard[-1] == "Never."


def test_yes_is_an_answer_if_the_one_before_it_was_none():
    call = ScriptedCall([ANSWER, "Good."]).says("well, um", 0.5, 1.3)
    call.model.first_word_s = 2.0
    call.says("yes.", 3.4, 3.8).run(12)
    assert of_the_person(call) == ["well, um yes."]
    assert call.heard[-1] == "Good."


@pytest.mark.parametrize("sound", ["Um.", "Uh."])
def test_who_hesitates_while_the_avatar_thinks_is_about_to_go_on(sound):
    call = late_answer()
    call.openers = {}
    call.says(sound, 2.4, 2.7).says("for two", 3.4, 4.0).run(14)
    assert of_the_person(call) == [f"book me a table {sound} for two"]
    assert not call.sounds_between(0, 4.0)
