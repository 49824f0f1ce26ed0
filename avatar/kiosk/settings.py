"""The settings of the kiosk: section `[kiosk]`."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from speech.types import Language


class KioskSettings(BaseModel):
    """A screen in a hall (docs/kiosk.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    enabled: bool = Field(False, description="serve the kiosk page, to this machine's browser only")
    languages: tuple[Language, ...] = Field((), description="offered, in this order; none: all")
    volume: float = Field(0.8, ge=0, le=1, description="of the avatar, for each new visitor")
    idle_s: float = Field(30, ge=5, description="without word, touch or answer until the countdown")
    countdown_s: float = Field(10, ge=3, le=60)
    choose_s: float = Field(20, ge=5, description="the choice of a language waits for a touch")
    longest_visit_min: float = Field(20, ge=1, description="then only a touch keeps the call")
    invite_every_s: float = Field(12, ge=3, description="the next language is shown")
    speak_every_s: float = Field(180, ge=0, description="the avatar invites aloud; 0: never")
    camera: bool = Field(True, description="wake when somebody comes, seen in the page alone")
    voice: bool = Field(True, description="wake when somebody speaks nearby")
    service_memory_mb: float = Field(
        4000, ge=500, description="above it: restart, when it is quiet"
    )
    page_memory_mb: float = Field(300, ge=50, description="above it: reload the page, likewise")
    restart_hour: int = Field(4, ge=-1, le=23, description="each night, local time; -1: never")
    state_folder: Path = Field(
        Path("~/.local/state/presencia"), description="staff's choices, PIN hash, reports"
    )
    chromium: str = "/usr/bin/chromium"
    chromium_args: tuple[str, ...] = Field(
        (), description="further switches, as --force-device-scale-factor=2"
    )

    @property
    def root(self) -> Path:
        """The state's folder, with the home folder filled in."""
        return self.state_folder.expanduser()
