"""The conversation: who speaks, what is answered, what is remembered."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from types import MappingProxyType

from avatar.commands import Command, Configure, Respond, Stop, ToolResult, Typed
from avatar.dialogue.history import History
from avatar.dialogue.persona import Persona
from avatar.drafts import Drafts
from avatar.events import (
    ConversationEvent,
    ReplyHeld,
    ReplyResumed,
    ReplyStatus,
    ResumeReason,
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
    Interim,
    NotUnderstood,
    PersonPaused,
    SpeechStarted,
    SpeechSustained,
    TurnEnded,
    WentOn,
    Wordless,
)
from avatar.opener import Opener
from avatar.overlap import HoldOverdue, Meaning, Overlaps
from avatar.pace import Pace
from avatar.reading_ahead import ReadingAhead
from avatar.replies import Replies
from avatar.reply import Reply
from avatar.turn import Voice
from render.types import FaceCues, FaceState
from speech.stages import LISTENING_RATE_HZ, LanguageModel
from speech.types import Language, Message, SpeechChunk, Transcript

__all__ = ["Command", "Configure", "Conversation", "Respond", "Stop", "ToolResult", "Typed"]


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
        self._replies = Replies(
            voices=voices,
            apologies=apologies,
            openers=openers,
            pace=Pace() if pace is None else pace,
            emit=emit,
            on_end=self._reply_ends,
        )
        self.playout = self._replies.playout
        self.language = language
        self.drafts = Drafts(emit)
        self._bearing = self._replies.bearing
        self._llm = llm
        self._persona = persona
        self._history = history
        self._emit = emit
        self._instructions = ""
        self._inbox: asyncio.Queue[Command] = asyncio.Queue()
        self._overlaps = Overlaps(self.playout, self.send)
        self._reading = ReadingAhead(llm)
        self._prefix = uuid.uuid4().hex[:12]
        self._person_speaks: int | None = None  # the utterance, once it is sustained
        self._owes_reply = False  # the person said something that no answer was heard to

    def send(self, command: Command) -> None:
        """Take note of `command`; it is dealt with in order."""
        self._inbox.put_nowait(command)

    def cues(self) -> FaceCues:
        """What the face needs to know, now."""
        return self._bearing.cues()

    @property
    def state(self) -> FaceState:
        """Whether the avatar listens, thinks or speaks; an answer that is held goes on."""
        return self._bearing.state

    def frame_drawn(self, at_sample: int) -> None:
        """The face of `at_sample` is on its way to the person."""
        self._replies.frame_drawn(at_sample)

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
                self._overlaps.begin(utterance, self._replies.current)
            case SpeechSustained(utterance):
                self._person_speaks = utterance
                await self._hold(utterance)
            case PersonPaused(utterance):
                if not self._overlaps.pause(utterance):
                    self._bearing.nod()
            case Wordless(utterance):
                self._overlaps.hear(utterance, "", self._replies.current, self.language)
            case Interim(utterance, text):
                self._emit(UserInterim(self._item(utterance), text))
                self._bearing.mirror(text, self.language)
                if (
                    self._overlaps.hear(utterance, text, self._replies.current, self.language)
                    == "words"
                ):
                    await self._replies.interrupt()
                self._read_ahead(tasks, text)
            case Guessed(utterance, text):
                await self.drafts.drop()
                if self._overlaps.is_during(utterance, self._replies.current):
                    meaning = self._overlaps.weigh(utterance, text, 0, self.language)
                    await self._obey(meaning, utterance)
                if self._replies.current is None:
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
                await self._replies.interrupt(by_client=True)
                timeline = _timeline_now()
                timeline.is_recited = self._history.is_empty
                self._start_reply(tasks, self._written_reply(), timeline)
            case Stop():
                await self._replies.interrupt(by_client=True)
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
                    await self._replies.interrupt()
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
        if self._owes_reply and self._replies.current is None and not goes_on:
            if draft is None:
                self._start_reply(tasks, self._written_reply(), timeline)
            else:
                self.drafts.adopt(draft, timeline)
                self._replies.begin(draft)
        elif draft is not None:
            await self.drafts.give_up(draft)

    async def _hold(self, utterance: int) -> None:
        """Fall silent for a person who makes a sound, until it is known what it means."""
        reply, was_held = self._replies.current, self.playout.held
        if not self._overlaps.hold(utterance, reply, self.language):
            await self._replies.interrupt()
        elif reply is not None and not was_held:
            self._emit(ReplyHeld(reply.response_id, reply.item_id))
            self._bearing.look("listening")

    async def _obey(self, meaning: Meaning, utterance: int) -> None:
        """Let a sound do to the answer what it means."""
        match meaning:
            case "words":
                await self._replies.interrupt()
            case "backchannel" | "noise":
                self._resume(utterance, meaning)

    def _resume(self, utterance: int, reason: ResumeReason) -> None:
        """Go on with the answer, if it is held for this utterance."""
        reply = self._replies.current
        if reply is None or self._overlaps.held_for != utterance:
            return
        self._overlaps.release()
        self.playout.resume()
        if reason == "backchannel":
            self._bearing.nod()
        self._emit(ReplyResumed(reply.response_id, reply.item_id, reason))
        self._bearing.look(self.state)

    def _item(self, utterance: int) -> str:
        return f"item_{self._prefix}_{utterance}"

    def _add_user(self, text: str) -> None:
        self._history.add_user(text)
        self._owes_reply = True
        self._bearing.mirror(text, self.language)

    def _written_reply(self) -> AsyncGenerator[str, None]:
        if self._history.is_empty:
            return _recited(self._persona.greeting[self.language])
        return self._llm.reply(self._prompt())

    def _prompt(self, interim: str = "") -> tuple[Message, ...]:
        return self._history.prompt(
            self._persona, self.language, self._instructions, interim=interim
        )

    def _read_ahead(self, tasks: asyncio.TaskGroup, interim: str = "") -> None:
        self._reading.start(tasks, self._prompt(interim))

    def _start_reply(
        self,
        tasks: asyncio.TaskGroup,
        written: AsyncGenerator[str, None] | None,
        timeline: Timeline,
    ) -> None:
        self._replies.begin(self._prepare_reply(tasks, written, timeline))

    def _prepare_reply(
        self,
        tasks: asyncio.TaskGroup,
        written: AsyncGenerator[str, None] | None,
        timeline: Timeline,
    ) -> Reply:
        self._reading.stop()
        return self._replies.prepare(tasks, self.language, written, timeline)

    def _reply_ends(self, heard: str, status: ReplyStatus) -> None:
        self._history.add_assistant(heard, interrupted=status == "cancelled")
        if heard:
            self._owes_reply = False
        self._overlaps.release()


async def _recited(text: str) -> AsyncGenerator[str, None]:
    yield text


def _timeline_now() -> Timeline:
    return Timeline(asyncio.get_running_loop().time())


def _ms(sample: int) -> int:
    return sample * 1000 // LISTENING_RATE_HZ
