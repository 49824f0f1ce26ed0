"""What the calls tell those who run the server, and what they never tell."""

import asyncio
import gzip
import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client.parser import text_string_to_metric_families

from avatar.events import DraftEnded, ReplyEnded, ReplyTimed
from avatar.latency import LIMIT_MS, ROWS
from avatar.settings import Settings, TelemetrySettings
from avatar.telemetry.metrics import Metrics
from avatar.telemetry.tracing import Tracing
from avatar.telemetry.turns import Telemetry
from tests.session import virtual_clock
from tests.session.scripted_call import Configure, ScriptedCall
from tests.session.scripted_tools import ScriptedServerTools, wants

TIMED = ReplyTimed(
    "resp_1",
    "en",
    {"turn_ended": 200, "first_sound": 300, "first_face_frame": LIMIT_MS["first_face_frame"] + 1},
    {"turn_ended": 0, "first_sound": 200, "first_face_frame": 300},
    zero_s=1.0,
    head_start_ms=90,
    actions=("opener",),
)


def samples(metrics):
    text = metrics.exposition("")[0].decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def traced(call, until_s, backend="embedded"):
    """Run `call`; its spans."""
    exporter = InMemorySpanExporter()
    tracing = Tracing(
        SimpleSpanProcessor(exporter), agent="Elena", backend=backend, model="qwen2.5-coder-0.5b"
    )
    call.told.append(Telemetry(tracing=tracing).of_call("rtc_1"))
    call.run(until_s)
    return exporter.get_finished_spans()


def test_every_series_is_there_before_the_first_call():
    seen = samples(Metrics())
    for row in ROWS:
        for excused in ("no", "held", "tool"):
            assert seen["presencia_turn_latency_seconds_count", excused, row] == 0
            assert seen["presencia_turn_late_total", excused, row] == 0
    assert seen["presencia_answers_total", "completed"] == 0
    assert seen["presencia_drafts_total", "dropped"] == 0
    assert seen["presencia_latency_actions_total", "opener"] == 0


def test_a_timeline_is_counted_row_by_row_and_its_late_rows_as_late():
    metrics = Metrics()
    metrics.tell(TIMED)
    seen = samples(metrics)
    assert seen["presencia_turn_latency_seconds_count", "no", "turn_ended"] == 1
    assert seen["presencia_turn_latency_seconds_sum", "no", "first_sound"] == 0.3
    assert seen["presencia_turn_latency_seconds_count", "no", "first_clause"] == 0
    assert seen["presencia_turn_late_total", "no", "first_face_frame"] == 1
    assert seen["presencia_turn_late_total", "no", "first_sound"] == 0
    assert seen["presencia_draft_head_start_seconds_sum",] == pytest.approx(0.09)
    assert seen["presencia_latency_actions_total", "opener"] == 1


def test_a_timeline_that_says_nothing_of_the_machine_is_counted_apart():
    metrics = Metrics()
    metrics.tell(replace(TIMED, excused="tool"))
    seen = samples(metrics)
    assert seen["presencia_turn_latency_seconds_count", "tool", "first_sound"] == 1
    assert seen["presencia_turn_late_total", "tool", "first_face_frame"] == 1
    for row in ROWS:
        assert seen["presencia_turn_latency_seconds_count", "no", row] == 0
        assert seen["presencia_turn_late_total", "no", row] == 0


def test_drafts_are_counted_with_what_they_cost_in_vain():
    metrics = Metrics()
    metrics.tell(DraftEnded(True, 7, 1, 300))
    metrics.tell(DraftEnded(False, 12, 2, 900))
    metrics.tell(DraftEnded(False, 3, 0, 200))
    assert metrics.counts() == {
        "drafts_adopted": 1,
        "drafts_dropped": 2,
        "draft_tokens_dropped": 15,
        "draft_clauses_dropped": 2,
        "answer_tokens": 0,
        "openers": 0,
    }


def test_answers_are_counted_by_how_they_ended():
    metrics = Metrics()
    metrics.tell(ReplyEnded("r", "i", "completed", "Hello.", 900, tokens=3))
    metrics.tell(ReplyEnded("r", "i", "cancelled", "Hel", 300, tokens=9))
    seen = samples(metrics)
    assert seen["presencia_answers_total", "completed"] == 1
    assert seen["presencia_answers_total", "cancelled"] == 1
    assert seen["presencia_answer_tokens_total",] == 12


def test_an_openmetrics_scraper_gets_its_own_format():
    body, content_type = Metrics().exposition("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_an_answer_is_one_span_with_a_child_for_each_row():
    call = ScriptedCall(["I am fine, thank you."]).says("how are you", 0.5, 1.8)
    *children, turn = traced(call, 8)
    ((_, timed),) = call.of(ReplyTimed)
    assert [span.attributes["presencia.row"] for span in children] == list(timed.rows_ms)
    for span in children:
        assert span.parent.span_id == turn.context.span_id
        assert turn.start_time <= span.start_time <= span.end_time <= turn.end_time
        end_ms = (span.end_time - turn.start_time) / 1e6
        assert end_ms == pytest.approx(timed.rows_ms[span.attributes["presencia.row"]], abs=0.6)
    ((ended_s, _),) = call.of(ReplyEnded)
    assert (turn.end_time - turn.start_time) / 1e9 == pytest.approx(ended_s - 1.8, abs=0.05)


def test_a_span_says_why_its_answer_could_not_come_sooner():
    call = ScriptedCall([[wants()], "It is sunny."]).says("weather", 0.5, 1.8)
    call.server_tools = ScriptedServerTools(takes_s=3.0)
    turn = traced(call, 9)[-1]
    assert turn.attributes["presencia.excused"] == "tool"
    assert (turn.end_time - turn.start_time) / 1e9 > 3
    call = ScriptedCall(["I am fine, thank you."]).says("how are you", 0.5, 1.8)
    assert "presencia.excused" not in traced(call, 8)[-1].attributes


def test_a_span_has_the_language_of_its_answer():
    call = ScriptedCall(["Fine.", "Bien."]).types("hello", 0.5)
    call.presses(Configure(language="es"), 3.0).types("hola", 4.0)
    turns = [span for span in traced(call, 8) if span.name.startswith("invoke_agent")]
    assert [turn.attributes["presencia.language"] for turn in turns] == ["en", "es"]


def test_spans_use_the_names_of_the_conventions_for_generative_ai():
    call = ScriptedCall(["I am fine, thank you."]).says("how are you", 0.5, 1.8)
    spans = {span.name: span for span in traced(call, 8, backend="openai")}
    turn, chat = spans["invoke_agent Elena"], spans["chat qwen2.5-coder-0.5b"]
    assert turn.attributes["gen_ai.conversation.id"] == "rtc_1"
    assert turn.attributes["gen_ai.output.type"] == "speech"
    assert (chat.kind, chat.attributes["gen_ai.provider.name"]) == (SpanKind.CLIENT, "openai")
    assert chat.attributes["gen_ai.operation.name"] == "chat"
    assert chat.attributes["gen_ai.usage.output_tokens"] == 5
    took_s = (chat.end_time - chat.start_time) / 1e9
    assert chat.attributes["gen_ai.response.time_to_first_chunk"] == pytest.approx(took_s, abs=1e-3)


def test_an_answer_that_failed_is_an_error_and_one_that_was_cut_is_none():
    call = ScriptedCall(["one two three four"]).says("hello", 0.5, 1.5)
    call.model.fail_at_word = [3]
    assert traced(call, 6)[-1].status.status_code is StatusCode.ERROR
    long = "Well, once upon a time there was a little boat that sailed far across the sea."
    call = ScriptedCall([long]).says("tell me a story", 0.5, 1.5).says("stop", 4.0, 5.0)
    turn, *_ = [span for span in traced(call, 9) if span.name.startswith("invoke_agent")]
    assert turn.attributes["presencia.status"] == "cancelled"
    assert turn.status.status_code is StatusCode.UNSET


def test_no_word_of_either_side_is_in_a_span_or_a_metric():
    call = ScriptedCall(["Zebras gallop, quietly."]).says("pineapple umbrella", 0.5, 1.8)
    telemetry = Telemetry()
    call.told.append(telemetry.of_call("rtc_1"))
    spans = traced(call, 8)
    assert call.heard == ["Zebras gallop, quietly."]
    told = " ".join(json.dumps(json.loads(span.to_json())) for span in spans)
    told += telemetry.metrics.exposition("")[0].decode()
    for word in ("zebras", "gallop", "quietly", "pineapple", "umbrella"):
        assert word not in told.lower()


def test_traces_are_off_unless_a_collector_is_named(monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", raising=False)

    async def tracing_of(settings):
        async with Telemetry.started(settings) as telemetry:
            return telemetry.tracing is not None

    collector = TelemetrySettings(otlp_endpoint="http://127.0.0.1:9")
    assert not virtual_clock.run(tracing_of(Settings()))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    for settings in (Settings(), Settings(telemetry=collector)):
        assert asyncio.run(tracing_of(settings))


def test_spans_reach_a_collector_over_http():
    received = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            received.append((self.path, ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    async def answer(url):
        settings = Settings(telemetry=TelemetrySettings(otlp_endpoint=url))
        async with Telemetry.started(settings) as telemetry:
            tell = telemetry.of_call("rtc_1")
            tell(TIMED)
            tell(ReplyEnded("resp_1", "item_1", "completed", "Hello.", 900))

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            asyncio.run(answer(f"http://127.0.0.1:{server.server_port}/"))
        finally:
            server.shutdown()
            thread.join()
    ((path, request),) = received
    assert path == "/v1/traces"
    (resource,) = request.resource_spans
    named = {a.key: a.value.string_value for a in resource.resource.attributes}
    assert named["service.name"] == "presencia"
    names = [span.name for span in resource.scope_spans[0].spans]
    assert names == ["turn_ended", "first_sound", "first_face_frame", "invoke_agent Elena"]
