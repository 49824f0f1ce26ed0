"""Who calls, once they were let in."""

from dataclasses import dataclass, field

from avatar.access.client_secrets import ClientSecret
from avatar.access.keys import Key

BY_KEY = "key:"
BY_ADDRESS = "address:"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what for.

    Attributes:
        owner: Whom calls are counted for and belong to: "key:1a2b3c4d" or "address:192.0.2.7".
        key: That was shown, or the secret was made with.
        secret: That was shown.
        ticket: Of the line for a place, if one was shown.
        resume_token: Of a lost call, if one was shown in the WebSocket's subprotocols.
        address: They come from, or its network.
    """

    owner: str = BY_ADDRESS
    key: Key | None = None
    secret: ClientSecret | None = None
    ticket: str = ""
    resume_token: str = field(default="", repr=False)
    address: str = ""

    @property
    def key_owner(self) -> str:
        """Whose key it is; empty without one. What has to outlast a change of address has this."""
        return self.owner if self.owner.startswith(BY_KEY) else ""

    @property
    def visitor(self) -> str:
        """Who has what costs little and no place: behind a client secret, each address by itself.

        A site hands its visitors secrets of one key, and there may be many visitors.
        """
        return BY_ADDRESS + self.address if self.secret is not None else self.owner
