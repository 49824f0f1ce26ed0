"""Words such as "One moment.", spoken in advance, that cover the silence while a tool runs."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import count

from avatar.bearing import Bearing
from avatar.events import CoverHeard
from avatar.opener import Opener
from avatar.playout import Playout
from avatar.reply import Reply
from avatar.turn import Voice
from speech.types import Language, SpeechChunk

FIRST_AFTER_S = 0.8
"""So much silence is an answer being thought of; after more, something must be said."""

AGAIN_AFTER_S = 7.0


class Covers:
    """Speaks while a tool takes long, into silence only.

    Args:
        lines: By language: what is said first, what is said next, and from then on.
        voices: By language.
        playout: Where it is said.
        bearing: Of the face.
        emit: Told what is heard.
        may_speak: Asked when a line is due; false while the person has the floor.
    """

    def __init__(
        self,
        lines: Mapping[Language, tuple[Opener, ...]],
        voices: Mapping[Language, Voice],
        playout: Playout,
        bearing: Bearing,
        emit: Callable[[CoverHeard], None],
        may_speak: Callable[[], bool],
    ) -> None:
        self._lines = lines
        self._voices = voices
        self._playout = playout
        self._bearing = bearing
        self._emit = emit
        self._may_speak = may_speak

    async def speak(self, reply: Reply) -> None:
        """Say a line whenever it has been silent for too long; for ever, if not cancelled.

        Args:
            reply: That waits. Its opener counts as the first line; one that is only written is not
                covered.
        """
        language = reply.language
        lines = self._lines.get(language)
        if not lines or not reply.speaks:
            return
        is_begun = reply.opening is not None and reply.opening.spoken is not None
        lips = self._voices[language].lips
        for turn in count(int(is_begun)):
            await self._silence(AGAIN_AFTER_S if turn else FIRST_AFTER_S)
            if self._may_speak():
                line = lines[min(turn, len(lines) - 1)]
                await self._playout.push(line.chunk, lips.animate(line.chunk))
                await self._playout.drained()
                self._bearing.change("thinking")

    def starts(self, chunk: SpeechChunk) -> bool:
        """Tell that a line begins to be heard, if the chunk that does is one."""
        for lines in self._lines.values():
            for line in lines:
                if line.chunk is chunk:
                    self._bearing.change("speaking")
                    self._emit(CoverHeard(line.text, line.lasts_ms))
                    return True
        return False

    async def _silence(self, lasts_s: float) -> None:
        """Wait for so much of it on end."""
        while True:
            await self._playout.drained()
            last = self._playout.begun
            await asyncio.sleep(lasts_s)
            if not self._playout.speaking and self._playout.begun is last:
                return
