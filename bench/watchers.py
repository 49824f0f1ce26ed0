"""What watchers of a call cost (docs/whep.md): the server's CPU, and what the caller still gets.

    python -m bench.watchers --rounds 3

Starts a server. Call after call is asked the same and answered in the same words, while nobody, one
or three watch it by WHEP. Prints a line a call, and the medians as JSON in the end.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import numpy as np
import psutil
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from avatar.client.call import Call
from avatar.rtc import aiortc_private
from bench.server_process import serving
from speech.errors import CallError

ASKED = "Tell me about the history of Rome."
WINDOW_S = 20.0
WATCHERS = (0, 1, 3)
_SETTINGS = {"PRESENCIA_WATCHING__ENABLED": "true", "PRESENCIA_LLM__TEMPERATURE": "0"}
_SHOWS_WATCHERS = {"type": "realtime", "avatar": {"shows_watchers": True}}
_LIMIT_S = 20.0


@asynccontextmanager
async def watching(http: httpx.AsyncClient) -> AsyncGenerator[None]:
    """Watch the only call there is, from the first packet on."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connected = asyncio.Event()

    def follow() -> None:
        if peer.connectionState == "connected":
            connected.set()

    peer.on("connectionstatechange", follow)
    audio = peer.addTransceiver("audio", direction="recvonly")
    peer.addTransceiver("video", direction="recvonly")
    aiortc_private.also_offer_host(audio.sender.transport.transport, "127.0.0.1")
    await peer.setLocalDescription(await peer.createOffer())
    answer = await http.post(
        "/whep/only",
        content=peer.localDescription.sdp,
        headers={"Content-Type": "application/sdp"},
    )
    if answer.status_code != 201:
        raise CallError(f"The call can't be watched: {answer.text}")
    await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
    try:
        async with asyncio.timeout(_LIMIT_S):
            await connected.wait()
        yield
    finally:
        await http.delete(answer.headers["Location"])
        await peer.close()


async def one_call(url: str, watchers: int, server: psutil.Process) -> dict[str, float]:
    """Hold a call that so many watch; what it cost, and what its caller got."""
    async with (
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
        Call.connect(url) as call,
        AsyncExitStack() as stack,
    ):
        call.send({"type": "session.update", "session": _SHOWS_WATCHERS})
        await call.event("session.updated")
        await call.until(lambda: call.synchronised, _LIMIT_S)
        for _ in range(watchers):
            await stack.enter_async_context(watching(http))
        seen, heard = len(call.observer.seen), len(call.observer.heard)
        asked_s, cpu_s = asyncio.get_running_loop().time(), _cpu_s(server)
        call.say_text(ASKED)
        await asyncio.sleep(WINDOW_S)
        cpu_s = _cpu_s(server) - cpu_s
    sounds = call.observer.heard[heard:]
    first_s = next((each.arrived_s for each in sounds if each.loud), float("nan"))
    gaps = np.diff([each.arrived_s for each in sounds])
    return {
        "server_cpu_percent": round(100 * cpu_s / WINDOW_S, 1),
        "fps_received": round((len(call.observer.seen) - seen) / WINDOW_S, 1),
        "loud_s": round(sum(each.loud for each in sounds) * 0.02, 1),
        "first_sound_ms": round(1000 * (first_s - asked_s)),
        "longest_gap_of_sound_ms": round(1000 * float(gaps.max())),
    }


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


async def measure(rounds: int) -> dict[int, dict[str, float]]:
    """The medians, by number of watchers."""
    calls: dict[int, list[dict[str, float]]] = defaultdict(list)
    async with serving(settings=_SETTINGS) as url:
        (server,) = psutil.Process().children()
        await one_call(url, 0, server)  # its first reply reads more than the next ones
        for _ in range(rounds):
            for watchers in WATCHERS:
                calls[watchers].append(await one_call(url, watchers, server))
                print(time.strftime("%X"), watchers, json.dumps(calls[watchers][-1]), flush=True)
    return {
        watchers: {name: statistics.median(each[name] for each in of) for name in of[0]}
        for watchers, of in calls.items()
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    print(json.dumps(asyncio.run(measure(parser.parse_args(argv).rounds))))


if __name__ == "__main__":
    main()
