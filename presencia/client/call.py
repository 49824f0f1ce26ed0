"""A call: what a program says and hears, across as many connections as it takes."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presencia.client.connection import Connection, Ears, InLineError
from presencia.client.door import TIMEOUT_S, Door, UnauthorizedError
from presencia.client.events import (
    Event,
    Joined,
    Lost,
    StateChanged,
    ToolUsed,
    WaitingInLine,
    read,
)
from presencia.client.media import RATE_HZ, AudioFrame, Feed, Outgoing, VideoFrame
from presencia.client.tools import Function, Tool, by_name
from render.types import FacePose
from speech.errors import CallError, ResumeExpiredError, TicketError

TRIES_S = (
    (0.0, 2.0),
    (0.3, 2.0),
    (0.7, 2.0),
    (1.0, 3.0),
    (2.0, 4.0),
    (4.0, 6.0),
    (8.0, 10.0),
    (15.0, 10.0),
)
"""Dialling again: the pause before each try, and how long the server may take to answer it."""

_JITTER = 0.25  # of a pause, so that not everyone dials a server that is back at once
_ASK_EVERY_S = 3.0
_KEPT_FRAMES = 250  # 5 s of sound for a reader that comes late
_KEPT_EVENTS = 10_000


class Call:
    """A call under way; `connect` makes it.

    What comes in has one reader each: `events`, `audio`, `video`, `poses`. What nobody reads is
    dropped after a while.

    Attributes:
        state: What the avatar does: "listening", "thinking" or "speaking".
    """

    def __init__(
        self, door: Door, session: dict[str, Any], tools: dict[str, Tool], ears: tuple[bool, bool]
    ) -> None:
        self.state = "listening"
        self._door = door
        self._session = session
        self._tools = tools
        self._outgoing = Outgoing()
        self._events: Feed[Event] = Feed(_KEPT_EVENTS)
        self._audio: Feed[AudioFrame] = Feed(_KEPT_FRAMES)
        self._video: Feed[VideoFrame] = Feed(_KEPT_FRAMES)
        self._poses: Feed[FacePose] = Feed(_KEPT_FRAMES)
        self._ears = Ears(
            self._audio.put,
            self._video.put if ears[0] else None,
            self._poses.put if ears[1] else None,
            self._hear,
        )
        self._connection: Connection | None = None
        self._token = ""
        self._has_joined = False
        self._is_ending = False
        self._tasks: asyncio.TaskGroup | None = None
        self._running: dict[str, list[asyncio.Task[None]]] = {}
        self._of_tools: set[asyncio.Task[None]] = set()

    # ---- What comes ----

    def events(self) -> AsyncIterator[Event]:
        """What happens, from the call's begin on; ends with the call.

        Raises:
            CallError: The call was lost for good; while reading.
        """
        return self._events

    def audio(self) -> AsyncIterator[AudioFrame]:
        """The avatar's voice: int16 mono at 48 kHz, in frames of 20 ms, silence included."""
        return self._audio

    def video(self) -> AsyncIterator[VideoFrame]:
        """The avatar's face, if the call was connected with `video=True`."""
        return self._video

    def poses(self) -> AsyncIterator[FacePose]:
        """How the face is, each pose as its sound comes, if connected with `poses=True`."""
        return self._poses

    # ---- What goes ----

    async def send_audio(self, pcm: NDArray[np.int16], sample_rate_hz: int = RATE_HZ) -> None:
        """Say something; returns once no more than half a second of it waits to be sent.

        Args:
            pcm: int16 mono, shape (samples,).
            sample_rate_hz: Of `pcm`.
        """
        await self._outgoing.put(pcm, sample_rate_hz)

    async def say(self, text: str) -> None:
        """Say something in writing; the avatar answers aloud, and is interrupted if it speaks."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        self.send({"type": "conversation.item.create", "item": item})
        self.send({"type": "response.create", "response": {"avatar": {"interrupt": True}}})

    async def interrupt(self) -> None:
        """Stop the answer under way."""
        self.send({"type": "response.cancel"})

    async def set_language(self, language: str) -> None:
        """Speak another language from now on, as "es"."""
        audio = {"input": {"transcription": {"language": language}}}
        self._session["audio"] = audio
        self.send({"type": "session.update", "session": {"type": "realtime", "audio": audio}})

    def send(self, event: dict[str, Any]) -> None:
        """Send an event of docs/protocol.md; lost while the connection is."""
        if self._connection is not None:
            self._connection.send(event)

    # ---- Inside ----

    async def _first_connection(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._connection = await self._dial({"queue": True}, TIMEOUT_S)

    async def _stay(self) -> None:
        """Dial again whenever the connection is lost, until it can't be done."""
        while self._connection is not None:
            await self._connection.lost.wait()
            await self._connection.close(None)
            if self._is_ending:
                self._end()
                return
            self._events.put(Lost("The connection is gone."))
            try:
                self._connection = await self._again()
            except CallError as error:
                self._connection = None
                self._end(error)

    async def _again(self) -> Connection:
        error: CallError | None = None
        for pause_s, timeout_s in TRIES_S:
            jitter = random.uniform(1 - _JITTER, 1 + _JITTER)
            await asyncio.sleep(pause_s * jitter)
            try:
                return await self._go_on(timeout_s)
            except UnauthorizedError:
                raise
            except CallError as failure:
                error = failure
        assert error is not None
        raise error

    async def _go_on(self, timeout_s: float) -> Connection:
        if self._token:
            with suppress(ResumeExpiredError):
                return await self._dial({"resume_token": self._token}, timeout_s)
            self._token = ""  # what was said is forgotten there: begin anew
        return await self._dial({"queue": True}, timeout_s)

    async def _dial(self, avatar: dict[str, Any], timeout_s: float) -> Connection:
        assert self._tasks is not None
        while True:
            own = self._session.get("avatar", {})
            session = {**self._session, "avatar": {**own, **avatar}}
            try:
                return await Connection.dial(
                    self._door, session, self._outgoing, self._ears, self._tasks, timeout_s
                )
            except InLineError as waiting:
                avatar = {**avatar, "queue": True, "ticket": await self._wait_in_line(waiting)}
            except TicketError:
                if "ticket" not in avatar:
                    raise
                avatar = {name: value for name, value in avatar.items() if name != "ticket"}

    async def _wait_in_line(self, waiting: InLineError) -> str:
        standing, ticket = waiting.standing, waiting.standing.ticket
        try:
            while not standing.is_ready:
                self._events.put(WaitingInLine(standing.place, standing.expected_wait_s))
                await asyncio.sleep(_ASK_EVERY_S)
                standing = await self._door.standing(ticket)
        except asyncio.CancelledError:
            with suppress(CallError):
                await self._door.leave_line(ticket)
            raise
        return ticket

    def _hear(self, body: dict[str, Any]) -> None:
        event = read(body)
        self._keep_token(body)
        match event:
            case StateChanged(state=state):
                self.state = state
            case Joined(resumed=resumed):
                if not resumed and not self._has_joined:
                    self.send({"type": "response.create"})  # nothing was said yet: it greets
                self._has_joined = True
        self._events.put(event)
        if body["type"] == "avatar.ending":  # its time is nearly over: it is not dialled again
            self._is_ending = True
        if body["type"] == "response.output_item.done":
            self._begin_tool(body)
        elif body["type"] == "response.done":
            self._finish_tools(body["response"])

    def _keep_token(self, body: dict[str, Any]) -> None:
        if body["type"] in ("session.created", "session.updated"):
            resume = body.get("session", {}).get("avatar", {}).get("resume") or {}
            self._token = str(resume.get("token") or self._token)

    def _begin_tool(self, body: dict[str, Any]) -> None:
        item = body.get("item", {})
        if item.get("type") != "function_call" or item.get("name") not in self._tools:
            return
        task = self._begin(self._run_tool(item))
        self._running.setdefault(body.get("response_id", ""), []).append(task)

    async def _run_tool(self, item: dict[str, Any]) -> None:
        tool = self._tools[item["name"]]
        arguments: dict[str, Any] = {}
        failed = False
        try:
            arguments = json.loads(item.get("arguments") or "{}")
            output = await tool.run(arguments)
        except Exception as error:  # noqa: BLE001 - a tool may raise anything: the avatar is told
            failed, output = True, json.dumps({"error": str(error)})
        answer = {"type": "function_call_output", "call_id": item["call_id"], "output": output}
        self.send({"type": "conversation.item.create", "item": answer})
        self._events.put(ToolUsed(tool.name, arguments, output, failed))

    def _finish_tools(self, response: dict[str, Any]) -> None:
        running = self._running.pop(response.get("id", ""), [])
        if running:
            self._begin(self._answer_after(running, response.get("status", "")))

    async def _answer_after(self, running: list[asyncio.Task[None]], status: str) -> None:
        await asyncio.wait(running)
        if status != "cancelled":  # spoken over: they want another answer by now
            self.send({"type": "response.create"})

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        assert self._tasks is not None
        task = self._tasks.create_task(work)
        self._of_tools.add(task)
        task.add_done_callback(self._of_tools.discard)
        return task

    async def _hang_up(self) -> None:
        for task in self._of_tools:
            task.cancel()
        if self._connection is not None:
            await self._connection.close(self._door)
        self._end()

    def _end(self, error: CallError | None = None) -> None:
        for feed in (self._events, self._audio, self._video, self._poses):
            feed.end(error)


@asynccontextmanager
async def connect(
    url: str,
    *,
    key: str | None = None,
    language: str | None = None,
    instructions: str | None = None,
    tools: Iterable[Tool | Function] = (),
    video: bool = False,
    poses: bool = False,
    may_record: bool = False,
    shows_watchers: bool = False,
) -> AsyncGenerator[Call]:
    """Call a server; hang up on leaving.

    Where every place is taken the call waits in line. Where the connection is lost it is dialled
    again, and the same conversation goes on if the server still has it.

    Args:
        url: As "http://127.0.0.1:8080".
        key: For a server that wants one: an API key or a client secret.
        language: Spoken in the call, as "es"; None is the server's.
        instructions: For the language model, in place of the persona's.
        tools: Functions that the avatar may call.
        video: Whether to receive the face as pictures.
        poses: Whether to receive it as poses, for a program that draws it.
        may_record: Whether the person agrees to being recorded (docs/replay.md).
        shows_watchers: Whether the person is shown how many watch (`avatar.watched`), and can
            forbid it (docs/whep.md): nobody may watch otherwise.

    Raises:
        CallError: No server, no place, no key, or no way for sound and picture; the message says
            which.
    """
    session: dict[str, Any] = {"type": "realtime"}
    named = by_name(tools)
    if language:
        session["audio"] = {"input": {"transcription": {"language": language}}}
    if instructions:
        session["instructions"] = instructions
    if named:
        session["tools"] = [each.declared() for each in named.values()]
    said = {"recording": may_record, "shows_watchers": shows_watchers}
    if agreed := {name: True for name, is_so in said.items() if is_so}:
        session["avatar"] = agreed
    call = Call(Door(url, key), session, named, (video, poses))
    try:
        async with _held(call):
            yield call
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from None


@asynccontextmanager
async def _held(call: Call) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as tasks, asyncio.TaskGroup() as staying:
        await call._first_connection(tasks)
        task = staying.create_task(call._stay())
        try:
            yield
        finally:
            task.cancel()
            await call._hang_up()
