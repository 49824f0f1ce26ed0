"""Real peers over loopback: what arrives, how late, and what is left after a hang-up."""

import asyncio
import contextlib
import gc
import itertools
import threading
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

import numpy as np
import psutil
import pytest
from aiortc import RTCSessionDescription
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, pack_remb_fci

from avatar.rtc import connection as connection_module
from avatar.rtc.clock import MediaClock
from avatar.rtc.peer import Peer
from avatar.rtc.sender import KEYFRAME_INTERVAL_S, REPORT_INTERVAL_S
from speech.errors import SignallingError
from tests.e2e.rtc_client import (
    PATIENCE_S,
    SETTINGS,
    Beeps,
    Client,
    call,
    connection,
    offer,
    pictures,
    until,
)

pytestmark = pytest.mark.e2e

FRAME_S = 0.02
HEARD_FRAME = 320  # samples of a frame at 16 kHz


@dataclass
class Heard:
    """What came of the microphone.

    Attributes:
        beeps: Frames of the stream in which a beep begins.
        behind: For every frame, the packets after its own that had arrived when it was heard.
    """

    beeps: list[int] = field(default_factory=list)
    behind: list[int] = field(default_factory=list)


async def hear(client: Client, enough: Callable[[Heard], bool]) -> Heard:
    """Listen, without a gap in the count of samples, until there is enough."""
    heard, samples, quiet, delays_ms = Heard(), 0, True, []
    arrived = client.arrived
    async with asyncio.timeout(PATIENCE_S):
        async for frame in client.peer.microphone():
            assert frame.start_sample == samples
            number = round(samples / HEARD_FRAME)  # the resampler keeps a few samples back
            samples += len(frame.pcm)
            heard.behind.append((arrived[-1] - arrived[0]) % 2**16 - number)
            loud = np.abs(frame.pcm.astype(int)).max() > 4000
            if loud and quiet:
                heard.beeps.append(number)
                sent_s = client.microphone.sent_s[number]
                delays_ms.append(1000 * (asyncio.get_running_loop().time() - sent_s))
            quiet = not loud
            if enough(heard):
                break
    median_ms, worst_ms = np.percentile(delays_ms, (50, 95))
    print(f"\nmicrophone to PCM, ms: p50 {median_ms:.1f}, p95 {worst_ms:.1f}")
    return heard


def test_the_microphone_arrives_whole_and_within_a_frame_of_when_it_was_sent():
    async def scenario():
        async with call() as client:
            heard = await hear(client, lambda heard: len(heard.beeps) == 25)
            assert np.diff(heard.beeps).tolist() == [10] * 24
            assert np.mean(heard.behind) < 0.5
            assert client.peer.stats().microphone.lost == 0

    asyncio.run(scenario())


def test_loss_delays_nobody_for_long_and_the_sample_count_stays_true():
    def lose(n: int) -> bool:
        return n % 33 in (7, 20, 21)

    async def scenario():
        async with call(lose=lose) as client:
            heard = await hear(client, lambda _: client.peer.stats().microphone.lost >= 20)
            stats = client.peer.stats().microphone
            assert all(step % 10 == 0 for step in np.diff(heard.beeps))
            assert np.mean(heard.behind) < 1
            assert 20 <= stats.lost <= client.lost
            assert stats.concealed_s == pytest.approx(stats.lost * FRAME_S, abs=0.001)

    asyncio.run(scenario())


def test_voice_and_face_arrive_and_share_a_stream():
    async def scenario():
        async with call() as client:
            await client.has_seen(75)
            audio, video = client.frames["audio"], client.frames["video"]
            await until(lambda: len(audio) >= 150, "3 s of sound")
            pcm = np.concatenate([f.to_ndarray().reshape(-1, 2)[:, 0] for _, f in audio[10:150]])
            loud = np.abs(pcm.astype(int)) > 2000
            assert 0.05 < loud.mean() < 0.2  # a beep of 20 ms every 200 ms
            luma = [int(f.to_ndarray()[:128].mean()) for _, f in video[50:75]]
            assert all(b - a in (0, 1, 2) for a, b in itertools.pairwise(luma))
            for kind, rate, step in (("audio", 48_000, 960), ("video", 90_000, 3600)):
                stamps = [packet.timestamp for packet in client.packets[kind]]
                steps = [_signed(b - a) for a, b in itertools.pairwise(stamps)]
                assert min(steps) == step
                held_s = (sum(steps) - len(steps) * step) / rate  # a stall makes a step longer
                assert held_s <= client.clock.held_s + 0.001
            stats = client.peer.stats()
            assert stats.video.keyframes == 1
            lines = client.peer.answer_sdp.splitlines()
            streams = {line.split()[0] for line in lines if line.startswith("a=msid:")}
            assert len(streams) == 1

    asyncio.run(scenario())


def test_sender_reports_put_both_tracks_on_one_clock_from_the_start():
    async def scenario():
        async with call() as client:
            await until(lambda: client.peer.stats().round_trip_s is not None, "a round trip")
            await until(lambda: min(map(len, client.reports.values())) >= 6, "six reports of each")
            lasted_s = asyncio.get_running_loop().time() - client.microphone.sent_s[0]
            origins = {}  # NTP of sample 0, as each stream's reports tell it
            for kind, rate, lead in (("audio", 48_000, 312), ("video", 90_000, 0)):
                first = client.packets[kind][0].timestamp + lead  # of the frame for sample 0
                infos = [report.sender_info for _, report in client.reports[kind]]
                told_s = [_signed(info.rtp_timestamp - first) / rate for info in infos]
                assert told_s[3] < 3 * 0.5 * REPORT_INTERVAL_S, "sooner than three regular ones"
                origins[kind] = [
                    info.ntp_timestamp / 2**32 - at_s
                    for info, at_s in zip(infos, told_s, strict=True)
                ]
            everything = origins["audio"] + origins["video"]
            spread_s = max(everything) - min(everything)
            round_trip_s = client.peer.stats().round_trip_s
            print(f"\nspread of the two clocks, ms: {1000 * spread_s:.3f}")
            print(f"round trip, ms: {1000 * round_trip_s:.1f}")
            assert spread_s < 0.001
            assert 0 <= round_trip_s < lasted_s

    asyncio.run(scenario())


def _signed(difference: int) -> int:
    return (difference + 2**31) % 2**32 - 2**31


def test_a_lost_picture_is_answered_by_a_keyframe_and_not_by_many():
    async def scenario():
        loop = asyncio.get_running_loop()
        async with call() as client:
            await client.has_seen(1)
            receiver, began_s = client.pc.getReceivers()[1], loop.time()
            for n in range(2, 30):
                await receiver._send_rtcp_pli(client.packets["video"][0].ssrc)
                await client.has_seen(n)
            await until(lambda: client.peer.stats().video.keyframes > 1, "a keyframe")
            asked_s = loop.time() - began_s
            assert client.peer.stats().video.keyframes <= 2 + asked_s / KEYFRAME_INTERVAL_S

    asyncio.run(scenario())


def test_bandwidth_estimates_of_the_receiver_do_not_restart_the_encoder():
    async def scenario():
        async with call() as client:
            sender = client.peer._senders["video"]
            for n, bitrate in enumerate((300_000, 2_000_000, 700_000)):
                await client.has_seen(10 + 3 * n)
                fci = pack_remb_fci(bitrate, [sender._ssrc])
                await sender._handle_rtcp_packet(
                    RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci)
                )
            await client.has_seen(30)
            assert client.peer.stats().video.keyframes == 1

    asyncio.run(scenario())


def test_a_client_that_knows_only_h264_sees_the_face():
    async def scenario():
        async with call(video="video/H264") as client:
            await client.has_seen(25)
            assert "VP8" not in client.peer.answer_sdp

    asyncio.run(scenario())


def test_a_voice_call_has_no_video_and_its_picture_source_is_closed():
    closed = []

    async def face() -> AsyncGenerator:
        try:
            yield
        finally:
            closed.append(True)

    async def scenario():
        pc = connection()
        frames = face()
        await anext(frames)
        sdp = await offer(pc, None, None)
        peer = await Peer.answer(
            sdp, audio=Beeps(), video=frames, clock=MediaClock(), settings=SETTINGS
        )
        assert "m=video" not in peer.answer_sdp
        assert peer.stats().video is None
        await peer.close()
        await pc.close()
        assert closed

    asyncio.run(scenario())


def test_a_client_without_a_microphone_hears_and_sees():
    async def scenario():
        pc, clock = connection(), MediaClock()
        sdp = await offer(pc, None)
        peer = await Peer.answer(
            sdp, audio=Beeps(), video=pictures(clock), clock=clock, settings=SETTINGS
        )
        await pc.setRemoteDescription(RTCSessionDescription(peer.answer_sdp, "answer"))
        await asyncio.wait_for(peer.connected.wait(), PATIENCE_S)
        async with asyncio.timeout(PATIENCE_S):
            while peer.stats().video.frames < 10:
                await pc.getReceivers()[0].track.recv()
        await pc.close()
        await asyncio.wait_for(peer.closed.wait(), PATIENCE_S)
        assert peer.reason == "the client hung up"
        assert [frame async for frame in peer.microphone()] == []
        await peer.close()

    asyncio.run(scenario())


def test_an_offer_whose_candidates_were_all_left_out_still_connects():
    async def scenario():
        pc = connection()
        sdp = await offer(pc, None)
        bare = "".join(
            line for line in sdp.splitlines(True) if "candidate" not in line.split(":")[0]
        )
        clock = MediaClock()
        peer = await Peer.answer(
            bare, audio=Beeps(), video=pictures(clock), clock=clock, settings=SETTINGS
        )
        await pc.setRemoteDescription(RTCSessionDescription(peer.answer_sdp, "answer"))
        await asyncio.wait_for(peer.connected.wait(), PATIENCE_S)
        await pc.close()
        await peer.close()

    asyncio.run(scenario())


def test_events_go_both_ways_and_early_ones_wait():
    async def scenario():
        async with call() as client:
            client.peer.send("early")
            async for text in client.peer.events_in():
                client.peer.send(text.upper())
                break
            await until(lambda: len(client.messages) >= 2, "two messages")
            assert client.messages == ["early", "HELLO"]

    asyncio.run(scenario())


def leftovers() -> tuple[int, int, list[str]]:
    """UDP sockets and file descriptors of this process, and its threads that belong to calls."""
    gc.collect()
    process = psutil.Process()
    ours = [t.name for t in threading.enumerate() if t.name.startswith(("rtc-", "audio-"))]
    return len(process.net_connections("udp")), process.num_fds(), ours


async def assert_nothing_is_left(before: tuple[int, int, list[str]]) -> None:
    with contextlib.suppress(AssertionError):  # the next line says what is left
        await until(  # sockets are closed by callbacks after close() returns
            lambda: leftovers() == before and len(asyncio.all_tasks()) == 1, "nothing left"
        )
    assert (leftovers(), asyncio.all_tasks()) == (before, {asyncio.current_task()})


@pytest.mark.parametrize("who", ["client", "server", "both at once"])
def test_a_hang_up_leaves_no_task_socket_or_thread(who):
    async def scenario():
        before = leftovers()
        async with call() as client:
            await client.has_seen(5)
            assert leftovers()[0] > before[0]
            if who == "client":
                await client.pc.close()
                await asyncio.wait_for(client.peer.closed.wait(), PATIENCE_S)
                assert client.peer.reason == "the client hung up"
            elif who == "server":
                await client.peer.close()
                await client.peer.close()
            else:
                await asyncio.gather(client.pc.close(), client.peer.close(), client.peer.close())
        await assert_nothing_is_left(before)

    asyncio.run(scenario())


def test_twenty_calls_leave_the_process_as_it_was():
    async def scenario():
        untouched = leftovers()
        async with call() as client:
            await client.has_seen(5)
        await assert_nothing_is_left(untouched)
        before, memory = leftovers(), psutil.Process().memory_info().rss
        for _ in range(20):
            async with call() as client:
                await client.has_seen(5)
        del client
        await assert_nothing_is_left(before)
        grown_mb = (psutil.Process().memory_info().rss - memory) / 1e6
        print(f"\ngrown by {grown_mb:.1f} MB in twenty calls")
        assert grown_mb < 20
        assert not [o for o in gc.get_objects() if isinstance(o, Peer)]

    asyncio.run(scenario())


def test_a_client_that_vanishes_without_a_word_is_noticed(monkeypatch):
    monkeypatch.setattr(connection_module, "SILENCE_TIMEOUT_S", 1.0)

    async def scenario():
        async with call() as client:
            transport = client.pc.getSenders()[0].transport.transport._connection
            for protocol in transport._protocols:
                protocol.transport.sendto = lambda *_: None  # the cable is pulled
            await asyncio.wait_for(client.peer.closed.wait(), PATIENCE_S)
            assert "nothing came" in client.peer.reason

    asyncio.run(scenario())


def test_a_client_that_never_connects_is_given_up_and_freed(monkeypatch):
    monkeypatch.setattr(connection_module, "CONNECT_TIMEOUT_S", 0.3)

    async def scenario():
        before = leftovers()
        pc = connection()
        sdp = await offer(pc, None)
        await pc.close()
        clock = MediaClock()
        peer = await Peer.answer(
            sdp, audio=Beeps(), video=pictures(clock), clock=clock, settings=SETTINGS
        )
        await asyncio.wait_for(peer.closed.wait(), PATIENCE_S)
        assert peer.reason == "it never connected"
        assert not peer.connected.is_set()
        await peer.close()
        await assert_nothing_is_left(before)

    asyncio.run(scenario())


def test_offers_that_parse_but_make_no_sense_are_refused_and_leave_nothing():
    async def scenario():
        before = leftovers()
        pc = connection()
        sdp = await offer(pc, None)
        await pc.close()
        lines = sdp.splitlines(True)
        rng = np.random.default_rng(5)
        refused = 0
        for _ in range(150):
            damaged = list(lines)
            for at in rng.integers(0, len(lines), 3):
                damaged[at] = damaged[at][: rng.integers(0, len(damaged[at]))] + "\r\n"
            try:
                peer = await Peer.answer(
                    "".join(damaged),
                    audio=Beeps(),
                    video=None,
                    clock=MediaClock(),
                    settings=SETTINGS,
                )
            except SignallingError:
                refused += 1
            else:
                await peer.close()
        print(f"\n{refused} of 150 damaged offers refused")
        await assert_nothing_is_left(before)

    asyncio.run(scenario())
