"""Holds the calls of the corpus, and judges what became of them."""

import asyncio
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from avatar.client.clips import Clip, read_clip
from avatar.engines import Engines
from avatar.protocol.config import CallConfig
from avatar.recording.format import Clock
from avatar.recording.reading import RecordedCall
from avatar.replay import virtual_clock
from avatar.replay.compare import error_rate
from avatar.replay.outcome import Outcome, outcome_of
from avatar.replay.run import hold_call
from avatar.replay.simulated import simulated_engines
from avatar.resume import Continuation
from avatar.settings import Settings
from avatar.terms import Terms
from bench.corpus.person import Pcm, ScriptedPerson
from bench.corpus.recipes import Recipe, Say, recipes
from bench.recordings import FOLDER
from speech.types import Message, Role

WER_LIMIT = 0.25
"""Of all that was said in a call, a few words."""

OVERLAP_LIMIT_S = 0.1
_LATE_S = 0.5


@dataclass(frozen=True, slots=True)
class Held:
    """A call of the corpus that was held.

    Attributes:
        recipe: What was to be done and to become of it.
        call: What happened.
        outcome: The same, in short.
        overlap_s: Seconds for which the avatar sounded within the person's turns.
        heard: What the avatar said, as it sounded: int16 at 16 kHz.
        faults: What became of it that was not to; empty if it is good.
    """

    recipe: Recipe
    call: RecordedCall
    outcome: Outcome
    overlap_s: float
    heard: Pcm
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether all became as it was to."""
        return not self.faults


def run_corpus(settings: Settings, only: Sequence[str], clock: Clock, root: Path) -> list[Held]:
    """Hold the calls of the corpus one after the other, each recorded below `root`.

    Raises:
        ConfigError: There is no call of such a name, or a recipe is wrong.
        PresenciaError: The models can't be loaded.
    """
    chosen = recipes(only)
    clips = read_clips(chosen)
    if clock == "virtual":
        with simulated_engines(settings) as engines:
            return [
                virtual_clock.run(hold(recipe, clips, engines, settings, root)) for recipe in chosen
            ]
    return asyncio.run(_hold_now(chosen, clips, settings, root))


async def _hold_now(
    chosen: Sequence[Recipe], clips: Mapping[str, Clip], settings: Settings, root: Path
) -> list[Held]:
    async with Engines.loaded(settings) as engines:
        return [await hold(recipe, clips, engines, settings, root, video=True) for recipe in chosen]


async def hold(
    recipe: Recipe,
    clips: Mapping[str, Clip],
    engines: Engines,
    settings: Settings,
    root: Path,
    *,
    video: bool = False,
) -> Held:
    """Hold one call and judge it."""
    person = ScriptedPerson(recipe, clips)
    call = await hold_call(
        person,
        CallConfig(language=recipe.language),
        engines,
        settings,
        root=root,
        video=video,
        terms=Terms(continues=_continued(recipe), lasts_s=recipe.lasts_s),
    )
    outcome, overlap_s = outcome_of(call), person.overlap_s(recipe.yields_s)
    faults = tuple(_faults(recipe, call, outcome, overlap_s))
    return Held(recipe, call, outcome, overlap_s, person.heard, faults)


def read_clips(chosen: Sequence[Recipe]) -> dict[str, Clip]:
    """The clips that the recipes name: by the file's name, those of `turns` by folder and name."""
    files = {path.stem: path for path in sorted(FOLDER.rglob("*.wav"))}
    files |= {f"{path.parent.name}/{path.stem}": path for path in FOLDER.rglob("*.g722")}
    said = [step for recipe in chosen for step in recipe.steps if isinstance(step, Say)]
    names = {name for step in said for name in step.clips}
    return {name: read_clip(files[name]) for name in sorted(names)}


def _continued(recipe: Recipe) -> Continuation | None:
    if not recipe.continues:
        return None
    speakers: Iterable[Role] = itertools.cycle(("user", "assistant"))
    messages = tuple(map(Message, speakers, recipe.continues))
    return Continuation(
        CallConfig(language=recipe.language),
        messages,
        owes_reply=messages[-1].role == "user",
        seed=0,
    )


def _faults(recipe: Recipe, call: RecordedCall, outcome: Outcome, overlap_s: float) -> list[str]:
    stopped = sum(answer.by_client for answer in outcome.answers)
    wrong = error_rate(" ".join(recipe.said), outcome.words, recipe.language)
    faults = [
        f"{name}: {is_now}, not {wanted}"
        for name, is_now, wanted in (
            ("answers heard to their end", len(outcome.ended("completed")), recipe.completed),
            ("answers interrupted", len(outcome.interrupted), recipe.interrupted),
            ("answers stopped by the button", stopped, recipe.stopped),
            ("answers that failed", len(outcome.ended("failed")), 0),
            ("turns cut short", len(outcome.cut_short), 0),
            ("turns without an answer", len(outcome.unanswered), 0),
        )
        if is_now != wanted
    ]
    if not recipe.said and outcome.turns:
        faults.append("something was understood though nobody spoke")
    if wrong > WER_LIMIT:
        faults.append(f"word error rate: {100 * wrong:.0f} %")
    if overlap_s > OVERLAP_LIMIT_S:
        faults.append(f"the avatar spoke over the person for {overlap_s:.1f} s")
    if call.cut_off:
        faults.append("the call broke off")
    if recipe.lasts_s and call.length_s > recipe.lasts_s + _LATE_S:
        faults.append("the call did not end in time")
    return faults + _memory_faults(recipe, call, outcome)


def _memory_faults(recipe: Recipe, call: RecordedCall, outcome: Outcome) -> list[str]:
    """What the avatar remembers to have said, and nobody heard; or the other way round."""
    remembered = [
        message["content"]
        for entry in call.entries
        if entry.type == "Remembered"
        for message in entry.body["messages"]
        if message["role"] == "assistant"
    ]
    heard = [answer.heard for answer in outcome.answers if answer.status is not None]
    if _words(remembered) != _words([*recipe.continues[1::2], *heard]):
        return ["what is remembered is not what was heard"]
    return []


def _words(texts: Sequence[str]) -> list[str]:
    return " ".join(texts).replace("…", " ").split()
