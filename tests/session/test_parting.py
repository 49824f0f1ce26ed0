"""A call whose time is limited ends politely, and in time."""

import asyncio

import pytest

from avatar.access.caller import Caller
from avatar.protocol.config import CallConfig
from tests.session import virtual_clock
from tests.session.held_calls import Client, house, settings
from tests.session.scripted_engines import LONG

GOODBYE = {
    "en": "Our time is up now. It was lovely to talk with you. Goodbye!",
    "es": "Se nos acaba el tiempo. Me ha encantado hablar contigo. ¡Adiós!",
}


def ended(client):
    return client.peer.closed.is_set()


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_client_is_told_the_avatar_says_goodbye_and_the_call_ends(language):
    async def test():
        async with house(settings(max_call_s=36)) as held:
            client = await held.call(CallConfig(language=language))
            await asyncio.sleep(17)
            assert not client.of("avatar.ending")
            await asyncio.sleep(2)
            assert client.of("avatar.ending")[0]["ends_in_s"] == pytest.approx(18, abs=0.2)
            await asyncio.sleep(4)
            assert not client.of("response.created"), "not before it has to be"
            await asyncio.sleep(12)
            assert client.heard == [GOODBYE[language]]
            assert ended(client)
            await asyncio.sleep(0.5)
            assert len(held.calls) == 0, "for good: nobody goes on with it"
            assert not held.calls._held

    virtual_clock.run(test())


def test_it_finishes_its_sentence_first():
    async def test():
        async with house(settings(max_call_s=30), replies=[LONG]) as held:
            client = await held.call()
            await asyncio.sleep(16)
            client.send("conversation.item.create", item=typed("Tell me a story."))
            client.send("response.create")
            await asyncio.sleep(14)
            assert client.heard == [LONG, GOODBYE["en"]]
            assert ended(client)

    virtual_clock.run(test())


def test_somebody_who_never_stops_speaking_is_interrupted():
    async def test():
        async with house(settings(max_call_s=30)) as held:
            client = await held.call()
            await asyncio.sleep(17)
            client.loudness = 4000
            await asyncio.sleep(9)
            assert client.of("response.created")
            await asyncio.sleep(4.2)
            assert ended(client), "the longest time is kept to"

    virtual_clock.run(test())


def test_going_on_with_a_call_gives_no_more_time():
    async def test():
        async with house(settings(max_call_s=30)) as held:
            first = await held.call()
            await asyncio.sleep(15)
            first.close()
            await asyncio.sleep(1)
            second = await held.call(None, Caller(resume_token=first.token), Client())
            await asyncio.sleep(16)
            assert second.heard == [GOODBYE["en"]]
            assert ended(second)

    virtual_clock.run(test())


def test_without_a_limit_nobody_says_goodbye():
    async def test():
        async with house() as held:
            client = await held.call()
            await asyncio.sleep(40)
            assert not client.of("avatar.ending")
            assert not ended(client)

    virtual_clock.run(test())


def typed(text):
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
