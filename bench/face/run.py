"""Measures faces, one after the other, and then what a browser makes of them."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.face.clips import write_clip
from bench.face.cost import SIZES, costs, fresh_start_s, pose_ms
from bench.face.lips import Seen, closed_ratio, closures, lag
from bench.face.report import FaceReport, Metrics
from bench.face.sayings import DEFAULT_VOICES, SAYINGS, STORY, spoken, voice_of
from bench.face.sheets import write_sheets, write_summary
from bench.face.stage import FRAME, Actor, Performance, drawn, perform
from render.mouth import MouthMeter
from speech.types import Language

_CONTROL_S = 0.1
_CLIP_SIZE = (512, 512)
_STATE_S, _QUICK_STATE_S = 12.0, 3.0
_QUICK_SENTENCES = 3
_CLIP_S, _QUICK_CLIP_S = 20.0, 6.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do.

    Attributes:
        out: Folder for sheets and clips.
        quick: A taste of everything: fewer sentences, shorter clips.
    """

    out: Path
    quick: bool = False


def measure_faces(names: Sequence[str], plan: Plan) -> FaceReport:
    """Measure each face and write its sheets and its clip.

    Raises:
        ConfigError: There is no such face.
        RenderError: A face is damaged.
        ModelStoreError: A voice is missing and can't be fetched.
    """
    plan.out.mkdir(parents=True, exist_ok=True)
    said = _performances(plan)
    report = FaceReport(shared={"pose_ms": pose_ms()})
    for name in names:
        actor = Actor.load(name)
        progress(f"{actor.name}: cost")
        poses = [pose for one in said["en"] for pose in one.poses]
        metrics: Metrics = dict(costs(actor, poses, _QUICK_STATE_S if plan.quick else _STATE_S))
        metrics["start_s"] = fresh_start_s(actor)
        progress(f"{actor.name}: lips")
        metrics |= _lip_metrics(actor, said)
        progress(f"{actor.name}: sheets and clip")
        seconds = _QUICK_CLIP_S if plan.quick else _CLIP_S
        clip = _clip(actor, "en", seconds, plan.out)
        written = [*write_sheets(actor, said["en"][0], plan.out), clip]
        written.append(write_summary(actor, said["en"][0], plan.out))
        report.faces[actor.name] = metrics
        report.written += [str(path) for path in written]
    return report


def progress(line: str) -> None:
    """Say on stderr what is under way."""
    print(line, file=sys.stderr, flush=True)


def _performances(plan: Plan) -> dict[Language, list[Performance]]:
    out: dict[Language, list[Performance]] = {}
    for language, all_texts in SAYINGS.items():
        texts = all_texts[: _QUICK_SENTENCES if plan.quick else None]
        progress(f"voices: {language}")
        said = spoken(DEFAULT_VOICES[language], language, texts)
        out[language] = [
            perform(chunks, phase=k * FRAME // len(said)) for k, chunks in enumerate(said)
        ]
    return out


def _lip_metrics(actor: Actor, said: dict[Language, list[Performance]]) -> Metrics:
    width, height = SIZES["512"]
    stage, meter = actor.stage(width, height), MouthMeter(width, height, actor.face)
    out: Metrics = {}
    closings: list[float] = []
    for language, performances in said.items():
        seen = [
            Seen(one, np.array([meter.opening_m(f[:height]) for f in drawn(stage, one.poses)]))
            for one in performances
        ]
        closings += [least for one in seen for least in closures(one)]
        found, control = lag(seen), lag(seen, audio_late_s=_CONTROL_S)
        out[f"lip_lag_ms_{language}"] = found.lag_s * 1e3 if found else None
        out[f"lip_correlation_{language}"] = found.correlation if found else None
        out[f"lip_lag_ms_{language}_audio_100_ms_late"] = control.lag_s * 1e3 if control else None
    lags = [out[f"lip_lag_ms_{language}"] for language in said]
    known = [value for value in lags if value is not None]
    return {
        "lip_lag_ms": max(known, key=abs) if len(known) == len(lags) else None,
        "bilabial_closed_ratio": closed_ratio(closings),
        "bilabials": len(closings),
        **out,
    }


def write_clips(names: Sequence[str], language: Language, out: Path) -> list[Path]:
    """Write the clip of each face, and nothing else.

    Raises:
        ConfigError: There is no such face.
        RenderError: A face is damaged.
        ModelStoreError: A voice is missing and can't be fetched.
    """
    out.mkdir(parents=True, exist_ok=True)
    return [_clip(Actor.load(name), language, _CLIP_S, out) for name in names]


def _clip(actor: Actor, language: Language, seconds: float, out: Path) -> Path:
    (chunks,) = spoken(voice_of(actor.folder, language), language, (STORY[language],))
    path = out / f"{actor.name}.mp4"
    write_clip(actor.stage(*_CLIP_SIZE), perform(chunks), seconds, path)
    return path
