"""The answers of one conversation: made ready, begun, heard, ended; one under way at most."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial

from avatar.bearing import Bearing
from avatar.dialogue.feelings import feeling
from avatar.events import (
    ConversationEvent,
    OpenerHeard,
    ReplyEnded,
    ReplyHeard,
    ReplyStarted,
    ReplyStatus,
    ReplyWritten,
    new_id,
)
from avatar.latency import Timeline
from avatar.opener import Opener, Opening
from avatar.pace import Pace
from avatar.playout import Playout
from avatar.reply import Reply
from avatar.turn import Voice, answer, barge_in, play, write
from render.types import SPEECH_CLOCK_HZ, FaceState
from speech.errors import LanguageModelError, PresenciaError
from speech.types import Language, SpeechChunk

_log = logging.getLogger(__name__)


class Replies:
    """Gives the answers of one conversation.

    Args:
        voices: By language.
        apologies: By language: what is said when a stage fails.
        openers: By language: what may be said before an answer that is late.
        pace: How the answers are given, so that they are not late.
        emit: Told what happens.
        on_end: Called with an answer, the text that was heard of it, and how it ended, before
            anybody is told that it is over. It says how the avatar bears itself from then on.
        is_other_speech: Told of speech that begins to be heard; whether it is no answer's.

    Attributes:
        playout: Where the avatar's speech leaves.
        bearing: What the face is to show.
        current: The answer under way.
    """

    def __init__(
        self,
        *,
        voices: Mapping[Language, Voice],
        apologies: Mapping[Language, SpeechChunk],
        openers: Mapping[Language, tuple[Opener, ...]],
        pace: Pace,
        emit: Callable[[ConversationEvent], None],
        on_end: Callable[[Reply, str, ReplyStatus], FaceState],
        is_other_speech: Callable[[SpeechChunk], bool] = lambda _: False,
    ) -> None:
        self.playout = Playout(on_start=self._chunk_starts)
        self.bearing = Bearing(self.playout, emit)
        self.current: Reply | None = None
        self._voices = voices
        self._apologies = apologies
        self._openers = dict(openers)
        self._pace = pace
        self._emit = emit
        self._on_end = on_end
        self._is_other_speech = is_other_speech

    def prepare(
        self,
        tasks: asyncio.TaskGroup,
        language: Language,
        write: Callable[[Reply], AsyncGenerator[str, None]] | None,
        timeline: Timeline,
        response_id: str = "",
        *,
        speaks: bool = True,
    ) -> Reply:
        """Make an answer ready, which stays silent until `begin`.

        Args:
            tasks: Owns it.
            language: To say it in.
            write: Begins to write its text; None apologises for speech that was not recognised.
            timeline: When each stage delivers.
            response_id: To name it by; one is made if it is empty.
            speaks: Whether it is spoken, or only written.
        """
        reply = Reply(response_id or new_id("resp"), new_id("item"), language, timeline)
        reply.speaks, reply.timed = speaks, not speaks
        openers = self._openers.get(language)
        if openers and not timeline.is_recited and speaks:
            reply.opening = Opening(openers, partial(self._pace.opener_wait_s, language))
        timeline.actions.extend(self._pace.actions(language))
        written = None if write is None else write(reply)
        reply.task = tasks.create_task(self._speak(reply, written), name="turn")
        return reply

    def begin(self, reply: Reply) -> None:
        """Make a prepared reply the one under way, and let it speak."""
        self.current = reply
        self.playout.start_reply()
        self._emit(ReplyStarted(reply.response_id, reply.item_id))
        self.bearing.change("thinking")
        reply.may_speak.set()

    async def interrupt(self, *, by_client: bool = False) -> None:
        """End the answer under way, if there is one, at once."""
        reply = self.current
        if reply is None or reply.task is None:
            return
        reply.stopped_by_client = by_client
        await barge_in(reply.task, self.playout)
        if self.current is reply:  # cancelled before its first step: its own clean-up never ran
            self._end(reply, "cancelled", "")

    def frame_drawn(self, at_sample: int) -> None:
        """The face of `at_sample` is on its way to the person."""
        reply = self.current
        if reply is None or reply.first_sample is None or at_sample < reply.first_sample:
            return
        reply.timeline.mark("first_face_frame")
        self._report_timing(reply)

    async def _speak(self, reply: Reply, written: AsyncGenerator[str, None] | None) -> None:
        """Say the reply, or the apology for it."""
        status: ReplyStatus = "completed"
        message = ""
        voice = self._voices[reply.language]
        try:
            if written is None:
                status, message = "failed", "The speech could not be recognised."
            else:
                try:
                    await self._give(reply, written, voice)
                except* Exception as group:  # noqa: BLE001 - whatever a stage raises ends
                    # its turn only: the person hears an apology and the call goes on.
                    _log.error("a stage failed", exc_info=group)
                    status, message = "failed", _first_message(group)
            if not reply.may_speak.is_set():
                return  # the draft of an answer: the answer itself will meet the same failure
            if status == "failed" and reply.speaks:
                apology = self._apologies[reply.language]
                emotion = feeling(apology.text, reply.language)
                await play(apology, voice.lips, self.playout, emotion)
                await self.playout.drained()
        except asyncio.CancelledError:
            status = "cancelled"
            raise
        finally:
            if reply.may_speak.is_set():
                self._end(reply, status, message)

    async def _give(self, reply: Reply, written: AsyncGenerator[str, None], voice: Voice) -> None:
        """Say it, or only write it.

        Raises:
            LanguageModelError: There was nothing to say.
        """
        if reply.speaks:
            await answer(
                written,
                voice,
                self.playout,
                reply.timeline,
                reply.may_speak,
                first_words=self._pace.first_words(reply.language),
                opening=reply.opening,
            )
        else:
            tell = partial(self._write, reply)
            await write(written, reply.timeline, reply.may_speak, tell)
        if reply.says_nothing:
            raise LanguageModelError("The language model wrote nothing that can be said.")

    def _write(self, reply: Reply, text: str) -> None:
        reply.written += text
        self._emit(ReplyWritten(reply.response_id, reply.item_id, text))

    def _end(self, reply: Reply, status: ReplyStatus, message: str) -> None:
        heard, samples = reply.written.strip(), 0
        if reply.speaks:
            heard, samples = self.playout.heard(), self.playout.heard_samples()
        state = self._on_end(reply, heard, status)
        self._report_timing(reply)
        self.current = None
        self._emit(
            ReplyEnded(
                reply.response_id,
                reply.item_id,
                status,
                heard,
                samples * 1000 // SPEECH_CLOCK_HZ,
                reply.stopped_by_client,
                message,
                reply.timeline.deliveries["llm_first_token"],
                reply.prompt_tokens,
            )
        )
        self.bearing.change(state)

    def _chunk_starts(self, chunk: SpeechChunk) -> None:
        reply = self.current
        if self._is_other_speech(chunk) or reply is None:
            return
        opening = reply.opening
        spoken = None if opening is None else opening.spoken
        if spoken is not None and reply.timeline.opener_s is None:
            self._opener_starts(reply, spoken)
            return
        if reply.first_sample is None:
            reply.first_sample = self.playout.position
            reply.timeline.mark("first_sound")
            self.bearing.change("speaking")
        self._emit(ReplyHeard(reply.response_id, reply.item_id, chunk.text))

    def _opener_starts(self, reply: Reply, opener: Opener) -> None:
        reply.timeline.opener_s = asyncio.get_running_loop().time()
        others = (other for other in self._openers[reply.language] if other is not opener)
        self._openers[reply.language] = (*others, opener)
        self.bearing.change("speaking")
        self._emit(OpenerHeard(reply.response_id, opener.text, opener.lasts_ms))

    def _report_timing(self, reply: Reply) -> None:
        if not reply.timed and not reply.timeline.is_recited:
            reply.timed = True
            timing = reply.timing()
            self._pace.observe(timing)
            self._emit(timing)


def _first_message(group: BaseExceptionGroup[Exception]) -> str:
    """One line for a person from the first error of a (nested) group."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) if isinstance(error, PresenciaError) else "Something went wrong inside."
