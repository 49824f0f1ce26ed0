"""What a call leaves is given back."""

import asyncio
import platform
import weakref

import psutil
import pytest

from avatar.freeing import free, free_soon

MB = 2**20


def resident():
    return psutil.Process().memory_info().rss


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others keep nothing back")
def test_free_memory_between_blocks_in_use_goes_back_to_the_machine():
    blocks = [bytearray(2000) for _ in range(50_000)]
    in_use = blocks[::500]
    del blocks
    before = resident()
    free()
    assert resident() < before - 50 * MB
    assert len(in_use) == 100


def test_what_a_task_leaves_in_cycles_is_freed_once_it_is_over():
    class Encoder:
        pass

    async def call():
        encoder = Encoder()
        encoder.itself = encoder
        return weakref.ref(encoder)

    async def scenario():
        task = asyncio.create_task(call())
        task.add_done_callback(free_soon)
        encoder = await task
        await asyncio.sleep(0)
        return encoder()

    assert asyncio.run(scenario()) is None
