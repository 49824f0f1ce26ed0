"""Where a reply that has become too long may end."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

_SENTENCE_END = re.compile(r"[.!?…][\"'”»)\]]*\s*$")


T = TypeVar("T")


async def end_with_a_sentence(
    deltas: AsyncGenerator[str | T, None], max_tokens: int
) -> AsyncGenerator[str | T, None]:
    """Pass a reply on, and in the last quarter of its budget end it with a sentence.

    A model that is stopped by `max_tokens` stops in the middle of a word. This ends the reply at
    the first sentence end after three quarters of it; a sentence longer than the last quarter is
    cut all the same.

    Args:
        deltas: One per token, or so: how llama.cpp, vLLM and the like stream. Closed at the end.
            What is no text is passed on and not counted.
        max_tokens: What the model was asked for.
    """
    written, tail = 0, ""
    async with aclosing(deltas):
        async for delta in deltas:
            if not isinstance(delta, str):
                yield delta
                continue
            # The space proves the end: "3." may become "3.5".
            if (
                written >= max_tokens * 3 // 4
                and delta[:1].isspace()
                and _SENTENCE_END.search(tail)
            ):
                return
            written += 1
            tail = (tail + delta)[-8:]
            yield delta
