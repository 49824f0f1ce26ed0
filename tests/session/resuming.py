"""What the tests of going on with a call share."""

import asyncio
from dataclasses import replace

from avatar.access.caller import Caller
from tests.session import virtual_clock
from tests.session.held_calls import house

SETTLED_S = 4.0  # a client that pings every 3 s has been heard for long enough
SHOP = Caller("key:1a2b3c4d")


def with_token(token, caller=Caller()):  # noqa: B008 - a Caller is frozen
    return replace(caller, resume_token=token)


async def talked(held, config=None, caller=Caller()):  # noqa: B008
    """A client that was greeted, and is being told a story."""
    client = await held.call(config, caller)
    client.send("response.create")
    await asyncio.sleep(6)
    client.send("conversation.item.create", item=typed("Tell me a story."))
    client.send("response.create")
    await asyncio.sleep(3)
    return client


async def lost(held, *, after_s=1):
    """A client that was being told a story when its connection ended, so long ago."""
    client = await talked(held)
    client.close()
    await asyncio.sleep(after_s)
    return client


async def asked(held):
    """A client whose connection ended when it had put a question that nobody answered."""
    client = await held.call()
    client.send("conversation.item.create", item=typed("Tell me a story."))
    await asyncio.sleep(0.2)
    client.close()
    await asyncio.sleep(0.2)
    return client


async def resumed(held, before):
    """A client that goes on with the call of the one before."""
    client = await held.call(None, with_token(before.token))
    assert client.avatar["resumed"] is True
    return client


def assert_forgotten(held):
    """Nothing is left of any call."""
    assert not held.calls._held
    assert not len(held.calls._tokens)
    assert len(held.calls) == 0


def typed(text):
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def run(test, given=None, replies=()):
    """Run a test of calls that are held with the given settings, and answered with `replies`."""

    async def hold():
        async with house(given, replies) as held:
            await test(held)

    virtual_clock.run(hold())


async def story_goes_on(held, client):
    """Whether a client's call knows what was said in the one before."""
    client.send("conversation.item.create", item=typed("And then?"))
    client.send("response.create")
    await asyncio.sleep(4)
    return "Tell me a story." in str(held.prompts[-1])
