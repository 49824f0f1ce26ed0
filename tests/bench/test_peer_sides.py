"""All sides of a benchmark get the same, and what went wrong with one costs the others nothing."""

import argparse
import asyncio
import json
import sys
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

import numpy as np
import pytest

import bench.peer.environment
import bench.peer.process
import bench.server_process
import bench.side
from avatar.cli import bench as bench_command
from avatar.client.clips import RATE_HZ, clip_of
from bench.recordings import Recording
from bench.server_process import running
from bench.side import Plan, Side, call_in_turn
from speech.errors import CallError

SAID = [
    Recording(clip_of(name, np.full(RATE_HZ, 8000, np.int16)), name)
    for name in ("one", "two", "three")
]


@dataclass
class Noted:
    """A side that notes what it is given."""

    name: str
    calls: list
    given: list = field(default_factory=list)

    async def answer(self, batch, plan):
        self.calls.append(self.name)
        self.given.append([recording.words for recording in batch])

    async def be_interrupted(self, recording, plan):
        self.calls.append(self.name)
        self.given.append(recording.words)


def refusing(calls):
    @asynccontextmanager
    async def connect(observer):
        calls.append(observer)
        raise CallError("No place.")
        yield

    return connect


def hanging(calls):
    @asynccontextmanager
    async def connect(observer):
        calls.append(observer)
        await asyncio.sleep(3600)
        yield

    return connect


def breaking(calls):
    """Calls that are lost, of which two tasks notice at once."""

    @asynccontextmanager
    async def connect(observer):
        calls.append(observer)
        raise BaseExceptionGroup("lost", [CallError("Gone."), CallError("Gone.")])
        yield

    return connect


def test_all_sides_get_the_same_and_another_begins_each_time():
    calls = []
    sides = [Noted("a", calls), Noted("b", calls), Noted("c", calls)]
    asyncio.run(call_in_turn(sides, SAID, Plan(turns=7, barge_ins=2)))
    assert calls == [*"abc", *"bca", *"cab", *"abc"]
    first = ["one", "two", "three", "one", "two"]
    for side in sides:
        assert side.given == [first, ["three", "one"], "two", "three"]


@pytest.mark.parametrize("fails", [refusing, hanging, breaking])
def test_calls_that_fail_are_counted_and_the_next_are_made(fails, monkeypatch):
    monkeypatch.setattr(bench.side, "_CALL_LIMIT_S", 0.05)
    calls = []
    side = Side("a", fails(calls))
    asyncio.run(call_in_turn([side], SAID, Plan(turns=6, barge_ins=1)))
    assert len(calls) == 2 + 3  # an interruption is tried three times
    counts = side.report.counts
    assert (counts["turns"], counts["turns_lost"]) == (6, 6)
    assert (counts["barge_ins"], counts["barge_ins_missed"]) == (1, 1)


def test_a_server_that_ends_by_itself_ends_the_benchmark_with_its_last_words():
    program = "import sys; print('ready at http://x', flush=True); sys.exit('out of luck')"

    async def serve():
        async with running("server", (sys.executable, "-c", program), "ready at "):
            await asyncio.sleep(60)

    with pytest.raises(CallError, match=r"The server ended \(status 1\): out of luck"):
        asyncio.run(serve())


def test_what_goes_wrong_beside_a_server_is_not_mistaken_for_its_end():
    program = "import time; print('ready at http://x', flush=True); time.sleep(60)"

    async def serve():
        async with running("server", (sys.executable, "-c", program), "ready at "):
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        asyncio.run(serve())


def test_what_was_measured_is_printed_when_the_comparison_breaks_off(monkeypatch, capsys):
    async def breaks_off(sides, recordings, plan):
        for side in sides:
            side.report.counts["turns"] = 1
            side.report.add({"voice_to_voice_ms": 400})
        raise RuntimeError("boom")

    monkeypatch.setattr(bench.side, "call_in_turn", breaks_off)
    monkeypatch.setattr(bench.server_process, "serving", lambda **_: nullcontext("http://ours"))
    monkeypatch.setattr(
        bench.peer.process, "peer_serving", lambda *_, **__: nullcontext("http://x")
    )
    monkeypatch.setattr(bench.peer.environment, "peer_python", lambda *_: "python")
    monkeypatch.setattr(bench.peer.environment, "versions", lambda _: {})
    parser = argparse.ArgumentParser()
    bench_command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["bench", "peer", "--json"])
    with pytest.raises(RuntimeError, match="boom"):
        args.run(args)
    found = json.loads(capsys.readouterr().out)
    assert found["broke_off"] == "RuntimeError: boom"
    assert found["sides"]["ours_audio"]["voice_to_voice_ms"]["n"] == 1
