"""How a Pipecat bot is called: an offer to `/api/offer`, and RTVI on the data channel.

Reference: https://docs.pipecat.ai/client/rtvi-standard. Its messages are put into the words of
docs/protocol.md, as far as turns and measurements need them.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from avatar.client.signalling import Answer
from avatar.client.turns import TRANSCRIBED
from speech.errors import CallError

READY = "bot-ready"
"""The event that answers `Call.send(CLIENT_READY)`: the bot's pipeline runs."""

SAYS = "response.output_audio_transcript.done"
"""The event with the words that the bot begins to speak."""

CLIENT_READY = {"type": "client-ready"}

_PROTOCOL = "2.2.0"  # of RTVI, which Pipecat 1.14 speaks
_TIMEOUT_S = 20.0


class PipecatSignaller:
    """The `Signaller` of a Pipecat bot's SmallWebRTC transport.

    Args:
        url: As "http://127.0.0.1:7860".
    """

    ping_every_s = 1.0  # the transport takes a client for lost after 3 s; Pipecat's own sends so

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._messages = 0
        self._answers = 0
        self._open: dict[str, str] = {}

    @property
    def is_local(self) -> bool:
        """Whether the bot is on this machine, which may have no address but loopback."""
        return urlsplit(self._url).hostname in ("127.0.0.1", "localhost", "::1")

    async def config(self) -> dict[str, Any]:
        """Nothing: the transport says nothing about itself before a call."""
        return {}

    async def offer(self, sdp: str) -> Answer:
        """Start a call.

        Raises:
            CallError: The bot can't be reached or refuses.
        """
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as http:
                offer = {"sdp": sdp, "type": "offer"}
                response = await http.post(f"{self._url}/api/offer", json=offer)
            response.raise_for_status()
            return Answer(str(response.json()["sdp"]), self._url)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise CallError(f"The bot at {self._url} does not take the offer: {error}") from None

    async def hang_up(self, answer: Answer) -> None:
        """Do nothing: the bot ends the call when the connection closes."""

    def outgoing(self, event: dict[str, Any]) -> Iterator[str]:
        """The RTVI messages that tell the bot a client event."""
        match event["type"]:
            case "avatar.ping":
                yield "ping"
            case "client-ready":
                about = {"library": "presencia-bench"}
                yield self._message("client-ready", {"version": _PROTOCOL, "about": about})
            case "conversation.item.create":
                content = " ".join(part["text"] for part in event["item"]["content"])
                options = {"run_immediately": True, "audio_response": True}
                yield self._message("send-text", {"content": content, "options": options})
            case "response.cancel":
                yield self._message("client-message", {"t": "cancel"})

    def incoming(self, message: str | bytes) -> Iterable[dict[str, Any]]:
        """The server events that an RTVI message stands for; most stand for none.

        Raises:
            ValueError: It is no JSON object.
        """
        body = json.loads(message)
        if not isinstance(body, dict):
            raise ValueError("An RTVI message is a JSON object.")
        data = body.get("data") or {}
        match body.get("type"):
            case "bot-ready":
                return [{"type": READY, "about": data.get("about")}]
            case "user-transcription" if data["final"]:
                return [{"type": TRANSCRIBED, "transcript": data["text"]}]
            case "bot-llm-started":
                return [*self._close("written"), self._begin("written")]
            case "bot-llm-stopped":
                return self._close("written")
            case "bot-started-speaking":
                return [*self._close("played"), self._begin("played")]
            case "bot-stopped-speaking":
                return self._close("played")
            case "bot-interrupted":
                return [*self._close("written"), *self._close("played")]
            case "bot-output" if data["will_be_spoken"] and data["spoken_status"] == "new":
                return [{"type": SAYS, "transcript": data["text"]}]
            case _:
                return []

    def _message(self, kind: str, data: dict[str, Any]) -> str:
        self._messages += 1
        message = {"label": "rtvi-ai", "id": str(self._messages), "type": kind, "data": data}
        return json.dumps(message)

    def _begin(self, what: str) -> dict[str, Any]:
        self._answers += 1
        self._open[what] = answer = f"answer {self._answers}"
        if what == "written":
            return {"type": "response.created", "response": {"id": answer}}
        return {"type": "output_audio_buffer.started", "response_id": answer}

    def _close(self, what: str) -> list[dict[str, Any]]:
        answer = self._open.pop(what, None)
        if answer is None:
            return []
        if what == "written":
            return [{"type": "response.done", "response": {"id": answer}}]
        return [{"type": "output_audio_buffer.stopped", "response_id": answer}]
