"""Watching a call, by WHEP: a player's offer in, the avatar's face and voice out.

Source: draft-ietf-wish-whep-04. Off unless `watching.enabled`; docs/whep.md says what the person in
the call is told.
"""

from fastapi import APIRouter, Request, Response

from avatar.routes.calls import read_text
from avatar.routes.documented import ADMITTED, SDP, SDP_BODY, SdpResponse, refusals, takes
from avatar.routes.errors import ApiError
from avatar.routes.state import State
from avatar.rtc.fragment import parse_fragment
from avatar.rtc.ice import browser_ice_servers
from avatar.settings import Settings
from avatar.whep import Audience, IceRestartError, WatchError
from speech.errors import ServerFullError

FRAGMENT = "application/trickle-ice-sdpfrag"
RETRY_AFTER_S = 5
ONLY_CALL = "only"
"""In a call's place: the one that is under way. Its name is not told: it would end the call."""

_IF_MATCH = {"parameters": [{"name": "If-Match", "in": "header", "schema": {"type": "string"}}]}


def router(settings: Settings, state: State) -> APIRouter:
    """`/whep/{call_id}` and `/whep/{call_id}/{watcher}`; nothing where watching is off."""
    routes = APIRouter()
    if not settings.watching.enabled:
        return routes
    links = ", ".join(_link(server) for server in browser_ice_servers(settings.rtc))

    def audience(call_id: str, watcher: str = "") -> Audience:
        if call_id == ONLY_CALL:
            call_id = _watched_by(state, watcher) if watcher else _only(state)
        found = state.ready.audience(call_id)
        if found is None:
            raise ApiError(404, "call_not_found", "There is no such call; it may have ended.")
        return found

    @routes.post(
        "/whep/{call_id}",
        status_code=201,
        response_class=SdpResponse,
        responses=refusals(*ADMITTED, 400, 404, 409, 413, 415, 503),
        openapi_extra=takes(SDP_BODY),
    )
    async def watch(request: Request, call_id: str) -> Response:
        # Whoever may only call, as with a client secret, is not to see others' calls.
        state.access.admit(request, "manage")
        if _kind(request) != SDP:
            raise ApiError(415, "unsupported_media_type", f"Send the offer as {SDP}.")
        try:
            watcher, answer = await audience(call_id).admit(await read_text(request))
        except WatchError as error:
            raise _not_now(str(error)) from error
        except ServerFullError as error:
            wait = {"Retry-After": str(RETRY_AFTER_S)}
            raise ApiError(503, "too_many_watchers", str(error), **wait) from error
        headers = {"Location": f"/whep/{call_id}/{watcher}", "ETag": _tag(watcher)}
        if links:
            headers["Link"] = links
        return Response(answer, 201, media_type=SDP, headers=headers)

    @routes.patch(
        "/whep/{call_id}/{watcher}",
        status_code=204,
        responses=refusals(*ADMITTED, 400, 404, 412, 413, 415, 428, 503),
        openapi_extra=takes({FRAGMENT: {"schema": {"type": "string"}}}) | _IF_MATCH,
    )
    async def add_candidates(request: Request, call_id: str, watcher: str) -> Response:
        state.access.admit(request)
        if _kind(request) != FRAGMENT:
            raise ApiError(415, "unsupported_media_type", f"Send addresses as {FRAGMENT}.")
        _check_tag(request, watcher)
        credentials, lines = parse_fragment(await read_text(request))
        try:
            await audience(call_id, watcher).add_candidates(watcher, credentials, lines)
        except KeyError as error:
            raise _gone() from error
        except IceRestartError as error:
            raise ApiError(422, "ice_restart_unsupported", str(error)) from error
        return Response(status_code=204)

    @routes.delete(
        "/whep/{call_id}/{watcher}",
        response_class=Response,
        responses=refusals(*ADMITTED, 404, 503),
    )
    async def leave(request: Request, call_id: str, watcher: str) -> Response:
        state.access.admit(request)
        if not audience(call_id, watcher).dismiss(watcher):
            raise _gone()
        return Response(status_code=200)

    @routes.get("/whep/{call_id}", status_code=204)
    @routes.get("/whep/{call_id}/{watcher}", status_code=204)
    async def nothing_to_show() -> Response:
        return Response(status_code=204)

    @routes.head("/whep/{call_id}", response_class=SdpResponse)
    async def tell_what_it_is() -> Response:
        return Response(status_code=200, headers={"Content-Type": SDP})

    @routes.options("/whep/{call_id}", response_class=Response)
    @routes.options("/whep/{call_id}/{watcher}", response_class=Response)
    async def options() -> Response:
        headers = {"Accept-Post": SDP, "Accept-Patch": FRAGMENT}
        return Response(status_code=200, headers=headers)

    return routes


def _only(state: State) -> str:
    """The call that is under way.

    Raises:
        ApiError: There is none, or more than one.
    """
    calls = state.ready.under_way
    if not calls:
        raise _not_now("Nobody is in a call.")
    if len(calls) > 1:
        raise _not_now("Several calls are under way; name one: /whep/{call_id}.")
    return calls[0]


def _watched_by(state: State, watcher: str) -> str:
    """The call that a watcher watches, who need not know its name.

    Raises:
        ApiError: There is none.
    """
    calls = state.ready
    for call_id in calls.under_way:
        found = calls.audience(call_id)
        if found is not None and watcher in found:
            return call_id
    raise _gone()


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _tag(watcher: str) -> str:
    """Names the ICE session; there is one for each watcher, for ICE is not restarted."""
    return f'"{watcher[:8]}"'


def _check_tag(request: Request, watcher: str) -> None:
    wanted = request.headers.get("if-match")
    if wanted is None:
        raise ApiError(428, "precondition_required", "Send If-Match with the ETag of the answer.")
    if wanted.strip() not in ("*", _tag(watcher)):
        raise ApiError(412, "precondition_failed", "These addresses are of another ICE session.")


def _not_now(message: str) -> ApiError:
    return ApiError(409, "nothing_to_watch", message, **{"Retry-After": str(RETRY_AFTER_S)})


def _gone() -> ApiError:
    return ApiError(404, "watcher_not_found", "Nobody watches by that name; they may have left.")


def _link(server: dict[str, object]) -> str:
    """A STUN or TURN server as a Link header names it (RFC 9725, section 4.6)."""
    urls, extra = server["urls"], ""
    if "username" in server:
        extra = (
            f'; username="{server["username"]}"; credential="{server.get("credential", "")}"'
            '; credential-type="password"'
        )
    named = urls if isinstance(urls, list) else []
    return ", ".join(f'<{url}>; rel="ice-server"{extra}' for url in named)
