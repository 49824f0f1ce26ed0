import asyncio

import pytest

from avatar.streams import run_ahead
from tests.session.virtual_clock import run


async def count(n, log, delay_s=0.1):
    try:
        for i in range(n):
            await asyncio.sleep(delay_s)
            log.append(i)
            yield i
    finally:
        log.append("closed")


def test_items_arrive_in_order_and_reading_past_the_end_ends_again():
    async def scenario():
        log = []
        async with asyncio.TaskGroup() as tasks:
            items = run_ahead(tasks, count(5, log), limit=2, name="count")
            assert [i async for i in items] == [0, 1, 2, 3, 4]
            assert [i async for i in items] == []
        assert log[-1] == "closed"

    run(scenario())


def test_the_source_runs_no_further_ahead_than_its_limit():
    async def scenario():
        log = []
        async with asyncio.TaskGroup() as tasks:
            items = run_ahead(tasks, count(9, log), limit=2, name="count")
            await asyncio.sleep(5)
            assert log == [0, 1, 2]
            assert [i async for i in items] == list(range(9))

    run(scenario())


def test_cancelling_the_group_closes_the_source_before_the_group_ends():
    async def scenario():
        log = []

        async def turn():
            async with asyncio.TaskGroup() as tasks:
                async for _ in run_ahead(tasks, count(9, log), limit=2, name="count"):
                    pass

        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(turn())
            await asyncio.sleep(0.35)
            running.cancel()
        assert log == [0, 1, 2, "closed"]

    run(scenario())


def test_an_error_in_the_source_ends_the_group_with_it():
    async def broken():
        yield 1
        raise ConnectionError("gone")

    async def scenario():
        async with asyncio.TaskGroup() as tasks:
            async for _ in run_ahead(tasks, broken(), limit=2, name="broken"):
                pass

    with pytest.raises(ExceptionGroup) as caught:
        run(scenario())
    assert isinstance(caught.value.exceptions[0], ConnectionError)
