"""Our client calls a bot that speaks Pipecat's signalling and RTVI, scripted, over real WebRTC."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from fractions import Fraction

import av
import numpy as np
import pytest
import uvicorn
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from fastapi import FastAPI

from avatar.client.call import Call
from avatar.client.clips import RATE_HZ, clip_of
from avatar.client.measure import answer_metrics, barge_in_metrics, transcript_of
from avatar.client.observer import Observer
from avatar.client.turns import TRANSCRIBED, Patience, interrupt, take_turn
from avatar.rtc import aiortc_private
from bench.peer.calls import pipecat
from bench.peer.rtvi import CLIENT_READY, READY, SAYS, PipecatSignaller
from bench.recordings import Recording
from bench.side import Plan, Side, call_in_turn
from speech.errors import CallError

FRAME = RATE_HZ // 50
ANSWER_FRAMES = 60
DELAY_S = 0.4
QUIET_FRAMES = 5
NOISE = clip_of(
    "noise",
    np.concatenate(
        [
            np.zeros(RATE_HZ // 10),
            np.clip(np.random.default_rng(1).normal(0, 6000, RATE_HZ // 2), -30000, 30000),
            np.zeros(RATE_HZ // 4),
        ]
    ).astype(np.int16),
)
PATIENCE = Patience(answer_s=60, longest_s=60)
TRIES = 3  # where the machine is starved, an answer may be over before it is interrupted


class Bot(MediaStreamTrack):
    """Answers what is loud with a tone, `DELAY_S` after it; falls silent when spoken over."""

    kind = "audio"

    def __init__(self, peer: RTCPeerConnection) -> None:
        super().__init__()
        self.received: list[str] = []
        self._channel = None
        self._frames = 0
        self._left = 0
        self._start_s = 0.0
        self._tasks: set[asyncio.Task] = set()
        peer.addTrack(self)
        peer.on("datachannel", self._open)
        peer.on("track", lambda track: self._spawn(self._listen(track)))

    async def recv(self):
        loop = asyncio.get_running_loop()
        self._start_s = self._start_s or loop.time()
        await asyncio.sleep(max(0, self._start_s + self._frames * FRAME / RATE_HZ - loop.time()))
        tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(FRAME) / RATE_HZ) * (self._left > 0)
        if self._left:
            self._left -= 1
            if not self._left:
                self._say("bot-stopped-speaking")
        frame = av.AudioFrame.from_ndarray(tone.astype(np.int16)[None], "s16", "mono")
        frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
        frame.pts = self._frames * FRAME
        self._frames += 1
        return frame

    def _open(self, channel):
        self._channel = channel
        channel.on("message", self._receive)

    def _receive(self, message):
        if message == "ping":
            self.received.append("ping")
            return
        body = json.loads(message)
        assert body["label"] == "rtvi-ai"
        self.received.append(body["type"])
        if body["type"] == "client-ready":
            self._say("bot-ready", about={"library": "scripted"})
        elif body["type"] == "send-text":
            self._spawn(self._answer(0))
        elif body["type"] == "client-message" and body["data"]["t"] == "cancel":
            self._hush()

    async def _listen(self, track):
        quiet, speaking = 0, False
        try:
            while True:
                frame = await track.recv()
                if np.abs(frame.to_ndarray().astype(int)).max() > 1000:
                    quiet, speaking = 0, True
                    self._hush()
                elif speaking:
                    quiet += 1
                    if quiet == QUIET_FRAMES:
                        speaking = False
                        self._say("user-transcription", text="some", final=False)
                        self._say("user-transcription", text="some noise", final=True)
                        self._spawn(self._answer(DELAY_S))
        except MediaStreamError:
            pass

    async def _answer(self, after_s):
        self._say("bot-llm-started")
        await asyncio.sleep(after_s)
        self._say("bot-started-speaking")
        self._say("bot-output", text="Beep.", will_be_spoken=True, spoken_status="new")
        self._say("bot-llm-stopped")
        self._left = ANSWER_FRAMES

    def _hush(self):
        if self._left:
            self._left = 0
            self._say("bot-interrupted")
            self._say("bot-stopped-speaking")

    def _say(self, kind, **data):
        self._channel.send(json.dumps({"label": "rtvi-ai", "type": kind, "data": data}))

    def _spawn(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def serving():
    """A server of scripted bots; yields its URL and the bots that it made."""
    app, peers, bots = FastAPI(), [], []

    @app.post("/api/offer")
    async def offer(body: dict):
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peers.append(peer)
        bots.append(Bot(peer))
        for sender in peer.getSenders():
            aiortc_private.also_offer_host(sender.transport.transport, "127.0.0.1")
        await peer.setRemoteDescription(RTCSessionDescription(body["sdp"], body["type"]))
        await peer.setLocalDescription(await peer.createAnswer())
        return {"sdp": peer.localDescription.sdp, "type": "answer", "pc_id": "one"}

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    serve = asyncio.get_running_loop().create_task(server.serve([listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", bots
    finally:
        for peer in peers:
            await peer.close()
        server.should_exit = True
        await serve
        listener.close()


def talk(converse):
    """Run `converse(call)` with a scripted bot; its result, what was heard, and the bot."""

    async def run():
        observer = Observer()
        async with serving() as (url, bots), pipecat(url)(observer) as call:
            await asyncio.sleep(0.5)
            return await converse(call), observer, bots[0]

    return asyncio.run(run())


@pytest.mark.e2e
def test_a_turn_with_a_bot_is_measured_like_one_of_ours():
    turn, observer, bot = talk(lambda call: take_turn(call, NOISE, PATIENCE))
    metrics = answer_metrics(turn, observer, None)
    assert turn.answered
    assert transcript_of(turn) == "some noise"
    assert metrics["final_transcript_ms"] > 0
    assert metrics["voice_to_voice_ms"] > 1000 * DELAY_S - 25
    assert [event.type for event in turn.events] == [
        TRANSCRIBED,
        "response.created",
        "output_audio_buffer.started",
        SAYS,
        "response.done",
        "output_audio_buffer.stopped",
    ]
    assert "ping" in bot.received


@pytest.mark.e2e
def test_speaking_over_a_bot_is_measured_like_speaking_over_ours():
    for _ in range(TRIES):
        turn, observer, bot = talk(lambda call: interrupt(call, "Beep!", NOISE, 0.4, PATIENCE))
        metrics = barge_in_metrics(turn, observer, None) if turn else {}
        if metrics:
            break
    assert metrics["barge_in_silence_ms"] > 0
    assert "send-text" in bot.received


@pytest.mark.e2e
def test_an_answer_that_is_too_long_is_stopped():
    impatient = Patience(answer_s=60, longest_s=0.3)
    turn, _, bot = talk(lambda call: take_turn(call, NOISE, impatient))
    assert turn.answered
    assert "client-message" in bot.received


@pytest.mark.e2e
def test_every_side_hears_the_same_recordings_and_has_a_report():
    async def run():
        async with serving() as (url, bots):
            sides = [Side("one", pipecat(url)), Side("other", pipecat(url))]
            plan = Plan(turns=1, barge_ins=1, patience=PATIENCE)
            await call_in_turn(sides, [Recording(NOISE, "some noise")], plan)
            return [side.report for side in sides], [
                bot.received.count("send-text") for bot in bots
            ]

    reports, asked = asyncio.run(run())
    assert asked[:2] == [0, 0]  # the turns; then every interruption is of a new call's first answer
    assert asked[2:] == [1] * (len(asked) - 2)
    for report in reports:
        assert len(report.values["voice_to_voice_ms"]) == 1
        assert len(report.values["barge_in_silence_ms"]) == 1 - report.counts["barge_ins_missed"]
        assert report.counts["turns_lost"] == 0
        assert report.counts["barge_ins"] == 1
        assert report.word_errors == 0


def incoming(signaller, kind, **data):
    return list(signaller.incoming(json.dumps({"label": "rtvi-ai", "type": kind, "data": data})))


def test_an_interrupted_answer_is_over_even_if_the_bot_never_says_that_it_stopped_writing():
    signaller = PipecatSignaller("http://127.0.0.1:1")
    (created,) = incoming(signaller, "bot-llm-started")
    (started,) = incoming(signaller, "bot-started-speaking")
    ended = incoming(signaller, "bot-interrupted")
    assert [event["type"] for event in ended] == ["response.done", "output_audio_buffer.stopped"]
    assert ended[0]["response"] == created["response"]
    assert ended[1]["response_id"] == started["response_id"]
    assert incoming(signaller, "bot-stopped-speaking") == []


def test_what_turns_dont_need_stands_for_no_event():
    signaller = PipecatSignaller("http://127.0.0.1:1")
    assert incoming(signaller, "metrics", ttfb=[]) == []
    assert incoming(signaller, "user-transcription", text="so", final=False) == []
    assert list(signaller.outgoing({"type": "response.create"})) == []
    with pytest.raises(ValueError, match="JSON"):
        list(signaller.incoming("[]"))


def test_a_bot_that_is_not_there_is_named():
    async def call():
        async with Call.connect(PipecatSignaller("http://127.0.0.1:1")) as one:
            one.send(CLIENT_READY)
            await one.event(READY)

    with pytest.raises(CallError, match=r"127\.0\.0\.1:1 does not take the offer"):
        asyncio.run(call())
