"""Whether a small language model's reply needs a tool, which one, and with what arguments.

Models of half a billion parameters don't call tools in the way that large ones do: among a
persona's words and examples, Qwen2.5 0.5B never did. Asked apart, in a prompt of its own that
shows how it is done with other functions, it chooses well, for one token of writing. How that
prompt came to be, and how often it is right, stands in docs/tools.md.

The prompt begins with the same demonstrations for all calls, then lists the call's own functions,
then says what the person said; so a turn costs the reading of the person's words. It has a slot
of llama.cpp for itself.
"""

import json
import re
import unicodedata
import uuid
from collections.abc import Sequence
from typing import Any

from speech.types import Message, NamedTool, Tool, ToolCall, ToolChoice

Json = dict[str, Any]

NONE = "none"

# Added to the logit of "none". Unbiased, the model leaves 4 of 15 requests unanswered that this
# lets through; of 15 remarks that need no tool none passes, and the next would at -2.5.
_BIAS = -1.75

_LONGEST_CHOICE = 40  # tokens, of a name of 64 characters
_LONGEST_ARGUMENTS = 160

_FUNCTIONS = {
    "play_music": "Play a song, an artist or a kind of music.",
    "order_taxi": "Order a taxi to an address.",
    "find_shop": "Where a shop is and when it opens.",
    "set_alarm": "Wake the person at a time.",
    "add_to_list": "Put something on the shopping list.",
    "get_news": "What is in the news today.",
}
_NOTHING = f"{NONE}: small talk, feelings, general knowledge, stories."
_SHOWN = (
    ("I'd like to hear some jazz.", "play_music"),
    ("How are you?", NONE),
    ("I have to get to the station.", "order_taxi"),
    ("My name is Tom.", NONE),
    ("Is the bakery still open?", "find_shop"),
    ("I like music.", NONE),
    ("Pon algo de Mozart.", "play_music"),
    ("¿Cómo te va?", NONE),
    ("¿Dónde hay una farmacia?", "find_shop"),
    ("Who wrote Hamlet?", NONE),
    ("Llévame al aeropuerto.", "order_taxi"),
    ("Me gusta viajar.", NONE),
    ("We are out of milk.", "add_to_list"),
    ("Tell me a story.", NONE),
    ("I must get up at six tomorrow.", "set_alarm"),
    ("¿Qué ha pasado hoy en el mundo?", "get_news"),
    ("How big is the moon?", NONE),
    ("Gracias, hasta luego.", NONE),
    ("What is the capital of Italy?", NONE),
    ("It's too quiet in here.", "play_music"),
    ("I had a hard day.", NONE),
    ("There's no bread left.", "add_to_list"),
    ("¿Cómo estás?", NONE),
    ("¿Hay algo abierto cerca de aquí?", "find_shop"),
    ("What do you think about love?", NONE),
    ("Should I hurry to catch my train?", "order_taxi"),
    ("Háblame de Roma.", NONE),
    ("Did anything happen in Paris today?", "get_news"),
    ("Hi there!", NONE),
    ("No me dejes dormir más de una hora.", "set_alarm"),
)


def _exchange(asked: str, answered: str) -> tuple[Message, Message]:
    return Message("user", asked), Message("assistant", answered)


BEGINNING: tuple[Message, ...] = (
    Message(
        "system",
        "You choose the function that answers what a person says, or none for small talk, "
        "feelings, general knowledge and stories.\nFunctions:\n"
        + "\n".join(f"{name}: {does}" for name, does in _FUNCTIONS.items())
        + f"\n{_NOTHING}",
    ),
    *(message for shown in _SHOWN for message in _exchange(*shown)),
)
"""How the prompt begins, whatever the tools."""


def choosing(tools: Sequence[Tool], said: str) -> tuple[Message, ...]:
    """The prompt that asks which of the tools answers what a person said."""
    listed = "\n".join(f"{tool.name}: {_one_line(tool.description)}" for tool in tools)
    return (
        *BEGINNING,
        *_exchange(f"The functions are now:\n{listed}\n{_NOTHING}", NONE),
        Message("user", said),
    )


def choice_options(tools: Sequence[Tool], *, required: bool) -> Json:
    """What a request with that prompt may write: one name, and nothing else."""
    names = [tool.name for tool in tools if tool.name != NONE]
    if not required:
        names.append(NONE)
    grammar = "root ::= " + " | ".join(json.dumps(name) for name in names)
    return {
        "grammar": grammar,
        "logit_bias": [[NONE, _BIAS]],
        "max_tokens": _LONGEST_CHOICE,
        "temperature": 0,
    }


def filling(tools: Sequence[Tool], said: str, tool: Tool) -> tuple[Message, ...]:
    """The prompt that asks for the arguments of a tool, behind that which chose it."""
    schema = json.dumps(dict(tool.parameters), ensure_ascii=False)
    return (
        *choosing(tools, said),
        Message("assistant", tool.name),
        Message(
            "system",
            f"Now write the arguments of the function {tool.name} "
            f"({_one_line(tool.description)}) as JSON, from what a person says. Schema: {schema}",
        ),
        Message("user", said),
    )


def arguments_options(tool: Tool) -> Json:
    """What that request may write: an object that fits the schema."""
    return {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": tool.name, "schema": dict(tool.parameters)},
        },
        "max_tokens": _LONGEST_ARGUMENTS,
        "temperature": 0,
    }


def chosen(name: str, tools: Sequence[Tool]) -> Tool | None:
    """The tool that was named."""
    return next((tool for tool in tools if tool.name == name.strip()), None)


def called(tool: Tool, arguments: str, said: str) -> ToolCall:
    """The call, without what the model has invented.

    It fills in everything, asked for the time a city too. So words in an argument that may be left
    out are, unless the person has said them.
    """
    try:
        value = json.loads(arguments)
    except ValueError:
        value = None
    if isinstance(value, dict):
        properties, required = tool.parameters.get("properties", {}), _required(tool)
        value = {
            key: argument.strip() if isinstance(argument, str) else argument
            for key, argument in value.items()
            if key in required or not _is_invented(argument, properties.get(key), said)
        }
        arguments = json.dumps(value, ensure_ascii=False)
    return ToolCall(f"call_{uuid.uuid4().hex[:20]}", tool.name, arguments)


def words_to_answer(messages: Sequence[Message]) -> str:
    """What the person said last; empty if the answer is to something else, as a tool's result."""
    return messages[-1].content if messages and messages[-1].role == "user" else ""


def named(choice: ToolChoice, tools: Sequence[Tool]) -> Tool | None:
    """The tool that must be called, if it is one in particular."""
    return chosen(choice.name, tools) if isinstance(choice, NamedTool) else None


def _required(tool: Tool) -> frozenset[str]:
    names = tool.parameters.get("required", ())
    return frozenset(names) if isinstance(names, list | tuple) else frozenset()


def _is_invented(argument: object, schema: object, said: str) -> bool:
    if not isinstance(argument, str) or (isinstance(schema, dict) and "enum" in schema):
        return False
    return not _words(argument) & _words(said)


def _words(text: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return set(re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c))))


def _one_line(text: str) -> str:
    return " ".join(text.split())
