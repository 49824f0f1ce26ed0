"""A language model that answers by script, behind the OpenAI API: what it says is known.

A reply depends on the messages alone, for a draft of an answer asks as well, and may ask twice.
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse


@dataclass(frozen=True)
class Call:
    """The model wants a tool to be run."""

    name: str
    arguments: str


Script = Callable[[list[dict], list[str]], str | Call]
"""What to reply to these messages, with these tools at hand."""


@dataclass
class ScriptedLlm:
    """A model that is being served.

    Attributes:
        url: For `llm.base_url`.
        requests: The body of every request so far.
    """

    url: str = ""
    requests: list[dict] = field(default_factory=list)


@contextmanager
def serving(script: Script, *, word_s: float = 0.01) -> Iterator[ScriptedLlm]:
    """Serve a script in a thread."""
    llm, app = ScriptedLlm(), FastAPI()

    @app.post("/v1/chat/completions")
    async def complete(request: Request) -> StreamingResponse:
        body = await request.json()
        llm.requests.append(body)
        names = [tool["function"]["name"] for tool in body.get("tools", ())]
        said = script(body["messages"], names)
        return StreamingResponse(_stream(said, word_s), media_type="text/event-stream")

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    llm.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    try:
        yield llm
    finally:
        server.should_exit = True
        thread.join()


async def _stream(said: str | Call, word_s: float) -> AsyncIterator[str]:
    if isinstance(said, Call):
        function = {"name": said.name, "arguments": said.arguments}
        call = {"index": 0, "id": f"call_{said.name}", "type": "function", "function": function}
        yield _chunk({"tool_calls": [call]})
        yield _chunk({}, "tool_calls")
    else:
        for i, word in enumerate(said.split(" ")):
            await asyncio.sleep(word_s)
            yield _chunk({"content": word if i == 0 else f" {word}"})
        yield _chunk({}, "stop")
    yield "data: [DONE]\n\n"


def _chunk(delta: dict, finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"
