"""Real peers over loopback: what arrives, how late, and what is left after a hang-up."""

import asyncio
import contextlib
import gc
import itertools
import statistics
import threading
from collections.abc import AsyncGenerator

import numpy as np
import psutil
import pytest
from aiortc import RTCSessionDescription
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, pack_remb_fci

from avatar.rtc import peer as peer_module
from avatar.rtc.clock import MediaClock
from avatar.rtc.peer import Peer
from speech.errors import SignallingError
from tests.e2e.rtc_client import SETTINGS, Beeps, Client, beep_at, call, connection, offer, pictures

pytestmark = pytest.mark.e2e

FRAME_S = 0.02


async def delays_ms(client: Client, seconds: float) -> tuple[list[float], int]:
    """One-way delays of the microphone's beeps, and the samples heard in all."""
    loop, heard, samples, delays = asyncio.get_running_loop(), 0, 0, []
    quiet = True

    async def listen():
        nonlocal heard, samples, quiet
        async for frame in client.peer.microphone():
            assert frame.start_sample == samples
            samples += len(frame.pcm)
            loud = np.abs(frame.pcm.astype(int)).max() > 4000
            if loud and quiet:
                now_s = loop.time()
                last = max(n for n, at in enumerate(client.microphone.sent_s) if beep_at(n))
                delays.append(1000 * (now_s - client.microphone.sent_s[last]))
            quiet = not loud

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await listen()
    return delays, samples


def test_the_microphone_arrives_whole_and_within_a_frame_of_when_it_was_sent():
    async def scenario():
        async with call() as client:
            delays, samples = await delays_ms(client, 6)
            lasted_s = asyncio.get_running_loop().time() - client.microphone.sent_s[0]
            print(f"\nmicrophone to PCM, ms: p50 {np.percentile(delays, 50):.1f}", end=" ")
            print(f"p95 {np.percentile(delays, 95):.1f}, n {len(delays)}")
            assert len(delays) >= 25
            assert statistics.median(delays) < 25
            assert samples / 16_000 == pytest.approx(lasted_s, abs=0.1)
            assert client.peer.stats().microphone.lost == 0

    asyncio.run(scenario())


def test_loss_delays_nobody_for_long_and_the_sample_count_stays_true():
    def lose(n: int) -> bool:
        return n % 33 in (7, 20, 21)

    async def scenario():
        async with call(lose=lose) as client:
            delays, samples = await delays_ms(client, 6)
            lasted_s = asyncio.get_running_loop().time() - client.microphone.sent_s[0]
            stats = client.peer.stats().microphone
            print(f"\nmicrophone to PCM with 9 % loss, ms: p50 {np.percentile(delays, 50):.1f}")
            assert statistics.median(delays) < 30
            assert samples / 16_000 == pytest.approx(lasted_s, abs=0.15)
            assert stats.lost >= 20
            assert stats.concealed_s == pytest.approx(stats.lost * FRAME_S, abs=0.05)

    asyncio.run(scenario())


def test_voice_and_face_arrive_and_share_a_stream():
    async def scenario():
        async with call() as client:
            await asyncio.sleep(3)
            audio, video = client.frames["audio"], client.frames["video"]
            assert len(audio) == pytest.approx(150, abs=12)
            assert len(video) == pytest.approx(75, abs=6)
            pcm = np.concatenate([f.to_ndarray().reshape(-1, 2)[:, 0] for _, f in audio[10:]])
            loud = np.abs(pcm.astype(int)) > 2000
            assert 0.05 < loud.mean() < 0.2  # a beep of 20 ms every 200 ms
            luma = [int(f.to_ndarray()[:128].mean()) for _, f in video[-20:]]
            assert all(b - a in (0, 1, 2) for a, b in itertools.pairwise(luma))
            stats = client.peer.stats()
            assert stats.video.keyframes == 1
            lines = client.peer.answer_sdp.splitlines()
            streams = {line.split()[0] for line in lines if line.startswith("a=msid:")}
            assert len(streams) == 1

    asyncio.run(scenario())


def test_sender_reports_put_both_tracks_on_one_clock_from_the_start():
    async def scenario():
        async with call() as client:
            connected_s = asyncio.get_running_loop().time()
            await asyncio.sleep(3)
            origins = {}  # NTP of sample 0, as each stream's reports tell it
            for kind, rate, lead in (("audio", 48_000, 312), ("video", 90_000, 0)):
                first = client.packets[kind][0].timestamp + lead  # of the frame for sample 0
                reports = client.reports[kind]
                assert len([1 for at_s, _ in reports if at_s - connected_s < 0.5]) >= 2
                origins[kind] = [
                    info.ntp_timestamp / 2**32 - _signed(info.rtp_timestamp - first) / rate
                    for info in (report.sender_info for _, report in reports)
                ]
            everything = origins["audio"] + origins["video"]
            print(
                f"\nspread of the two clocks, ms: {1000 * (max(everything) - min(everything)):.3f}"
            )
            assert max(everything) - min(everything) < 0.001
            assert client.peer.stats().round_trip_s < 0.2

    asyncio.run(scenario())


def _signed(difference: int) -> int:
    return (difference + 2**31) % 2**32 - 2**31


def test_a_lost_picture_is_answered_by_a_keyframe_and_not_by_many():
    async def scenario():
        async with call() as client:
            await asyncio.sleep(0.6)
            receiver = client.pc.getReceivers()[1]
            for _ in range(5):
                await receiver._send_rtcp_pli(client.packets["video"][0].ssrc)
            await asyncio.sleep(0.6)
            assert client.peer.stats().video.keyframes == 2

    asyncio.run(scenario())


def test_bandwidth_estimates_of_the_receiver_do_not_restart_the_encoder():
    async def scenario():
        async with call() as client:
            await asyncio.sleep(0.5)
            sender = client.peer._senders["video"]
            for bitrate in (300_000, 2_000_000, 700_000):
                fci = pack_remb_fci(bitrate, [sender._ssrc])
                await sender._handle_rtcp_packet(
                    RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci)
                )
                await asyncio.sleep(0.1)
            assert client.peer.stats().video.keyframes == 1

    asyncio.run(scenario())


def test_a_client_that_knows_only_h264_sees_the_face():
    async def scenario():
        async with call(video="video/H264") as client:
            await asyncio.sleep(1.5)
            assert len(client.frames["video"]) > 25
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
        await asyncio.wait_for(peer.connected.wait(), 5)
        async with asyncio.timeout(3):
            while peer.stats().video.frames < 10:
                await pc.getReceivers()[0].track.recv()
        await pc.close()
        await asyncio.wait_for(peer.closed.wait(), 2)
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
        await asyncio.wait_for(peer.connected.wait(), 5)
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
            await asyncio.sleep(0.2)
            assert client.messages == ["early", "HELLO"]

    asyncio.run(scenario())


def leftovers() -> tuple[int, int, list[str]]:
    """UDP sockets and file descriptors of this process, and its threads that belong to calls."""
    gc.collect()
    process = psutil.Process()
    ours = [t.name for t in threading.enumerate() if t.name.startswith(("rtc-", "audio-"))]
    return len(process.net_connections("udp")), process.num_fds(), ours


async def assert_nothing_is_left(before: tuple[int, int, list[str]]) -> None:
    for _ in range(60):  # sockets are closed by callbacks after close() returns
        await asyncio.sleep(0.05)
        if leftovers() == before and len(asyncio.all_tasks()) == 1:
            return
    assert (leftovers(), asyncio.all_tasks()) == (before, {asyncio.current_task()})


@pytest.mark.parametrize("who", ["client", "server", "both at once"])
def test_a_hang_up_leaves_no_task_socket_or_thread(who):
    async def scenario():
        before = leftovers()
        async with call() as client:
            await asyncio.sleep(0.5)
            assert leftovers()[0] > before[0]
            if who == "client":
                await client.pc.close()
                await asyncio.wait_for(client.peer.closed.wait(), 2)
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
        async with call():
            await asyncio.sleep(0.3)
        await asyncio.sleep(0.2)
        before, memory = leftovers(), psutil.Process().memory_info().rss
        for _ in range(20):
            async with call():
                await asyncio.sleep(0.15)
        await assert_nothing_is_left(before)
        grown_mb = (psutil.Process().memory_info().rss - memory) / 1e6
        print(f"\ngrown by {grown_mb:.1f} MB in twenty calls")
        assert grown_mb < 12
        assert not [o for o in gc.get_objects() if isinstance(o, Peer)]

    asyncio.run(scenario())


def test_a_client_that_vanishes_without_a_word_is_noticed(monkeypatch):
    monkeypatch.setattr(peer_module, "SILENCE_TIMEOUT_S", 1.0)

    async def scenario():
        async with call() as client:
            transport = client.pc.getSenders()[0].transport.transport._connection
            for protocol in transport._protocols:
                protocol.transport.sendto = lambda *_: None  # the cable is pulled
            await asyncio.wait_for(client.peer.closed.wait(), 3)
            assert "nothing came" in client.peer.reason

    asyncio.run(scenario())


def test_a_client_that_never_connects_is_given_up_and_freed(monkeypatch):
    monkeypatch.setattr(peer_module, "CONNECT_TIMEOUT_S", 0.3)

    async def scenario():
        before = leftovers()
        pc = connection()
        sdp = await offer(pc, None)
        await pc.close()
        clock = MediaClock()
        peer = await Peer.answer(
            sdp, audio=Beeps(), video=pictures(clock), clock=clock, settings=SETTINGS
        )
        await asyncio.wait_for(peer.closed.wait(), 2)
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
