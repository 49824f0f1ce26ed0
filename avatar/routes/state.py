"""What the server has, once it has it."""

from dataclasses import dataclass, field

from avatar.access.admission import Access
from avatar.calls import Calls
from avatar.kiosk.kiosk import Kiosk
from avatar.routes.errors import ApiError
from avatar.telemetry.turns import Telemetry


@dataclass(slots=True)
class State:
    """Shared by all routes; filled while the server starts.

    Attributes:
        calls: None until the models are loaded.
        telemetry: Told what every conversation's answers were like.
        access: Says who may call; there once the application is made.
        kiosk: None where it is switched off; else there once the application is made.
    """

    calls: Calls | None = None
    telemetry: Telemetry = field(default_factory=Telemetry)
    access: Access = field(init=False)
    kiosk: Kiosk | None = None

    @property
    def ready(self) -> Calls:
        """The calls; an `ApiError` until the models are loaded."""
        if self.calls is None:
            raise ApiError(
                503,
                "not_ready",
                "The models are still loading; this takes some seconds.",
                **{"Retry-After": "2"},
            )
        return self.calls
