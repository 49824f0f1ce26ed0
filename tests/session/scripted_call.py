"""A whole call without models, peers or real time: people and stages that follow a script.

Words are told apart by loudness: each thing said is a run of one sample value of its own, which
the fake recogniser reads back from the audio that it is given. So what it "hears" is what the
listener really cut out of the microphone.
"""

import asyncio
import re
from dataclasses import dataclass, field

import numpy as np

from avatar.commands import Configure, Respond, Stop, ToolResult, Typed
from avatar.conversation import Conversation
from avatar.dialogue.history import History
from avatar.dialogue.persona import load_persona
from avatar.dialogue.prompt import beginning
from avatar.events import ReplyEnded, ReplyHeard, StateChanged, UserSaid
from avatar.listening import Listener
from avatar.playout import FRAME_SAMPLES
from avatar.tools.toolbox import Toolbox
from avatar.turn import Voice
from avatar.weighing import Weighing
from render.types import VisemeTrack
from speech.endpointing import Endpointer
from speech.errors import LanguageModelError, RecognizerError, SynthesizerError
from speech.types import AudioFrame, SpeechChunk, Transcript
from tests.session import virtual_clock

MIC_HZ = 16_000
APOLOGY = "Sorry, I lost my train of thought."


@dataclass
class LoudnessDetector:
    of_speech: float = 1.0

    def probability(self, window):
        return self.of_speech if np.abs(window).mean() > 0.01 else 0.0


@dataclass
class ScriptedRecognizer:
    """Reads back what was said; takes `takes_s` for it."""

    words: dict[int, str]
    interim_every_s: float = 0.32
    takes_s: float = 0.05
    fails: list[bool | Exception] = field(default_factory=list)

    async def recognize(self, pcm, draft=None):
        await asyncio.sleep(self.takes_s)
        if self.fails and (failure := self.fails.pop(0)):
            gone = RecognizerError("The recogniser is gone.")
            raise failure if isinstance(failure, Exception) else gone
        changes = pcm[np.flatnonzero(np.diff(pcm, prepend=0))]
        values = dict.fromkeys(changes.tolist())
        return Transcript(" ".join(self.words[v] for v in values if v in self.words), "en")


@dataclass
class ScriptedTurnDetector:
    """Thinks that a turn is over, or not."""

    probability: float = 1.0
    fails: list[Exception] = field(default_factory=list)

    async def finished(self, pcm):
        await asyncio.sleep(0.03)
        if self.fails:
            raise self.fails.pop(0)
        return self.probability


@dataclass
class ScriptedModel:
    """Replies with the next of `replies`, a word each `word_s`; may begin late, or fail.

    A reply is its text, or a list of texts and tool calls.
    """

    replies: list
    word_s: float = 0.05
    first_word_s: float = 0.0  # later than it would be
    fail_at_word: list[int | None] = field(default_factory=list)
    prompts: list[tuple] = field(default_factory=list)
    offered: list[tuple] = field(default_factory=list)  # tools and choice, with each prompt
    open_replies: int = 0

    async def reply(self, messages, tools=(), tool_choice="auto"):
        self.prompts.append(tuple(messages))
        self.offered.append((tuple(tool.name for tool in tools), tool_choice))
        reply = self.replies.pop(0) if self.replies else "Yes."
        fail_at = self.fail_at_word.pop(0) if self.fail_at_word else None
        parts = [
            word
            for part in ([reply] if isinstance(reply, str) else reply)
            for word in (re.findall(r"^\S*| \S*", part) if isinstance(part, str) else [part])
        ]
        self.open_replies += 1
        try:
            for i, part in enumerate(parts):
                await asyncio.sleep(self.word_s + (self.first_word_s if i == 0 else 0))
                if i == fail_at:
                    raise LanguageModelError("The language model is gone.")
                yield part
        finally:
            self.open_replies -= 1

    async def prefill(self, messages, tools=()):
        await asyncio.sleep(0.2)
        return True


@dataclass
class ScriptedVoice:
    """Each clause takes `takes_s` to make; each of its words lasts 300 ms."""

    fail_at_clause: list[int | None] = field(default_factory=list)
    takes_s: float = 0.1

    async def speak(self, clauses):
        fail_at = self.fail_at_clause.pop(0) if self.fail_at_clause else None
        i = 0
        async for clause in clauses:
            await asyncio.sleep(self.takes_s)
            if i == fail_at:
                raise SynthesizerError("The voice is gone.")
            yield self.chunk(clause.text)
            i += 1

    def chunk(self, text):
        return _spoken(text)


class StillLips:
    def animate(self, chunk):
        return VisemeTrack(np.zeros((1, 52), np.float32))


def _spoken(text):
    samples = round(0.3 * 24_000) * max(1, len(text.split()))
    return SpeechChunk(text, AudioFrame(np.full(samples, 4000, np.int16), 24_000))


@dataclass
class ScriptedCall:
    """One call. Say, type, press; then `run`, then look at what happened and when."""

    replies: list = field(default_factory=list)
    barge_in_ms: int = 96
    of_speech: float = 1.0  # how probable it is to the voice detector
    is_echoing: bool = False
    openers: dict = field(default_factory=dict)
    server_tools: object = None
    covers: dict = field(default_factory=dict)
    client_tool_s: float = 30.0
    closing: object = None  # judges the words
    told: list = field(default_factory=list)  # called with every event, as they happen
    ears: list = field(default_factory=list)  # called with every frame that leaves the playout

    def __post_init__(self):
        self.model = ScriptedModel(self.replies)
        self.voice = ScriptedVoice()
        self.turn_detector = ScriptedTurnDetector()
        self.words: dict[int, str] = {}
        self.recognizer = ScriptedRecognizer(self.words)
        self.events: list[tuple[float, object]] = []
        self.loud_frames: list[float] = []
        self._speech: list[tuple[float, float, int]] = []
        self._commands: list[tuple[float, object]] = []
        self.history = History()

    def says(self, text, start_s, end_s):
        """The person says `text` from `start_s` to `end_s`."""
        value = 4000 + 10 * len(self.words)
        self.words[value] = text
        self._speech.append((start_s, end_s, value))
        return self

    def coughs(self, at_s, length_s=0.06):
        self._speech.append((at_s, at_s + length_s, 3999))
        return self

    def types(self, text, at_s):
        self._commands += [(at_s, Typed(text)), (at_s, Respond())]
        return self

    def presses(self, command, at_s):
        self._commands.append((at_s, command))
        return self

    def run(self, until_s):
        virtual_clock.run(self.play(until_s))
        return self

    async def play(self, until_s):
        loop = asyncio.get_running_loop()
        zero = self.zero_s = loop.time()
        voice = Voice("en", self.voice, StillLips())

        def emit(event):
            self.events.append((round(loop.time() - zero, 3), event))
            if isinstance(event, UserSaid) and event.is_backchannel:
                listener.unhear(event.start_sample)
            for tell in self.told:
                tell(event)

        conversation = self.conversation = Conversation(
            llm=self.model,
            voices={"en": voice, "es": voice},
            apologies={"en": self.voice.chunk(APOLOGY), "es": self.voice.chunk(APOLOGY)},
            persona=load_persona("default"),
            history=self.history,
            language="en",
            emit=emit,
            openers=self.openers,
            toolbox=Toolbox(self.server_tools),
            covers=self.covers,
            client_tool_s=self.client_tool_s,
        )
        endpointer = Endpointer(weighs_words=self.closing is not None)
        listener = self.listener = Listener(
            detector=LoudnessDetector(self.of_speech),
            turns=self.turn_detector,
            recognizer=self.recognizer,
            endpointer=endpointer,
            weighing=Weighing(self.closing, endpointer) if self.closing else None,
            barge_in_ms=self.barge_in_ms,
            emit=conversation.send,
            is_echoing=lambda: self.is_echoing,
            goes_on=lambda: conversation.state == "thinking",
            is_answered=lambda: conversation.is_answered,
            more_proof_ms=lambda: conversation.more_proof_ms,
        )

        async def hear_the_avatar():
            while True:
                frame = conversation.playout.next_frame()
                for hear in self.ears:
                    hear(frame)
                if frame.any():
                    self.loud_frames.append(round(loop.time() - zero, 3))
                await asyncio.sleep(FRAME_SAMPLES / 48_000)

        async def press():
            for at_s, command in sorted(self._commands, key=lambda c: c[0]):
                await asyncio.sleep(max(0.0, zero + at_s - loop.time()))
                if callable(command):
                    command()
                else:
                    conversation.send(command)

        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(coroutine)
                for coroutine in (
                    hear_the_avatar(),
                    press(),
                    conversation.run(),
                    listener.run(self._microphone(until_s)),
                )
            ]
            await asyncio.sleep(until_s)
            for task in running:
                task.cancel()
        self.left_over = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]

    async def _microphone(self, until_s):
        loop = asyncio.get_running_loop()
        zero = loop.time()
        pcm = np.zeros(round((until_s + 1) * MIC_HZ), np.int16)
        for start_s, end_s, value in self._speech:
            pcm[round(start_s * MIC_HZ) : round(end_s * MIC_HZ)] = value
        for start in range(0, len(pcm) - 320, 320):
            await asyncio.sleep(max(0.0, zero + (start + 320) / MIC_HZ - loop.time()))
            yield AudioFrame(pcm[start : start + 320], MIC_HZ, start)

    # what happened

    def of(self, kind):
        return [(at_s, event) for at_s, event in self.events if isinstance(event, kind)]

    def asked_of_the_model(self, reply):
        """The conversation that a reply was asked for, without what every prompt begins with."""
        prompt = self.model.prompts[reply]
        return prompt[len(beginning(load_persona("default"), "en")) :]

    @property
    def person_said(self):
        return [event.text for _, event in self.of(UserSaid)]

    @property
    def statuses(self):
        return [event.status for _, event in self.of(ReplyEnded)]

    @property
    def heard(self):
        return [event.heard for _, event in self.of(ReplyEnded)]

    @property
    def states(self):
        return [event.state for _, event in self.of(StateChanged)]

    @property
    def clauses(self):
        return [event.text for _, event in self.of(ReplyHeard)]

    def sounds_between(self, start_s, end_s):
        return [at_s for at_s in self.loud_frames if start_s <= at_s < end_s]


__all__ = ["APOLOGY", "Configure", "Respond", "ScriptedCall", "Stop", "ToolResult", "Typed"]
