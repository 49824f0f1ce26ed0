"""A character file (models/characters/NAME.toml), checked: what a face should look like."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from render.types import ARKIT
from speech.errors import ConfigError
from speech.types import Language

Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Weight = Annotated[float, Field(ge=-1.5, le=1.5)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ancestry(_Table):
    """The mix of MakeHuman's three ancestries; only proportions matter."""

    caucasian: Share = 0.0
    asian: Share = 0.0
    african: Share = 0.0

    @model_validator(mode="after")
    def _somebody(self) -> "Ancestry":
        if self.caucasian + self.asian + self.african <= 0:
            raise ValueError("give at least one ancestry a share above 0")
        return self


class Build(_Table):
    """0.5 is average; proportions 1 is MakeHuman's ideal."""

    muscle: Share = 0.5
    weight: Share = 0.5
    proportions: Share = 0.5


class Body(_Table):
    """Age in years; `shape`: MPFB targets by name (`eyes/eye-scale-incr` moves both eyes)."""

    sex: Literal["female", "male"]
    age: Annotated[float, Field(ge=18, le=90)]
    ancestry: Ancestry
    build: Build = Build()
    shape: dict[str, Weight] = {}


class Skin(_Table):
    """Colours in sRGB; `lines` is how deep age has drawn its lines."""

    tone: Colour
    lips: Colour
    redness: Share = 0.4
    freckles: Share = 0.1
    lines: Share = 0.1
    roughness: Share = 0.44
    makeup: Share = 0.0


class Eyes(_Table):
    """The iris's colour."""

    iris: Colour


class Hair(_Table):
    """A style of `hairstyles.py`; `part`: metres to its left; `grey`: share of grey hairs."""

    style: str
    colour: Colour
    grey: Share = 0.0
    part: float = 0.0


class Brows(_Table):
    """Eyebrows; no colour means the hair's."""

    thickness: Annotated[float, Field(gt=0.0, le=2.0)] = 1.0
    colour: Colour | None = None


class Beard(_Table):
    """A beard, or the shadow of one (`stubble`)."""

    style: str = "short"
    density: Share = 1.0
    stubble: Share = 0.0
    colour: Colour | None = None


class Clothes(_Table):
    """A garment and its colours."""

    garment: str
    colour: Colour
    second_colour: Colour | None = None


class Background(_Table):
    """What is blurred behind the figure."""

    style: str
    colours: tuple[Colour, ...] = ()


class Light(_Table):
    """The studio; `gain` brightens all lamps, `fill` those that soften the key's shadows."""

    gain: Annotated[float, Field(gt=0.0, le=4.0)] = 1.0
    fill: Annotated[float, Field(gt=0.0, le=2.0)] = 1.0


class Character(_Table):
    """Everything that a bake needs to know.

    Attributes:
        voices: The voice that suits it, by language, as named in models/manifest.toml.
        rest: Its resting expression, in ARKit weights.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9 _-]*$")]
    voices: dict[Language, str] = {}
    body: Body
    rest: dict[str, Weight] = {}
    skin: Skin
    eyes: Eyes
    hair: Hair
    brows: Brows = Brows()
    beard: Beard | None = None
    clothes: Clothes
    background: Background
    light: Light = Light()

    @model_validator(mode="after")
    def _known_expression(self) -> "Character":
        for name in self.rest:
            if name not in ARKIT:
                raise ValueError(f"rest: unknown blendshape {name!r}")
        return self

    def as_dict(self) -> dict[str, Any]:
        """Plain values, without what is None: for JSON, and for Blender's Python."""
        return self.model_dump(mode="json", exclude_none=True)


def read_character(path: Path) -> Character:
    """Read a character file.

    Raises:
        ConfigError: It can't be read, or says something that a face can't be; names the key.
    """
    try:
        return Character.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise ConfigError(f"Can't read the character {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {where + ': ' if where else ''}{first['msg']}") from None
