"""Word error rate: the replays' own, under the name by which benchmarks and tests know it."""

from avatar.replay.wer import edits, wer, words

__all__ = ["edits", "wer", "words"]
