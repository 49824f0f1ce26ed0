"""The kiosk's page and what it asks of the service: from this machine's own browser only."""

import platform
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from avatar.access.addresses import is_loopback, network_of
from avatar.access.caller import BY_ADDRESS
from avatar.kiosk.choices import Choices
from avatar.kiosk.forgetting import forget_visitors
from avatar.kiosk.kiosk import Kiosk
from avatar.kiosk.staff import SESSION_S, PinLockedError, WrongPinError
from avatar.kiosk.watchdog import BEAT_EVERY_S, Beat, Restart
from avatar.routes.documented import refusals
from avatar.routes.errors import ApiError
from avatar.routes.state import State
from avatar.settings import Settings
from avatar.store.data import data_folder

CAMERA_POLICY = "microphone=(self), camera=(self), autoplay=(self), screen-wake-lock=(self)"
"""Of the kiosk page alone: every other page of ours is refused the camera."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BeatBody(_Body):
    """`Beat`, as the page sends it."""

    screen: str = Field(max_length=20)
    occupied: bool
    frames: int = Field(ge=0)
    errors: int = Field(0, ge=0)
    heap_mb: float = Field(0, ge=0)
    visits: int = Field(0, ge=0, le=1000)
    camera: bool = False
    microphone: bool = False


class PinBody(_Body):
    """A try at the PIN."""

    pin: str = Field(max_length=64)


class RestartBody(_Body):
    """What staff want restarted."""

    part: Literal["page", "browser", "service"]


class EndedBody(_Body):
    """How the launcher's browser ended."""

    detail: str = Field(max_length=200)


def router(settings: Settings, state: State) -> APIRouter:
    """`/kiosk.html` and `/v1/kiosk/*`; where the kiosk is switched off, a page that says so."""
    routes = APIRouter(dependencies=[Depends(only_here)], responses=refusals(400, 413))
    kiosk = state.kiosk
    if not settings.kiosk.enabled or kiosk is None:
        return _switched_off()

    @routes.get("/kiosk.html", response_class=HTMLResponse)
    async def page() -> FileResponse:
        headers = {"Permissions-Policy": CAMERA_POLICY, "Cache-Control": "no-store"}
        return FileResponse(data_folder("web_client") / "kiosk.html", headers=headers)

    @routes.get("/v1/kiosk/config")
    async def config() -> dict[str, object]:
        chosen = kiosk.settings
        return {
            **dict(chosen.model_dump(include=_SHOWN)),
            "longest_visit_s": 60 * chosen.longest_visit_min,
            "beat_every_s": BEAT_EVERY_S,
            "has_pin": kiosk.staff.has_pin,
        }

    @routes.post("/v1/kiosk/beat")
    async def beat(body: BeatBody) -> dict[str, object]:
        reload = kiosk.hear(Beat(**body.model_dump()))
        return {"reload": reload, "ready": state.calls is not None}

    @routes.post("/v1/kiosk/wiped", status_code=204)
    async def wiped(request: Request) -> Response:
        kiosk.staff.leave()
        if state.calls is not None:
            # A page that begins, or has hung up, has no call: what is there is a lost visitor's.
            address = request.client.host if request.client else ""
            state.calls.hang_up_all(BY_ADDRESS + network_of(address))
            await forget_visitors(state.calls.engines)
        return Response(status_code=204)

    @routes.get("/v1/kiosk/status")
    async def status() -> dict[str, object]:
        return kiosk.status()

    @routes.post("/v1/kiosk/browser", status_code=204)
    async def browser_ended(body: EndedBody) -> Response:
        kiosk.browser_ended(body.detail)
        return Response(status_code=204)

    routes.include_router(_staff_routes(kiosk))
    return routes


def _switched_off() -> APIRouter:
    routes = APIRouter()

    @routes.get("/kiosk.html", status_code=404, response_class=HTMLResponse)
    async def page() -> FileResponse:
        folder = data_folder("web_client") / "kiosk"
        return FileResponse(folder / "off.html", 404, {"Cache-Control": "no-store"})

    return routes


_SHOWN = {
    "languages",
    "volume",
    "idle_s",
    "countdown_s",
    "choose_s",
    "invite_every_s",
    "speak_every_s",
    "camera",
    "voice",
}


def _staff_routes(kiosk: Kiosk) -> APIRouter:
    """What needs the PIN."""
    routes = APIRouter()

    async def allowed(authorization: Annotated[str, Header()] = "") -> None:
        kind, _, token = authorization.partition(" ")
        if kind != "Bearer" or not kiosk.staff.allows(token):
            raise ApiError(401, "pin_needed", "Enter the PIN again.")

    @routes.post("/v1/kiosk/staff", responses=refusals(429))
    async def enter(body: PinBody) -> dict[str, object]:
        try:
            return {"token": await kiosk.staff.enter(body.pin), "expires_s": SESSION_S}
        except PinLockedError as error:
            wait = {"Retry-After": str(round(error.retry_after_s) + 1)}
            raise ApiError(429, "pin_locked", str(error), **wait) from error
        except WrongPinError as error:
            raise ApiError(403, "wrong_pin", str(error)) from error

    @routes.put(
        "/v1/kiosk/choices",
        dependencies=[Depends(allowed)],
        status_code=204,
        responses=refusals(401, 500),
    )
    async def choose(choices: Choices) -> Response:
        try:
            kiosk.choices.choose(choices)
        except OSError as error:
            detail = f"The choices can't be kept: {error.strerror}."
            raise ApiError(500, "not_kept", detail) from error
        return Response(status_code=204)

    @routes.post(
        "/v1/kiosk/restart",
        dependencies=[Depends(allowed)],
        status_code=204,
        responses=refusals(401),
    )
    async def restart(body: RestartBody) -> Response:
        kiosk.restart(Restart(body.part, "staff", "asked for on the screen"))
        return Response(status_code=204)

    @routes.get("/v1/kiosk/diagnostics", dependencies=[Depends(allowed)], responses=refusals(401))
    async def diagnostics() -> dict[str, object]:
        return {
            **kiosk.status(),
            "system": platform.platform(),
            "python": platform.python_version(),
        }

    return routes


async def only_here(request: Request) -> None:
    """Refuse whoever is not this machine's own browser, or the launcher.

    A page of another site could send requests to this machine too, by its address or by a name of
    its own that leads here: neither comes with our own host's name and origin.

    Raises:
        ApiError: 403.
    """
    client = request.client.host if request.client else ""
    host = request.url.hostname or ""
    forwarded = {"forwarded", "x-forwarded-for", "x-real-ip"} & set(request.headers)
    other_site = request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")
    if forwarded or other_site or not is_loopback(client) or not is_loopback(host):
        raise ApiError(403, "not_here", "The kiosk answers its own screen only.")
