"""Who watches a call beside the person who holds it: the avatar's face and voice, never theirs."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from avatar.rtc.watcher import Show, Watcher
from avatar.settings import RtcSettings
from speech.errors import CallError, ServerFullError

_log = logging.getLogger(__name__)

KEYFRAME_EVERY_S = 2.0
"""Watchers together cause a complete picture no more often: it costs the person's own picture."""

_UNSHOWN = (
    "This call's client has not said that it shows the person who watches (docs/whep.md), so "
    "nobody may."
)
_UNWANTED = "The person in this call does not want to be watched."


class WatchError(CallError):
    """A call can't be watched; the message says why."""


class IceRestartError(CallError):
    """A watcher wants ICE restarted, which is not done here."""


@dataclass(slots=True)
class Audience:
    """The watchers of one call. `run` owns them: they leave when that ends.

    Attributes:
        limit: How many there may be.
        changed: Called with their number whenever it changes.
        settings: ICE servers.
        allowed: Whether the person lets others watch.
        is_shown: Whether their client shows them how many do: nobody watches unseen.
    """

    limit: int
    changed: Callable[[int], None]
    settings: RtcSettings
    allowed: bool = True
    is_shown: bool = False
    _show: Callable[[], Show | None] = lambda: None
    _watchers: dict[str, Watcher] = field(default_factory=dict)
    _expected: int = 0
    _tasks: asyncio.TaskGroup | None = None
    _keyframe_s: float = float("-inf")
    _keyframe: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._watchers)

    def __contains__(self, name: object) -> bool:
        return name in self._watchers

    async def run(self, show: Callable[[], Show | None]) -> None:
        """Let watchers in, until cancelled.

        Args:
            show: What there is to be watched now.
        """
        self._show = show
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                await asyncio.Event().wait()
        finally:
            self._tasks = None
            if self._keyframe is not None:
                self._keyframe.cancel()

    async def admit(self, offer_sdp: str) -> tuple[str, str]:
        """Answer a watcher's offer.

        Returns:
            The watcher's name, which nobody can guess, and the answer.

        Raises:
            WatchError: The call can't be watched now, or the person does not want it.
            ServerFullError: As many watch as may.
            SignallingError: The offer can't be answered.
        """
        show = self._show()
        self._check_allowed()
        if self._tasks is None or show is None:
            raise WatchError("There is nothing to watch yet.")
        if len(self._watchers) + self._expected >= self.limit:
            raise ServerFullError(f"{self.limit} watch this call already; that is the limit.")
        self._expected += 1  # before anything is awaited, or two watchers get one place
        try:
            watcher = await Watcher.answer(offer_sdp, show, self.settings, self.want_keyframe)
        finally:
            self._expected -= 1
        try:
            if self._tasks is None:  # meanwhile
                raise WatchError("The call is over.")
            self._check_allowed()
        except WatchError:
            await watcher.close()
            raise
        name = secrets.token_urlsafe(16)
        self._watchers[name] = watcher
        self._tasks.create_task(self._hold(name, watcher), name="watcher")
        return name, watcher.answer_sdp

    async def add_candidates(
        self, name: str, credentials: tuple[str, str], lines: Iterable[str]
    ) -> None:
        """Try more addresses of a watcher.

        Raises:
            KeyError: There is none of that name.
            IceRestartError: The credentials are not those of the offer.
            SignallingError: The addresses are malformed.
        """
        watcher = self._watchers[name]
        if credentials != watcher.offer.credentials:
            raise IceRestartError("ICE is not restarted here; offer anew on a new connection.")
        await watcher.add_candidates(lines)

    def dismiss(self, name: str) -> bool:
        """Let a watcher go; False if there is none of that name."""
        watcher = self._watchers.get(name)
        if watcher is None:
            return False
        watcher.leave()
        return True

    def forbid(self) -> None:
        """The person does not want to be watched: everybody leaves, and nobody comes back."""
        self.allowed = False
        self._clear()

    def be_shown(self, shown: bool) -> None:
        """The client shows who watches, or does so no more: then everybody leaves."""
        self.is_shown = shown
        if not shown:
            self._clear()

    def _check_allowed(self) -> None:
        if not self.allowed:
            raise WatchError(_UNWANTED)
        if not self.is_shown:
            raise WatchError(_UNSHOWN)

    def _clear(self) -> None:
        for watcher in self._watchers.values():
            watcher.leave()

    async def _hold(self, name: str, watcher: Watcher) -> None:
        """Keep one watcher until it leaves; it is counted while it is connected."""
        try:
            async with asyncio.TaskGroup() as tasks:
                arrival = tasks.create_task(self._announce(watcher))
                await watcher.closed.wait()
                arrival.cancel()
        finally:
            del self._watchers[name]
            try:
                await watcher.close()
            except Exception:  # noqa: BLE001 - the person's call goes on, whatever a watcher's does
                _log.exception("a watcher's connection did not close")
        if watcher.connected.is_set():
            self.changed(self._count())

    async def _announce(self, watcher: Watcher) -> None:
        await watcher.connected.wait()
        self.changed(self._count())

    def _count(self) -> int:
        return sum(watcher.connected.is_set() for watcher in self._watchers.values())

    def want_keyframe(self) -> None:
        """Have a complete picture sent, now or as soon as the last one is old enough."""
        loop = asyncio.get_running_loop()
        if self._keyframe is None:
            due_s = max(loop.time(), self._keyframe_s + KEYFRAME_EVERY_S)
            self._keyframe = loop.call_at(due_s, self._send_keyframe)

    def _send_keyframe(self) -> None:
        self._keyframe = None
        self._keyframe_s = asyncio.get_running_loop().time()
        show = self._show()
        if show is not None:
            show.send_keyframe()
