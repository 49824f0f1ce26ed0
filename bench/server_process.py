"""What is under test, in processes of its own."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import IO

from speech.errors import CallError

READY = "Presencia is ready at "
_READY_TIMEOUT_S = 1800.0  # a first start fetches the models
_STOP_TIMEOUT_S = 15.0


@asynccontextmanager
async def serving(
    *, verbose: bool = False, settings: Mapping[str, str] | None = None
) -> AsyncGenerator[str]:
    """Start `presencia serve` on a free port; yields its URL once it is ready; stops it after.

    Args:
        verbose: Pass its log on to stderr.
        settings: As `PRESENCIA_*` variables.

    Raises:
        CallError: It ended, or was not ready in time; the message ends with its last words.
    """
    command = (sys.executable, "-m", "avatar.cli.main", "serve", "--host", "127.0.0.1")
    environment = {"PRESENCIA_RTC__OFFER_LOOPBACK": "true", **(settings or {})}
    async with running("server", (*command, "--port", "0"), READY, environment, verbose) as url:
        yield url


@asynccontextmanager
async def running(
    name: str,
    command: Sequence[str],
    ready: str,
    environment: Mapping[str, str] | None = None,
    verbose: bool = False,
    log: IO[str] | None = None,
) -> AsyncGenerator[str]:
    """Start a process that serves HTTP; yields its URL once it is ready; stops it by SIGINT after.

    A SIGTERM to this process ends both: it counts as an interrupt meanwhile.

    Args:
        name: For people.
        command: Program and arguments.
        ready: What it writes to stdout before its URL when it is ready.
        environment: Of the process, beside this one's.
        verbose: Pass what it writes on to stderr.
        log: Gets what it writes.

    Raises:
        CallError: It ended, sooner or later, or was not ready in time; the message ends with its
            last words.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    words = _Words(verbose, log)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
    try:
        async with asyncio.TaskGroup() as tasks:
            following = [tasks.create_task(words.follow(process.stderr))]
            watching: asyncio.Task[None] | None = None
            try:
                url = await _ready(process.stdout, ready)
                if url is None:
                    await asyncio.wait(following, timeout=1)
                    raise CallError(f"The {name} did not start: {words.last or 'no word'}")
                following.append(tasks.create_task(words.follow(process.stdout)))
                watching = tasks.create_task(_outlive(name, process, words))
                yield url
            finally:
                if watching is not None:
                    watching.cancel()
                await _stop(process)
                await asyncio.wait(following, timeout=1)
                for task in following:
                    task.cancel()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


class _Words:
    """Reads what a process writes to the end, so that it never blocks on a full pipe."""

    def __init__(self, verbose: bool, log: IO[str] | None) -> None:
        self.last = ""
        self._sinks = [sink for sink in (sys.stderr if verbose else None, log) if sink]

    async def follow(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            self.last = line.decode(errors="replace").rstrip()
            for sink in self._sinks:
                print(self.last, file=sink, flush=True)


async def _outlive(name: str, process: asyncio.subprocess.Process, words: _Words) -> None:
    status = await process.wait()
    raise CallError(f"The {name} ended (status {status}): {words.last or 'no word'}")


async def _ready(stdout: asyncio.StreamReader, ready: str) -> str | None:
    """The URL that it is ready at; None if it ended before, or too much time passed."""
    pattern = re.compile(rf"{re.escape(ready)}(http://\S+)")
    with suppress(TimeoutError):
        async with asyncio.timeout(_READY_TIMEOUT_S):
            async for line in stdout:
                if match := pattern.search(line.decode(errors="replace")):
                    return match[1]
    return None


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
