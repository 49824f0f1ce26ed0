"""Who the avatar is: a small TOML file, described in docs/persona.md."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from avatar.dialogue.keeping import Keeping
from speech.errors import ConfigError
from speech.types import Language, Message

_EMOTION_TAGS = (
    "Begin every sentence that has a feeling with one of [happy], [sad], [concerned], [surprised], "
    "[thinking], [amused]: it moves your face and is not spoken."
)

# For personas that don't say it in words of their own.
_COVERS: dict[Language, tuple[str, ...]] = {
    "en": ("One moment.", "Still looking."),
    "es": ("Un momento.", "Sigo en ello."),
}
_TOOL_FAILED: dict[Language, str] = {
    "en": "I'm sorry, that didn't work just now.",
    "es": "Lo siento, ahora mismo no ha funcionado.",
}

_FAREWELL: dict[Language, str] = {
    "en": "Our time is up now. It was lovely to talk with you. Goodbye!",
    "es": "Se nos acaba el tiempo. Me ha encantado hablar contigo. ¡Adiós!",
}

_NOTHING_KEPT = Keeping()

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


@dataclass(frozen=True, slots=True)
class Persona:
    """A digital human's character and its fixed lines.

    Every mapping has the same keys: the languages that it speaks.

    Attributes:
        name: What it is called.
        disclosure: The line beside the face that says that this is an AI.
        greeting: Its first words in a call.
        apology: What it says when a stage fails.
        busy: What a caller is told when all places are taken.
        openers: What it may say before an answer that is late; possibly none.
        covers: What it says while a tool takes long: first, next, and from then on.
        tool_failed: What it says when a tool can't be reached.
        farewell: What it says when a call's time is over.
        instructions: For the language model: who it is, how it talks, and the facts it may state.
        examples: For the language model: a conversation that went as it should, the person first.
            It begins with what becomes of the person's words.
    """

    name: str
    disclosure: dict[Language, str]
    greeting: dict[Language, str]
    apology: dict[Language, str]
    busy: dict[Language, str]
    openers: dict[Language, tuple[str, ...]]
    covers: dict[Language, tuple[str, ...]]
    tool_failed: dict[Language, str]
    farewell: dict[Language, str]
    instructions: dict[Language, str]
    examples: dict[Language, tuple[Message, ...]]

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages that it speaks, in the order of the file."""
        return tuple(self.greeting)


def load_persona(
    name_or_path: str | Path,
    languages: Iterable[Language] = (),
    keeping: Keeping = _NOTHING_KEPT,
) -> Persona:
    """Read a persona.

    Args:
        name_or_path: One of those that come with Presencia, as "default", or a TOML file.
        languages: Those that it must speak.
        keeping: What it says when it is asked what is kept.

    Raises:
        ConfigError: There is no such persona, or its file is malformed.
    """
    file = _find(name_or_path)
    try:
        contents = _File.model_validate(tomllib.loads(file.read_text("utf-8")))
    except OSError as error:
        raise ConfigError(f"Can't read the persona {file}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The persona {file} is not valid TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError(f"The persona {file}: {_explain(error)}. See docs/persona.md.") from None
    for language in languages:
        if language not in contents.language:
            raise ConfigError(
                f"The persona {file} does not speak '{language}': give it a section "
                f"[language.{language}], or choose another language."
            )
    return _persona(contents, keeping)


class _Lines(BaseModel):
    """What the file says in one language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    disclosure: Line
    greeting: Line
    apology: Line
    busy: Line
    instructions: Line
    openers: tuple[Line, ...] = ()
    covers: tuple[Line, ...] | None = None
    tool_failed: Line | None = None
    farewell: Line | None = None
    facts: tuple[Line, ...] = ()
    examples: tuple[tuple[Line, Line], ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line
    emotion_tags: bool = False
    language: dict[Language, _Lines] = Field(min_length=1)


def _find(name_or_path: str | Path) -> Traversable:
    folder = resources.files("avatar.dialogue") / "personas"
    own = folder / f"{name_or_path}.toml"
    if "/" not in str(name_or_path) and own.is_file():
        return own
    path = Path(name_or_path)
    if not path.is_file():
        known = sorted(f.name.removesuffix(".toml") for f in folder.iterdir())
        raise ConfigError(
            f"There is no persona '{name_or_path}': it is neither a file nor one of "
            f"{', '.join(known)}."
        )
    return path


def _persona(file: _File, keeping: Keeping) -> Persona:
    speaks = file.language.items()
    tags = (_EMOTION_TAGS,) if file.emotion_tags else ()
    return Persona(
        name=file.name,
        disclosure={key: lines.disclosure for key, lines in speaks},
        greeting={key: lines.greeting for key, lines in speaks},
        apology={key: lines.apology for key, lines in speaks},
        busy={key: lines.busy for key, lines in speaks},
        openers={key: lines.openers for key, lines in speaks},
        covers={
            key: _COVERS[key] if lines.covers is None else lines.covers for key, lines in speaks
        },
        tool_failed={key: lines.tool_failed or _TOOL_FAILED[key] for key, lines in speaks},
        farewell={key: lines.farewell or _FAREWELL[key] for key, lines in speaks},
        instructions={
            key: " ".join((lines.instructions, keeping.fact, *lines.facts, *tags))
            for key, lines in speaks
        },
        examples={key: (*keeping.told(key), *_exchanges(lines.examples)) for key, lines in speaks},
    )


def _exchanges(examples: tuple[tuple[str, str], ...]) -> tuple[Message, ...]:
    return tuple(
        message
        for asked, answered in examples
        for message in (Message("user", asked), Message("assistant", answered))
    )


def _explain(error: ValidationError) -> str:
    problems = []
    for e in error.errors(include_url=False, include_input=False):
        what = {"extra_forbidden": "unknown key", "missing": "missing"}.get(e["type"], e["msg"])
        problems.append(f"{'.'.join(map(str, e['loc']))}: {what}")
    return "; ".join(problems)
