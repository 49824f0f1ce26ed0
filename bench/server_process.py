"""The server under test, in a process of its own."""

import asyncio
import os
import re
import signal
import sys
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from speech.errors import CallError

READY = re.compile(r"Presencia is ready at (http://\S+)")
_READY_TIMEOUT_S = 1800.0  # a first start fetches the models
_STOP_TIMEOUT_S = 15.0


@asynccontextmanager
async def serving(*, verbose: bool = False) -> AsyncGenerator[str]:
    """Start `presencia serve` on a free port; yields its URL once it is ready; stops it after.

    Args:
        verbose: Pass its log on to stderr.

    Raises:
        CallError: It ended, or was not ready in time; the message ends with its last words.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "avatar.cli.main", "serve", "--host", "127.0.0.1", "--port", "0"),
        env={**os.environ, "PRESENCIA_RTC__OFFER_LOOPBACK": "true", "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    words: deque[str] = deque(maxlen=1)
    try:
        async with asyncio.TaskGroup() as tasks:
            log = tasks.create_task(_follow(process.stderr, words, verbose=verbose))
            url = await _ready(process.stdout)
            rest = tasks.create_task(_follow(process.stdout, words, verbose=verbose))
            try:
                if url is None:
                    await asyncio.wait([log], timeout=1)
                    raise CallError(f"The server did not start: {' '.join(words) or 'no word'}")
                yield url
            finally:
                await _stop(process)
                await asyncio.wait([log, rest], timeout=1)
                log.cancel()
                rest.cancel()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


async def _ready(stdout: asyncio.StreamReader) -> str | None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_READY_TIMEOUT_S):
            async for line in stdout:
                if match := READY.search(line.decode(errors="replace")):
                    return match[1]
    return None


async def _follow(stream: asyncio.StreamReader, words: deque[str], *, verbose: bool) -> None:
    """Read to the end, so that the server never blocks on a full pipe."""
    async for line in stream:
        text = line.decode(errors="replace").rstrip()
        words.append(text)
        if verbose:
            print(text, file=sys.stderr)


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
