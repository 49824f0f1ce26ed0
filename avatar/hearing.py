"""A call's hearing: the avatar's own voice taken out of the microphone, and the rest understood."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from avatar.conversation import Conversation
from avatar.engines import Engines
from avatar.listening import Heard, Listener
from avatar.settings import ListeningSettings
from avatar.turn_taking import TurnTaking
from avatar.weighing import Weighing
from speech.echo import EchoRemover
from speech.endpointing import Endpointer
from speech.types import AudioFrame, Language


class Hearing:
    """Listens to one client's microphone.

    Args:
        engines: Have the stages.
        settings: The server's.
        language: To begin with.
        conversation: Whose; what it plays may come back.
        emit: Called with everything that was heard; must not block.

    Attributes:
        listener: Understands what is said.
    """

    def __init__(
        self,
        engines: Engines,
        settings: ListeningSettings,
        language: Language,
        conversation: Conversation,
        emit: Callable[[Heard], None],
    ) -> None:
        self._recognizers = engines.recognizers
        self._echo: EchoRemover | None = None
        if settings.remove_echo:
            self._echo = EchoRemover()
            conversation.playout.on_frame = self._echo.played
        endpointer = Endpointer(
            language=language,
            end_silence_ms=settings.end_silence_ms,
            patient_silence_ms=settings.patient_silence_ms,
            dictation_silence_ms=settings.dictation_silence_ms,
            weighs_words=engines.closing is not None,
        )
        self.listener = Listener(
            detector=engines.voice_detector(),
            turns=engines.turn_detector,
            recognizer=engines.recognizers[language],
            endpointer=endpointer,
            weighing=Weighing(engines.closing, endpointer) if engines.closing else None,
            barge_in_ms=settings.barge_in_ms,
            emit=emit,
            is_echoing=lambda: self._echo is not None and self._echo.found,
            goes_on=lambda: conversation.state == "thinking",
            is_answered=lambda: conversation.is_answered,
            more_proof_ms=lambda: conversation.more_proof_ms,
        )

    async def run(
        self, microphone: AsyncGenerator[AudioFrame, None], record: Callable[[AudioFrame], None]
    ) -> None:
        """Listen until the microphone ends.

        Args:
            microphone: int16 mono at 16 kHz; closed when the listening ends.
            record: Given every frame as it came.
        """
        async with aclosing(self._clean(microphone, record)) as frames:
            await self.listener.run(frames)

    def change(self, language: Language | None, turns: TurnTaking | None) -> None:
        """Expect another language, or end turns in another way. None leaves a thing as it is."""
        if language is not None:
            self.listener.change_language(language, self._recognizers[language])
        if turns is not None:
            self.listener.take_turns(turns)

    async def _clean(
        self, microphone: AsyncGenerator[AudioFrame, None], record: Callable[[AudioFrame], None]
    ) -> AsyncGenerator[AudioFrame, None]:
        async with aclosing(microphone) as frames:
            async for frame in frames:
                record(frame)
                for heard in [frame] if self._echo is None else self._echo.clean(frame):
                    yield heard
