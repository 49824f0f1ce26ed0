"""Counts and latencies of all calls, for Prometheus."""

from collections.abc import Callable
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

from avatar.events import ConversationEvent, DraftEnded, ReplyEnded, ReplyStatus, ReplyTimed
from avatar.latency import LIMIT_MS, ROWS, TARGET_MS, Action, Excuse, late_rows

_LATENCY_S = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.75, 0.9, 1.2, 1.6, 2.5, 5)
_EXCUSES = ("no", *get_args(Excuse))
_HEAD_START_S = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5)


class Metrics:
    """One server's metrics. Every series is there from the start, at 0.

    Labels are names from this code alone: nothing that was said, and nothing that tells callers
    apart, can get into one.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        PlatformCollector(registry=registry)
        ProcessCollector(registry=registry)
        self._latency = Histogram(
            "presencia_turn_latency_seconds",
            "From the last speech sample to the first delivery of each stage",
            ["row", "excused"],
            buckets=_LATENCY_S,
            registry=registry,
        )
        self._late = Counter(
            "presencia_turn_late",
            "Answers in which a stage was later than 95 of 100 may be",
            ["row", "excused"],
            registry=registry,
        )
        budget = Gauge(
            "presencia_turn_budget_seconds",
            "What a stage may take: in the median, and in the 95th percentile",
            ["row", "quantile"],
            registry=registry,
        )
        self._answers = Counter(
            "presencia_answers", "Answers, by how they ended", ["status"], registry=registry
        )
        self._tokens = Counter(
            "presencia_answer_tokens",
            "Pieces of text, about a token each, that the language model wrote for answers",
            registry=registry,
        )
        self._actions = Counter(
            "presencia_latency_actions",
            "Answers in which this was done because a stage was going to be late",
            ["action"],
            registry=registry,
        )
        self._drafts = Counter(
            "presencia_drafts",
            "Answers begun before the turn was over, by what became of them",
            ["outcome"],
            registry=registry,
        )
        self._draft_tokens = Counter(
            "presencia_draft_tokens_dropped",
            "Pieces of text, about a token each, written for drafts that were dropped",
            registry=registry,
        )
        self._draft_clauses = Counter(
            "presencia_draft_clauses_dropped",
            "Clauses spoken for drafts that were dropped",
            registry=registry,
        )
        self._head_start = Histogram(
            "presencia_draft_head_start_seconds",
            "How long before the end of the turn an adopted draft was begun",
            buckets=_HEAD_START_S,
            registry=registry,
        )
        self._calls = Gauge("presencia_calls", "Calls under way", registry=registry)
        for row in ROWS:
            for excused in _EXCUSES:
                self._latency.labels(row, excused)
                self._late.labels(row, excused)
            budget.labels(row, "0.5").set(TARGET_MS[row] / 1000)
            budget.labels(row, "0.95").set(LIMIT_MS[row] / 1000)
        for status in get_args(ReplyStatus):
            self._answers.labels(status)
        for action in get_args(Action):
            self._actions.labels(action)
        for outcome in ("adopted", "dropped"):
            self._drafts.labels(outcome)

    @property
    def registry(self) -> CollectorRegistry:
        """Where a part of the server puts series of its own."""
        return self._registry

    def count_calls(self, count: Callable[[], float]) -> None:
        """Have the number of calls under way asked for at every reading."""
        self._calls.set_function(count)

    def tell(self, event: ConversationEvent) -> None:
        """Take note of one event of any conversation."""
        match event:
            case ReplyTimed():
                self._tell_timing(event)
            case ReplyEnded(status=status, tokens=tokens):
                self._answers.labels(status).inc()
                self._tokens.inc(tokens)
            case DraftEnded(adopted=True):
                self._drafts.labels("adopted").inc()
            case DraftEnded(tokens=tokens, clauses=clauses):
                self._drafts.labels("dropped").inc()
                self._draft_tokens.inc(tokens)
                self._draft_clauses.inc(clauses)

    def _tell_timing(self, timed: ReplyTimed) -> None:
        excused = timed.excused or "no"
        for row, ms in timed.rows_ms.items():
            self._latency.labels(row, excused).observe(ms / 1000)
        for row in late_rows(timed.rows_ms):
            self._late.labels(row, excused).inc()
        if timed.head_start_ms:
            self._head_start.observe(timed.head_start_ms / 1000)
        for action in timed.actions:
            self._actions.labels(action).inc()

    def counts(self) -> dict[str, float]:
        """What a benchmark reports of the time since the start: drafts, their cost, openers."""
        return {
            "drafts_adopted": self.value("presencia_drafts_total", outcome="adopted"),
            "drafts_dropped": self.value("presencia_drafts_total", outcome="dropped"),
            "draft_tokens_dropped": self.value("presencia_draft_tokens_dropped_total"),
            "draft_clauses_dropped": self.value("presencia_draft_clauses_dropped_total"),
            "answer_tokens": self.value("presencia_answer_tokens_total"),
            "openers": self.value("presencia_latency_actions_total", action="opener"),
        }

    def value(self, name: str, **labels: str) -> float:
        """One sample, as a scrape would show it; 0 where there is none of that name."""
        return self._registry.get_sample_value(name, labels) or 0.0

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Everything, as a scraper takes it.

        Args:
            accept: Its `Accept` header: Prometheus' own text, or OpenMetrics.

        Returns:
            The body and its content type.
        """
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type
