"""llama.cpp's server inside this process, through xllamacpp: loading it and asking it."""

import asyncio
import json
import secrets
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import xllamacpp  # type: ignore[import-untyped]  # a Cython module without stubs

from speech.errors import LanguageModelError, ModelStoreError

Json = dict[str, Any]

# Tokens per step of reading. A step can't be interrupted: 16 take ~240 ms of one slow core (32:
# 430 ms, and 8: 180 ms, but that reads 15 % slower than 16, and 32 only 12 % faster).
_STEP_TOKENS = 16


_SLOT_TIMEOUT_S = 10.0  # saving takes 50 ms, more where another slot is in the middle of a step


class LlamaServer(Protocol):
    """What is used of llama.cpp's server. It is freed with its last reference."""

    def handle_chat_completions(self, prompt: Json, callback: Callable[[Json], bool]) -> None:
        """Block, without the GIL, until the answer is complete or the callback returns True.

        Args:
            prompt: Body of an OpenAI chat completion, with llama.cpp's own fields.
            callback: Given each chunk of the answer.
        """
        ...

    def next_tokens(self, prompt: Json) -> list[Json]:
        """Block until it is known what may follow a text: tokens, the likeliest first.

        Args:
            prompt: Body of an OpenAI completion, with llama.cpp's own fields and `logprobs`.

        Returns:
            Of each token `id`, `token` (its text) and `logprob`.

        Raises:
            LanguageModelError: llama.cpp failed.
        """
        ...

    def save_slot(self, slot: int, name: str) -> None:
        """Write an idle slot's KV cache to a file of the server's folder. Blocks.

        Raises:
            LanguageModelError: llama.cpp could not write it.
        """
        ...

    def restore_slot(self, slot: int, name: str) -> None:
        """Load an idle slot's KV cache from a file of the server's folder. Blocks.

        Raises:
            LanguageModelError: It is not there, or another model's; retryable if llama.cpp was too
                busy to say so.
        """
        ...


class _EmbeddedServer:
    """xllamacpp's server. Slots are saved over its port: its Python has no call for that."""

    def __init__(self, params: xllamacpp.CommonParams) -> None:
        self._server = xllamacpp.Server(params)
        self._key = params.api_keys[0]

    def handle_chat_completions(self, prompt: Json, callback: Callable[[Json], bool]) -> None:
        self._server.handle_chat_completions(prompt, callback)

    def next_tokens(self, prompt: Json) -> list[Json]:
        answers: list[Json] = []

        def keep(answer: Json) -> bool:
            answers.append(answer)
            return False

        try:
            self._server.handle_completions({**prompt, "max_tokens": 1, "stream": False}, keep)
            (position,) = answers[-1]["choices"][0]["logprobs"]["content"]
            likeliest: list[Json] = position["top_logprobs"]
        except (RuntimeError, ValueError, KeyError, IndexError, TypeError) as error:
            raise LanguageModelError(f"llama.cpp can't read on: {error}") from error
        return likeliest

    def save_slot(self, slot: int, name: str) -> None:
        self._slot(slot, "save", name)

    def restore_slot(self, slot: int, name: str) -> None:
        self._slot(slot, "restore", name)

    @property
    def address(self) -> str:
        """URL of its port."""
        return str(self._server.listening_address)

    def _slot(self, slot: int, action: str, name: str) -> None:
        address = urlsplit(self.address)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=_SLOT_TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            connection.request(
                "POST", f"/slots/{slot}?action={action}", json.dumps({"filename": name}), headers
            )
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                raise LanguageModelError(f"llama.cpp can't {action} a slot: {answer.status}")
        except (OSError, HTTPException) as error:
            problem = f"llama.cpp can't {action} a slot: {error}"
            raise LanguageModelError(problem, retryable=True) from error
        finally:
            connection.close()


def load_server(
    path: Path, *, threads: int, context_tokens: int, slots: int, saved: Path
) -> LlamaServer:
    """Load a model. Holds the GIL meanwhile, about a second, so a thread does not help.

    The server also opens a port on 127.0.0.1; a random key locks it.

    Args:
        path: A GGUF file with a chat template.
        threads: For computing.
        context_tokens: Per slot.
        slots: Independent sequences.
        saved: Folder that slots are saved to.

    Raises:
        ModelStoreError: llama.cpp can't load it.
    """
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel = slots
    params.n_ctx = context_tokens * slots  # llama.cpp divides it among the slots
    params.n_batch = params.n_ubatch = _STEP_TOKENS
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = threads
        cpu.poll = 0  # don't spin: the cores are shared (two threads that spin write 1 token/s)
    # Each conversation keeps its slot; copies of caches beside that would only grow.
    params.cache_ram_mib = 0
    params.cache_idle_slots = False
    params.n_ctx_checkpoints = 0
    params.api_keys = [secrets.token_urlsafe()]
    params.ui = params.endpoint_slots = False
    params.n_threads_http = 1
    params.verbosity = -1
    params.slot_save_path = f"{saved}/"  # llama.cpp puts the file's name right behind it
    try:
        server = _EmbeddedServer(params)
    except RuntimeError as error:
        raise ModelStoreError(
            f"llama.cpp can't load {path}: run `presencia models verify`."
        ) from error
    return server


class LlamaRequest:
    """A streaming chat completion that runs in a thread and can be stopped.

    llama.cpp can be stopped only from its callback, so the request asks for progress while the
    prompt is read: a callback per step, and not only per written token.

    Args:
        server: Answers.
        executor: Has a thread free.
        body: Of the chat completion; streaming and progress are added.
    """

    def __init__(self, server: LlamaServer, executor: Executor, body: Json) -> None:
        self._stopped = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[Json | None] = asyncio.Queue()
        body = {**body, "stream": True, "return_progress": True}
        self._work = self._loop.run_in_executor(executor, self._run, server, body)

    def stop(self) -> None:
        """Ask the server to stop at the end of its present step."""
        self._stopped.set()

    async def ended(self) -> None:
        """Wait until the thread is free again. Cancelling the wait changes nothing about that."""
        if not self._work.done():
            await asyncio.wait([self._work])

    async def chunks(self) -> AsyncGenerator[Json, None]:
        """Yield the answer. Closing this stops the server, and returns when it has stopped.

        Raises:
            LanguageModelError: The server can't answer.
        """
        try:
            while (chunk := await self._chunks.get()) is not None:
                if error := chunk.get("error"):
                    raise LanguageModelError(_explain(error))
                yield chunk
            await self._work
        finally:
            self.stop()
            await self.ended()

    def _run(self, server: LlamaServer, body: Json) -> None:
        try:
            server.handle_chat_completions(body, self._hand_over)
        except (RuntimeError, ValueError) as error:  # ValueError: options that don't go together
            self._hand_over({"error": {"message": str(error)}})
        finally:
            self._hand_over(None)

    def _hand_over(self, chunk: Json | None) -> bool:
        """Give the loop a chunk; True tells the server to stop."""
        try:
            self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
        except RuntimeError:  # the loop was closed under us: nobody listens any more
            return True
        return self._stopped.is_set()


def _explain(error: Json) -> str:
    if error.get("type") == "exceed_context_size_error":
        return (
            f"The conversation has {error.get('n_prompt_tokens')} tokens and the language model "
            f"takes {error.get('n_ctx')}: raise llm.context_tokens or shorten the persona."
        )
    return f"The language model failed: {error.get('message', error)}"
