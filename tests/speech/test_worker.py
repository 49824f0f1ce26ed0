import asyncio
import threading

import pytest

from speech.worker import Worker, longest_busy_s


def nothing():
    pass


@pytest.fixture
def worker():
    worker = Worker("test")
    yield worker
    worker.close()


def test_a_call_runs_in_the_workers_own_thread(worker):
    async def script():
        return await worker.run(lambda: threading.current_thread().name, nothing)

    assert asyncio.run(script()).startswith("test")


def test_an_error_reaches_the_caller(worker):
    def fail():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        asyncio.run(worker.run(fail, nothing))


def test_a_cancelled_caller_goes_on_at_once_and_the_call_is_told_to_stop(worker):
    begun, stop = threading.Event(), threading.Event()

    def work():
        begun.set()
        assert stop.wait(60)

    async def script():
        async with asyncio.TaskGroup() as tasks:
            call = tasks.create_task(worker.run(work, stop.set))
            await asyncio.to_thread(begun.wait)
            call.cancel()
            await asyncio.wait([call])
            assert call.cancelled()

    asyncio.run(script())
    assert stop.is_set()


def test_a_call_cancelled_in_the_queue_never_runs_and_those_after_it_do(worker):
    release, ran = threading.Event(), []

    async def script():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run(lambda: release.wait(60), nothing))
            queued = tasks.create_task(worker.run(lambda: ran.append("queued"), nothing))
            tasks.create_task(worker.run(lambda: ran.append("next"), nothing))
            await asyncio.sleep(0)
            queued.cancel()
            await asyncio.wait([queued])
            release.set()

    asyncio.run(script())
    assert ran == ["next"]


def test_a_worker_at_its_call_is_known_to_be_busy_also_after_its_caller_has_gone(worker):
    begun, stop = threading.Event(), threading.Event()

    def work():
        begun.set()
        assert stop.wait(60)

    async def script():
        assert longest_busy_s() == 0
        call = asyncio.get_running_loop().create_task(worker.run(work, nothing))
        await asyncio.to_thread(begun.wait, 60)
        call.cancel()
        await asyncio.wait([call])
        busy_s = longest_busy_s()
        stop.set()
        await worker.run(nothing, nothing)
        return busy_s, longest_busy_s()

    busy_s, after_s = asyncio.run(script())
    assert busy_s > 0
    assert after_s == 0
