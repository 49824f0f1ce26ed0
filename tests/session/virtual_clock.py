"""The virtual clock of the scripted conversations, which is that of the replays."""

from avatar.replay.virtual_clock import run

__all__ = ["run"]
