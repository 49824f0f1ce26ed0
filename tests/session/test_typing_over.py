"""The person types while the avatar speaks."""

import numpy as np

from avatar.turn_taking import TurnTaking
from tests.session.scripted_call import Configure, Respond, ScriptedCall, Typed

STORY = "Once there was a king. He had three sons. They all went away one morning."


def contents(messages):
    return [(message.role, message.content) for message in messages]


def test_what_is_typed_over_an_answer_is_what_the_model_answers():
    call = ScriptedCall([STORY, "You are welcome."]).says("Tell me a story.", 0.5, 1.5)
    call.types("Thank you, that will do.", 3.5).run(8)
    asked = contents(call.asked_of_the_model(1))
    assert asked[-1] == ("user", "Thank you, that will do.")
    assert asked[-2] == ("assistant", call.heard[0] + "…" * (call.heard[0][-1] not in ".…"))
    assert call.heard[1] == "You are welcome."


def test_what_is_typed_over_the_greeting_is_what_the_model_answers():
    call = ScriptedCall(["Right away."]).presses(Respond(), 0.2)
    call.types("Put two lamps into my basket.", 1.2).run(6)
    assert call.heard[0], "a part of the greeting is heard"
    assert call.asked_of_the_model(0)[-1].content == "Put two lamps into my basket."
    assert [message.role for message in call.history.messages] == ["assistant", "user", "assistant"]


def test_what_is_typed_while_an_answer_is_said_to_its_end_comes_behind_it():
    call = ScriptedCall([STORY, "She did."]).says("Tell me a story.", 0.5, 1.5)
    call.presses(Typed("And the queen?"), 3.0).presses(Typed("Did she stay?"), 3.2)
    call.presses(Respond(), 12.0).run(15)
    assert call.heard == [STORY, "She did."]
    assert contents(call.history.messages)[1:3] == [
        ("assistant", STORY),
        ("user", "And the queen? Did she stay?"),
    ]


def test_what_is_put_before_all_over_an_answer_does_not_take_the_answer_along():
    call = ScriptedCall([STORY, "She did."]).says("Tell me a story.", 0.5, 1.5)
    call.presses(Typed("My name is Ada.", "context", "root"), 3.0)
    call.types("And the queen?", 12.0).run(15)
    assert contents(call.history.messages)[:3] == [
        ("user", "My name is Ada. Tell me a story."),
        ("assistant", STORY),
        ("user", "And the queen?"),
    ]


def test_what_is_said_over_an_answer_that_it_may_not_interrupt_comes_behind_it():
    call = ScriptedCall([STORY, "She did."]).presses(
        Configure(turn_taking=TurnTaking(interrupts=False, answers=False)), 0.0
    )
    call.types("Tell me a story.", 0.5).says("And the queen?", 2.0, 3.0)
    call.presses(Respond(), 12.0).run(15)
    assert contents(call.asked_of_the_model(1))[-2:] == [
        ("assistant", STORY),
        ("user", "And the queen?"),
    ]


def test_what_was_recorded_and_sent_over_an_answer_comes_behind_it():
    call = ScriptedCall([STORY, "She did."]).types("Tell me a story.", 0.5)
    call.words[7000] = "And the queen?"
    call.presses(lambda: call.listener.submit(np.full(8000, 7000, np.int16), "mine"), 2.0)
    call.presses(Respond(), 12.0).run(15)
    assert contents(call.asked_of_the_model(1))[-2:] == [
        ("assistant", STORY),
        ("user", "And the queen?"),
    ]
