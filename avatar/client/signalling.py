"""HTTP to a Presencia server: its configuration, an offer for an answer, hanging up."""

import asyncio
import json
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

from speech.errors import CallError, ServerFullError

_TIMEOUT_S = 20.0


class ServerUnreachableError(CallError):
    """Nothing answers at the address."""


class NotReadyError(CallError):
    """The server is there, but has not loaded its models yet."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's side of the handshake.

    Attributes:
        sdp: Its session description.
        call_url: Where this call can be hung up.
    """

    sdp: str
    call_url: str


class Signalling:
    """One server's HTTP door.

    Args:
        url: As "http://127.0.0.1:8080".
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    async def config(self) -> dict[str, Any]:
        """The server's public configuration, `GET /v1/avatar/config`.

        Raises:
            CallError: The server can't be reached or refuses.
        """
        return self._object(await self._exchange("GET", "/v1/avatar/config"))

    async def metrics(self) -> dict[str, Any]:
        """The server's own measurements, `GET /v1/avatar/metrics`.

        Raises:
            CallError: The server can't be reached or refuses.
        """
        return self._object(await self._exchange("GET", "/v1/avatar/metrics"))

    async def offer(self, sdp: str) -> Answer:
        """Start a call.

        Raises:
            ServerFullError: Every place is taken.
            NotReadyError: The models are still loading.
            CallError: The server can't be reached or refuses.
        """
        body, location = await self._exchange("POST", "/v1/realtime/calls", sdp, "application/sdp")
        return Answer(body.decode(), urljoin(f"{self.url}/", location or ""))

    async def hang_up(self, answer: Answer) -> None:
        """End the call.

        Raises:
            CallError: The server can't be reached or knows no such call.
        """
        await self._exchange("POST", f"{answer.call_url}/hangup", "")

    async def _exchange(
        self, method: str, path: str, body: str | None = None, kind: str = "text/plain"
    ) -> tuple[bytes, str | None]:
        request = Request(
            urljoin(f"{self.url}/", path),
            method=method,
            data=None if body is None else body.encode(),
            headers={"Content-Type": kind},
        )
        try:
            return await asyncio.to_thread(_fetch, request)
        except HTTPError as error:
            raise _refusal(error, self.url) from None
        except (URLError, HTTPException, OSError, ValueError):
            raise ServerUnreachableError(
                f"No Presencia server answers at {self.url}. Start one: presencia serve"
            ) from None

    def _object(self, answer: tuple[bytes, str | None]) -> dict[str, Any]:
        try:
            value = json.loads(answer[0])
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise CallError(f"What answers at {self.url} is not Presencia. Check --url.")
        return value


def _fetch(request: Request) -> tuple[bytes, str | None]:
    with urlopen(request, timeout=_TIMEOUT_S) as response:
        return response.read(), response.headers.get("Location")


def _refusal(error: HTTPError, url: str) -> CallError:
    """The server's error as an exception, in its own words where it gave some."""
    try:
        message = str(json.loads(error.read())["error"]["message"])
    except (ValueError, KeyError, TypeError, OSError):
        message = ""
    if error.code == 429:
        return ServerFullError(message or f"{url} is busy: every place is taken. Try again later.")
    if error.code == 503:
        return NotReadyError(message or f"{url} is still loading its models. Try again soon.")
    hint = message or "Is it a Presencia server? Check --url."
    return CallError(f"{url} answered {error.code}: {hint}")
