"""What the tests of real language models share."""

from contextlib import aclosing

from speech.types import Message

LONG = Message("user", "Tell me a very long story about the sea.")
FACTS = " ".join(f"Fact {n}: the number {n} lies between {n - 1} and {n + 1}." for n in range(60))


async def written(conversation, messages):
    async with aclosing(conversation.reply(messages)) as reply:
        return "".join([delta async for delta in reply])
