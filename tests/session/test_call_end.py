"""What a call gives back when it ends."""

import asyncio

from tests.session import virtual_clock
from tests.session.held_calls import house
from tests.session.scripted_engines import Model


def test_a_connection_that_fails_to_close_keeps_no_place_and_no_model(monkeypatch, caplog):
    closed = []

    async def close(model):
        closed.append(model)

    monkeypatch.setattr(Model, "close", close)

    async def test():
        async with house() as held:
            client = await held.call()

            async def fail():
                raise OSError("the socket is gone")

            client.peer.close = fail
            held.calls.hang_up(client.call_id)
            await asyncio.sleep(1)
            assert (len(held.calls), len(closed)) == (0, 1)
            client.peer.closed.set()

    virtual_clock.run(test())
    assert "call failed" in caplog.text
