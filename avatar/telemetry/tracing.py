"""One OpenTelemetry span per answer, with a child per stage. Needs the extra `presencia[otel]`.

Names follow the semantic conventions for generative AI where these have one
(https://opentelemetry.io/docs/specs/semconv/gen-ai/), else begin with `presencia.`. Messages, which
the conventions allow, are never recorded: a span holds names, numbers and identifiers alone.
"""

import asyncio
from datetime import UTC, datetime
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from avatar.latency import BUDGET, ROWS, Row, late_rows
from avatar.telemetry.turns import AnsweredTurn

_PROVIDERS = {"embedded": "llama_cpp", "openai": "openai"}


class Tracing:
    """Makes spans of answers once they are over, and hands them to a span processor.

    It has a provider of its own, not the process's global one, so that nothing else that is
    instrumented sends along what it knows of a request.

    Args:
        processor: Exports the spans, from a thread of its own.
        agent: The persona's name.
        backend: Of the language model: a value of `llm.backend`.
        model: Its name.
    """

    def __init__(self, processor: SpanProcessor, *, agent: str, backend: str, model: str) -> None:
        resource = Resource.create()  # reads OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES
        if str(resource.attributes["service.name"]).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": "presencia"}))
        resource = resource.merge(Resource({"service.version": version("presencia")}))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer: Tracer = self._provider.get_tracer("presencia", version("presencia"))
        self._agent = agent
        self._model = model
        self._kind = SpanKind.CLIENT if backend == "openai" else SpanKind.INTERNAL
        self._inference: dict[str, AttributeValue] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": _PROVIDERS[backend],
            "gen_ai.request.model": model,
            "gen_ai.request.stream": True,
        }

    def trace(self, turn: AnsweredTurn) -> None:
        """Make the spans of an answer that is over. Neither blocks nor waits."""
        timed, ended = turn.timed, turn.ended
        attributes: dict[str, AttributeValue] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": self._inference["gen_ai.provider.name"],
            "gen_ai.agent.name": self._agent,
            "gen_ai.conversation.id": turn.call_id,
            "gen_ai.response.id": timed.response_id,
            "gen_ai.output.type": "speech",
            "presencia.language": timed.language,
            "presencia.status": ended.status,
            "presencia.heard_ms": ended.heard_ms,
            "presencia.draft.head_start_ms": timed.head_start_ms,
            "presencia.late": late_rows(timed.rows_ms),
            "presencia.actions": timed.actions,
        }
        if timed.opener_ms is not None:
            attributes["presencia.opener_ms"] = timed.opener_ms
        if timed.excused:
            attributes["presencia.excused"] = timed.excused
        clock = _WallClock()
        span = self._tracer.start_span(
            f"invoke_agent {self._agent}",
            start_time=clock.ns(timed.zero_s),
            attributes=attributes,
        )
        if ended.status == "failed":
            span.set_status(Status(StatusCode.ERROR))
        for row in ROWS:
            if row in timed.rows_ms:
                self._trace_row(span, row, turn, clock)
        span.end(clock.ns(turn.ended_s))

    def _trace_row(self, parent: Span, row: Row, turn: AnsweredTurn, clock: "_WallClock") -> None:
        timed = turn.timed
        end_ms = timed.rows_ms[row]
        start_ms = min(timed.starts_ms[row], end_ms)
        attributes: dict[str, AttributeValue] = {
            "presencia.row": row,
            "presencia.row.after_speech_ms": end_ms,
            "presencia.row.target_ms": BUDGET[row].target_ms,
            "presencia.row.limit_ms": BUDGET[row].limit_ms,
        }
        name, kind = str(row), SpanKind.INTERNAL
        if row == "llm_first_token":
            name, kind = f"chat {self._model}", self._kind
            attributes |= self._inference
            attributes["gen_ai.response.time_to_first_chunk"] = (end_ms - start_ms) / 1000
            attributes["gen_ai.usage.output_tokens"] = turn.ended.tokens
        span = self._tracer.start_span(
            name,
            set_span_in_context(parent),
            kind,
            attributes,
            start_time=clock.ns(timed.zero_s + start_ms / 1000),
        )
        span.end(clock.ns(timed.zero_s + end_ms / 1000))

    async def close(self) -> None:
        """Export what is left, and end the processor's thread."""
        await asyncio.to_thread(self._provider.shutdown)


class _WallClock:
    """Tells what time of day a loop time was."""

    def __init__(self) -> None:
        self._zero_s = datetime.now(UTC).timestamp() - asyncio.get_running_loop().time()

    def ns(self, at_s: float) -> int:
        """Nanoseconds since the epoch at a loop time."""
        return round((self._zero_s + at_s) * 1e9)


def otlp_processor(endpoint: str) -> SpanProcessor:
    """What exports over OTLP/HTTP, in batches.

    Args:
        endpoint: A collector, as "http://127.0.0.1:4318"; "" leaves it to
            OTEL_EXPORTER_OTLP_ENDPOINT and its kin.
    """
    url = f"{endpoint.rstrip('/')}/v1/traces" if endpoint else None
    return BatchSpanProcessor(OTLPSpanExporter(endpoint=url))
