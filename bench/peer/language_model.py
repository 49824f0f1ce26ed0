"""Our embedded language model behind OpenAI's chat completions, for a peer in another process.

    python -m bench.peer.language_model

The same weights, threads, sampling, prompt cache and longest reply as in a Presencia server with
these settings. One conversation at a time; a new reply ends the one before.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, suppress
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from avatar.dialogue.persona import load_persona
from avatar.dialogue.prompt import beginning
from avatar.settings import load
from avatar.store import ModelStore
from bench.peer.settings import LANGUAGE, LANGUAGE_MODEL_READY
from speech.llm.embedded import EmbeddedModel
from speech.llm.embedded_call import EmbeddedConversation
from speech.llm.fitting import fitted
from speech.types import Message


class _Part(BaseModel):
    text: str = ""


class _ChatMessage(BaseModel):
    role: str
    content: str | list[_Part]


class _Completion(BaseModel):
    """What is read of a request; how to sample is the server's own affair."""

    messages: list[_ChatMessage]


def _application(conversation: EmbeddedConversation) -> FastAPI:
    app = FastAPI()

    @app.post("/v1/chat/completions")
    async def complete(request: _Completion) -> StreamingResponse:
        messages = [Message(_role(each.role), _text(each)) for each in request.messages]
        return StreamingResponse(_stream(conversation, messages), media_type="text/event-stream")

    return app


async def _stream(
    conversation: EmbeddedConversation, messages: list[Message]
) -> AsyncIterator[str]:
    """The reply as server-sent events; a client that goes away closes it, and so stops it."""
    async with aclosing(conversation.reply(messages)) as deltas:
        async for delta in deltas:
            yield _event({"content": delta}, None)
    yield _event({}, "stop")
    yield "data: [DONE]\n\n"


def _event(delta: dict[str, str], finish_reason: str | None) -> str:
    choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {
        "id": "chatcmpl",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "presencia",
        "choices": [choice],
    }
    return f"data: {json.dumps(chunk)}\n\n"


def _role(role: str) -> Any:  # noqa: ANN401 - one of three literals
    return role if role in ("system", "assistant") else "user"


def _text(message: _ChatMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    return " ".join(part.text for part in message.content)


async def _serve() -> None:
    settings = load()
    llm, store = settings.llm, ModelStore.default()
    start = beginning(load_persona(settings.persona), LANGUAGE)
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(
            EmbeddedModel(
                fitted(store.path(llm.model) / "model.gguf", store.cache / "fitted"),
                threads=llm.threads,
                context_tokens=llm.context_tokens,
                slots=settings.server.max_calls,
                max_tokens=llm.max_reply_tokens,
                temperature=llm.temperature,
                saved=store.cache / "prompts",
            )
        )
        await model.warm([start])
        conversation = await stack.enter_async_context(model.conversation(start))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            config = uvicorn.Config(_application(conversation), log_level="warning")
            print(
                f"{LANGUAGE_MODEL_READY}http://127.0.0.1:{listener.getsockname()[1]}/v1", flush=True
            )
            await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # how uvicorn ends at SIGINT
        asyncio.run(_serve())
