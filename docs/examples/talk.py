"""Asks an avatar something and saves what it says.

python docs/examples/talk.py "Who are you?" answer.wav [--url http://127.0.0.1:8080] [--key KEY]
"""

import argparse
import asyncio
import wave

import numpy as np

from presencia import client


@client.tool
async def weather(city: str) -> dict[str, object]:
    """The weather in a city, now."""
    return {"city": city, "sky": "clear", "celsius": 21}


async def listen(call: client.Call, heard: list[np.ndarray]) -> None:
    """Keep every sound of the avatar."""
    async for frame in call.audio():
        if len(heard) < 3000:  # of a minute
            heard.append(frame.pcm)


async def ask(question: str, url: str, key: str | None) -> np.ndarray:
    """Hold a call of one question; returns what was heard, int16 mono at 48 kHz."""
    heard: list[np.ndarray] = []
    async with client.connect(url, key=key, tools=[weather]) as call, asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(listen(call, heard))
        await call.say(question)
        async for event in call.events():
            match event:
                case client.AvatarSaid(text=text):
                    print(text, end="", flush=True)
                case client.ToolUsed(name=name, output=output):
                    print(f"[{name}: {output}]")
                case client.OtherEvent(type="output_audio_buffer.stopped"):
                    break
        print()
        listening.cancel()
    if not heard:
        raise SystemExit("No sound came. `presencia doctor` says what keeps calls from working.")
    return np.concatenate(heard)


def main() -> None:
    """Read the command line, ask, save."""
    parser = argparse.ArgumentParser()
    parser.add_argument("question")
    parser.add_argument("file", help="a WAV file to write")
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--key")
    args = parser.parse_args()
    pcm = asyncio.run(ask(args.question, args.url, args.key))
    with wave.open(args.file, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(pcm.tobytes())


main()
