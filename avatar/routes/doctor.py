"""The server's part of the connection doctor: what it knows of itself, and the trial calls."""

from importlib.metadata import version

from fastapi import APIRouter, Request, Response

from avatar.doctor.load import measure_load
from avatar.doctor.loop import RETRY_AFTER_S, Trials
from avatar.routes.calls import read_text
from avatar.routes.documented import ADMITTED, SDP_BODY, SdpResponse, refusals, takes
from avatar.routes.errors import ApiError
from avatar.routes.state import State
from avatar.settings import Settings
from speech.errors import ServerFullError, SignallingError


def router(settings: Settings, state: State) -> APIRouter:
    """`/v1/avatar/diagnosis` and its trial calls."""
    routes = APIRouter()
    trials = Trials(settings.rtc)

    @routes.get("/v1/avatar/diagnosis", responses=refusals(*ADMITTED, 503))
    async def diagnosis(request: Request) -> dict[str, object]:
        state.access.admit(request)
        calls = state.ready
        load = await measure_load()
        return {
            "version": version("presencia"),
            "calls": len(calls),
            "max_calls": settings.server.max_calls,
            "cores": load.cores,
            "busy": load.busy,
            "late_ms": load.late_ms,
        }

    @routes.post(
        "/v1/avatar/diagnosis/calls",
        status_code=201,
        response_class=SdpResponse,
        responses=refusals(*ADMITTED, 400, 413, 503),
        openapi_extra=takes(SDP_BODY),
    )
    async def try_call(request: Request) -> Response:
        state.access.admit(request)
        tasks = state.ready.tasks
        offer = await read_text(request)
        try:
            answer = await trials.start(offer, tasks)
        except ServerFullError as error:
            raise ApiError(
                429, "server_full", str(error), **{"Retry-After": str(RETRY_AFTER_S)}
            ) from error
        except SignallingError as error:
            raise ApiError(400, "invalid_sdp", str(error)) from error
        return Response(answer, 201, media_type="application/sdp")

    return routes
