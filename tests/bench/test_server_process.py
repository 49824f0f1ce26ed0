"""What a benchmark starts ends with it."""

import os
import signal
import subprocess
import sys

import pytest

SERVER = "import os, time; print(f'ready at http://{os.getpid()}'); time.sleep(60)"
BENCH = f"""
import asyncio, sys
from bench.server_process import running

async def main():
    async with running("server", (sys.executable, "-uc", {SERVER!r}), "ready at ") as url:
        print(url, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_what_it_started_ends_with_it(by):
    command = (sys.executable, "-c", BENCH)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as bench:
        assert bench.stdout is not None
        server = int(bench.stdout.readline().decode().removeprefix("http://"))
        os.kill(server, 0)  # it is there
        bench.send_signal(by)
        assert bench.wait(30) != 0
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
