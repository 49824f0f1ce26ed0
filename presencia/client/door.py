"""The HTTP side of docs/protocol.md, for one caller."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from avatar.client.signalling import NotReadyError, ServerUnreachableError
from speech.errors import (
    CallError,
    QueueFullError,
    ResumeExpiredError,
    ServerFullError,
    TicketError,
)

TIMEOUT_S = 20.0


class UnauthorizedError(CallError):
    """The server wants a key, or another one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's side of the handshake.

    Attributes:
        sdp: Its session description.
        path: Of the call, where it can be hung up.
    """

    sdp: str
    path: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A place in line.

    Attributes:
        ticket: Its name.
        is_ready: Whether a place is kept, for a short while.
        place: 1 is next.
        expected_wait_s: By the lengths of other calls.
    """

    ticket: str
    is_ready: bool
    place: int
    expected_wait_s: float


class Door:
    """One server.

    Args:
        url: As "http://127.0.0.1:8080".
        key: For a server that wants one: an API key or a client secret.
    """

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, which may have no address but loopback."""
        return urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")

    async def config(self) -> dict[str, Any]:
        """The server's public configuration.

        Raises:
            CallError: It can't be reached or refuses.
        """
        return _object(await self._request("GET", "/v1/avatar/config"), self.url)

    async def call(
        self, sdp: str, session: dict[str, Any], timeout_s: float = TIMEOUT_S
    ) -> Answer | Standing:
        """Offer a call; a place in line where every other is taken.

        Raises:
            ResumeExpiredError: The conversation that was to go on is forgotten.
            TicketError: The place in line is gone.
            ServerFullError: Nor can one wait.
            NotReadyError: The models are still loading.
            CallError: The server can't be reached or refuses.
        """
        files = {"sdp": (None, sdp), "session": (None, json.dumps(session))}
        response = await self._request("POST", "/v1/realtime/calls", files=files, timeout=timeout_s)
        if response.status_code == 202:
            return _standing(_object(response, self.url))
        return Answer(response.text, response.headers.get("Location", ""))

    async def standing(self, ticket: str) -> Standing:
        """Where one stands in line; asking keeps the place.

        Raises:
            TicketError: It is gone.
            CallError: The server can't be reached or refuses.
        """
        response = await self._request("GET", f"/v1/realtime/queue/{ticket}")
        return _standing(_object(response, self.url))

    async def leave_line(self, ticket: str) -> None:
        """Wait no longer.

        Raises:
            CallError: The server can't be reached or knows no such ticket.
        """
        await self._request("DELETE", f"/v1/realtime/queue/{ticket}")

    async def hang_up(self, answer: Answer) -> None:
        """End a call for good.

        Raises:
            CallError: The server can't be reached or knows no such call.
        """
        await self._request("POST", f"{answer.path}/hangup")

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own options
        options = {"timeout": TIMEOUT_S, **options}
        try:
            async with httpx.AsyncClient(headers=self._headers, trust_env=False) as http:
                response = await http.request(method, urljoin(f"{self.url}/", path), **options)
        except (httpx.TransportError, httpx.InvalidURL):
            raise ServerUnreachableError(
                f"No Presencia server answers at {self.url}. Check the address and the network."
            ) from None
        if response.is_error:
            raise _refusal(response, self.url)
        return response


def _object(response: httpx.Response, url: str) -> dict[str, Any]:
    try:
        value = response.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise CallError(f"What answers at {url} is not Presencia. Check the address.")
    return value


def _standing(body: dict[str, Any]) -> Standing:
    return Standing(
        str(body.get("ticket", "")),
        body.get("status") == "ready",
        int(body.get("place", 0)),
        float(body.get("expected_wait_s", 0)),
    )


_ERRORS: dict[str, type[CallError]] = {
    "server_full": ServerFullError,
    "queue_full": QueueFullError,
    "ticket_expired": TicketError,
    "resume_expired": ResumeExpiredError,
    "not_ready": NotReadyError,
}


def _refusal(response: httpx.Response, url: str) -> CallError:
    """The server's error as an exception, in its own words where it gave some."""
    try:
        error = response.json()["error"]
        code, message = str(error.get("code")), str(error["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        code, message = "", ""
    message = message or f"{url} answered {response.status_code}. Is it a Presencia server?"
    if response.status_code in (401, 403):
        return UnauthorizedError(message)
    return _ERRORS.get(code, CallError)(message)
