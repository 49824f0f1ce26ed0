"""What all wire events have in common."""

from pydantic import BaseModel, ConfigDict, Field

from avatar.events import new_id


class Wire(BaseModel):
    """Something that the server sends."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Asked(BaseModel):
    """Something that a client sends: what we don't know of it is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerEvent(Wire):
    """Base of all that the server sends."""

    event_id: str = Field(default_factory=lambda: new_id("event"))
