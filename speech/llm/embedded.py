"""A language model inside this process: GGUF weights on llama.cpp.

One `EmbeddedModel` holds the weights. Each call takes an `EmbeddedConversation` from it, which is
the `LanguageModel`: it owns one of llama.cpp's slots, and with it a KV cache of its own, so that a
turn reads only what was not in the turn before.

How calls share the processor (measured: Qwen2.5 0.5B, one thread, two calls):

- Replies are written side by side, a token of each per step. Two together take 10 % longer than
  one after the other, but each is still three times as fast as speech, and nobody waits for
  another's reply to end.
- Prompts are read one at a time, replies before reading ahead; see `PromptReading`. What was read
  of a prompt stays in the cache, so giving way loses one step at most.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from speech.errors import LanguageModelError, ModelStoreError
from speech.llm.embedded_call import EmbeddedConversation
from speech.llm.llama import Json, LlamaRequest, LlamaServer, load_server
from speech.llm.reading import PromptReading
from speech.llm.router import ToolRouter
from speech.llm.routing import BEGINNING
from speech.llm.saved import SavedBeginnings
from speech.types import Message

_log = logging.getLogger(__name__)

# Small models loop and ramble. A light frequency penalty makes that rarer, and max_tokens ends it.
# A repeat penalty would keep them from the person's name, and llama.cpp's DRY takes 54 ms to set
# up, longer than the first token.
_SAMPLING = {
    "top_k": 40,
    "top_p": 0.9,
    "min_p": 0.05,
    "frequency_penalty": 0.2,
    "repeat_last_n": 128,
}

# What a model writes when it goes on in the other role, or starts a program: not for speaking.
_STOP = ["\nUser:", "\nHuman:", "<|im_start|>", "```"]


@dataclass(slots=True)
class _Slot:
    """One of llama.cpp's sequences, and the messages that its KV cache holds."""

    index: int
    messages: tuple[Message, ...] = ()

    def shared(self, messages: Sequence[Message]) -> int:
        """How many of the first messages need not be read again."""
        pairs = zip(self.messages, messages, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


class EmbeddedModel:
    """The weights, shared by all calls.

    Loading takes a second or two and blocks: make it before serving. Use `async with`, or `close`,
    to free its threads and memory.

    Args:
        model_path: A GGUF file with a chat template.
        threads: For computing. One is faster than two where another core is busy.
        context_tokens: Prompt and reply of one conversation. Each slot holds a KV cache of this
            size from the start: 12 KiB a token for Qwen2.5 0.5B, 48 MiB for 4096.
        slots: Conversations at once. There is one more, which decides about tools for all.
        max_tokens: Longest reply. In its last quarter it ends with the sentence under way.
        temperature: Of sampling. 0 always takes the likeliest token; a 0.5B model needs that.
        saved: Folder for what `warm` read, so that the next start need not read it; made when
            needed. Without it, it is kept until `close`.

    Raises:
        ModelStoreError: The file is missing, or llama.cpp can't load it.
    """

    def __init__(
        self,
        model_path: Path,
        *,
        threads: int = 1,
        context_tokens: int = 4096,
        slots: int = 1,
        max_tokens: int = 160,
        temperature: float = 0,
        saved: Path | None = None,
    ) -> None:
        if not model_path.is_file():
            raise ModelStoreError(f"{model_path} is missing: run `presencia models fetch`.")
        self.max_tokens = max_tokens
        self.reading = PromptReading()
        self._options = {"temperature": temperature, "stop": _STOP, **_SAMPLING}
        self._free = [_Slot(index) for index in range(slots)]
        self._deciding = EmbeddedConversation(self)
        self._open = {self._deciding: _Slot(slots)}
        self.router = ToolRouter(self._deciding)
        self._scratch = TemporaryDirectory(prefix="presencia-")
        folder = saved or Path(self._scratch.name)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            server = load_server(
                model_path,
                threads=threads,
                context_tokens=context_tokens,
                slots=slots + 1,
                saved=folder,
            )
        except ModelStoreError:
            self._scratch.cleanup()
            raise
        weights = model_path.stat()
        name = f"{weights.st_size} {weights.st_mtime_ns} {version('xllamacpp')} {slots + 1}"
        self._saved = SavedBeginnings(server, folder, name)
        self._server: LlamaServer | None = server
        self._pool = ThreadPoolExecutor(slots + 1, thread_name_prefix="llm")

    def conversation(self, beginning: Sequence[Message] = ()) -> EmbeddedConversation:
        """Take a slot for one call; closing the conversation gives it back.

        Args:
            beginning: How its prompts will begin, if that is known: the free slot that has most of
                it in its cache is taken.

        Raises:
            LanguageModelError: Every slot is taken.
        """
        if not self._free:
            raise LanguageModelError(
                "The language model serves as many calls as it can: try again later.",
                retryable=True,
            )
        slot = max(self._free, key=lambda free: free.shared(beginning))
        self._free.remove(slot)
        conversation = EmbeddedConversation(self)
        self._open[conversation] = slot
        return conversation

    async def warm(self, beginnings: Sequence[Sequence[Message]]) -> None:
        """Have the beginnings of all prompts read, so that no call waits for it.

        What was never read on this machine is read now, and saved. Every free slot holds the first
        beginning afterwards; a prompt that begins otherwise loads its own when it comes.

        Args:
            beginnings: The likeliest first.

        Raises:
            LanguageModelError: A beginning does not fit the context, or llama.cpp failed.
        """
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            calls = [
                await stack.enter_async_context(self.conversation()) for _ in range(len(self._free))
            ]
            for beginning in beginnings:
                if not self._saved.has(beginning):
                    await calls[0].prefill(beginning)
                    slot = self._open[calls[0]].index
                    await loop.run_in_executor(self._pool, self._saved.save, slot, beginning)
                self._saved.add(beginning)
            for call in calls:
                await call.prefill(beginnings[0])

    async def warm_tools(self) -> None:
        """Have the prompt read that decides about tools; on this machine once, as in `warm`.

        Raises:
            LanguageModelError: llama.cpp failed.
        """
        if not self._saved.has(BEGINNING):
            await self._deciding.prefill(BEGINNING)
            index = self._open[self._deciding].index
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._pool, self._saved.save, index, BEGINNING)
        self._saved.add(BEGINNING)

    def beginning_of(self, messages: Sequence[Message]) -> Sequence[Message]:
        """As much of a prompt's beginning as is known of old; nothing, perhaps."""
        return self._saved.of(messages)

    async def recall(self, conversation: EmbeddedConversation, messages: Sequence[Message]) -> None:
        """Load the saved beginning of a prompt into a conversation's slot, unless it is there.

        The slot must be idle.
        """
        slot = self._open.get(conversation)
        beginning = self._saved.of(messages)
        if slot is None or slot.shared(messages) >= len(beginning):
            return
        loop = asyncio.get_running_loop()
        if await loop.run_in_executor(self._pool, self._saved.restore, slot.index, beginning):
            slot.messages = beginning

    async def forget(self) -> None:
        """Have no free slot hold anything of a call that has ended: only how prompts begin."""
        loop = asyncio.get_running_loop()
        for slot in list(self._free):
            beginning = self._saved.of(slot.messages) or self._saved.first
            if slot.messages == beginning:
                continue
            restored = await loop.run_in_executor(
                self._pool, self._saved.restore, slot.index, beginning
            )
            if slot in self._free:  # a call that took it meanwhile knows what it holds
                slot.messages = beginning if restored else ()
        if self._open[self._deciding].messages not in ((), BEGINNING):
            await self._deciding.prefill(BEGINNING)

    async def close(self) -> None:
        """Stop what runs, and free the threads and the memory."""
        for conversation in list(self._open):
            await conversation.close()
        self._pool.shutdown()
        self._server = None  # freed with its last reference, and the model may live longer
        self._saved.close()
        self._scratch.cleanup()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def start(
        self, conversation: EmbeddedConversation, messages: Sequence[Message], options: Json
    ) -> LlamaRequest:
        """Start a request in a conversation's slot, which must be idle.

        Args:
            conversation: Has the slot.
            messages: The prompt.
            options: Of the request, beside those of all.

        Raises:
            LanguageModelError: The conversation is closed.
        """
        slot = self._open.get(conversation)
        if slot is None or self._server is None:
            raise LanguageModelError("The call that this reply was for has ended.")
        slot.messages = tuple(messages)
        body: Json = {
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "id_slot": slot.index,
            "cache_prompt": True,
            **self._options,
            **options,
        }
        return LlamaRequest(self._server, self._pool, body)

    def release(self, conversation: EmbeddedConversation) -> None:
        """Take a conversation's slot back, with what its cache holds; it must be idle."""
        if slot := self._open.pop(conversation, None):
            self._free.append(slot)
