import asyncio
from contextlib import asynccontextmanager

import numpy as np
import pytest
from starlette.websockets import WebSocketDisconnect, WebSocketState

from avatar.playout import FRAME_SAMPLES
from avatar.rtc.clock import MediaClock
from avatar.rtc.tracks import AudioOut
from avatar.websocket import line as lines
from avatar.websocket.line import LEAD_SAMPLES, WebSocketLine
from render.types import SPEECH_CLOCK_HZ
from tests.session.virtual_clock import run


class Socket:
    """The server's end of a WebSocket, in memory."""

    def __init__(self):
        self.to_read = asyncio.Queue()
        self.sent, self.closed, self.reads = [], False, asyncio.Event()
        self.reads.set()
        self.application_state = WebSocketState.CONNECTED

    async def receive_text(self):
        message = await self.to_read.get()
        if message is None:
            raise WebSocketDisconnect
        if isinstance(message, bytes):
            raise KeyError("text")
        return message

    async def send_text(self, text):
        await self.reads.wait()
        self.sent.append(text)

    async def close(self):
        self.closed = True


class Voice:
    """A playout: every frame holds its number."""

    def __init__(self):
        self.frames = 0

    def next_frame(self):
        self.frames += 1
        return np.full(FRAME_SAMPLES, self.frames, np.int16)


async def no_pictures():
    return
    yield


@asynccontextmanager
async def carried(clock=None):
    socket, voice = Socket(), Voice()
    line = WebSocketLine(socket).connect(voice, no_pictures(), clock or MediaClock())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(line.run())
        yield line, socket, voice
        await line.close()
        await running


def test_sound_leaves_in_real_time_and_a_little_early():
    async def scenario():
        async with carried() as (line, _, voice):
            heard = []
            line.on_sound = lambda pcm: heard.append(int(pcm[0]))
            await asyncio.sleep(2.0)
            expected = (2 * SPEECH_CLOCK_HZ + LEAD_SAMPLES) // FRAME_SAMPLES
            assert abs(voice.frames - expected) <= 1
            assert heard == list(range(1, voice.frames + 1))

    run(scenario())


def test_messages_go_both_ways_in_order():
    async def scenario():
        async with carried() as (line, socket, _):
            for text in ("a", "b"):
                socket.to_read.put_nowait(text)
                line.send(text.upper())
            messages = line.events_in()
            assert [await anext(messages), await anext(messages)] == ["a", "b"]
            await asyncio.sleep(0.1)
            assert socket.sent == ["A", "B"]

    run(scenario())


def test_a_client_that_goes_ends_the_call():
    async def scenario():
        async with carried() as (line, socket, _):
            socket.to_read.put_nowait(None)
            async with asyncio.timeout(1):
                await line.closed.wait()
            assert [message async for message in line.events_in()] == []
            assert [frame async for frame in line.microphone()] == []

    run(scenario())


def test_the_last_words_are_sent_before_the_socket_closes():
    async def scenario():
        async with carried() as (line, socket, _):
            line.send("goodbye")
            await line.close()
            await asyncio.sleep(0.1)
            assert (socket.sent, socket.closed) == (["goodbye"], True)

    run(scenario())


def test_bytes_are_no_message():
    async def scenario():
        async with carried() as (line, socket, _):
            socket.to_read.put_nowait(b"\x00")
            async with asyncio.timeout(1):
                await line.closed.wait()

    run(scenario())


def test_a_client_that_reads_nothing_is_given_up():
    async def scenario():
        async with carried() as (line, socket, _):
            socket.reads.clear()
            for _ in range(lines.UNSENT_LIMIT_CHARS // 100_000 + 2):
                line.send("x" * 100_000)
            assert line.closed.is_set()
            socket.reads.set()

    run(scenario())


def test_a_call_that_falls_behind_is_sent_no_more():
    async def scenario():
        async with carried() as (line, socket, _):
            message = "x" * (lines.UNREAD_LIMIT_CHARS // 2 + 1)
            for _ in range(5):
                socket.to_read.put_nowait(message)
            await asyncio.sleep(1)
            assert socket.to_read.qsize() == 3
            messages = line.events_in()
            for _ in range(5):
                assert await anext(messages) == message

    run(scenario())


def test_sound_can_go_another_way_for_a_while_and_none_of_it_is_lost():
    async def scenario():
        clock = MediaClock()
        async with carried(clock) as (line, _, voice):
            heard = []
            line.on_sound = lambda pcm: heard.append(int(pcm[0]))
            await asyncio.sleep(1.0)

            def take_over():
                line.pause()
                return voice.frames * FRAME_SAMPLES

            track, before = AudioOut(voice, clock, take_over), len(heard)
            for _ in range(50):
                await track.recv()
            assert len(heard) == before
            line.resume(voice.frames * FRAME_SAMPLES)
            await asyncio.sleep(1.0)
            assert heard == [*range(1, before + 1), *range(before + 51, voice.frames + 1)]
            due = (clock.now() + LEAD_SAMPLES) // FRAME_SAMPLES
            assert abs(voice.frames - due) <= 1

    run(scenario())


def test_an_error_of_ours_ends_the_call_too():
    async def scenario():
        line = WebSocketLine(Socket()).connect(Voice(), no_pictures(), MediaClock())

        def fail(_pcm):
            raise ZeroDivisionError

        line.on_sound = fail
        with pytest.raises(ExceptionGroup):
            await line.run()
        assert line.closed.is_set()

    run(scenario())


def test_a_client_that_reads_nothing_holds_nobody_up():
    async def scenario():
        loop = asyncio.get_running_loop()
        async with carried() as (line, socket, _):
            socket.reads.clear()
            line.send("goodbye")
            await asyncio.sleep(0.1)
            begun_s = loop.time()
            await line.close()
        assert loop.time() - begun_s < 10

    run(scenario())
