"""Errors in the API's shape."""

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

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


def answer_errors(app: FastAPI) -> None:
    """Answer every error in the API's shape."""

    @app.exception_handler(ApiError)
    async def api_error(connection: HTTPConnection, error: ApiError) -> JSONResponse | None:
        if isinstance(connection, WebSocket):
            await refuse(connection, error)
            return None
        return error.response()

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
