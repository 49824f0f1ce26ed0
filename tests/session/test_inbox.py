"""What waits for a conversation: a client can't pile it up."""

import asyncio

from avatar.commands import Respond
from avatar.inbox import MOST_WAITING, Inbox
from tests.session import virtual_clock
from tests.session.held_calls import house


def test_a_sender_waits_until_much_that_waits_is_dealt_with():
    async def test():
        inbox, dealt_with = Inbox(), []

        async def deal():
            async for command in inbox.commands():
                await asyncio.sleep(0.1)
                dealt_with.append(command)

        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(deal())
            for _ in range(MOST_WAITING + 1):
                await inbox.keep_up()
                inbox.put(Respond())
            assert dealt_with == [], "who sends little never waits"
            await inbox.keep_up()
            assert len(dealt_with) == MOST_WAITING + 1
            reader.cancel()

    virtual_clock.run(test())


def test_what_a_client_floods_a_call_with_is_read_as_it_is_dealt_with(monkeypatch):
    waiting = []
    put = Inbox.put

    def counted(inbox, command):
        put(inbox, command)
        waiting.append(inbox.waiting)

    monkeypatch.setattr(Inbox, "put", counted)

    async def test():
        async with house() as held:
            client = await held.call()
            content = [{"type": "input_text", "text": "And then?"}]
            for _ in range(300):
                item = {"type": "message", "role": "user", "content": content}
                client.send("conversation.item.create", item=item)
            await asyncio.sleep(3)
            assert len(client.of("conversation.item.done")) == 300
            assert max(waiting) == MOST_WAITING + 1

    virtual_clock.run(test())
