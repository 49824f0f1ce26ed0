"""`presencia kiosk`: runs the service and the browser, and starts again what ends or hangs.

The service decides (`watchdog.py`): the launcher sees in `/v1/kiosk/status` when it wants another
browser. The launcher itself only sees whether the service answers, and whether Chromium lives.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from avatar.kiosk import chromium
from speech.errors import ConfigError

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 2.0
_ANSWER_WITHIN_S = 5.0
_HUNG_S = 30.0
_STARTS_WITHIN_S = 1800.0  # a first start fetches the models
_END_WITHIN_S = 15.0
_PAUSES_S = (1.0, 2.0, 5.0, 15.0, 30.0)
_WELL_S = 120.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run.

    Attributes:
        url: Of the service, without a path.
        serve: The service's command line; None where it is run by somebody else.
        environment: Of the service, beside this process's.
        chromium: The browser's program.
        chromium_args: Further switches for it.
    """

    url: str
    serve: Sequence[str] | None
    environment: Mapping[str, str]
    chromium: str
    chromium_args: tuple[str, ...] = ()


class Pauses:
    """How long to wait before something is started again: longer each time it ends too soon."""

    def __init__(self) -> None:
        self._tries = 0

    def after(self, lived_s: float) -> float:
        """The pause, in s, after a life of so many seconds."""
        if lived_s >= _WELL_S:
            self._tries = 0
        pause_s = _PAUSES_S[min(self._tries, len(_PAUSES_S) - 1)]
        self._tries += 1
        return pause_s


async def run(plan: Plan) -> None:
    """Run the kiosk until cancelled, or told to end by SIGTERM.

    Raises:
        ConfigError: A program is missing, or the service that runs has no kiosk.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(_run(plan))
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    except BaseExceptionGroup as group:
        raise _first(group) from None


async def _run(plan: Plan) -> None:
    async with (
        httpx.AsyncClient(base_url=plan.url, timeout=_ANSWER_WITHIN_S) as http,
        asyncio.TaskGroup() as tasks,
    ):
        if plan.serve is not None:
            tasks.create_task(_keep_service(plan, http), name="service")
        tasks.create_task(_keep_browser(plan, http), name="browser")


def _first(error: BaseException) -> BaseException:
    """The error itself: what ends a group of two is one thing."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


async def has_kiosk(http: httpx.AsyncClient) -> bool | None:
    """Whether the service has a kiosk; None where no service answers."""
    try:
        answer = await http.get("/v1/kiosk/status")
    except httpx.HTTPError:
        return None
    return answer.status_code == 200


async def _keep_service(plan: Plan, http: httpx.AsyncClient) -> None:
    assert plan.serve is not None
    loop, pauses = asyncio.get_running_loop(), Pauses()
    while True:
        began_s = loop.time()
        async with _process(plan.serve, plan.environment) as process:
            answered_s = began_s + _STARTS_WITHIN_S
            while process.returncode is None:
                await _ended(process, _LOOK_EVERY_S)
                if await has_kiosk(http) is not None:
                    answered_s = loop.time()
                elif loop.time() - answered_s > _HUNG_S:
                    _log.error("the service does not answer: it is killed and started again")
                    process.kill()
                    await process.wait()
        _log.warning("the service ended with %s: it is started again", process.returncode)
        await asyncio.sleep(pauses.after(loop.time() - began_s))


@dataclass(frozen=True, slots=True)
class Wish:
    """What the service has said of the browser so far.

    Attributes:
        started: Names the start of the service that says so.
        restarts: How many it has wanted since.
        slept: Whether it was started again for the night.
    """

    started: str
    restarts: int
    slept: bool = False

    def is_for_another(self, than: "Wish") -> bool:
        """Whether the browser that was started at `than` is to be replaced."""
        if self.started == than.started:
            return self.restarts > than.restarts
        return self.slept or self.restarts > 0


async def _keep_browser(plan: Plan, http: httpx.AsyncClient) -> None:
    loop, pauses = asyncio.get_running_loop(), Pauses()
    while True:
        known = await _until_served(http)
        began_s = loop.time()
        with TemporaryDirectory(prefix="presencia-kiosk-", ignore_cleanup_errors=True) as profile:
            page = f"{plan.url}/kiosk.html"
            line = chromium.command(plan.chromium, page, Path(profile), plan.chromium_args)
            async with _process(line, {}, group=True) as process:
                while process.returncode is None:
                    await _ended(process, _LOOK_EVERY_S)
                    wish = await _wish(http)
                    if wish is not None and wish.is_for_another(known):
                        break
                    known = wish or known
                code = process.returncode
        if code is not None:
            await _report(http, f"exit status {code} after {loop.time() - began_s:.0f} s")
            await asyncio.sleep(pauses.after(loop.time() - began_s))


async def _until_served(http: httpx.AsyncClient) -> Wish:
    """Wait until the service serves the page; what it has wanted until now is no wish any more."""
    while True:
        served = await has_kiosk(http)
        if served is False:
            raise ConfigError(
                f"The service at {http.base_url} has no kiosk: set kiosk.enabled = true and "
                "start it again, or stop it and let `presencia kiosk` start one."
            )
        if served and (wish := await _wish(http)) is not None:
            return wish
        await asyncio.sleep(_LOOK_EVERY_S / 4)


async def _wish(http: httpx.AsyncClient) -> Wish | None:
    """What the service wants; None while it doesn't say."""
    try:
        status = (await http.get("/v1/kiosk/status")).json()
        newest = status["reports"][0]["why"] if status["reports"] else ""
        return Wish(
            status["started"], int(status["browser"]["restarts_wanted"]), newest == "nightly"
        )
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None


async def _report(http: httpx.AsyncClient, detail: str) -> None:
    with contextlib.suppress(httpx.HTTPError):
        await http.post("/v1/kiosk/browser", json={"detail": detail})


@asynccontextmanager
async def _process(
    line: Sequence[str], environment: Mapping[str, str], *, group: bool = False
) -> AsyncGenerator[asyncio.subprocess.Process, None]:
    """A process that is ended, with its children where they are a group, when we are.

    Raises:
        ConfigError: There is no such program.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *line, env={**os.environ, **environment}, start_new_session=group
        )
    except OSError as error:
        raise ConfigError(
            f"Can't start {line[0]}: {error.strerror}. Install it (Debian: apt install chromium), "
            "or set kiosk.chromium."
        ) from error
    try:
        yield process
    finally:
        await _end(process, group)


async def _end(process: asyncio.subprocess.Process, group: bool) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(process.pid, number)
            elif process.returncode is None:
                process.send_signal(number)
        await _ended(process, _END_WITHIN_S)
        if process.returncode is not None and not group:
            return


async def _ended(process: asyncio.subprocess.Process, limit_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await process.wait()


def serve_line(config: Path | None, port: int) -> tuple[str, ...]:
    """The command line of the service that the launcher runs itself."""
    line = (sys.executable, "-m", "avatar.cli.main", "serve", "--port", str(port))
    return (*line, "--config", str(config)) if config is not None else line
