"""What the routes' OpenAPI document says that FastAPI can't see: bodies read raw, and refusals."""

from http import HTTPStatus
from typing import Any, Literal

from fastapi import Response
from pydantic import BaseModel

SDP = "application/sdp"

SDP_BODY: dict[str, Any] = {SDP: {"schema": {"type": "string"}}}
"""An offer as it is."""

ADMITTED = (401, 403, 429)
"""How whoever may not call is refused."""

_Responses = dict[int | str, dict[str, Any]]


class ErrorDetail(BaseModel):
    """What went wrong."""

    type: Literal["server_error", "invalid_request_error"]
    code: str
    message: str
    param: None


class ErrorAnswer(BaseModel):
    """An error, in the API's shape."""

    error: ErrorDetail


class SdpResponse(Response):
    """An answer to an offer."""

    media_type = SDP


def takes(content: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads its body itself.

    Args:
        content: The schema of each media type.
        required: Whether there has to be a body.
    """
    return {"requestBody": {"required": required, "content": content}}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """The content of a body that is a model's JSON."""
    return {"application/json": {"schema": schema_of(model)}}


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON schema in one piece: where it is put, its references would lead nowhere."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def whole(node: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(node, list):
            return [whole(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return whole(parts[node["$ref"].rpartition("/")[2]])
        return {name: whole(value) for name, value in node.items() if name != "discriminator"}

    found: dict[str, Any] = whole(schema)
    return found


_ERROR_BODY = json_body(ErrorAnswer)


def refusals(*statuses: int) -> _Responses:
    """The `responses` of a route that may be refused with these statuses."""
    return {
        status: {"description": HTTPStatus(status).phrase, "content": _ERROR_BODY}
        for status in statuses
    }
