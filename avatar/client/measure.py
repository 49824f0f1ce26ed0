"""What a turn was like for the person: latencies, smoothness and sync, out of what arrived.

Every time is the client's own (its event loop's clock), save the rows of the server's timeline,
which are named after it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from avatar.client.call import Event
from avatar.client.clips import RATE_HZ
from avatar.client.lip_sync import loudness_curve, skew_s
from avatar.client.observer import SILENCE_PEAK, HeardFrame, Observer, SeenFrame
from avatar.client.turns import INTERIM, TRANSCRIBED, Turn

_Frame = TypeVar("_Frame", HeardFrame, SeenFrame)

SERVER_ROWS = {
    "turn_ended": "turn_ended_ms",
    "final_transcript": "words_stood_ms",
    "llm_first_token": "ttft_ms",
    "first_clause": "first_clause_ms",
    "tts_first_audio": "tts_first_audio_ms",
}
"""Rows of `avatar.timeline` that are reported, and as what."""

_LIPS_LEAD_S = 0.25
"""Lips that open for a sound move at most this long before it."""
_QUIET_MARGIN_S = 0.6
_MOVING_SHARE = 0.25
_EVENT_RACE_S = 0.1
"""Sound and the event that announces it take different paths: either may win by this."""


@dataclass(frozen=True, slots=True)
class MouthScale:
    """How to read a mouth's openness in one call.

    Attributes:
        rest: Openness while nobody speaks.
        moving: Above it the mouth is open for speech.
    """

    rest: float
    moving: float


def mouth_scale(observer: Observer) -> MouthScale | None:
    """Learn from a call how open its mouth is at rest and in speech.

    A mouth moves where it is open by a quarter of its range in speech, and more than the 99th
    percentile of what it does in silence (a breath, a smile, a turn of the head).

    Returns:
        None when it moves no more in speech than in silence, or one of the two is missing.
    """
    loud = np.array([frame.arrived_s for frame in observer.heard if frame.loud])
    read = [frame for frame in observer.seen if not np.isnan(frame.openness)]
    times = np.array([frame.arrived_s for frame in read])
    openness = np.array([frame.openness for frame in read])
    if not len(loud) or not len(times):
        return None
    after = np.searchsorted(loud, times)
    gap_s = np.minimum(
        np.abs(times - loud[np.clip(after - 1, 0, len(loud) - 1)]),
        np.abs(times - loud[np.clip(after, 0, len(loud) - 1)]),
    )
    quiet, speaking = openness[gap_s > _QUIET_MARGIN_S], openness[gap_s < _QUIET_MARGIN_S / 4]
    if len(quiet) < 5 or len(speaking) < 5:
        return None
    rest, restless = np.percentile(quiet, [50, 99])
    moving = max(rest + _MOVING_SHARE * (np.percentile(speaking, 90) - rest), restless)
    if not moving < np.percentile(speaking, 90):
        return None
    return MouthScale(float(rest), float(moving))


def answer_metrics(turn: Turn, observer: Observer, scale: MouthScale | None) -> dict[str, float]:
    """What `bench` reports of one answered turn, by metric; what could not be measured is absent.

    Empty when the avatar spoke into the turn: it then answered something else.
    """
    heard = _between(observer.heard, turn.answer_from_s, turn.ended_s)
    loud = [frame for frame in heard if frame.loud]
    if talked_over(turn, observer) or not loud:
        return {}
    seen = _between(observer.seen, turn.answer_from_s, turn.ended_s)
    metrics = {"voice_to_voice_ms": _ms(loud[0].arrived_s - turn.finished_s)}
    if (face := _first_moving(seen, loud[0], scale)) is not None:
        metrics["voice_to_face_ms"] = _ms(face.arrived_s - turn.finished_s)
    metrics |= _event_metrics(turn)
    during = _between(seen, loud[0].arrived_s, loud[-1].arrived_s)
    if len(during) > 10:
        metrics["fps_received"] = (len(during) - 1) / (during[-1].arrived_s - during[0].arrived_s)
    if scale:
        metrics |= _skews(heard, seen, loud)
    return metrics


def barge_in_metrics(turn: Turn, observer: Observer, scale: MouthScale | None) -> dict[str, float]:
    """How fast an answer stopped when `turn` was said over it.

    Empty when no answer was being heard as the turn began: it was over, or between two clauses.
    Silence that comes by itself is no achievement.
    """
    restart_s = min(
        (e.at_s - _EVENT_RACE_S for e in turn.events if e.type == "output_audio_buffer.started"),
        default=turn.ended_s,
    )
    before = _between(observer.heard, turn.began_s - 0.1, turn.began_s)
    after = [f for f in _between(observer.heard, turn.began_s, restart_s) if f.loud]
    if not after or not any(f.loud for f in before):
        return {}
    silent_s = after[-1].arrived_s
    metrics = {"barge_in_silence_ms": _ms(silent_s - turn.began_s)}
    seen = _between(observer.seen, turn.began_s, restart_s - _LIPS_LEAD_S)
    if scale and seen:
        last_open = max(
            (i for i, frame in enumerate(seen) if frame.openness > scale.moving), default=-1
        )
        closed = seen[min(last_open + 1, len(seen) - 1)]
        metrics["barge_in_mouth_closed_ms"] = _ms(closed.arrived_s - turn.began_s)
    return metrics


def talked_over(turn: Turn, observer: Observer) -> bool:
    """Whether the avatar was heard while the person still spoke."""
    return any(f.loud for f in _between(observer.heard, turn.began_s, turn.finished_s))


def transcript_of(turn: Turn) -> str:
    """What the server understood of the turn: its final transcripts, joined."""
    return " ".join(str(e.body["transcript"]) for e in turn.events if e.type == TRANSCRIBED)


def summary(values: Iterable[float]) -> dict[str, float | int | None]:
    """Median and 95th percentile (linear between ranks) and how many; None of nothing."""
    array = np.array(list(values), np.float64)
    if not len(array):
        return {"p50": None, "p95": None, "n": 0}
    p50, p95 = np.percentile(array, [50, 95])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "n": len(array)}


def _event_metrics(turn: Turn) -> dict[str, float]:
    metrics: dict[str, float] = {}
    final = next((event for event in reversed(turn.events) if event.type == TRANSCRIBED), None)
    if final is not None:
        known_s = next(event.at_s for event in turn.events if _words(event) == _words(final))
        metrics["words_known_ms"] = _ms(known_s - turn.finished_s)
    for event in turn.events:
        if event.type == TRANSCRIBED:
            metrics["final_transcript_ms"] = _ms(event.at_s - turn.finished_s)
        elif event.type == "avatar.timeline":
            rows = event.body["rows"]
            metrics |= {ours: float(rows[row]) for row, ours in SERVER_ROWS.items() if row in rows}
    return metrics


def _words(event: Event) -> tuple[object, object] | None:
    """What was understood, and of which utterance; None if it is no such event."""
    if event.type not in (INTERIM, TRANSCRIBED):
        return None
    return event.body.get("item_id"), event.body.get("text", event.body.get("transcript"))


def _first_moving(
    seen: Sequence[SeenFrame], sound: HeardFrame, scale: MouthScale | None
) -> SeenFrame | None:
    """The first frame whose mouth moves for `sound`: not before lips could move for it."""
    if scale is None:
        return None
    within_s = int(np.argmax(np.abs(sound.pcm.astype(np.int32)) > SILENCE_PEAK)) / RATE_HZ
    for frame in seen:
        if frame.media_s is None or sound.media_s is None:
            lead_s = sound.arrived_s - frame.arrived_s
        else:
            lead_s = sound.media_s + within_s - frame.media_s
        if lead_s <= _LIPS_LEAD_S and frame.openness > scale.moving:
            return frame
    return None


def _skews(
    heard: Sequence[HeardFrame], seen: Sequence[SeenFrame], loud: Sequence[HeardFrame]
) -> dict[str, float]:
    """Sync by the sender's clock, as a browser plays it, and as it came off the wire."""
    begin_s, end_s = loud[0].arrived_s - _LIPS_LEAD_S, loud[-1].arrived_s + _LIPS_LEAD_S
    sounds, pictures = _between(heard, begin_s, end_s), _between(seen, begin_s, end_s)
    skews = {
        "av_skew_ms": skew_s(
            [(f.media_s, f.openness) for f in pictures if f.media_s is not None],
            loudness_curve([(f.media_s, f.pcm) for f in sounds if f.media_s is not None]),
        ),
        "av_skew_arrival_ms": skew_s(
            [(f.arrived_s, f.openness) for f in pictures],
            loudness_curve([(f.arrived_s, f.pcm) for f in sounds]),
        ),
    }
    return {name: _ms(skew) for name, skew in skews.items() if skew is not None}


def _between(frames: Sequence[_Frame], after_s: float, until_s: float) -> list[_Frame]:
    """The frames that arrived in (after_s, until_s]."""
    times = [frame.arrived_s for frame in frames]
    return list(frames[bisect_right(times, after_s) : bisect_right(times, until_s)])


def _ms(seconds: float) -> float:
    return seconds * 1000
