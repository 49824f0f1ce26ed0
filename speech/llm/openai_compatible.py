"""A language model behind any endpoint that speaks OpenAI's chat completions.

vLLM, NVIDIA NIM, Ollama, llama.cpp's server, OpenAI and most others do. The HTTP is httpx and the
event stream httpx-sse: OpenAI's own client would do both, but brings an HTTP library of its own,
loads for 0.7 s, and its errors would have to be put into words here all the same.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import httpx
import httpx_sse

from speech.errors import ConfigError, LanguageModelError
from speech.llm.chat import Json, message_json, tools_json, whole_calls
from speech.llm.ending import end_with_a_sentence
from speech.types import Message, Tool, ToolCall, ToolChoice

_STATUS_HELP = {
    401: "check llm.api_key",
    403: "check llm.api_key and what it may use",
    404: "check llm.base_url, which usually ends in /v1, and llm.model",
    429: "it is busy or the quota is used up: try again later",
}
_CONNECT_S = 5.0
_ARGUMENT_TOKENS = 512  # of tool calls, beside the words of a reply
_DETAIL_CHARS = 200  # of a server's own message


class OpenAICompatibleLanguageModel:
    """A `LanguageModel` that asks a server. One serves all calls; it keeps connections open.

    Use `async with`, or `close`.

    Args:
        base_url: Up to and without "/chat/completions", as "http://127.0.0.1:8000/v1".
        model: The server's name for it.
        api_key: Sent as a bearer token, unless empty.
        max_tokens: Longest reply. In its last quarter it ends with the sentence under way.
        temperature: Of sampling.
        timeout_s: To the first token, and then between tokens.

    Raises:
        ConfigError: `base_url` is not an http or https URL.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str = "",
        *,
        max_tokens: int = 160,
        temperature: float = 0.6,
        timeout_s: float = 20,
    ) -> None:
        self._url = _endpoint(base_url)
        self._max_tokens = max_tokens
        self._timeout_s = timeout_s
        self._body: dict[str, Any] = {
            "model": model,
            "max_tokens": max_tokens,
            "temperature": temperature,
            "stream": True,
        }
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s)),
        )

    async def reply(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        tool_choice: ToolChoice = "auto",
    ) -> AsyncGenerator[str | ToolCall, None]:
        """Yield the reply as text deltas, and then the tools that it wants.

        Closing it closes the connection, which stops the server.

        Raises:
            LanguageModelError: The server can't be reached, refuses, fails or falls silent.
        """
        body = self._body | {"messages": [message_json(message) for message in messages]}
        if tools:
            body |= tools_json(tools, tool_choice)
            body["max_tokens"] += _ARGUMENT_TOKENS
        pieces = end_with_a_sentence(self._in_time(self._deltas(body)), self._max_tokens)
        async with aclosing(whole_calls(pieces)) as parts:
            async for part in parts:
                yield part

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> bool:
        """Do nothing.

        A server that caches prefixes needs no help with those of earlier turns, and a request for
        every few words that are spoken would cost its other users time, and its owner money.
        """
        return True

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _in_time(
        self, deltas: AsyncGenerator[str | Json, None]
    ) -> AsyncGenerator[str | Json, None]:
        async with aclosing(deltas):
            while (delta := await self._next(deltas)) is not None:
                yield delta

    async def _next(self, deltas: AsyncGenerator[str | Json, None]) -> str | Json | None:
        """The next delta, or None at the end; httpx's timeout would count keep-alives as life."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await anext(deltas, None)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise LanguageModelError(
                f"{self._url} did not answer within {self._timeout_s:g} s: is it overloaded? "
                "llm.timeout_s sets how long to wait.",
                retryable=True,
            ) from error
        except httpx.ConnectError as error:
            raise LanguageModelError(
                f"Can't connect to {self._url}: is the server running? Check llm.base_url.",
                retryable=True,
            ) from error
        except (httpx.HTTPError, httpx_sse.SSEError) as error:
            raise LanguageModelError(
                f"The answer of {self._url} broke off or is no event stream: {error}.",
                retryable=True,
            ) from error

    async def _deltas(self, body: Json) -> AsyncGenerator[str | Json, None]:
        async with httpx_sse.aconnect_sse(self._client, "POST", self._url, json=body) as source:
            if not source.response.is_success:
                await source.response.aread()
                raise _refusal(source.response)
            finished = False
            async with aclosing(source.aiter_sse()) as events:
                async for event in events:
                    if event.data == "[DONE]":
                        return
                    choice = _choice(event.data)
                    delta = choice.get("delta") or {}
                    if text := delta.get("content"):
                        yield text
                    for piece in delta.get("tool_calls") or ():
                        yield piece
                    finished = finished or bool(choice.get("finish_reason"))
        if not finished:  # some servers leave [DONE] out, but none the finish_reason
            raise httpx.RemoteProtocolError("the connection closed before the reply was complete")


def _endpoint(base_url: str) -> str:
    try:
        url = httpx.URL(base_url.rstrip("/") + "/chat/completions")
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError(
            f"llm.base_url is '{base_url}', but should be like 'http://127.0.0.1:8000/v1'."
        )
    return str(url)


def _choice(data: str) -> dict[str, Any]:
    """The first choice in an event; empty for those without, as the one that reports usage.

    Raises:
        LanguageModelError: The event is an error, or not what it should be.
    """
    if not data:
        return {}
    try:
        chunk = json.loads(data)
    except json.JSONDecodeError as error:
        raise LanguageModelError(f"The language model sent broken JSON: {error}.") from error
    if not isinstance(chunk, dict):
        raise LanguageModelError("The language model sent an event that is not a JSON object.")
    if chunk.get("error"):
        raise LanguageModelError(
            f"The language model failed: {_detail(chunk)}. Try again, and see its log.",
            retryable=True,
        )
    return (chunk.get("choices") or [{}])[0]  # type: ignore[no-any-return]  # JSON


def _refusal(response: httpx.Response) -> LanguageModelError:
    """What a status other than 2xx means to the one who set the endpoint up."""
    status = response.status_code
    default = "see its log, then try again" if status >= 500 else "it does not take this request"
    try:
        detail = _detail(response.json())
    except ValueError:
        detail = _one_line(response.text)
    said = f" It said: {detail}" if detail else ""
    return LanguageModelError(
        f"{response.url} answered {status}: {_STATUS_HELP.get(status, default)}.{said}",
        retryable=status == 429 or status >= 500,
    )


def _detail(body: Any) -> str:  # noqa: ANN401 - any JSON may come
    """The message in an error body, in the shapes of OpenAI, FastAPI and Ollama."""
    for key in ("error", "message", "detail"):
        if isinstance(body, dict) and body.get(key):
            return _detail(body[key])
    return _one_line(body if isinstance(body, str) else json.dumps(body))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_DETAIL_CHARS]
