from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.dialogue.history import KEPT, KEPT_CHARS, NO_RESULT, History
from avatar.dialogue.persona import load_persona
from avatar.dialogue.prompt import beginning
from avatar.protocol.realtime import items
from speech.types import Message, Tool, ToolCall

ELENA = load_persona("default")


BEGINNING = beginning(ELENA, "en")


def turns(history):
    return [(message.role, message.content) for message in history.messages]


def prompt(history, **options):
    return history.prompt(ELENA, "en", **options)


def test_a_new_history_is_empty():
    assert History().is_empty
    assert prompt(History()) == BEGINNING


def test_turns_are_kept_in_order():
    history = History()
    history.add_assistant("Hi, I'm Elena.")
    history.add_user(" Hello. ")
    history.add_assistant("How are you?")
    assert turns(history) == [
        ("assistant", "Hi, I'm Elena."),
        ("user", "Hello."),
        ("assistant", "How are you?"),
    ]
    assert not history.is_empty


def test_what_was_said_in_two_breaths_is_one_message():
    history = History()
    history.add_user("I would like")
    history.add_user("a cup of tea.")
    assert turns(history) == [("user", "I would like a cup of tea.")]


def test_an_answer_that_was_not_heard_leaves_nothing():
    history = History()
    history.add_user("Tell me")
    history.add_assistant("  ", interrupted=True)
    history.add_user("the time.")
    assert turns(history) == [("user", "Tell me the time.")]


@pytest.mark.parametrize(
    ("heard", "kept"),
    [("Once upon a", "Once upon a…"), ("That is all. ", "That is all."), ("Well…", "Well…")],
)
def test_an_interrupted_answer_shows_that_it_was_cut(heard, kept):
    history = History()
    history.add_assistant(heard, interrupted=True)
    assert turns(history) == [("assistant", kept)]


def test_an_apology_joins_what_was_heard_before_it():
    history = History()
    history.add_assistant("It is")
    history.add_assistant("Sorry, say that again?")
    assert turns(history) == [("assistant", "It is Sorry, say that again?")]


def test_interim_words_make_the_prompt_that_the_final_words_will_make():
    history = History()
    history.add_user("So")
    ahead = prompt(history, interim="what now?")
    assert turns(history) == [("user", "So")]
    history.add_user("what now?")
    assert prompt(history) == ahead


def test_the_calls_own_instructions_come_after_the_personas():
    plain, own = prompt(History())[0], prompt(History(), extra_instructions=" Sell shoes. ")[0]
    assert own.content == plain.content + "\n\nSell shoes."


def test_the_prompt_is_the_same_at_any_time():
    assert prompt(History()) == prompt(History())


def long_conversation(words_per_turn, count):
    """A history after each of `count` exchanges, of a model that takes 1000 tokens."""
    history = History(context_tokens=1200, reply_tokens=100)
    for number in range(count):
        history.add_user(f"{number} " + "word " * words_per_turn)
        yield history
        history.add_assistant(f"{number} " + "answer " * words_per_turn)


def test_a_long_conversation_loses_its_oldest_turns_and_keeps_the_newest():
    for history in long_conversation(10, 50):
        messages = prompt(history)
        assert messages[: len(BEGINNING)] == BEGINNING
        assert messages[-1] == history.messages[-1]
        assert sum(len(m.content) for m in messages) / 3 < 1100
    assert len(messages) < len(history.messages)


def test_the_prompt_keeps_its_beginning_for_many_turns():
    prompts = [prompt(history) for history in long_conversation(10, 60)]
    grown = [after[: len(before)] == before for before, after in pairwise(prompts)]
    assert grown.count(False) <= 60 // 4
    assert grown.count(False) >= 2


def test_prompts_begin_with_the_person_and_take_turns():
    for history in long_conversation(10, 50):
        roles = [message.role for message in prompt(history)[1:]]
        assert set(roles[::2]) == {"user"}
        assert set(roles[1::2]) <= {"assistant"}


def test_the_greeting_is_in_the_history_and_not_in_the_prompt():
    history = History()
    history.add_assistant("Hi, I'm Elena.")
    history.add_user("Hello.")
    assert len(history.messages) == 2
    assert prompt(history) == (*BEGINNING, Message("user", "Hello."))


def test_of_a_page_pasted_in_the_end_is_kept():
    history = History(context_tokens=1200, reply_tokens=100)
    history.add_user("word " * 5000 + "What is this?")
    kept = prompt(history)[-1].content
    assert kept.endswith("What is this?")
    assert len(kept) < 2000


@given(st.text(min_size=1, max_size=5000), st.integers(1000, 4000))
def test_any_text_fits_any_context(text, context_tokens):
    history = History(context_tokens, reply_tokens=50)
    history.add_user(text)
    sizes = [len(message.content.encode()) / 3 + 8 for message in prompt(history)]
    assert sum(sizes) <= context_tokens - 50 + len(sizes)  # each size is rounded down


def test_what_the_prompt_drops_the_history_keeps():
    *_, history = long_conversation(10, 50)
    assert len(history.messages) == 100
    assert history.messages[0].content.startswith("0 word")


FEW = 151


@pytest.fixture
def keeps_few(monkeypatch):
    """Days in a moment."""
    monkeypatch.setattr("avatar.dialogue.history.KEPT", FEW)
    return History(context_tokens=1200)


def test_what_a_client_can_name_is_kept():
    assert (KEPT, KEPT_CHARS) >= (items.MOST, items.MOST_BYTES)


def test_of_a_call_of_days_the_oldest_is_forgotten(keeps_few):
    history = keeps_few
    history.note("system", "Speak of shoes only.", "note")
    prompts = []
    for turn in range(3 * FEW):
        history.add_user(f"question {turn}", f"q{turn}")
        history.add_assistant(f"answer {turn}", item_id=f"a{turn}")
        prompts.append(prompt(history))
        assert min(FEW, 2 * turn + 2) <= len(history.messages) <= 2 * FEW
    assert history.messages[-1].content == f"answer {3 * FEW - 1}"
    assert "Speak of shoes only." in prompts[-1][0].content, "a note is no talk"
    grown = [after[: len(before)] == before for before, after in pairwise(prompts)]
    assert grown.count(False) < len(grown) / 5, "its beginning stays for many turns"


def test_an_item_that_is_forgotten_can_be_deleted_and_one_that_is_kept_be_followed(keeps_few):
    history = keeps_few
    for turn in range(3 * FEW):
        history.add_user(f"question {turn}", f"q{turn}")
        history.add_assistant(f"answer {turn}", item_id=f"a{turn}")
    last, oldest = history.messages, 3 * FEW - FEW // 2
    history.remove("q0")
    assert history.messages == last, "forgotten already"
    history.remove(f"q{oldest}")
    assert len(history.messages) == len(last) - 2, "the answers around it are one now"
    history.add_user("over it", "new", after=f"q{oldest + 1}")
    assert f"question {oldest + 1} over it" in [content for _, content in turns(history)]


def test_no_result_is_kept_without_its_call(keeps_few):
    history = keeps_few
    history.add_user("Weather?")
    for turn in range(2 * FEW):
        history.add_calls([ToolCall(f"a{turn}", "weather", "{}"), ToolCall(f"b{turn}", "x", "{}")])
        assert history.messages[0].role != "tool"


def test_a_few_large_messages_are_forgotten_like_many_small_ones():
    history = History()
    for _ in range(30):
        history.add_user("word " * (KEPT_CHARS // 50))
        history.add_assistant("I see.")
    assert sum(len(message.content) for message in history.messages) <= 2 * KEPT_CHARS
    history.add_user("x" * (3 * KEPT_CHARS))
    assert len(history.messages) == 1, "the newest stays however large it is"


def test_notes_without_number_are_forgotten_and_drive_out_no_talk(keeps_few):
    history = keeps_few
    history.add_user("Hello.")
    for number in range(3 * FEW):
        history.note("system", f"It is {number} o'clock.", f"n{number}")
    assert FEW <= len(history.everything) - 1 <= 2 * FEW
    assert turns(history) == [("user", "Hello.")]


def test_calls_are_kept_with_their_results_in_their_places():
    history = History()
    history.add_user("Weather in Rome and Paris?")
    history.add_calls([ToolCall("a", "weather", "{}"), ToolCall("b", "weather", "{}")])
    assert [m.content for m in history.messages[-2:]] == [NO_RESULT, NO_RESULT]
    history.add_result("b", "rain")
    history.add_result("c", "nobody asked")
    history.add_user("Never mind.")
    history.add_result("a", "sun")
    assert [(m.role, m.content) for m in history.messages] == [
        ("user", "Weather in Rome and Paris?"),
        ("assistant", ""),
        ("tool", "sun"),
        ("tool", "rain"),
        ("user", "Never mind."),
    ]
    assert prompt(history)[-5:] == history.messages


def test_a_prompt_never_begins_with_a_result_whose_call_was_dropped():
    history = History(context_tokens=1400)
    for turn in range(30):
        history.add_user(f"Weather in city {turn}, please?")
        history.add_calls([ToolCall(f"c{turn}", "weather", '{"city": "somewhere"}')])
        history.add_result(f"c{turn}", "sunny, " * 20)
        history.add_assistant("It is sunny.")
        asked = history.prompt(ELENA, "en")
        first = asked[len(BEGINNING) :][:1]
        assert [message.role for message in first] in ([], ["user"])


def test_tools_take_room_of_the_prompt():
    history = History(context_tokens=2000)
    for _ in range(60):
        history.add_user("one two three four five six seven")
        history.add_assistant("one two three four five six seven")
    tools = [Tool(f"tool{i}", "does something " * 5) for i in range(10)]
    with_tools = history.prompt(ELENA, "en", tools=tools)
    assert len(with_tools) < len(history.prompt(ELENA, "en"))
