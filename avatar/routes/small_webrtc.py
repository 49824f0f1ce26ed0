"""The door of Pipecat's clients: SmallWebRTC's offers and addresses, with RTVI on the channel."""

import asyncio
from dataclasses import replace
from typing import TypeVar

from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError

from avatar.access.caller import Caller
from avatar.calls import Calls
from avatar.protocol.dialect import Doors
from avatar.protocol.rtvi import Rtvi
from avatar.protocol.rtvi.messages import explain
from avatar.protocol.rtvi.pc_id import PcId
from avatar.protocol.rtvi.requests import CandidatesRequest, OfferRequest, StartRequest, Wishes
from avatar.protocol.rtvi.started import Promise, Started
from avatar.routes.calls import read_text
from avatar.routes.documented import ADMITTED, json_body, refusals, takes
from avatar.routes.errors import ApiError
from avatar.routes.state import State
from avatar.rtc.ice import browser_ice_servers
from avatar.rtc.peer import Peer
from avatar.settings import Settings
from speech.errors import ResumeExpiredError

_Body = TypeVar("_Body", bound=BaseModel)


def router(settings: Settings, state: State) -> APIRouter:
    """`/api/offer`; `/start`, and `/sessions/{id}/api/offer` for what was started."""
    routes = APIRouter()
    started = Started(
        lambda: asyncio.get_running_loop().time(),
        lambda call_id: state.calls is not None and call_id in state.calls,
    )

    def promised(session_id: str) -> Promise:
        found = started.find(session_id)
        if found is None:
            raise ApiError(
                404, "session_not_found", "Nothing was started by that name; start again."
            )
        return found

    @routes.post(
        "/api/offer",
        responses=refusals(*ADMITTED, 400, 404, 410, 413, 503),
        openapi_extra=takes(json_body(OfferRequest)),
    )
    async def offer(request: Request) -> dict[str, str]:
        return _described(*await _answer(state, request, Promise(Wishes())))

    @routes.patch(
        "/api/offer",
        responses=refusals(*ADMITTED, 400, 404, 413, 503),
        openapi_extra=takes(json_body(CandidatesRequest)),
    )
    async def candidates(request: Request) -> dict[str, str]:
        return await _add_candidates(state, request)

    @routes.post(
        "/start",
        responses=refusals(*ADMITTED, 400, 413),
        openapi_extra=takes(json_body(StartRequest)),
    )
    async def start(request: Request) -> dict[str, object]:
        caller = state.access.admit(request)
        asked = await _read(request, StartRequest)
        servers = browser_ice_servers(settings.rtc)
        return {
            "sessionId": started.add(asked.body or Wishes(), caller.visitor),
            "iceConfig": {"iceServers": servers},
        }

    @routes.post(
        "/sessions/{session_id}/api/offer",
        responses=refusals(*ADMITTED, 400, 404, 410, 413, 503),
        openapi_extra=takes(json_body(OfferRequest)),
    )
    async def offer_to_started(request: Request, session_id: str) -> dict[str, str]:
        return _described(*await _answer(state, request, promised(session_id)))

    @routes.patch(
        "/sessions/{session_id}/api/offer",
        responses=refusals(*ADMITTED, 400, 404, 413, 503),
        openapi_extra=takes(json_body(CandidatesRequest)),
    )
    async def candidates_of_started(request: Request, session_id: str) -> dict[str, str]:
        promised(session_id)
        return await _add_candidates(state, request)

    return routes


async def _answer(state: State, request: Request, promise: Promise) -> tuple[str, PcId]:
    """Begin a call, go on with one over a new connection, or answer one's next offer.

    Only a call of its own makes a promise one that was called: one call may not pass for many.
    """
    caller = state.access.admit(request)
    calls = state.ready
    offer = await _read(request, OfferRequest)
    wishes = offer.wishes or promise.wishes
    if offer.pc_id is None:
        answer, pc_id = await _begin(calls, caller, offer.sdp, wishes)
        promise.begin(pc_id.call_id)
        return answer, pc_id
    known = PcId.parse(offer.pc_id)
    if not offer.restart_pc:
        return await _found(calls.connection(known.call_id)).renegotiate(offer.sdp), known
    try:
        back = replace(caller, resume_token=known.token)
        answer, pc_id = await _begin(calls, back, offer.sdp, wishes)
    except ResumeExpiredError:  # a server that was restarted meanwhile knows the call no more
        answer, pc_id = await _begin(calls, caller, offer.sdp, wishes)
    if promise.call_id == known.call_id:
        promise.begin(pc_id.call_id)
    return answer, pc_id


async def _begin(calls: Calls, caller: Caller, sdp: str, wishes: Wishes) -> tuple[str, PcId]:
    token = ""

    def speak(doors: Doors) -> Rtvi:
        nonlocal token
        made = doors.resume()
        token = made.token if made else ""
        doors.shows_watchers(wishes.shows_watchers is True)
        return Rtvi(doors, wishes.client_tools)

    call_id, answer = await calls.start(sdp, wishes.call_config, speak, caller)
    return answer, PcId(call_id, token)


def _described(answer: str, pc_id: PcId) -> dict[str, str]:
    return {"sdp": answer, "type": "answer", "pc_id": str(pc_id)}


async def _add_candidates(state: State, request: Request) -> dict[str, str]:
    state.access.admit(request)
    calls = state.ready
    found = await _read(request, CandidatesRequest)
    peer = _found(calls.connection(PcId.parse(found.pc_id).call_id))
    await peer.add_candidates(candidate.candidate for candidate in found.candidates)
    return {"status": "success"}


def _found(peer: Peer | None) -> Peer:
    if peer is None:
        raise ApiError(404, "call_not_found", "There is no such call; it may have ended.")
    return peer


async def _read(request: Request, model: type[_Body]) -> _Body:
    """The body of a request.

    Raises:
        ApiError: It is too large, or not what it should be.
    """
    try:
        return model.model_validate_json(await read_text(request))
    except ValidationError as error:
        raise ApiError(400, "invalid_request", explain(error)) from error
