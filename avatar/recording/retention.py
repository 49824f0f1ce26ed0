"""Deletes recordings that have been kept for as long as was promised."""

import asyncio
import logging
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from avatar.recording.format import began
from avatar.settings import RecordingSettings

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 3600.0


def delete_old(root: Path, keep_days: int, now: datetime) -> int:
    """Delete the recordings below `root` that are older than `keep_days`; returns how many.

    A recording is known by its folder's name, so that damaged ones go too. Everything else is
    left alone.
    """
    deleted = 0
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        started = began(folder.name)
        if started is not None and now - started > timedelta(days=keep_days):
            shutil.rmtree(folder, ignore_errors=True)
            deleted += not folder.exists()
    return deleted


async def keep_promise(settings: RecordingSettings) -> None:
    """Delete what is old, now and every hour, until cancelled.

    Also while recording is switched off: what was recorded before was promised to go as well.
    """
    while True:
        try:
            deleted = await asyncio.to_thread(
                delete_old, settings.root, settings.keep_days, datetime.now(UTC)
            )
        except OSError:
            _log.exception("old recordings can't be deleted")
        else:
            _log.info("old recordings deleted", extra={"count": deleted})
        await asyncio.sleep(_LOOK_EVERY_S)
