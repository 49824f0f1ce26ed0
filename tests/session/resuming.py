"""What the tests of going on with a call share."""

import asyncio
from dataclasses import replace

from avatar.access.caller import Caller
from tests.session import virtual_clock

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


def typed(text):
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def run(test):
    virtual_clock.run(test())


def story_goes_on(held, client):
    """Whether a client's call knows what was said in the one before."""
    client.send("conversation.item.create", item=typed("And then?"))
    client.send("response.create")
    return asyncio.sleep(4, result=lambda: "Tell me a story." in str(held.prompts[-1]))
