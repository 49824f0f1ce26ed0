"""A program that calls by `presencia.client`, loses the network, and is back in the same talk.

    python -m bench.sdk_call --outages 3

Starts a server with its real models, in a network namespace of its own (needs root and iproute2).
It is told a name, the network is cut for five seconds, and it is asked for the name. Prints what
was answered; the last line is one JSON object: ms from the end of each outage, in order.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence

from bench import outage
from bench.server_process import serving
from presencia import client

TOLD = "My name is Margaret."
ASKED = "What is my name?"
_WAITED_S = 0.002  # what is kept comes at once
_LIMIT_S = 60.0  # for an answer, to its last sound
_SPOKEN = "output_audio_buffer.stopped"


async def said(call: client.Call, events: AsyncIterator[client.Event], text: str) -> str:
    """Say something in writing; what is answered aloud."""
    await call.say(text)
    return await _answer(events)


async def _answer(events: AsyncIterator[client.Event]) -> str:
    words = ""
    try:
        async with asyncio.timeout(_LIMIT_S):
            async for event in events:
                match event:
                    case client.AvatarSaid(text=text):
                        words += text
                    case client.OtherEvent(type=kind) if kind == _SPOKEN and words:
                        break
    except TimeoutError as error:
        raise RuntimeError(f"No answer was heard within {_LIMIT_S:.0f} s: {words!r}.") from error
    return words


async def come_back(url: str) -> int:
    """Call, tell a name, lose the network, ask for the name.

    Returns:
        ms from the end of the outage until the call goes on and sounds.
    """
    loop = asyncio.get_running_loop()
    async with client.connect(url) as call:
        events = call.events()
        print(await _answer(events))
        print(f"{TOLD} - {await said(call, events, TOLD)}")
        await outage.cut()
        mended_s = loop.time()
        joined = await anext(event async for event in events if isinstance(event, client.Joined))
        if not joined.resumed:
            raise RuntimeError("It came back as a new call: what was said is forgotten.")
        await _next_sound(call)
        back_s = loop.time()
        print(f"{ASKED} - {await said(call, events, ASKED)}", flush=True)
    return round(1000 * (back_s - mended_s))


async def _next_sound(call: client.Call) -> None:
    """Wait for sound that was not kept from before."""
    loop, frames = asyncio.get_running_loop(), call.audio()
    while True:
        asked_s = loop.time()
        await anext(frames)
        if loop.time() - asked_s > _WAITED_S:
            return


async def measure(outages: int) -> dict[str, list[int]]:
    """Every value in ms."""
    async with serving() as url:
        back = [await come_back(url) for _ in range(outages)]
    return {"back_after_outage_ms": back}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outages", type=int, default=3)
    args = parser.parse_args(argv)
    status = outage.moved_inside("bench.sdk_call", argv or sys.argv[1:])
    if status is not None:
        sys.exit(status)
    print(json.dumps(asyncio.run(measure(args.outages))))


if __name__ == "__main__":
    main()
