"""The client measures what it should: against a peer that answers by script, over real WebRTC."""

import argparse
import asyncio
import io
import json
from contextlib import redirect_stderr, redirect_stdout

import av
import numpy as np
import pytest

from avatar.cli.call import add_parser
from avatar.client.call import Call
from avatar.client.clips import RATE_HZ, clip_of
from avatar.client.measure import answer_metrics, barge_in_metrics, mouth_scale
from avatar.client.observer import Observer
from avatar.client.turns import Patience, interrupt, take_turn
from bench.calls import measure
from bench.recordings import Recording
from bench.report import METRICS, machine_facts
from bench.side import Plan
from speech.errors import CallError
from tests.e2e.scripted_avatar import Script, read_mouth, serving

pytestmark = pytest.mark.e2e

NOISE = clip_of(
    "noise",
    np.concatenate(
        [
            np.zeros(RATE_HZ // 10),
            np.clip(np.random.default_rng(1).normal(0, 6000, RATE_HZ), -30000, 30000),
            np.zeros(RATE_HZ // 4),
        ]
    ).astype(np.int16),
)
PATIENCE = Patience(answer_s=60)
TRIES = 3


def _talk(script, converse):
    """Run `converse(call, avatar)` against the script; what it returns."""

    async def talk():
        observer = Observer(read_mouth)
        async with serving(script) as (url, state):
            async with Call.connect(url, observer) as call:
                assert await call.until(lambda: call.synchronised, 60)
                assert await call.until(lambda: len(observer.seen) > 25, 60)  # at rest
                result = await converse(call, state.avatars[0])
            assert state.peers == []
            return result

    return asyncio.run(talk())


def _measured(script, take, measure):
    """Measure turns until one is right.

    None need be where the machine is starved: the script's own sound then leaves late.

    Args:
        script: What the avatar does.
        take: Takes a turn, of a call.
        measure: (measured, expected) of a turn, of the call and of what the avatar sent.
    """

    async def converse(call, avatar):
        wrong = []
        for _ in range(TRIES):
            turn = await take(call)
            if turn is None or not turn.answered:  # over too soon, or by far too late
                continue
            measured, expected = measure(turn, call.observer, avatar)
            print(f"\nmeasured {measured}, expected {expected}")
            if measured == expected:
                return []
            if avatar.punctual(turn.began_s - 1, turn.ended_s):
                wrong.append((measured, expected))
        return wrong

    assert _talk(script, converse) == []


@pytest.mark.parametrize(("delay_s", "ahead_s"), [(0.3, 0), (0.3, 0.1), (0.8, -0.1)])
def test_a_known_delay_and_skew_are_measured(delay_s, ahead_s):
    def measure(turn, observer, sent):
        sounded_s = min(at_s for at_s in sent.sounded_s if at_s > turn.finished_s)
        opened_s = min(at_s for at_s in sent.opened_s if at_s > turn.finished_s)
        assert sounded_s - turn.finished_s > delay_s - 0.025  # as the script says, or late with it
        expected = {
            "voice_to_voice_ms": pytest.approx(1000 * (sounded_s - turn.finished_s), abs=40),
            "voice_to_face_ms": pytest.approx(1000 * (opened_s - turn.finished_s), abs=60),
            "final_transcript_ms": pytest.approx(220, abs=150),
            "ttft_ms": 100,
            "fps_received": pytest.approx(25, abs=1),
            "av_skew_ms": pytest.approx(1000 * ahead_s, abs=20),
        }
        metrics = answer_metrics(turn, observer, mouth_scale(observer))
        return {name: metrics.get(name) for name in expected}, expected

    script = Script(answers_after_s=delay_s, sound_ahead_s=ahead_s)
    _measured(script, lambda call: take_turn(call, NOISE, PATIENCE), measure)


def test_a_known_barge_in_is_measured():
    def measure(turn, observer, sent):
        sounded = [at_s for at_s in sent.sounded_s if at_s < turn.finished_s]
        last_open_s = max(at_s for at_s in sent.opened_s if at_s < turn.finished_s)
        closed_s = min(at_s for at_s in sent.closed_s if at_s > last_open_s)
        expected = {
            "barge_in_silence_ms": pytest.approx(1000 * (max(sounded) - turn.began_s), abs=40),
            "barge_in_mouth_closed_ms": pytest.approx(1000 * (closed_s - turn.began_s), abs=60),
        }
        metrics = barge_in_metrics(turn, observer, mouth_scale(observer))
        assert metrics.get("barge_in_silence_ms", 100) > 80, "the script stops no sooner"
        return metrics, expected

    script = Script(stops_after_s=0.12, mouth_closes_later_s=0.08)
    _measured(script, lambda call: interrupt(call, "Talk.", NOISE, 1.0, PATIENCE), measure)


def test_a_turn_without_an_answer_is_lost_and_the_call_goes_on():
    async def converse(call, _):
        return await take_turn(call, NOISE, Patience(answer_s=2)), call.observer

    turn, observer = _talk(Script(silent=True), converse)
    assert not turn.answered
    assert answer_metrics(turn, observer, None) == {}


async def _lose_the_server(url, peers):
    async with Call.connect(url) as call:
        await asyncio.gather(peers.pop().close(), call.until(lambda: False, 60))


def test_a_server_that_hangs_up_ends_the_waiting():
    async def talk():
        async with serving(Script()) as (url, state):
            with pytest.raises(CallError, match="ended the call"):
                await _lose_the_server(url, state.peers)
            return state.peers

    assert asyncio.run(talk()) == []


def test_the_benchmark_reports_every_metric_with_its_count():
    async def bench():
        async with serving(Script(answer_lasts_s=2.5)) as (url, _):
            said = [Recording(NOISE, "hello there", finished) for finished in (True, False)]
            return await measure(url, said, Plan(3, 1, PATIENCE), read_mouth)

    for _ in range(TRIES):  # a starved machine may leave something unmeasured
        report = json.loads(asyncio.run(bench()).as_json(machine_facts()))
        if all(report[name]["n"] for name in METRICS):
            break
    assert [name for name in METRICS if report[name]["n"] == 0] == []
    assert report["voice_to_voice_ms"]["n"] == 2
    assert report["unfinished_voice_to_voice_ms"]["n"] == 1
    assert report["barge_in_silence_ms"]["n"] == 1
    assert report["wer"] == {"p50": 0, "p95": 0, "n": 3, "pooled": 0}
    assert (report["turns"], report["turns_lost"], report["turns_talked_over"]) == (3, 0, 0)
    assert report["machine"]["cores"] >= 1


def test_a_benchmark_without_pictures_measures_all_but_the_face():
    async def bench():
        async with serving(Script(answer_lasts_s=1.0)) as (url, _):
            return await measure(url, [Recording(NOISE, "hello there", True)], Plan(1, 0), None)

    report = json.loads(asyncio.run(bench()).as_json(machine_facts()))
    assert report["voice_to_voice_ms"]["n"] == 1
    unseen = ("voice_to_face_ms", "fps_received", "av_skew_ms", "av_skew_arrival_ms")
    assert [report[name]["n"] for name in unseen] == [0, 0, 0, 0]


def _presencia_call(script, *arguments, url=None):
    """Run `presencia call` against the script; (exit code, stdout, stderr)."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    out, errors = io.StringIO(), io.StringIO()

    async def call():
        async with serving(script) as (served, _):
            args = parser.parse_args(["call", "--url", url or served, *map(str, arguments)])
            return await asyncio.to_thread(args.run, args)

    with redirect_stdout(out), redirect_stderr(errors):
        code = asyncio.run(call())
    return code, out.getvalue(), errors.getvalue()


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "noise.wav"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(NOISE.pcm[None], "s16", "mono")
        frame.sample_rate = RATE_HZ
        file.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def test_presencia_call_saves_the_answer_and_prints_both_sides(recording, tmp_path):
    saved = tmp_path / "answer.mp4"
    code, out, errors = _presencia_call(Script(), recording, "--out", saved)
    assert (code, errors) == (0, "")
    assert "you: hello there" in out
    assert "avatar: A tone." in out
    assert "voice to voice" in out
    with av.open(str(saved)) as file:
        seconds = file.duration / 1e6
        sound = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
    assert seconds > 3
    assert np.abs(sound).max() > 0.1


@pytest.mark.parametrize(
    ("script", "url", "code", "words"),
    [
        (Script(), "http://127.0.0.1:9", 3, "presencia serve"),
        (Script(refuses=503), None, 3, "Refused by the script"),
        (Script(refuses=429), None, 4, "Refused by the script"),
        (Script(refuses=400), None, 1, "400"),
        (Script(silent=True), None, 5, "No answer to noise.wav within 2 s"),
    ],
)
def test_presencia_call_says_in_one_line_what_went_wrong(recording, script, url, code, words):
    result, _, errors = _presencia_call(script, recording, "--timeout", 2, url=url)
    assert result == code
    assert words in errors
    assert len(errors.splitlines()) == 1


def test_presencia_call_refuses_a_bad_recording(tmp_path):
    (tmp_path / "a.wav").write_text("no sound")
    code, _, errors = _presencia_call(Script(), tmp_path / "a.wav")
    assert code == 2
    assert "Give a WAV file" in errors
