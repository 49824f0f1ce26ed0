"""The conversation: who speaks, what is answered, what is remembered."""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType

from avatar import commands as do
from avatar import events as say
from avatar import heard as hear
from avatar.answering import Answering
from avatar.author import Author
from avatar.dialogue.history import History
from avatar.dialogue.persona import Persona
from avatar.floor import Floor
from avatar.inbox import Inbox
from avatar.latency import Timeline
from avatar.opener import Opener
from avatar.overlap import HoldOverdue
from avatar.pace import Pace
from avatar.replies import Replies
from avatar.reply import Reply
from avatar.submissions import Submissions
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
    A sound of the person holds it; `Floor` says what becomes of it then.
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
        self._answering = Answering(self._author, self._replies, emit)
        self.drafts = self._answering.drafts
        self._history = history
        self._emit = emit
        self._inbox = Inbox()
        self.keep_up = self._inbox.keep_up
        self._floor = Floor(self._replies, self.send, emit)
        self._prefix = say.new_id("item")
        self._person_speaks: int | None = None  # the utterance, once it is sustained
        self._owes_reply = False  # the person said something that no answer was heard to
        self._said_over = False  # they said it over an answer that they may not interrupt
        self._asked: Reply | None = None  # the last answer that the client asked for
        self._submissions = Submissions()

    def send(self, command: do.Command) -> None:
        """Take note of `command`; it is dealt with in order."""
        self._inbox.put(command)

    @property
    def language(self) -> Language:
        """The language of the conversation now."""
        return self._author.language

    @property
    def state(self) -> FaceState:
        """Whether the avatar listens, thinks or speaks; an answer that is held goes on."""
        return self._bearing.state

    @property
    def more_proof_ms(self) -> int:
        """How much longer than usual speech must last to stop the answer under way."""
        return self._floor.more_proof_ms

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
            case hear.SpeechStarted(utterance, at_sample):
                self._emit(say.UserStarted(self._item(utterance), _ms(at_sample)))
                await self._floor.begin(utterance, self.language)
            case hear.SpeechSustained(utterance):
                self._person_speaks = utterance
                await self._floor.hold(utterance, self.language)
            case hear.PersonPaused(utterance):
                self._floor.pause(utterance)
            case hear.Wordless(utterance):
                await self._floor.hear(utterance, "", self.language)
            case hear.Interim(utterance, text):
                self._emit(say.UserInterim(self._item(utterance), text))
                self._bearing.mirror(text, self.language)
                await self._floor.hear(utterance, text, self.language)
                self._author.read_ahead(tasks, text)
            case hear.Guessed(utterance, text, is_final):
                if is_final:
                    self._emit(say.UserInterim(self._item(utterance), text))
                    await self._floor.hear_all(utterance, text, self.language)
                if self._floor.may_answer(utterance, text, self.language):
                    await self._answering.draft(tasks, utterance, text)
            case hear.WentOn():
                await self.drafts.drop()
            case HoldOverdue():
                await self._floor.hold_no_longer(command, self.language)
            case hear.TurnEnded() | hear.FalseStart() | hear.NotUnderstood():
                await self._utterance_over(command, tasks)
                self._floor.end(command.utterance)
            case hear.Submitted(utterance, item_id):
                self._submissions.begin(utterance, item_id)
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
                self._owes_reply, self._submissions.postponed = False, None
                self._wait_no_more()
            case do.ToolResult(call_id, output):
                await self.drafts.drop()
                self._awaited.resolve(call_id)
                self._history.add_result(call_id, output)
            case do.Farewell():
                self._said_over = False
                await self.drafts.drop()
                await self._replies.interrupt()
                self._begin(self._answering.recited(tasks, self._author.farewell()))
            case do.ToolsOverdue():
                self._tools_overdue(tasks)
            case do.Owed():
                await self._answer_owed(tasks)
            case do.Configure():
                await self.drafts.drop()
                self._floor.turns = command.turn_taking or self._floor.turns
                if command.speaks is not None:
                    self._answering.speaks = command.speaks
                self._author.configure(command)
                self._author.read_ahead(tasks)

    async def _respond(self, command: do.Respond, tasks: asyncio.TaskGroup) -> None:
        """Answer what has been said so far, once its words are all there."""
        current = self._replies.current
        if current is not None and current.response_id == self._awaited.response_id:
            self._awaited.must_respond = command
            return
        await self.drafts.drop()
        await self._replies.interrupt(by_client=True)
        if not self._submissions.postpone(command):
            self._asked = self._answering.as_asked(tasks, command)
            self._begin(self._asked)
            await self._floor.join(self._asked, self.language)

    def _tools_overdue(self, tasks: asyncio.TaskGroup) -> None:
        """Say so, if the client has not done what it was asked for."""
        missing = self._awaited.missing
        self._author.timed_out(missing)
        self._wait_no_more()
        if missing and self._replies.current is None and self._person_speaks is None:
            self._begin(self._answering.recited(tasks, self._author.sorry()))
        else:
            self.send(do.Owed())

    async def _answer_owed(self, tasks: asyncio.TaskGroup) -> None:
        """Answer what was said over an answer, now that this is over, unless that is to come."""
        is_to_come = self._person_speaks is not None or self._submissions.postponed is not None
        is_due = self._said_over and self._floor.turns.answers and self._replies.current is None
        if is_due and not is_to_come:
            await self.drafts.drop()
            self._begin(self._answering.answer(tasks, Timeline.now()))

    def _wait_no_more(self) -> None:
        """Go on without the client's results."""
        if self._awaited:
            self._awaited.end()
            if self._replies.current is None:
                self._bearing.change("listening")

    async def _submission_over(
        self, over: hear.TurnEnded | hear.NotUnderstood, tasks: asyncio.TaskGroup
    ) -> None:
        """Take in the words of a turn that the client has ended; it is answered at `Respond`."""
        item_id = self._item(over.utterance)
        self._submissions.end(over.utterance)
        match over:
            case hear.NotUnderstood(message=message):
                self._emit(say.UserNotUnderstood(item_id, message))
            case hear.TurnEnded(transcript=Transcript(text=text)):
                self._emit(say.UserSaid(item_id, text, over.seconds))
                self._add_user(text, item_id)
        if wanted := self._submissions.due():
            await self._respond(wanted, tasks)

    async def _utterance_over(
        self, over: hear.TurnEnded | hear.FalseStart | hear.NotUnderstood, tasks: asyncio.TaskGroup
    ) -> None:
        """Answer what was said, unless the person has gone on speaking meanwhile."""
        if over.utterance in self._submissions and not isinstance(over, hear.FalseStart):
            await self._submission_over(over, tasks)
            return
        item_id = self._item(over.utterance)
        if self._person_speaks == over.utterance:
            self._person_speaks = None
        goes_on = self._person_speaks is not None
        self._emit(say.UserStopped(item_id, _ms(over.end_sample)))
        timeline = Timeline.now()
        match over:
            case hear.NotUnderstood(message=message):
                await self.drafts.drop()
                self._emit(say.UserNotUnderstood(item_id, message))
                may_speak = self._floor.turns.interrupts or self._replies.current is None
                if not goes_on and self._floor.turns.answers and may_speak:
                    await self._replies.interrupt()
                    timeline = Timeline(over.ended_at_s, {"turn_ended": over.decided_at_s})
                    make = self._answering.answer if self._said_over else self._answering.apology
                    self._begin(make(tasks, timeline))
                return
            case hear.FalseStart():
                self._emit(say.UserSaid(item_id, "", 0.0))
            case hear.TurnEnded(transcript=Transcript(text=text)):
                meaning = self._floor.weigh(over, self.language)
                listens = meaning == "backchannel"
                said = say.UserSaid(item_id, text, over.seconds, listens, over.start_sample)
                self._emit(said)
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
            if draft is not None:
                self.drafts.adopt(draft, timeline)
            self._begin(draft or self._answering.answer(tasks, timeline))
        elif draft is not None:
            await self.drafts.give_up(draft)

    def _item(self, utterance: int) -> str:
        return self._submissions.name(utterance) or f"{self._prefix}_{utterance}"

    def _add_user(self, text: str, item_id: str, after: str | None = None) -> None:
        self._history.add_user(text, item_id, after)
        if self._replies.current is not None and self._history.newest == item_id:
            self._replies.current.precede(item_id)
        self._owes_reply = True
        self._bearing.mirror(text, self.language)

    def _begin(self, reply: Reply) -> None:
        self._awaited.end()
        self._said_over = self._said_over and reply.timeline.is_recited
        self._replies.begin(reply)

    def _reply_ends(self, reply: Reply, heard: str, status: say.ReplyStatus) -> FaceState:
        was_cut = status == "cancelled"
        self._history.add_assistant(
            heard, interrupted=was_cut, item_id=reply.item_id, before=reply.sent_over
        )
        self._floor.reply_over()
        awaits = reply.response_id == self._awaited.response_id
        if awaits and was_cut:
            self._awaited.end()
            awaits = False
        if heard or awaits:
            self._owes_reply = self._said_over
        elif was_cut and reply is self._asked and not reply.stopped_by_client:
            self._owes_reply = True  # whatever it was that the person said
        if not awaits:
            self.send(do.Owed())
            return "listening"
        if self._awaited.must_respond is not None:
            self.send(self._awaited.must_respond)
        return "thinking"


def _ms(sample: int) -> int:
    return sample * 1000 // LISTENING_RATE_HZ
