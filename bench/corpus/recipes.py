"""Recipes of calls: what a person does, and what is to become of it."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from speech.errors import ConfigError
from speech.types import Language

CALLS = Path(__file__).with_name("calls.toml")


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Say(_Written):
    """Say a recorded clip, or a part of it; or several, one after the other in one breath.

    Seconds count from the clip's beginning; without them, from its first word or to its last.
    """

    say: str | tuple[str, ...]
    from_s: float | None = Field(None, ge=0)
    to_s: float | None = Field(None, gt=0)

    @property
    def clips(self) -> tuple[str, ...]:
        """The names of all."""
        return (self.say,) if isinstance(self.say, str) else self.say


class Pause(_Written):
    """Be silent."""

    pause_s: float = Field(gt=0)


class Noise(_Written):
    """Let a fan run (pink noise), at a level in dB of full scale."""

    noise_s: float = Field(gt=0)
    level_db: float = Field(lt=0)


class Bang(_Written):
    """Let a door slam, with its peak at a level in dB of full scale."""

    bang_db: float = Field(lt=0)


class Cough(_Written):
    """Cough twice, with the peak at a level in dB of full scale."""

    cough_db: float = Field(lt=0)


class Answered(_Written):
    """Wait until one more answer has been heard to its end."""

    answered: Literal[True]


class Over(_Written):
    """Wait until the avatar has been speaking for so long."""

    over_s: float = Field(ge=0)


class Send(_Written):
    """Have the client send an event that has no fields."""

    send: Literal["response.create", "response.cancel"]


Step = Say | Pause | Noise | Bang | Cough | Answered | Over | Send


class Loudspeaker(_Written):
    """The avatar's voice comes back into the microphone; see `bench.corpus.room.Room`."""

    echo_db: float = Field(lt=0)
    delay_s: float = Field(ge=0.1)
    rings_s: float = Field(gt=0)


class Recipe(_Written):
    """One call.

    Attributes:
        name: For the command line.
        why: What it is to show.
        language: Of the call.
        steps: What the person does, in order. What lies between two waits is one turn of theirs.
        loudspeaker: Through which the avatar is heard; None for a headset.
        continues: What the person and the avatar said in turn before the connection was lost; a new
            conversation if it is empty.
        lasts_s: The longest that the call may last; 0 for no limit.
        said: What they say, turn by turn.
        completed: Answers that are heard to their end.
        interrupted: Answers that they cut off by speaking.
        stopped: Answers that they stop by the button.
        yields_s: What an answer that is spoken over may take to fall silent, where only the rule
            counts and not its latency.
    """

    name: str
    why: str
    language: Language = "en"
    steps: tuple[Step, ...]
    loudspeaker: Loudspeaker | None = None
    continues: tuple[str, ...] = ()
    lasts_s: float = Field(0.0, ge=0)
    said: tuple[str, ...] = ()
    completed: int = 0
    interrupted: int = 0
    stopped: int = 0
    yields_s: float = 0.5


class _Calls(_Written):
    call: tuple[Recipe, ...]


def recipes(only: Sequence[str] = (), path: Path = CALLS) -> list[Recipe]:
    """The recipes of `path`, or those among them that are named.

    Raises:
        ConfigError: The file is wrong, or has no recipe of such a name.
    """
    try:
        calls = _Calls.model_validate(tomllib.loads(path.read_text("utf-8"))).call
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigError(f"{path} holds no recipes: {error}") from None
    known = {recipe.name: recipe for recipe in calls}
    if unknown := sorted(set(only) - set(known)):
        raise ConfigError(
            f"The corpus has no call {', '.join(unknown)}; it has {', '.join(known)}."
        )
    return [known[name] for name in only] if only else list(calls)
