"""Credentials of a TURN server that hold for a while: nobody has to keep a list of users.

The username says until when, and whoever shares the secret with the TURN server can make them: the
"TURN REST API" (draft-uberti-behave-turn-rest-00), coturn's `use-auth-secret`.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex


@dataclass(frozen=True, slots=True)
class RelayCredentials:
    """What a client shows to a TURN server.

    Attributes:
        username: `EXPIRY:NAME`, the expiry in whole seconds since 1970.
        credential: Base64 of the username's HMAC-SHA1 under the shared secret.
    """

    username: str
    credential: str


def relay_credentials(
    secret: str, lifetime_s: int, now: datetime, name: str = ""
) -> RelayCredentials:
    """Credentials that a TURN server with the same secret takes until `now` + `lifetime_s`.

    Args:
        secret: Shared with the TURN server.
        lifetime_s: A relay that began in time goes on after it.
        now: With its time zone.
        name: Who they are for; at random by default, so that a quota per user is one per call.
    """
    username = f"{int(now.timestamp()) + lifetime_s}:{name or token_hex(4)}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return RelayCredentials(username, base64.b64encode(digest).decode())
