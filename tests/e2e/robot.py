"""A conversation for other projects' clients: the avatar drives a robot, and tells of weasels.

What is said is recorded, and heard by real models; only the language model is scripted.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e import scripted_llm
from tests.e2e.conftest import SPEECH, Server, running_server
from tests.e2e.scripted_llm import Call

WEASELS = SPEECH / "cc-by-sa" / "en_tt-weasels.wav"
FORWARD = SPEECH / "public" / "en_ps_goforward.wav"
YOUNG_MAN = SPEECH / "public" / "en_librivox_0880.wav"
STORY = (
    "Once upon a time there was a family of weasels that lived under a telephone exchange. "
    "Every night they chewed a little more of the wires, and every morning somebody repaired them. "
    "In the end the two families became good friends and wrote long letters to each other instead. "
    "But the letters were long in coming, for the post went by a road over the hills, and the snow "
    "lay on it until the spring. So they built a little line of their own, from tree to tree."
)
MOVE = {
    "name": "move",
    "description": "Moves the robot forward.",
    "parameters": {
        "type": "object",
        "properties": {"meters": {"type": "number"}},
        "required": ["meters"],
    },
}


def asks_for_the_story(said: str) -> bool:
    """Whether `WEASELS` was heard: on a busy machine a word of it may be lost, not all."""
    return any(word in said.lower() for word in ("weasel", "eaten", "phone", "system"))


def is_of_the_young_man(said: str) -> bool:
    """Whether `YOUNG_MAN` was heard, or most of it."""
    return any(word in said.lower() for word in ("young", "man", "disposed"))


def wants_to_go_forward(said: str) -> bool:
    """Whether `FORWARD` was heard, or most of it."""
    return any(word in said.lower() for word in ("forward", "meter"))


@contextmanager
def serving() -> Iterator[Server]:
    """A real server whose language model follows the script."""
    with (
        scripted_llm.serving(_script) as llm,
        running_server(LLM__BACKEND="openai", LLM__BASE_URL=llm.url, LLM__MODEL="script") as server,
    ):
        yield server


def check_said(said: list[str]) -> None:
    """What was understood of a whole conversation is what was said, and in its order."""
    assert asks_for_the_story(said[0])
    assert is_of_the_young_man(said[1])
    assert wants_to_go_forward(said[2])


async def interrupted_story(person, deltas: str) -> None:
    """Ask for the story, and speak over it once two clauses of it were heard.

    Args:
        person: Of either Python client.
        deltas: The event that tells of a clause.
    """
    answers = len(person.of("response.done"))
    person.say(WEASELS)
    told = len(person.of(deltas))
    await person.until(lambda: len(person.of(deltas)) >= told + 2, "two clauses of the story")
    person.say(YOUNG_MAN)
    await person.answered(answers + 2)


def _script(messages, tools):
    last = messages[-1]
    if last["role"] == "tool":
        return f"Done. I moved {json.loads(last['content'])['moved']} meters."
    said = last["content"]
    if wants_to_go_forward(said) and "move" in tools:
        return Call("move", '{"meters": 10}')
    return STORY if asks_for_the_story(said) else "I see. Please go on."
