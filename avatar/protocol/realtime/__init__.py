"""The OpenAI Realtime API (GA) for one client: over WebRTC, or with its sound in the events."""

from avatar.protocol.realtime.dialect import Realtime
from avatar.protocol.realtime.session import MODEL

__all__ = ["MODEL", "Realtime"]
