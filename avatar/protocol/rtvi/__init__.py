"""RTVI 2.2 over SmallWebRTC: what Pipecat's clients speak."""

from avatar.protocol.rtvi.dialect import Rtvi

__all__ = ["Rtvi"]
