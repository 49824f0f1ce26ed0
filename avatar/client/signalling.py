"""What a client must know of a server besides media, and how that is for Presencia's own.

HTTP: its configuration, an offer for an answer, hanging up; on the data channel: its events.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import httpx

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


class Signaller(Protocol):
    """Calls a server, and puts its messages into the words of docs/protocol.md.

    Attributes:
        ping_every_s: How often the server wants an "avatar.ping".
    """

    ping_every_s: float

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, which may have no address but loopback."""
        ...

    async def config(self) -> dict[str, Any]:
        """What the server says about itself; "ice_servers" is what counts here.

        Raises:
            CallError: The server can't be reached or refuses.
        """
        ...

    async def offer(self, sdp: str) -> Answer:
        """Start a call.

        Raises:
            CallError: The server can't be reached or refuses.
        """
        ...

    async def hang_up(self, answer: Answer) -> None:
        """End the call.

        Raises:
            CallError: The server can't be reached or knows no such call.
        """
        ...

    def outgoing(self, event: dict[str, Any]) -> Iterable[str]:
        """The messages that tell the server a client event."""
        ...

    def incoming(self, message: str | bytes) -> Iterable[dict[str, Any]]:
        """The server events that a message stands for.

        Raises:
            ValueError: It is malformed.
        """
        ...


class Signalling:
    """The `Signaller` of a Presencia server.

    Args:
        url: As "http://127.0.0.1:8080".
        may_record: Whether the caller agrees to being recorded (docs/replay.md).
    """

    ping_every_s = 3.0  # docs/protocol.md: 10 s without one end the call

    def __init__(self, url: str, *, may_record: bool = False) -> None:
        self.url = url.rstrip("/")
        self._may_record = may_record

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, which may have no address but loopback."""
        return urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")

    async def config(self) -> dict[str, Any]:
        """The server's public configuration, `GET /v1/avatar/config`.

        Raises:
            CallError: The server can't be reached or refuses.
        """
        return self._object(await self._request("GET", "/v1/avatar/config"))

    async def metrics(self) -> dict[str, Any]:
        """The server's own measurements, `GET /v1/avatar/metrics`.

        Raises:
            CallError: The server can't be reached or refuses.
        """
        return self._object(await self._request("GET", "/v1/avatar/metrics"))

    async def offer(self, sdp: str) -> Answer:
        """Start a call.

        Raises:
            ServerFullError: Every place is taken.
            NotReadyError: The models are still loading.
            CallError: The server can't be reached or refuses.
        """
        body: dict[str, Any] = {"content": sdp, "headers": {"Content-Type": "application/sdp"}}
        if self._may_record:
            session = json.dumps({"type": "realtime", "avatar": {"recording": True}})
            body = {"files": {"sdp": (None, sdp), "session": (None, session)}}
        response = await self._request("POST", "/v1/realtime/calls", **body)
        return Answer(response.text, urljoin(f"{self.url}/", response.headers.get("Location", "")))

    async def hang_up(self, answer: Answer) -> None:
        """End the call.

        Raises:
            CallError: The server can't be reached or knows no such call.
        """
        await self._request("POST", f"{answer.call_url}/hangup")

    def outgoing(self, event: dict[str, Any]) -> Iterable[str]:
        """The event as JSON."""
        yield json.dumps(event)

    def incoming(self, message: str | bytes) -> Iterable[dict[str, Any]]:
        """The event that the JSON is.

        Raises:
            ValueError: It is no JSON object with a type.
        """
        event = json.loads(message)
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            raise ValueError("An event is a JSON object with a type.")
        yield event

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own options
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as http:
                response = await http.request(method, urljoin(f"{self.url}/", path), **options)
        except (httpx.TransportError, httpx.InvalidURL):
            raise ServerUnreachableError(
                f"No Presencia server answers at {self.url}. Start one: presencia serve"
            ) from None
        if response.is_error:
            raise _refusal(response, self.url)
        return response

    def _object(self, response: httpx.Response) -> dict[str, Any]:
        try:
            value = response.json()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise CallError(f"What answers at {self.url} is not Presencia. Check --url.")
        return value


def _refusal(response: httpx.Response, url: str) -> CallError:
    """The server's error as an exception, in its own words where it gave some."""
    try:
        message = str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = ""
    if response.status_code == 429:
        return ServerFullError(message or f"{url} is busy: every place is taken. Try again later.")
    if response.status_code == 503:
        return NotReadyError(message or f"{url} is still loading its models. Try again soon.")
    hint = message or "Is it a Presencia server? Check --url."
    return CallError(f"{url} answered {response.status_code}: {hint}")
