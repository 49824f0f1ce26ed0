"""A call with an avatar from Python: sound in and out, its words, its face, and tools it may call.

    import asyncio
    from presencia import client

    @client.tool
    async def weather(city: str) -> str:
        "Today's weather in a city."
        return f"It is sunny in {city}."

    async def main():
        async with client.connect("http://127.0.0.1:8080", tools=[weather]) as call:
            await call.say("What is the weather in Madrid?")
            async for event in call.events():
                if isinstance(event, client.AvatarSaid):
                    print(event.text, end="", flush=True)
                if isinstance(event, client.ResponseEnded) and event.status == "completed":
                    break

    asyncio.run(main())

docs/sdk.md explains all of it.
"""

from avatar.client.signalling import NotReadyError, ServerUnreachableError
from presencia.client.call import Call, connect
from presencia.client.door import UnauthorizedError
from presencia.client.events import (
    AvatarSaid,
    Event,
    Failed,
    Interrupted,
    Joined,
    Lost,
    OtherEvent,
    PersonSaid,
    ResponseEnded,
    ResponseStarted,
    StateChanged,
    ToolUsed,
    WaitingInLine,
)
from presencia.client.media import AudioFrame, VideoFrame
from presencia.client.tools import Tool, tool
from render.types import FacePose
from speech.errors import CallError, ResumeExpiredError, ServerFullError

__all__ = [
    "AudioFrame",
    "AvatarSaid",
    "Call",
    "CallError",
    "Event",
    "FacePose",
    "Failed",
    "Interrupted",
    "Joined",
    "Lost",
    "NotReadyError",
    "OtherEvent",
    "PersonSaid",
    "ResponseEnded",
    "ResponseStarted",
    "ResumeExpiredError",
    "ServerFullError",
    "ServerUnreachableError",
    "StateChanged",
    "Tool",
    "ToolUsed",
    "UnauthorizedError",
    "VideoFrame",
    "WaitingInLine",
    "connect",
    "tool",
]
