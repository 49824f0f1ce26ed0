"""Errors in the API's shape."""

import math

from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from speech.errors import (
    CallError,
    CallLimitError,
    QueueFullError,
    ResumeExpiredError,
    ServerFullError,
    TicketError,
)

BUSY_RETRY_S = 10
POLICY_VIOLATION = 1008  # RFC 6455, section 7.4.1


class ApiError(Exception):
    """An error in the API's shape.

    Attributes:
        status: HTTP status.
        code: For programs.
        message: For a person.
    """

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def response(self) -> JSONResponse:
        """The answer that says so."""
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        body = {"type": kind, "code": self.code, "message": self.message, "param": None}
        return JSONResponse({"error": body}, self.status, headers=self.headers)


def later(code: str, message: str, wait_s: float) -> ApiError:
    """A `429` that says how long to wait, in whole seconds."""
    seconds = max(1, math.ceil(wait_s))
    return ApiError(429, code, message, **{"Retry-After": str(seconds)})


def refusal(error: CallError) -> ApiError:
    """Why a call can't begin."""
    match error:
        case QueueFullError():
            return later("queue_full", str(error), BUSY_RETRY_S)
        case ServerFullError():
            return later("server_full", str(error), BUSY_RETRY_S)
        case CallLimitError(wait_s=wait_s):
            return later("too_many_calls", str(error), wait_s)
        case TicketError():
            return ApiError(410, "ticket_expired", str(error))
        case ResumeExpiredError():
            return ApiError(410, "resume_expired", str(error))
        case _:
            return ApiError(400, "invalid_sdp", str(error))


def answer_errors(app: FastAPI) -> None:
    """Answer every error in the API's shape."""

    @app.exception_handler(ApiError)
    async def api_error(connection: HTTPConnection, error: ApiError) -> JSONResponse | None:
        if isinstance(connection, WebSocket):
            await refuse(connection, error)
            return None
        return error.response()

    @app.exception_handler(CallError)
    async def call_error(connection: HTTPConnection, error: CallError) -> JSONResponse | None:
        return await api_error(connection, refusal(error))

    @app.exception_handler(RequestValidationError)
    async def not_as_documented(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return ApiError(422, "invalid_request", f"{where}: {first['msg']}.").response()

    @app.exception_handler(Exception)
    async def failure(_: Request, __: Exception) -> JSONResponse:
        # The framework logs it, and what it was is nobody else's business.
        message = "Something went wrong inside the server. Its log says what."
        return ApiError(500, "internal_error", message).response()

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> JSONResponse:
        code = "not_found" if error.status_code == 404 else "invalid_request"
        return ApiError(error.status_code, code, str(error.detail)).response()


async def refuse(socket: WebSocket, error: ApiError) -> None:
    """Answer a WebSocket that was not accepted yet with an error in the API's shape."""
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(error.response())
    else:
        await socket.close(POLICY_VIOLATION, error.message[:120])
