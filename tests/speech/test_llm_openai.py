import asyncio
import json
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from speech.errors import ConfigError, LanguageModelError
from speech.llm.openai_compatible import OpenAICompatibleLanguageModel
from speech.types import Message

PROMPT = (Message("system", "You are Elena."), Message("user", "Hello"))
STREAM = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
DONE = "data: [DONE]\n\n"


def delta(text=None, **choice):
    content = {} if text is None else {"content": text}
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': content, **choice}]})}\n\n"


def plain(status, body, kind="application/json"):
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head + body


@dataclass
class ScriptedServer:
    """Sends `script`, piece by piece, to each request; then hangs up, or holds the line."""

    script: list[str]
    holds: bool = False
    requests: list[str] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    answering: set[asyncio.Task] = field(default_factory=set)

    async def answer(self, reader, writer):
        self.answering.add(asyncio.current_task())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().split("content-length:")[1].split()[0])
        self.requests.append(head + (await reader.readexactly(length)).decode())
        for piece in self.script:
            writer.write(piece.encode())
            await writer.drain()
        if self.holds:
            await reader.read()  # returns when the client closes
            self.hung_up.set()
        writer.close()


@asynccontextmanager
async def served(script, *, holds=False, **options):
    """A model on a scripted server, and that server."""
    server = ScriptedServer(script, holds)
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    options = {"timeout_s": 60.0, **options}
    try:
        async with OpenAICompatibleLanguageModel(
            f"http://127.0.0.1:{port}/v1/", "some-model", **options
        ) as model:
            yield model, server
    finally:
        listening.close()
        if server.answering:
            await asyncio.wait(server.answering, timeout=1)


def reply_to(script, **options):
    async def scenario():
        async with served(script, **options) as (model, _):
            return [text async for text in model.reply(PROMPT)]

    return "".join(asyncio.run(scenario()))


def failure_of(script, **options):
    with pytest.raises(LanguageModelError) as failed:
        reply_to(script, **options)
    assert "\n" not in str(failed.value)
    return failed.value


def test_the_request_is_a_streaming_chat_completion():
    async def scenario():
        async with served([STREAM, DONE], api_key="s3cret", max_tokens=9) as (model, server):
            assert [text async for text in model.reply(PROMPT)] == []
            return server.requests[0]

    head, _, body = asyncio.run(scenario()).partition("\r\n\r\n")
    assert head.startswith("POST /v1/chat/completions ")
    assert "authorization: bearer s3cret" in head.lower()
    assert json.loads(body) == {
        "model": "some-model",
        "max_tokens": 9,
        "temperature": 0.6,
        "stream": True,
        "messages": [
            {"role": "system", "content": "You are Elena."},
            {"role": "user", "content": "Hello"},
        ],
    }


def test_without_a_key_none_is_sent():
    async def scenario():
        async with served([STREAM, DONE]) as (model, server):
            [_ async for _ in model.reply(PROMPT)]
            return server.requests[0].lower()

    assert "authorization" not in asyncio.run(scenario())


def test_deltas_are_joined_whatever_stands_between_them():
    usage = 'data: {"choices": [], "usage": {"total_tokens": 7}}\n\n'
    reasoning = 'data: {"choices": [{"delta": {"reasoning_content": "Hmm", "content": null}}]}\n\n'
    script = [
        STREAM,
        ": keep-alive\n\n",
        'data: {"choices": [{"delta": {"role": "assistant"}}]}\n\n',
        "event: ping\n\n",
        reasoning,
        delta("¡Ho"),
        delta(""),
        "\r\n: another comment\r\n",
        delta("la!").replace("\n", "\r\n").replace("data: ", "data:"),
        delta(finish_reason="stop"),
        usage,
        DONE,
    ]
    assert reply_to(script) == "¡Hola!"


def test_an_event_may_come_in_pieces():
    whole = STREAM + delta("Hel") + delta("lo") + DONE
    assert reply_to(list(whole)) == "Hello"


def test_the_end_may_be_told_by_the_finish_reason_alone():
    assert reply_to([STREAM, delta("Hi"), delta(finish_reason="length")]) == "Hi"


def test_a_connection_that_breaks_in_mid_reply_is_an_error():
    error = failure_of([STREAM, delta("Hi")])
    assert error.retryable
    assert "before the reply was complete" in str(error)


@pytest.mark.parametrize(
    ("status", "advice", "retryable"),
    [
        ("401 Unauthorized", "check llm.api_key", False),
        ("403 Forbidden", "check llm.api_key", False),
        ("404 Not Found", "check llm.base_url", False),
        ("400 Bad Request", "does not take this request", False),
        ("429 Too Many Requests", "try again later", True),
        ("500 Internal Server Error", "see its log", True),
        ("503 Service Unavailable", "see its log", True),
    ],
)
def test_a_refusal_says_what_to_do_and_what_the_server_said(status, advice, retryable):
    error = failure_of([plain(status, '{"error": {"message": "no such\\nluck"}}')])
    assert advice in str(error)
    assert str(error).endswith("It said: no such luck")
    assert error.retryable is retryable


@pytest.mark.parametrize(
    "body", ['{"error": "no luck"}', '{"detail": "no luck"}', '{"message": "no luck"}', "no luck"]
)
def test_a_refusal_is_read_in_any_usual_shape(body):
    assert str(failure_of([plain("400 Bad Request", body)])).endswith("It said: no luck")


def test_an_error_in_mid_stream_ends_the_reply():
    event = 'data: {"error": {"message": "CUDA out of memory", "code": 500}}\n\n'
    error = failure_of([STREAM, delta("Hi"), event])
    assert "CUDA out of memory" in str(error)
    assert error.retryable


@pytest.mark.parametrize("data", ["{nonsense", "[1]", '"text"'])
def test_broken_events_are_an_error(data):
    assert "The language model sent" in str(failure_of([STREAM, f"data: {data}\n\n"]))


def test_an_answer_that_is_no_stream_is_an_error():
    assert "no event stream" in str(failure_of([plain("200 OK", '{"choices": []}')]))


@pytest.mark.parametrize("script", [[], [STREAM], [STREAM, delta("Hi")]])
def test_a_silent_server_is_given_up_on(script):
    error = failure_of(script, holds=True, timeout_s=0.5)
    assert "llm.timeout_s" in str(error)
    assert error.retryable


def test_keep_alives_do_not_prolong_the_wait():
    async def scenario():
        async with served([STREAM, *[": ping\n\n"] * 3], holds=True, timeout_s=0.5) as (model, _):
            with pytest.raises(LanguageModelError, match="did not answer"):
                [_ async for _ in model.reply(PROMPT)]

    asyncio.run(scenario())


def test_a_server_that_is_not_there_is_named():
    async def scenario():
        async with OpenAICompatibleLanguageModel("http://127.0.0.1:9/v1", "m") as model:
            [_ async for _ in model.reply(PROMPT)]

    with pytest.raises(
        LanguageModelError, match=r"Can't connect to http://127\.0\.0\.1:9/v1"
    ) as failed:
        asyncio.run(scenario())
    assert failed.value.retryable


@pytest.mark.parametrize("url", ["", "localhost:8000/v1", "ftp://host/v1", "http://[::1/v1"])
def test_a_url_that_is_none_is_named(url):
    with pytest.raises(ConfigError, match=r"llm\.base_url is '.*', but should be like"):
        OpenAICompatibleLanguageModel(url, "m")


def test_closing_the_reply_hangs_up():
    async def scenario():
        async with served([STREAM, delta("Once"), delta(" upon")], holds=True) as (model, server):
            async with aclosing(model.reply(PROMPT)) as reply:
                assert await anext(reply) == "Once"
            async with asyncio.timeout(60):
                await server.hung_up.wait()

    asyncio.run(scenario())


def test_cancelling_before_the_first_token_hangs_up():
    async def scenario():
        async with served([], holds=True) as (model, server), asyncio.TaskGroup() as tasks:
            reply = model.reply(PROMPT)
            task = tasks.create_task(anext(reply))
            while not server.requests:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.001)
            task.cancel()
            async with asyncio.timeout(60):
                await server.hung_up.wait()

    asyncio.run(scenario())


def test_reading_ahead_asks_nothing_of_the_server():
    async def scenario():
        async with served([STREAM, DONE]) as (model, server):
            await model.prefill(PROMPT)
            assert server.requests == []

    asyncio.run(scenario())
