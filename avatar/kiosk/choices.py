"""What staff choose on the screen: it stands in place of the settings, across restarts."""

import logging
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from avatar.kiosk.settings import KioskSettings
from speech.types import Language

_log = logging.getLogger(__name__)


class Choices(BaseModel):
    """Every choice; None leaves it to the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    volume: float | None = Field(None, ge=0, le=1)
    languages: tuple[Language, ...] | None = Field(None, min_length=1)
    idle_s: float | None = Field(None, ge=5, le=600)
    countdown_s: float | None = Field(None, ge=3, le=60)
    speak_every_s: float | None = Field(None, ge=0, le=3600)
    camera: bool | None = None
    voice: bool | None = None


class ChoicesFile:
    """The choices of one kiosk, kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "choices.json"
        self.choices = Choices()
        try:
            self.choices = Choices.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, ValidationError):
            _log.warning("the staff's choices can't be read: the settings hold")

    def choose(self, choices: Choices) -> None:
        """Keep further choices.

        Raises:
            OSError: They can't be written.
        """
        new = choices.model_dump(exclude_none=True)
        self.choices = Choices.model_validate({**self.choices.model_dump(), **new})
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._file.with_suffix(".part")
        draft.write_text(self.choices.model_dump_json(), "utf-8")
        draft.replace(self._file)

    def applied(self, settings: KioskSettings) -> KioskSettings:
        """The settings as staff want them."""
        return settings.model_copy(update=self.choices.model_dump(exclude_none=True))
