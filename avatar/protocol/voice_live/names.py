"""What the Realtime protocol's events are called in Voice Live, and what is in them.

Voice Live keeps the names that the Realtime API had before it was generally available. Sources:
the models of azure-ai-voicelive 1.3.1; OpenAI's migration guide from beta to GA.
"""

from collections.abc import Mapping

Json = dict[str, object]

_RENAMED = {
    "conversation.item.added": "conversation.item.created",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
}

_KEPT = frozenset(
    (
        "error",
        "conversation.item.deleted",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.failed",
        "conversation.item.retrieved",
        "conversation.item.truncated",
        "input_audio_buffer.cleared",
        "input_audio_buffer.committed",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "mcp_list_tools.completed",
        "mcp_list_tools.failed",
        "mcp_list_tools.in_progress",
        "output_audio_buffer.cleared",
        "response.content_part.added",
        "response.content_part.done",
        "response.created",
        "response.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.mcp_call.completed",
        "response.mcp_call.failed",
        "response.mcp_call.in_progress",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.output_item.added",
        "response.output_item.done",
    )
)

_PARTS = {"output_audio": "audio", "output_text": "text"}
_PARTS_BACK = {"audio": "output_audio", "text": "output_text"}

_NO_CACHED = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
_USAGE: Json = {"total_tokens": 0, "input_tokens": 0, "output_tokens": 0}
_INPUT_TOKENS: Json = {"cached_tokens": 0, "text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
_OUTPUT_TOKENS: Json = {"text_tokens": 0, "audio_tokens": 0}


def in_voice_live(event: Mapping[str, object]) -> Json | None:
    """A server event of the Realtime protocol as Voice Live has it; None if it has no such."""
    kind = str(event["type"])
    name = _RENAMED.get(kind) or (kind if kind in _KEPT else None)
    if name is None:
        return None
    told: Json = {**event, "type": name}
    for field, translated in (("item", _item), ("part", _part), ("response", _response)):
        value = event.get(field)
        if isinstance(value, dict):
            told[field] = translated(value)
    return told


def in_realtime(event: Mapping[str, object], instructions: str = "") -> Json:
    """A client event of Voice Live as the Realtime protocol has it.

    Args:
        event: The client's.
        instructions: Of the session, to which a `response.create` may add for one answer.
    """
    told: Json = dict(event)
    more = told.pop("additional_instructions", None) if event["type"] == "response.create" else None
    if isinstance(more, str):
        added: Json = {"instructions": f"{instructions}\n{more}".strip()}
        event = {**event, "response": added | _mapping(event, "response")}
    item, response = event.get("item"), event.get("response")
    if isinstance(item, dict):
        told["item"] = _renamed_parts(item, _PARTS_BACK)
    if isinstance(response, dict):
        told["response"] = _asked_response(response)
    return told


def _part(part: Json, names: Mapping[str, str] = _PARTS) -> Json:
    kind = part.get("type")
    return {**part, "type": names.get(str(kind), kind)}


def _item(item: Json) -> Json:
    return _renamed_parts({"object": "realtime.item", **item}, _PARTS)


def _renamed_parts(item: Json, names: Mapping[str, str]) -> Json:
    content = item.get("content")
    if not isinstance(content, list):
        return item
    parts = [_part(part, names) if isinstance(part, dict) else part for part in content]
    return {**item, "content": parts}


def _response(response: Json) -> Json:
    told = {k: v for k, v in response.items() if k not in ("output_modalities", "audio")}
    if "output_modalities" in response:
        told["modalities"] = response["output_modalities"]
    output = response.get("output")
    if isinstance(output, list):
        told["output"] = [_item(item) if isinstance(item, dict) else item for item in output]
    if "usage" in response:
        told["usage"] = _usage(response["usage"])
    return told


def _usage(usage: object) -> Json | None:
    """With every field: the SDK for JavaScript reads them without asking whether they are there."""
    if not isinstance(usage, dict):
        return None
    given_in, given_out = (_mapping(usage, f"{way}_token_details") for way in ("input", "output"))
    cached = {**_NO_CACHED, **_mapping(given_in, "cached_tokens_details")}
    return {
        **_USAGE,
        **usage,
        "input_token_details": {
            **_INPUT_TOKENS,
            **given_in,
            "cached_tokens_details": cached,
        },
        "output_token_details": {**_OUTPUT_TOKENS, **given_out},
    }


def _mapping(of: Mapping[str, object], field: str) -> Json:
    value = of.get(field)
    return value if isinstance(value, dict) else {}


def _asked_response(response: Json) -> Json:
    """The `response` of a `response.create`."""
    told = dict(response)
    if "modalities" in told:
        wanted = told.pop("modalities")
        spoken = isinstance(wanted, list) and "audio" in wanted
        told["output_modalities"] = ["audio"] if spoken else wanted
    if "max_response_output_tokens" in told:
        told["max_output_tokens"] = told.pop("max_response_output_tokens")
    return told
