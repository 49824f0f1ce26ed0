"""What tools said, as a small language model can tell it to a person.

Qwen2.5 0.5B, given a result as JSON and told to say what it says, mostly refuses or makes something
up. It tells names and values that stand in the person's own words, once exchanges like those that
`shown` gives are in its prompt (`tests/e2e/test_results_told.py`, docs/tools.md).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from speech.types import Language, Message

# What people say: no JSON, no markup, no "Error: ...", and not more than is heard in 20 s.
_SENTENCES = re.compile(r"[¿¡\w](?:(?!: )[^{}\[\]<>|\n]){8,300}[.!?]")

_SPANISH = re.compile(
    r"\b(?:el|la|los|las|de|del|al|que|qué|es|por|en|un|una|con|para|mi|tu|se|lo|cuál|dónde|hay)\b",
    re.IGNORECASE,
)
_SPANISH_SHARE = 0.1  # of a conversation's words at least; in Spanish it is 0.3, in English 0.01


@dataclass(frozen=True, slots=True)
class _Telling:
    """How results are told in one language.

    Attributes:
        note: How one stands in the person's words.
        plain: What JSON has no words for.
        shown: What was asked, the result, and how it is told.
    """

    note: str
    plain: Mapping[bool | None, str]
    shown: tuple[tuple[str, str, str], ...]


_TELLING: dict[Language, _Telling] = {
    "en": _Telling(
        "(Result: {})",
        {True: "yes", False: "no", None: "unknown"},
        (
            (
                "Send Tom a letter.",
                "Failed: There is no address.",
                "I'm sorry, that didn't work: there is no address.",
            ),
            ("Close the window.", "closed: yes", "It is done, the window is closed."),
            ("When does the bus go?", "leaves: 9:15, line: 4", "It leaves at 9:15, on line 4."),
            ("What does the lamp cost?", "price: 30, currency: euro", "The price is 30 euros."),
            (
                "Where do I find Anna?",
                "floor: 3, office: 127",
                "Anna is on floor 3, in office 127.",
            ),
        ),
    ),
    "es": _Telling(
        "(Resultado: {})",
        {True: "sí", False: "no", None: "desconocido"},
        (
            (
                "Manda una carta a Tomás.",
                "Failed: There is no address.",
                "Lo siento, no ha funcionado: no hay dirección.",
            ),
            ("Cierra la ventana.", "closed: sí", "Hecho, la ventana está cerrada."),
            ("¿Cuándo va el autobús?", "sale: 9:15, línea: 4", "Sale a las 9:15, en la línea 4."),
            (
                "¿Cuánto cuesta la lámpara?",
                "precio: 30, moneda: euro",
                "El precio es de 30 euros.",
            ),
            (
                "¿Dónde encuentro a Ana?",
                "planta: 3, despacho: 127",
                "Ana está en la planta 3, en el despacho 127.",
            ),
        ),
    ),
}


def told_already(messages: Sequence[Message]) -> str:
    """A tool's result that may be said as it stands; empty if the messages end otherwise.

    A sentence needs no retelling.
    """
    results = list(takewhile(lambda message: message.role == "tool", reversed(messages)))
    if len(results) != 1 or results[0].to_be_worded:
        return ""
    text = results[0].content.strip().strip('"')
    return text if _SENTENCES.fullmatch(text) else ""


def without_calls(messages: Sequence[Message]) -> tuple[Message, ...]:
    """A conversation in which results stand in the person's words, and calls nowhere."""
    plain: list[Message] = []
    for place, message in enumerate(messages):
        if message.role != "tool":
            plain += [replace(message, tool_calls=())] if message.content else []
            continue
        telling = _TELLING[_language(messages[:place])]
        note = telling.note.format(_in_words(message.content, telling))
        if plain and plain[-1].role == "user":
            plain[-1] = Message("user", f"{plain[-1].content}\n{note}")
        else:
            plain.append(Message("user", note))
    return tuple(plain)


def shown(beginning: Sequence[Message]) -> tuple[Message, ...]:
    """Exchanges that show how a result is told, in the language of how a prompt begins."""
    telling = _TELLING[_language(beginning)]
    return tuple(
        message
        for asked, result, told in telling.shown
        for message in (
            Message("user", f"{asked}\n{telling.note.format(result)}"),
            Message("assistant", told),
        )
    )


def _in_words(result: str, telling: _Telling) -> str:
    """The names and values of JSON without its signs; what is nested or none, as it is."""
    try:
        value = json.loads(result)
    except ValueError:
        return result.strip()
    parts = value if isinstance(value, list) else [value]
    words = [_part_in_words(part, telling) for part in parts]
    if not words or None in words:
        return result.strip()
    is_table = any(isinstance(part, dict) for part in parts)
    return ("; " if is_table else ", ").join(word for word in words if word is not None)


def _part_in_words(part: object, telling: _Telling) -> str | None:
    """An object of plain values, or one such value; None of anything else."""
    if not isinstance(part, dict):
        return _value_in_words(part, telling)
    pairs = [(_name(key), _value_in_words(value, telling)) for key, value in part.items()]
    if not pairs or any(value is None for _, value in pairs):
        return None
    return ", ".join(f"{name}: {value}" for name, value in pairs)


def _value_in_words(value: object, telling: _Telling) -> str | None:
    if isinstance(value, list | dict):
        return None
    if value is None or isinstance(value, bool):
        return telling.plain[value]
    return str(value)


def _name(key: str) -> str:
    return re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])|[_-]+", " ", key).strip().lower()


def _language(messages: Sequence[Message]) -> Language:
    """Of the person's last words, or else of the conversation, the persona's examples too."""
    said = [message.content for message in messages if message.role in ("user", "assistant")]
    last = next((m.content for m in reversed(messages) if m.role == "user"), "")
    if "¿" in last or "¡" in last or len(_SPANISH.findall(last)) > 1:
        return "es"
    text = " ".join(said)
    return "es" if len(_SPANISH.findall(text)) > _SPANISH_SHARE * len(text.split()) else "en"
