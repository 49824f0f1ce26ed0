"""Hear every talk, try every setting on one half of the speakers, report on the other half."""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from avatar.settings import load
from avatar.store import ModelStore
from bench.turns.calls import FIRST_TALKS, call_scores
from bench.turns.curve import Point, as_svg
from bench.turns.replay import Lateness, Outcome
from bench.turns.report import Report, Row
from bench.turns.sweep import (
    Policy,
    Score,
    Settings,
    frontier,
    outcomes,
    policies,
    score,
)
from bench.turns.talks import Half, Talk, talks
from bench.turns.traces import Models, Trace
from speech.asr.moonshine import Moonshine
from speech.asr.whisper import Whisper
from speech.closing import WordsJudge
from speech.turn_detector import SmartTurn
from speech.vad import SileroModel

LATE = Lateness(verdict_ms=40, words_ms={"en": 10, "es": 500}, closes_ms=60, sound_ms=250)
"""About what calls on two cores had, by a one-off script; the recogniser's, of an utterance of some
seconds; the sound's, of an answer that leaves 350 ms after the last word. Slower answers, as the
Spanish are, cut off fewer."""

_OTHER_LATENESS_MS = (0, 100, 300, 700)
_OTHER_SOUNDS_MS = (150, 250, 350, 450, 600)


async def hear(folders: Sequence[Path]) -> list[Trace]:
    """Let the models hear every talk of the folders; what they said is kept in the cache.

    Raises:
        ConfigError: A folder's table is no good.
        ClipError: A recording is no good.
        ModelStoreError: A model is missing and can't be fetched.
    """
    store = ModelStore.default()
    silero = SileroModel(store.path("silero-vad-v6") / "silero_vad_v6.onnx")
    models = Models(
        silero.detector,
        SmartTurn(store.path("smart-turn-v3.2") / "smart-turn-v3.2-cpu.onnx"),
        {
            "en": Moonshine(store.path("moonshine-tiny-en"), silero.detector),
            "es": Whisper(store.path("whisper-base"), "es", silero.detector),
        },
        WordsJudge(store.path("smollm2-135m") / "model.gguf"),
        store.cache / "bench" / "turns.json",
    )
    found = talks(folders)
    heard = []
    for count, talk in enumerate(found, 1):
        heard.append(await models.trace(talk))
        if count % 20 == 0 or count == len(found):
            models.save()
            print(f"heard {count} of {len(found)} talks", file=sys.stderr, flush=True)
    return heard


def measure(traces: Sequence[Trace], curve: Path | None) -> Report:
    """Sweep on the tuning half, score on the held-out half, and draw it."""
    halves: dict[Half, list[Trace]] = {"tuning": [], "held out": []}
    for trace in traces:
        halves[trace.talk.half].append(trace)
    tuning, held_out = halves["tuning"], halves["held out"]
    default = _default()
    rows = [Row("the default", {}, score(outcomes(held_out, default, LATE)))]
    lines: dict[str, list[Point]] = {}
    for policy in policies(LATE):
        best = _tuned(policy, tuning)
        judged = [(s, score(outcomes(held_out, s, policy.late))) for s in best]
        lines[policy.name] = [_point(result) for _, result in frontier(judged)]
        rows += [Row(policy.name, s, result) for s, result in judged]
    if curve is not None:
        curve.parent.mkdir(parents=True, exist_ok=True)
        title = "Cut off in a pause, against waiting after the end"
        curve.write_text(as_svg(lines, _point(rows[0].score), title), "utf-8")
    groups, late = _groups(held_out, default), _lateness(held_out, default)
    return Report(rows, groups, late, _calls(traces, default))


def _default() -> Settings:
    listening = load().listening
    return {
        "end_silence_ms": listening.end_silence_ms,
        "patient_silence_ms": listening.patient_silence_ms,
        "dictation_silence_ms": listening.dictation_silence_ms,
        "weighs_words": listening.judge_words,
    }


def _tuned(policy: Policy, tuning: Sequence[Trace]) -> list[Settings]:
    """The best settings on the tuning half, quickest first."""
    scored = [(s, score(outcomes(tuning, s, policy.late))) for s in policy.combinations()]
    return [settings for settings, _ in frontier(scored)]


def _groups(traces: Sequence[Trace], settings: Settings) -> Mapping[str, Score]:
    heard = outcomes(traces, settings, LATE)

    def names(talk: Talk) -> tuple[str, ...]:
        gap = f"pause put in: {talk.gap_ms} ms" if talk.gap_ms else "no pause put in"
        return f"language: {talk.language}", f"kind: {talk.kind}", gap

    groups: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in heard:
        for name in names(outcome.talk):
            groups[name].append(outcome)
    return {name: score(groups[name]) for name in sorted(groups)}


def _lateness(traces: Sequence[Trace], settings: Settings) -> Mapping[str, Score]:
    scores = {}
    for ms in _OTHER_LATENESS_MS:
        late = replace(LATE, words_ms=dict.fromkeys(LATE.words_ms, ms))
        scores[f"words after {ms} ms"] = score(outcomes(traces, settings, late))
    for ms in _OTHER_SOUNDS_MS:
        late = replace(LATE, sound_ms=ms)
        scores[f"sound after {ms} ms"] = score(outcomes(traces, settings, late))
    return scores


def _calls(traces: Sequence[Trace], settings: Settings) -> Mapping[str, Score]:
    scores = {}
    for learns, how in ((False, "as ever"), (True, "learning")):
        for speaker, (first, later) in call_scores(
            traces, {**settings, "learns": learns}, LATE
        ).items():
            scores[f"{speaker}, first {FIRST_TALKS} talks, {how}"] = first
            scores[f"{speaker}, later, {how}"] = later
    return dict(sorted(scores.items()))


def _point(s: Score) -> Point:
    return s.mean_ms, s.cut_off
