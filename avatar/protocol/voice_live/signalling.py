"""The SDP that Voice Live clients send and take, inside their events.

Microsoft's samples send base64 of `{"type": "offer", "sdp": ...}`, the reference asks for base64 of
the SDP, and some clients send the SDP as it is. The answer comes back as the offer came.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Literal

from speech.errors import SignallingError

_HOW_TO = (
    "client_sdp is base64 of the JSON of your RTCPeerConnection's localDescription, once its ICE "
    "candidates are gathered."
)


@dataclass(frozen=True, slots=True)
class WrappedOffer:
    """A client's offer.

    Attributes:
        sdp: The SDP itself.
        form: How it was wrapped.
    """

    sdp: str
    form: Literal["json", "base64", "plain"]

    def wrap(self, answer_sdp: str) -> str:
        """The answer, wrapped as the offer was."""
        if self.form == "plain":
            return answer_sdp
        answer = answer_sdp
        if self.form == "json":
            answer = json.dumps({"type": "answer", "sdp": answer_sdp})
        return base64.b64encode(answer.encode()).decode()


def unwrap(client_sdp: str) -> WrappedOffer:
    """Read a `client_sdp`.

    Raises:
        SignallingError: It is in none of the forms.
    """
    if client_sdp.startswith("v="):
        return WrappedOffer(client_sdp, "plain")
    try:
        text = base64.b64decode(client_sdp, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise SignallingError(_HOW_TO) from error
    if text.startswith("v="):
        return WrappedOffer(text, "base64")
    try:
        description = json.loads(text)
        kind, sdp = description["type"], description["sdp"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SignallingError(_HOW_TO) from error
    if kind != "offer" or not isinstance(sdp, str):
        raise SignallingError(_HOW_TO)
    return WrappedOffer(sdp, "json")
