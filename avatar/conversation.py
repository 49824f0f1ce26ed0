"""The conversation: who speaks, what is answered, what is remembered."""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType

from avatar import commands as do
from avatar import events as say
from avatar.author import Author, Writing
from avatar.dialogue.history import History
from avatar.dialogue.persona import Persona
from avatar.drafts import Drafts
from avatar.floor import Floor
from avatar.heard import (
    FalseStart,
    Guessed,
    Interim,
    NotUnderstood,
    PersonPaused,
    SpeechStarted,
    SpeechSustained,
    Submitted,
    TurnEnded,
    WentOn,
    Wordless,
)
from avatar.inbox import Inbox
from avatar.latency import Timeline
from avatar.opener import Opener
from avatar.overlap import HoldOverdue, Overlaps
from avatar.pace import Pace
from avatar.replies import Replies
from avatar.reply import Reply
from avatar.tools.awaited import AwaitedResults
from avatar.tools.covers import Covers
from avatar.tools.toolbox import Toolbox
from avatar.turn import Voice
from render.types import FaceState
from speech.stages import LISTENING_RATE_HZ, LanguageModel
from speech.types import Language, SpeechChunk, Transcript


class Conversation:
    """One person's conversation with the avatar.

    `run` owns it: commands come in by `send` and are dealt with one at a time, in order; what
    happens goes out by `emit`. At most one reply is under way, and only `barge_in` ends one early.
    A sound of the person holds it; `Overlaps` says what the sound means.
    At a silence that may be the end of a turn, an answer is drafted; it is adopted if the turn ends
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
        toolbox: What the model may call.
        covers: By language: what is said while a tool takes long.
        client_tool_s: How long the client is waited for when it runs a tool.

    Attributes:
        playout: Where the avatar's speech leaves.
        keep_up: Waits until what was sent is dealt with, if that is much.
        frame_drawn: To be told when the face of a sample is on its way to the person.
        cues: What the face needs to know, now.
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
        emit: Callable[[say.ConversationEvent], None],
        pace: Pace | None = None,
        openers: Mapping[Language, tuple[Opener, ...]] = MappingProxyType({}),
        toolbox: Toolbox | None = None,
        covers: Mapping[Language, tuple[Opener, ...]] = MappingProxyType({}),
        client_tool_s: float = 30.0,
    ) -> None:
        self._replies = Replies(
            voices=voices,
            apologies=apologies,
            openers=openers,
            pace=Pace() if pace is None else pace,
            emit=emit,
            on_end=self._reply_ends,
            is_other_speech=lambda chunk: self._covers.starts(chunk),
        )
        self.playout = self._replies.playout
        self.frame_drawn = self._replies.frame_drawn
        self.cues = self._replies.bearing.cues
        self.language = language
        self.drafts = Drafts(emit)
        self._bearing = self._replies.bearing
        self._covers = Covers(
            covers, voices, self.playout, self._bearing, emit, lambda: self._person_speaks is None
        )
        self._awaited = AwaitedResults(self._covers, client_tool_s, self.send)
        self._author = Author(
            llm=llm,
            persona=persona,
            history=history,
            toolbox=Toolbox() if toolbox is None else toolbox,
            covers=self._covers,
            awaited=self._awaited,
            emit=emit,
            language=language,
        )
        self._history = history
        self._emit = emit
        self._inbox = Inbox()
        self.keep_up = self._inbox.keep_up
        self._overlaps = Overlaps(self.playout, self.send)
        self._floor = Floor(self._replies, self._overlaps, emit)
        self._prefix = say.new_id("item")
        self._person_speaks: int | None = None  # the utterance, once it is sustained
        self._owes_reply = False  # the person said something that no answer was heard to
        self._said_over = False  # they said it over an answer that they may not interrupt
        self._speaks = True
        self._submitted: dict[int, str] = {}  # turns whose words are to come; the client's name
        self._postponed: do.Respond | None = None  # until those are there

    def send(self, command: do.Command) -> None:
        """Take note of `command`; it is dealt with in order."""
        self._inbox.put(command)

    @property
    def state(self) -> FaceState:
        """Whether the avatar listens, thinks or speaks; an answer that is held goes on."""
        return self._bearing.state

    @property
    def is_answered(self) -> bool:
        """Whether all that was said has been answered, and nothing more is being said."""
        return self.state == "listening" and not self._owes_reply

    async def run(self) -> None:
        """Hold the conversation until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._author.read_ahead(tasks)
            async for command in self._inbox.commands():
                await self._deal_with(command, tasks)

    async def _deal_with(self, command: do.Command, tasks: asyncio.TaskGroup) -> None:
        match command:
            case SpeechStarted(utterance, at_sample):
                self._emit(say.UserStarted(self._item(utterance), _ms(at_sample)))
                await self._floor.begin(utterance, self.language)
            case SpeechSustained(utterance):
                self._person_speaks = utterance
                await self._floor.hold(utterance, self.language)
            case PersonPaused(utterance):
                if not self._overlaps.pause(utterance):
                    self._bearing.nod()
            case Wordless(utterance):
                self._overlaps.hear(utterance, "", self._replies.current, self.language)
            case Interim(utterance, text):
                self._emit(say.UserInterim(self._item(utterance), text))
                self._bearing.mirror(text, self.language)
                meaning = self._overlaps.hear(utterance, text, self._replies.current, self.language)
                if meaning == "words":
                    await self._floor.give_way()
                self._author.read_ahead(tasks, text)
            case Guessed(utterance, text, is_final):
                if is_final:
                    self._emit(say.UserInterim(self._item(utterance), text))
                    if self._overlaps.is_during(utterance, self._replies.current):
                        meaning = self._overlaps.weigh(utterance, text, 0, self.language)
                        await self._floor.obey(meaning, utterance)
                await self._draft(tasks, utterance, text)
            case WentOn():
                await self.drafts.drop()
            case HoldOverdue(utterance):
                await self._floor.obey(self._overlaps.judge(command, self.language), utterance)
            case TurnEnded() | FalseStart() | NotUnderstood():
                await self._utterance_over(command, tasks)
                self._floor.end(command.utterance)
            case Submitted(utterance, item_id):
                self._submitted[utterance] = item_id
            case do.Typed(text, item_id, after):
                await self.drafts.drop()
                item_id = item_id or say.new_id("item")
                self._add_user(text, item_id, after)
                self._emit(say.UserTyped(item_id, text))
            case do.Noted() | do.Remove() | do.Correct():
                await self.drafts.drop()
                self._author.rewrite(command)
                self._author.read_ahead(tasks)
            case do.Respond():
                await self._respond(command, tasks)
            case do.Stop():
                self._said_over = False
                await self._replies.interrupt(by_client=True)
                self._owes_reply, self._postponed = False, None
                self._wait_no_more()
            case do.ToolResult(call_id, output) if self._awaited.resolve(call_id):
                self._history.add_result(call_id, output)
            case do.Farewell():
                self._said_over = False
                await self.drafts.drop()
                await self._replies.interrupt()
                self._recite(tasks, self._author.farewell())
            case do.ToolsOverdue():
                self._tools_overdue(tasks)
            case do.Owed():
                await self._answer_owed(tasks)
            case do.Configure():
                await self.drafts.drop()
                self.language = command.language or self.language
                self._floor.turns = command.turn_taking or self._floor.turns
                self._speaks = self._speaks if command.speaks is None else command.speaks
                self._author.configure(command)
                self._author.read_ahead(tasks)

    async def _draft(self, tasks: asyncio.TaskGroup, utterance: int, text: str) -> None:
        """Begin to answer what may be all of a turn, unless that is being done."""
        if self.drafts.answers(utterance, text):
            return
        await self.drafts.drop()
        if self._replies.current is None and self._floor.turns.answers:
            write = self._author.answer(tasks, text)
            draft = self._prepare_reply(tasks, write, Timeline.now())
            self.drafts.begin(utterance, text, draft)

    async def _respond(self, command: do.Respond, tasks: asyncio.TaskGroup) -> None:
        """Answer what has been said so far, once its words are all there."""
        current = self._replies.current
        if current is not None and current.response_id == self._awaited.response_id:
            self._awaited.must_respond = command
            return
        await self.drafts.drop()
        await self._replies.interrupt(by_client=True)
        if self._submitted:
            self._postponed = command
            return
        timeline = Timeline.now()
        timeline.is_recited = self._author.would_greet
        write = self._author.answer(tasks, instructions=command.instructions)
        speaks = self._speaks if command.speaks is None else command.speaks
        self._begin(self._prepare_reply(tasks, write, timeline, command.response_id, speaks=speaks))

    def _tools_overdue(self, tasks: asyncio.TaskGroup) -> None:
        """Say so, if the client has not done what it was asked for."""
        missing = self._awaited.missing
        self._author.timed_out(missing)
        self._wait_no_more()
        if missing and self._replies.current is None and self._person_speaks is None:
            self._recite(tasks, self._author.sorry())
        else:
            self.send(do.Owed())

    async def _answer_owed(self, tasks: asyncio.TaskGroup) -> None:
        """Answer what was said over an answer, now that this is over, unless that is to come."""
        is_to_come = self._person_speaks is not None or self._postponed is not None
        is_due = self._said_over and self._floor.turns.answers and self._replies.current is None
        if is_due and not is_to_come:
            await self.drafts.drop()
            self._begin(self._prepare_reply(tasks, self._author.answer(tasks), Timeline.now()))

    def _wait_no_more(self) -> None:
        """Go on without the client's results."""
        if self._awaited:
            self._awaited.end()
            if self._replies.current is None:
                self._bearing.change("listening")

    async def _submission_over(
        self, over: TurnEnded | NotUnderstood, tasks: asyncio.TaskGroup
    ) -> None:
        """Take in the words of a turn that the client has ended; it is answered at `Respond`."""
        item_id = self._item(over.utterance)
        del self._submitted[over.utterance]
        match over:
            case NotUnderstood(message=message):
                self._emit(say.UserNotUnderstood(item_id, message))
            case TurnEnded(transcript=Transcript(text=text)):
                seconds = (over.end_sample - over.start_sample) / LISTENING_RATE_HZ
                self._emit(say.UserSaid(item_id, text, seconds))
                self._add_user(text, item_id)
        if self._postponed is not None and not self._submitted:
            command, self._postponed = self._postponed, None
            await self._respond(command, tasks)

    async def _utterance_over(
        self, over: TurnEnded | FalseStart | NotUnderstood, tasks: asyncio.TaskGroup
    ) -> None:
        """Answer what was said, unless the person has gone on speaking meanwhile."""
        if over.utterance in self._submitted and not isinstance(over, FalseStart):
            await self._submission_over(over, tasks)
            return
        item_id = self._item(over.utterance)
        if self._person_speaks == over.utterance:
            self._person_speaks = None
        goes_on = self._person_speaks is not None
        self._emit(say.UserStopped(item_id, _ms(over.end_sample)))
        timeline = Timeline.now()
        match over:
            case NotUnderstood(message=message):
                await self.drafts.drop()
                self._emit(say.UserNotUnderstood(item_id, message))
                may_speak = self._floor.turns.interrupts or self._replies.current is None
                if not goes_on and self._floor.turns.answers and may_speak:
                    await self._replies.interrupt()
                    understood = self._author.answer(tasks) if self._said_over else None
                    self._begin(self._prepare_reply(tasks, understood, timeline))
                return
            case FalseStart():
                self._emit(say.UserSaid(item_id, "", 0.0))
            case TurnEnded(transcript=Transcript(text=text)):
                seconds = (over.end_sample - over.start_sample) / LISTENING_RATE_HZ
                meaning = self._overlaps.weigh(over.utterance, text, seconds, self.language)
                self._emit(say.UserSaid(item_id, text, seconds, meaning == "backchannel"))
                await self._floor.obey(meaning, over.utterance)
                if meaning == "words":
                    self._add_user(text, item_id)
                    self._said_over = self._replies.current is not None
                    timeline = Timeline(over.ended_at_s, {"turn_ended": over.decided_at_s})
                    timeline.mark("final_transcript")
        draft = await self.drafts.take(over)  # from here on nothing is waited for: it may fail yet
        # Noise may have cut the answer to what was said before it: that is still owed.
        is_due = self._floor.turns.answers and self._owes_reply and self._replies.current is None
        if is_due and not goes_on:
            if draft is None:
                self._begin(self._prepare_reply(tasks, self._author.answer(tasks), timeline))
            else:
                self.drafts.adopt(draft, timeline)
                self._begin(draft)
        elif draft is not None:
            await self.drafts.give_up(draft)

    def _item(self, utterance: int) -> str:
        return self._submitted.get(utterance) or f"{self._prefix}_{utterance}"

    def _add_user(self, text: str, item_id: str, after: str | None = None) -> None:
        self._history.add_user(text, item_id, after)
        if self._replies.current is not None and self._history.newest == item_id:
            self._replies.current.precede(item_id)
        self._owes_reply = True
        self._bearing.mirror(text, self.language)

    def _recite(self, tasks: asyncio.TaskGroup, line: Writing) -> None:
        """Say what answers nobody."""
        timeline = Timeline.now()
        timeline.is_recited = True
        self._begin(self._prepare_reply(tasks, line, timeline))

    def _prepare_reply(
        self,
        tasks: asyncio.TaskGroup,
        write: Writing | None,
        timeline: Timeline,
        response_id: str = "",
        *,
        speaks: bool | None = None,
    ) -> Reply:
        self._author.stop_reading()
        return self._replies.prepare(
            tasks,
            self.language,
            write,
            timeline,
            response_id,
            speaks=self._speaks if speaks is None else speaks,
        )

    def _begin(self, reply: Reply) -> None:
        self._awaited.end()
        self._said_over = self._said_over and reply.timeline.is_recited
        self._replies.begin(reply)

    def _reply_ends(self, reply: Reply, heard: str, status: say.ReplyStatus) -> FaceState:
        was_cut = status == "cancelled"
        self._history.add_assistant(
            heard, interrupted=was_cut, item_id=reply.item_id, before=reply.sent_over
        )
        self._overlaps.release()
        awaits = reply.response_id == self._awaited.response_id
        if awaits and was_cut:
            self._awaited.end()
            awaits = False
        if heard or awaits:
            self._owes_reply = self._said_over
        if not awaits:
            self.send(do.Owed())
            return "listening"
        if self._awaited.must_respond is not None:
            self.send(self._awaited.must_respond)
        return "thinking"


def _ms(sample: int) -> int:
    return sample * 1000 // LISTENING_RATE_HZ
