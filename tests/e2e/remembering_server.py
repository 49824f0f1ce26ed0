"""A server that can be asked what it remembers: on SIGUSR1 it says what alive holds a word.

python remembering_server.py FILE_WITH_THE_WORD
"""

import asyncio
import gc
import signal
import sys
from pathlib import Path

from avatar.cli.serve import _bind
from avatar.server import serve
from avatar.settings import load


def holders(word: str) -> list[str]:
    """The kinds of everything that has a text or bytes with the word in it."""
    gc.collect()
    found = []
    for holder in gc.get_objects():
        for part in gc.get_referents(holder):
            if isinstance(part, str):
                holds = word in part.lower() and part is not word
            else:
                holds = isinstance(part, (bytes, bytearray)) and word.encode() in part.lower()
            if holds:
                found.append(type(holder).__qualname__)
    return sorted(found)


async def run(file: Path) -> None:
    """Serve, and answer the signal."""

    def tell() -> None:
        print(f"remembers: {holders(file.read_text())}", flush=True)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell)
    settings = load()
    await serve(settings, _bind(settings.server))


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
