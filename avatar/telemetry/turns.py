"""Follows the answers of each call for metrics and traces."""

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from avatar.dialogue.persona import load_persona
from avatar.events import ConversationEvent, ReplyEnded, ReplyTimed
from avatar.recent import Recent
from avatar.settings import Settings
from avatar.telemetry.metrics import Metrics
from speech.errors import ConfigError
from speech.types import Language

if TYPE_CHECKING:
    from avatar.telemetry.tracing import Tracing  # its packages are an extra

_COLLECTOR_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@dataclass(frozen=True, slots=True)
class AnsweredTurn:
    """One answer, from the last speech sample before it to its end.

    Attributes:
        call_id: Of the call.
        timed: When each stage delivered.
        ended: How it ended.
        ended_s: Loop time of that.
    """

    call_id: str
    timed: ReplyTimed
    ended: ReplyEnded
    ended_s: float


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Where the calls of one server report.

    Attributes:
        metrics: Always kept.
        tracing: Where a collector is configured.
        recent: What the last answers took, by language: all calls share the machine.
    """

    metrics: Metrics = field(default_factory=Metrics)
    tracing: "Tracing | None" = None
    recent: defaultdict[Language, Recent] = field(default_factory=lambda: defaultdict(Recent))

    @classmethod
    @asynccontextmanager
    async def started(cls, settings: Settings) -> "AsyncGenerator[Telemetry, None]":
        """Traces go out where the settings or the environment name a collector.

        Raises:
            ConfigError: One is named, and the packages that export are not installed.
        """
        endpoint = settings.telemetry.otlp_endpoint
        if not endpoint and not any(os.environ.get(name) for name in _COLLECTOR_VARIABLES):
            yield cls()
            return
        try:
            from avatar.telemetry.tracing import Tracing, otlp_processor
        except ImportError as error:
            raise ConfigError(
                f"Traces need packages that are not installed ({error.name}): pip install "
                "'presencia[otel]', or take away telemetry.otlp_endpoint and OTEL_EXPORTER_*."
            ) from error
        tracing = Tracing(
            otlp_processor(endpoint),
            agent=load_persona(settings.persona).name,
            backend=settings.llm.backend,
            model=settings.llm.model,
        )
        try:
            yield cls(tracing=tracing)
        finally:
            await tracing.close()

    def of_call(self, call_id: str) -> Callable[[ConversationEvent], None]:
        """To be called with every event of a new call's conversation."""
        timed: ReplyTimed | None = None

        def tell(event: ConversationEvent) -> None:
            nonlocal timed
            self.metrics.tell(event)
            if self.tracing is None:
                return
            if isinstance(event, ReplyTimed):
                timed = event
            elif isinstance(event, ReplyEnded) and timed is not None:
                now_s = asyncio.get_running_loop().time()
                self.tracing.trace(AnsweredTurn(call_id, timed, event, now_s))
                timed = None

        return tell
