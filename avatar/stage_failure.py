"""What a stage does that nobody foresaw ends a turn, as a failure that it tells of does."""

from collections.abc import Awaitable
from typing import TypeVar

from speech.errors import StageError

_T = TypeVar("_T")


async def foreseen(work: Awaitable[_T], stage: str) -> _T:
    """What a stage gives.

    Args:
        work: Of the stage.
        stage: Its name, for a person.

    Raises:
        StageError: It failed, in whatever way; the cause stands in the log, for whoever meets this
            logs it.
    """
    try:
        return await work
    except StageError:
        raise
    except Exception as error:
        raise StageError(f"The {stage} broke; the server's log says how.") from error
