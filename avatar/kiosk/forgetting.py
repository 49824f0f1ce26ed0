"""Leaves nothing of a visitor in the service's memory."""

import gc

from avatar.engines import Engines
from speech.text.numbers import forget_numbers
from speech.text.spanish_phonemes import forget_words


async def forget_visitors(engines: Engines) -> None:
    """Drop what calls that have ended left behind: caches of words, and the language models' own.

    A call's own words end with it; the rest is kept because it makes the next call faster, which
    between visitors of a kiosk does not count.

    Args:
        engines: That the calls shared.
    """
    forget_words()
    forget_numbers()
    for forget in engines.forgetting:
        await forget()
    gc.collect()  # cycles of tasks and tracebacks may still hold what was said
