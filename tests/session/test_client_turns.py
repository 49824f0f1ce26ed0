"""Clients that say when a turn is over, what was said, and how answers are given."""

import numpy as np
import pytest

from avatar.commands import Correct, Noted, Remove
from avatar.events import (
    ReplyEnded,
    ReplyHeard,
    ReplyHeld,
    ReplyStarted,
    ReplyWritten,
    UserNotUnderstood,
    UserSaid,
    UserStarted,
    UserTyped,
)
from avatar.turn_taking import TurnTaking
from tests.session.scripted_call import Configure, Respond, ScriptedCall, Stop, Typed

BY_HAND = TurnTaking(by_client=True, answers=False)


class PushToTalk(ScriptedCall):
    """A call whose client ends the turns itself."""

    def __post_init__(self):
        super().__post_init__()
        self.presses(Configure(turn_taking=BY_HAND), 0.0)
        self.presses(lambda: self.listener.take_turns(BY_HAND), 0.01)

    def commits(self, at_s):
        return self.presses(lambda: self.listener.commit(), at_s)


def test_a_turn_lasts_until_the_client_says_so_however_long_the_pauses():
    call = PushToTalk(["Fine."]).says("how", 0.5, 1.0).says("are you", 4.0, 4.5)
    call.commits(5.0).run(7)
    assert call.person_said == ["how are you"]
    assert call.of(UserStarted) == []
    assert call.statuses == []  # nobody asked for an answer


def test_an_answer_waits_for_the_words_of_the_turn_that_it_answers():
    call = PushToTalk(["Fine."]).says("how are you", 0.5, 1.5).commits(2.0)
    call.recognizer.takes_s = 1.0
    call.presses(Respond(response_id="mine"), 2.0).run(6)
    ((said_s, _),) = call.of(UserSaid)
    ((started_s, started),) = call.of(ReplyStarted)
    assert started_s >= said_s >= 3.0
    assert started.response_id == "mine"
    assert call.asked_of_the_model(0)[-1].content == "how are you"


def test_an_answer_that_waits_for_words_can_be_stopped():
    call = PushToTalk(["Fine."]).says("how are you", 0.5, 1.5).commits(2.0)
    call.recognizer.takes_s = 1.0
    call.presses(Respond(), 2.0).presses(Stop(), 2.5).run(6)
    assert (call.person_said, call.statuses) == (["how are you"], [])


def test_each_turn_begins_where_the_one_before_it_ended():
    call = PushToTalk().says("one", 0.5, 1.0).commits(1.5).says("two", 2.0, 2.5).commits(3.0).run(5)
    assert call.person_said == ["one", "two"]


def test_a_turn_is_cut_at_a_sample_that_is_still_to_come():
    call = PushToTalk().says("one", 0.5, 1.0).says("two", 2.0, 2.5)
    call.presses(lambda: call.listener.commit(24_000), 0.2).run(4)
    assert call.person_said == ["one"]


def test_an_answer_waits_for_a_turn_whose_sound_is_still_to_come():
    call = PushToTalk(["Fine."]).says("one", 0.5, 1.0)
    call.presses(lambda: call.listener.commit(24_000), 0.2).presses(Respond(), 0.2).run(5)
    ((said_s, _),) = call.of(UserSaid)
    ((started_s, _),) = call.of(ReplyStarted)
    assert started_s >= said_s > 1.5


def test_a_turn_without_sound_is_a_turn_without_words():
    call = PushToTalk(["Hm?"]).commits(1.0).commits(1.0).presses(Respond(), 1.0).run(4)
    assert (call.person_said, call.statuses) == (["", ""], ["completed"])


def test_what_is_forgotten_is_in_no_turn():
    call = PushToTalk().says("one", 0.5, 1.0).says("two", 2.0, 2.5)
    call.presses(lambda: call.listener.forget(), 1.5).commits(3.0).run(5)
    assert call.person_said == ["two"]


def test_a_client_may_end_a_turn_that_the_server_found():
    call = ScriptedCall(["Fine."]).says("how are you", 0.5, 3.0)
    call.presses(lambda: call.listener.commit(), 1.5).run(2.2)
    assert call.person_said == ["how are you"]


def test_a_recorded_turn_is_an_item_of_the_client_s_name():
    call = ScriptedCall(["Fine."])
    call.words[7000] = "hello there"
    recording = np.full(8000, 7000, np.int16)
    call.presses(lambda: call.listener.submit(recording, "mine"), 0.5).presses(Respond(), 0.5)
    call.run(4)
    ((_, said),) = call.of(UserSaid)
    assert (said.item_id, said.text, said.duration_s) == ("mine", "hello there", 0.5)
    assert call.statuses == ["completed"]


@pytest.mark.parametrize("failure", [True, ValueError("nobody foresaw this")])
def test_words_that_were_not_understood_are_answered_all_the_same(failure):
    call = PushToTalk(["Sorry?"]).says("how are you", 0.5, 1.5).commits(2.0)
    call.recognizer.fails = [failure]
    call.presses(Typed("hello"), 1.0).presses(Respond(), 2.0).run(5)
    assert call.statuses == ["completed"]


def test_turns_may_be_found_and_not_answered():
    call = ScriptedCall(["Fine."]).presses(Configure(turn_taking=TurnTaking(answers=False)), 0.0)
    call.says("how are you", 0.5, 1.5).run(4)
    assert (call.person_said, call.statuses) == (["how are you"], [])
    assert call.model.prompts == []


STORY = "One two three four five six seven eight nine ten."


def test_an_answer_goes_on_after_words_that_were_not_understood():
    call = ScriptedCall([STORY]).presses(Configure(turn_taking=TurnTaking(answers=False)), 0.0)
    call.types("count", 0.5).says("mm", 1.5, 1.9)
    call.recognizer.fails = [True, True, True]
    call.run(9)
    assert call.of(UserNotUnderstood)
    assert call.heard == [STORY]
    assert not call.conversation.playout.speaking


def test_an_answer_that_is_held_goes_on_though_the_client_says_meanwhile_that_nobody_interrupts():
    call = ScriptedCall([STORY]).types("count", 0.5).says("stop that now please", 1.5, 2.7)
    call.recognizer.interim_every_s = 9.0
    call.presses(Configure(turn_taking=TurnTaking(answers=False, interrupts=False)), 1.8).run(9)
    assert call.of(ReplyHeld)
    assert call.heard == [STORY]
    assert not call.conversation.playout.speaking


def test_the_avatar_may_be_told_to_finish():
    turns = TurnTaking(interrupts=False)
    call = ScriptedCall(["One two three four five six seven eight nine ten."])
    call.presses(Configure(turn_taking=turns), 0.0).types("count", 0.5)
    call.says("stop that now", 1.5, 2.5).run(8)
    assert call.statuses[0] == "completed"
    assert call.heard[0].endswith("ten.")


def test_an_answer_may_be_written_and_not_said():
    call = ScriptedCall(["Fine, [happy] thanks."]).presses(Configure(speaks=False), 0.0)
    call.types("how are you", 0.5).run(4)
    assert "".join(event.text for _, event in call.of(ReplyWritten)).split() == ["Fine,", "thanks."]
    assert (call.of(ReplyHeard), call.loud_frames) == ([], [])
    ((_, ended),) = call.of(ReplyEnded)
    assert ended.heard.split() == ["Fine,", "thanks."]
    assert call.history.messages[-1].content == ended.heard


def test_one_answer_may_be_written_among_spoken_ones():
    call = ScriptedCall(["One.", "Two."]).presses(Typed("a"), 0.5)
    call.presses(Respond(speaks=False), 0.5).types("b", 2.0).run(5)
    assert (len(call.of(ReplyWritten)), call.clauses) == (1, ["Two."])


def test_a_written_answer_that_is_stopped_is_remembered_as_far_as_it_went():
    call = ScriptedCall(["One two three four five six."]).presses(Configure(speaks=False), 0.0)
    call.model.word_s = 0.5
    call.types("count", 0.5).presses(Stop(), 2.2).run(3)
    assert call.statuses == ["cancelled"]
    assert call.history.messages[-1].content == "One two three…"


def test_an_answer_says_how_much_was_read_and_written_for_it():
    call = ScriptedCall(["One two three."]).types("count", 0.5).run(4)
    ((_, ended),) = call.of(ReplyEnded)
    assert ended.tokens == 3
    assert ended.prompt_tokens > 20


def test_one_answer_may_have_instructions_of_its_own():
    call = ScriptedCall(["One.", "Two."]).presses(Configure(instructions="Be kind."), 0.0)
    call.presses(Typed("a"), 0.5).presses(Respond(instructions="Rhyme."), 0.5)
    call.types("b", 2.5).run(5)
    systems = [prompt[0].content for prompt in call.model.prompts]
    assert ["Rhyme." in system for system in systems] == [True, False]
    assert ["Be kind." in system for system in systems] == [False, True]


def test_what_nobody_said_can_be_put_into_the_history_and_taken_out_again():
    call = ScriptedCall(["Paris."])
    call.presses(Noted("system", "The person is called Ada.", "note"), 0.2)
    call.presses(Typed("what is the capital of France", "asked"), 0.3)
    call.presses(Noted("assistant", "I once knew.", "before", "root"), 0.4)
    call.presses(Typed("please", "late"), 0.5)
    call.presses(Remove("late"), 0.6)
    call.presses(Respond(), 0.7).run(3)
    (prompt,) = call.model.prompts
    assert "The person is called Ada." in prompt[0].content
    assert call.asked_of_the_model(0)[-1].content == "what is the capital of France"
    assert [m.content for m in call.history.messages] == [
        "I once knew.",
        "what is the capital of France",
        "Paris.",
    ]


def test_an_item_follows_the_one_that_the_client_names():
    call = ScriptedCall().presses(Typed("one", "a"), 0.1).presses(Typed("three", "c"), 0.2)
    call.presses(Typed("two", "b", "a"), 0.3).run(1)
    assert call.history.messages[0].content == "one two three"
    assert [event.item_id for _, event in call.of(UserTyped)] == ["a", "c", "b"]


def test_less_of_an_answer_can_have_been_heard_than_was_thought():
    call = ScriptedCall(["One two three four."]).types("count", 0.5).run(4)
    item_id = call.of(ReplyEnded)[0][1].item_id
    call.history.correct(item_id, "One two")
    assert call.history.messages[-1].content == "One two…"
    call.history.correct(item_id, "")
    assert call.history.messages[-1].role == "user"


def test_a_correction_reaches_the_history_in_order():
    call = ScriptedCall(["One two three four."]).types("count", 0.5)
    call.told.append(
        lambda event: (
            call.conversation.send(Correct(event.item_id, "One"))
            if isinstance(event, ReplyEnded)
            else None
        )
    )
    call.run(4)
    assert call.history.messages[-1].content == "One…"
