"""The conversation: who speaks, what is answered, what is remembered."""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from avatar.dialogue.feelings import feeling, mirrored
from avatar.dialogue.history import History
from avatar.dialogue.persona import Persona
from avatar.drafts import Drafts
from avatar.events import (
    ConversationEvent,
    OpenerHeard,
    ReplyEnded,
    ReplyHeard,
    ReplyHeld,
    ReplyResumed,
    ReplyStarted,
    ReplyStatus,
    ResumeReason,
    StateChanged,
    UserInterim,
    UserNotUnderstood,
    UserSaid,
    UserStarted,
    UserStopped,
    UserTyped,
    new_id,
)
from avatar.latency import Timeline
from avatar.listening import (
    FalseStart,
    Guessed,
    Heard,
    Interim,
    NotUnderstood,
    PersonPaused,
    SpeechStarted,
    SpeechSustained,
    TurnEnded,
    WentOn,
    Wordless,
)
from avatar.opener import Opener, Opening
from avatar.overlap import HoldOverdue, Meaning, Overlaps
from avatar.pace import Pace
from avatar.playout import Playout
from avatar.reply import Reply
from avatar.turn import Voice, answer, barge_in, play
from render.types import NEUTRAL, SPEECH_CLOCK_HZ, Emotion, FaceCues, FaceState
from speech.errors import PresenciaError, StageError
from speech.stages import LISTENING_RATE_HZ, LanguageModel
from speech.types import Language, Message, SpeechChunk, Transcript

_log = logging.getLogger(__name__)

_REMEMBERED_CUES = 8  # more state changes than fit into the longest transition of the face
_MOODS_APART = SPEECH_CLOCK_HZ  # and so many moods, this far apart, outlast the showing of each


@dataclass(frozen=True, slots=True)
class Typed:
    """The person typed a message. It is answered at `Respond`."""

    text: str


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer what has been said so far; with nothing said yet, greet."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the answer under way."""


@dataclass(frozen=True, slots=True)
class Configure:
    """Change how the rest of the conversation goes. None leaves a thing as it is."""

    language: Language | None = None
    instructions: str | None = None


Command = Heard | Typed | Respond | Stop | Configure | HoldOverdue


class Conversation:
    """One person's conversation with the avatar.

    `run` owns it: commands come in by `send` and are dealt with one at a time, in order; what
    happens goes out by `emit`. At most one reply is under way, and only `barge_in` ends one early.
    A sound of the person holds it; `Overlaps` says what the sound means.
    At a pause that may be the end of a turn, an answer is drafted; it is adopted if the turn ends
    there with these words, and otherwise dropped without a trace.

    Args:
        llm: Writes the replies.
        voices: By language.
        apologies: By language: what is said when a stage fails. Spoken in advance, so that it
            can be said when speech synthesis is what failed.
        persona: Who the avatar is.
        language: To begin with.
        emit: Called with everything that happens; must not block.
        pace: How the answers are given, so that they are not late.
        openers: By language: what may be said before an answer that is late.

    Attributes:
        playout: Where the avatar's speech leaves.
        language: The language of the conversation now.
        drafts: How often drafting paid.
    """

    def __init__(
        self,
        *,
        llm: LanguageModel,
        voices: Mapping[Language, Voice],
        apologies: Mapping[Language, SpeechChunk],
        persona: Persona,
        history: History,
        language: Language,
        emit: Callable[[ConversationEvent], None],
        pace: Pace | None = None,
        openers: Mapping[Language, tuple[Opener, ...]] = MappingProxyType({}),
    ) -> None:
        self.playout = Playout(on_start=self._chunk_starts)
        self.language = language
        self.drafts = Drafts(emit)
        self._llm = llm
        self._voices = voices
        self._apologies = apologies
        self._persona = persona
        self._history = history
        self._emit = emit
        self._pace = Pace() if pace is None else pace
        self._openers = {language: deque(said) for language, said in openers.items()}
        self._instructions = ""
        self._inbox: asyncio.Queue[Command] = asyncio.Queue()
        self._overlaps = Overlaps(self.playout, self.send)
        self._reply: Reply | None = None
        self._prefill: asyncio.Task[None] | None = None
        self._prefix = uuid.uuid4().hex[:12]
        self._person_speaks: int | None = None  # the utterance, once it is sustained
        self._owes_reply = False  # the person said something that no answer was heard to
        self._states: deque[tuple[int, FaceState]] = deque([(0, "listening")], _REMEMBERED_CUES)
        self._state: FaceState = "listening"
        self._nods: deque[int] = deque(maxlen=_REMEMBERED_CUES)
        self._moods: deque[tuple[int, Emotion]] = deque(maxlen=_REMEMBERED_CUES)

    def send(self, command: Command) -> None:
        """Take note of `command`; it is dealt with in order."""
        self._inbox.put_nowait(command)

    def cues(self) -> FaceCues:
        """What the face needs to know, now."""
        return FaceCues(
            self.playout.speech, tuple(self._states), tuple(self._nods), tuple(self._moods)
        )

    @property
    def state(self) -> FaceState:
        """Whether the avatar listens, thinks or speaks; an answer that is held goes on."""
        return self._state

    def frame_drawn(self, at_sample: int) -> None:
        """The face of `at_sample` is on its way to the person."""
        reply = self._reply
        if reply is None or reply.first_sample is None or at_sample < reply.first_sample:
            return
        reply.timeline.mark("first_face_frame")
        self._report_timing(reply)

    async def run(self) -> None:
        """Hold the conversation until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._read_ahead(tasks)
            while True:
                await self._deal_with(await self._inbox.get(), tasks)

    async def _deal_with(self, command: Command, tasks: asyncio.TaskGroup) -> None:
        match command:
            case SpeechStarted(utterance, at_sample):
                self._emit(UserStarted(self._item(utterance), _ms(at_sample)))
                self._overlaps.begin(utterance, self._reply)
            case SpeechSustained(utterance):
                self._person_speaks = utterance
                await self._hold(utterance)
            case PersonPaused(utterance):
                if not self._overlaps.pause(utterance):
                    self._nod()
            case Wordless(utterance):
                self._overlaps.hear(utterance, "", self._reply, self.language)
            case Interim(utterance, text):
                self._emit(UserInterim(self._item(utterance), text))
                self._mirror(text)
                if self._overlaps.hear(utterance, text, self._reply, self.language) == "words":
                    await self._interrupt()
                self._read_ahead(tasks, text)
            case Guessed(utterance, text):
                await self.drafts.drop()
                if self._overlaps.is_during(utterance, self._reply):
                    meaning = self._overlaps.weigh(utterance, text, 0, self.language)
                    await self._obey(meaning, utterance)
                if self._reply is None:
                    written = self._llm.reply(self._prompt(text))
                    draft = self._prepare_reply(tasks, written, _timeline_now())
                    self.drafts.begin(utterance, text, draft)
            case WentOn():
                await self.drafts.drop()
            case HoldOverdue(utterance):
                await self._obey(self._overlaps.judge(command, self.language), utterance)
            case TurnEnded() | FalseStart() | NotUnderstood():
                await self._utterance_over(command, tasks)
                self._overlaps.end(command.utterance)
            case Typed(text):
                await self.drafts.drop()
                self._add_user(text)
                self._emit(UserTyped(new_id("item"), text))
            case Respond():
                await self.drafts.drop()
                await self._interrupt(by_client=True)
                timeline = _timeline_now()
                timeline.is_recited = self._history.is_empty
                self._start_reply(tasks, self._written_reply(), timeline)
            case Stop():
                await self._interrupt(by_client=True)
                self._owes_reply = False
            case Configure(language, instructions):
                await self.drafts.drop()
                self.language = language or self.language
                if instructions is not None:
                    self._instructions = instructions
                self._read_ahead(tasks)

    async def _utterance_over(
        self, over: TurnEnded | FalseStart | NotUnderstood, tasks: asyncio.TaskGroup
    ) -> None:
        """Answer what was said, unless the person has gone on speaking meanwhile."""
        item_id = self._item(over.utterance)
        if self._person_speaks == over.utterance:
            self._person_speaks = None
        goes_on = self._person_speaks is not None
        self._emit(UserStopped(item_id, _ms(over.end_sample)))
        timeline = _timeline_now()
        draft = await self.drafts.take(over)
        match over:
            case NotUnderstood(message=message):
                self._emit(UserNotUnderstood(item_id, message))
                if not goes_on:
                    await self._interrupt()
                    self._start_reply(tasks, None, timeline)
                return
            case FalseStart():
                self._emit(UserSaid(item_id, "", 0.0))
                self._resume(over.utterance, "noise")
            case TurnEnded(transcript=Transcript(text=text)):
                seconds = (over.end_sample - over.start_sample) / LISTENING_RATE_HZ
                meaning = self._overlaps.weigh(over.utterance, text, seconds, self.language)
                self._emit(UserSaid(item_id, text, seconds, meaning == "backchannel"))
                await self._obey(meaning, over.utterance)
                if meaning == "words":
                    self._add_user(text)
                    timeline = Timeline(over.ended_at_s, {"turn_ended": over.decided_at_s})
                    timeline.mark("final_transcript")
        # Noise may have cut the answer to what was said before it: that is still owed.
        if self._owes_reply and self._reply is None and not goes_on:
            if draft is None:
                self._start_reply(tasks, self._written_reply(), timeline)
            else:
                self.drafts.adopt(draft, timeline)
                self._begin(draft)
        elif draft is not None:
            await self.drafts.give_up(draft)

    async def _hold(self, utterance: int) -> None:
        """Fall silent for a person who makes a sound, until it is known what it means."""
        reply, was_held = self._reply, self.playout.held
        if not self._overlaps.hold(utterance, reply, self.language):
            await self._interrupt()
        elif reply is not None and not was_held:
            self._emit(ReplyHeld(reply.response_id, reply.item_id))
            self._look("listening")

    async def _obey(self, meaning: Meaning, utterance: int) -> None:
        """Let a sound do to the answer what it means."""
        match meaning:
            case "words":
                await self._interrupt()
            case "backchannel" | "noise":
                self._resume(utterance, meaning)

    def _resume(self, utterance: int, reason: ResumeReason) -> None:
        """Go on with the answer, if it is held for this utterance."""
        reply = self._reply
        if reply is None or self._overlaps.held_for != utterance:
            return
        self._overlaps.release()
        self.playout.resume()
        if reason == "backchannel":
            self._nod()
        self._emit(ReplyResumed(reply.response_id, reply.item_id, reason))
        self._look(self.state)

    def _nod(self) -> None:
        self._nods.append(self.playout.position)

    def _item(self, utterance: int) -> str:
        return f"item_{self._prefix}_{utterance}"

    def _add_user(self, text: str) -> None:
        self._history.add_user(text)
        self._owes_reply = True
        self._mirror(text)

    def _mirror(self, text: str) -> None:
        """Let the listening face share what the person's words feel like."""
        mood, now = mirrored(feeling(text, self.language)), self.playout.position
        last, shown = self._moods[-1] if self._moods else (now - _MOODS_APART, NEUTRAL)
        if mood not in (NEUTRAL, shown) and now - last >= _MOODS_APART:
            self._moods.append((now, mood))

    def _written_reply(self) -> AsyncGenerator[str, None]:
        if self._history.is_empty:
            return _recited(self._persona.greeting[self.language])
        return self._llm.reply(self._prompt())

    def _prompt(self, interim: str = "") -> tuple[Message, ...]:
        return self._history.prompt(
            self._persona, self.language, self._instructions, interim=interim
        )

    def _read_ahead(self, tasks: asyncio.TaskGroup, interim: str = "") -> None:
        """Let the model read what is known of the prompt while the person still speaks."""
        self._stop_reading_ahead()
        self._prefill = tasks.create_task(self._prefilled(interim), name="prefill")

    async def _prefilled(self, interim: str) -> None:
        try:
            await self._llm.prefill(self._prompt(interim))
        except StageError:
            # Only a hint: the reply will meet the same failure and apologise for it.
            _log.info("prefill failed", exc_info=True)

    def _stop_reading_ahead(self) -> None:
        if self._prefill is not None:
            self._prefill.cancel()
            self._prefill = None

    def _start_reply(
        self,
        tasks: asyncio.TaskGroup,
        written: AsyncGenerator[str, None] | None,
        timeline: Timeline,
    ) -> None:
        self._begin(self._prepare_reply(tasks, written, timeline))

    def _prepare_reply(
        self,
        tasks: asyncio.TaskGroup,
        written: AsyncGenerator[str, None] | None,
        timeline: Timeline,
    ) -> Reply:
        self._stop_reading_ahead()
        reply = Reply(new_id("resp"), new_id("item"), timeline)
        openers = self._openers.get(self.language)
        if openers and not timeline.is_recited:
            reply.opening = Opening(openers[0], self._pace.opener_wait_s)
        timeline.actions.extend(self._pace.actions)
        reply.task = tasks.create_task(self._speak(reply, written), name="turn")
        return reply

    def _begin(self, reply: Reply) -> None:
        """Make a prepared reply the one under way, and let it speak."""
        self._reply = reply
        self.playout.start_reply()
        self._emit(ReplyStarted(reply.response_id, reply.item_id))
        self._change_state("thinking")
        reply.may_speak.set()

    async def _speak(self, reply: Reply, written: AsyncGenerator[str, None] | None) -> None:
        """Say the reply, or the apology for it; `written` None apologises at once."""
        status: ReplyStatus = "completed"
        message = ""
        voice = self._voices[self.language]
        try:
            if written is None:
                status, message = "failed", "The speech could not be recognised."
            else:
                try:
                    await answer(
                        written,
                        voice,
                        self.playout,
                        reply.timeline,
                        reply.may_speak,
                        first_words=self._pace.first_words,
                        opening=reply.opening,
                    )
                except* Exception as group:  # noqa: BLE001 - whatever a stage raises ends
                    # its turn only: the person hears an apology and the call goes on.
                    _log.error("a stage failed", exc_info=group)
                    status, message = "failed", _first_message(group)
            if not reply.may_speak.is_set():
                return  # the draft of an answer: the answer itself will meet the same failure
            if status == "failed":
                apology = self._apologies[self.language]
                emotion = feeling(apology.text, self.language)
                await play(apology, voice.lips, self.playout, emotion)
                await self.playout.drained()
        except asyncio.CancelledError:
            status = "cancelled"
            raise
        finally:
            if reply.may_speak.is_set():
                self._end_reply(reply, status, message)

    def _end_reply(self, reply: Reply, status: ReplyStatus, message: str) -> None:
        heard, samples = self.playout.heard(), self.playout.heard_samples()
        self._history.add_assistant(heard, interrupted=status == "cancelled")
        if heard:
            self._owes_reply = False
        self._report_timing(reply)
        self._overlaps.release()
        self._reply = None
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
            )
        )
        self._change_state("listening")

    async def _interrupt(self, *, by_client: bool = False) -> None:
        reply = self._reply
        if reply is None or reply.task is None:
            return
        reply.stopped_by_client = by_client
        await barge_in(reply.task, self.playout)
        if self._reply is reply:  # cancelled before its first step: its own clean-up never ran
            self._end_reply(reply, "cancelled", "")

    def _chunk_starts(self, chunk: SpeechChunk) -> None:
        reply = self._reply
        if reply is None:
            return
        opening = reply.opening
        if opening is not None and opening.is_spoken and reply.timeline.opener_s is None:
            self._opener_starts(reply, opening.opener)
            return
        if reply.first_sample is None:
            reply.first_sample = self.playout.position
            reply.timeline.mark("first_sound")
            self._change_state("speaking")
        self._emit(ReplyHeard(reply.response_id, reply.item_id, chunk.text))

    def _opener_starts(self, reply: Reply, opener: Opener) -> None:
        reply.timeline.opener_s = asyncio.get_running_loop().time()
        self._openers[self.language].rotate(-1)
        self._change_state("speaking")
        self._emit(OpenerHeard(reply.response_id, opener.text, opener.lasts_ms))

    def _report_timing(self, reply: Reply) -> None:
        if not reply.timed and not reply.timeline.is_recited:
            reply.timed = True
            timing = reply.timing()
            self._pace.observe(timing)
            self._emit(timing)

    def _change_state(self, state: FaceState) -> None:
        self._look(state)
        if state != self.state:
            self._state = state
            self._emit(StateChanged(state))

    def _look(self, state: FaceState) -> None:
        """Show it in the face."""
        if state != self._states[-1][1]:
            self._states.append((self.playout.position, state))


async def _recited(text: str) -> AsyncGenerator[str, None]:
    yield text


def _timeline_now() -> Timeline:
    return Timeline(asyncio.get_running_loop().time())


def _ms(sample: int) -> int:
    return sample * 1000 // LISTENING_RATE_HZ


def _first_message(group: BaseExceptionGroup[Exception]) -> str:
    """One line for a person from the first error of a (nested) group."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) if isinstance(error, PresenciaError) else "Something went wrong inside."
