"""The corpus, in part: real models, on the virtual clock, so that no other load changes a thing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

from avatar.engines import Engines
from avatar.protocol.config import CallConfig
from avatar.replay import virtual_clock
from avatar.replay.compare import compare, error_rate
from avatar.replay.recorded import RecordedPerson
from avatar.replay.run import hold_call
from avatar.replay.simulated import simulated_engines
from avatar.settings import Settings
from bench.corpus.recipes import recipes
from bench.corpus.run import Held, hold, read_clips
from speech.types import Transcript

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with simulated_engines(Settings()) as engines:
        yield engines


@pytest.fixture(scope="module")
def held() -> dict[str, Held]:
    return {}


@pytest.fixture
def call(engines, held, tmp_path_factory):
    """Holds a call of the corpus, each once."""

    def hold_once(name: str) -> Held:
        if name not in held:
            (recipe,) = recipes([name])
            clips, root = read_clips([recipe]), tmp_path_factory.mktemp(name)
            held[name] = virtual_clock.run(hold(recipe, clips, engines, Settings(), root))
        return held[name]

    return hold_once


@pytest.mark.parametrize(
    "name",
    [
        "pause-to-think",
        "pause-in-a-phrase",
        "barge-in",
        "bang",
        "silence",
        "listener",
        "loudspeaker",
    ],
)
def test_a_call_of_the_corpus_holds(call, name):
    assert call(name).faults == ()


def test_the_models_keep_no_second_core_busy(engines):
    assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} <= {1}


def test_what_is_remembered_of_an_interrupted_answer_was_heard(call, engines):
    barge_in = call("barge-in")
    (cut,) = barge_in.outcome.interrupted

    async def transcribe() -> Transcript:
        return await engines.recognizers["en"].recognize(barge_in.heard)

    sounded = virtual_clock.run(transcribe()).text
    whole = " ".join(answer.heard for answer in barge_in.outcome.answers).replace("…", " ")
    assert cut.heard
    assert error_rate(sounded, whole, "en") <= 0.35


def test_a_call_that_is_run_again_goes_the_same_way(call, engines, tmp_path: Path):
    first = call("pause-to-think").call

    async def again():
        config = CallConfig.model_validate(first.header.session)
        return await hold_call(RecordedPerson(first), config, engines, Settings(), root=tmp_path)

    compared = compare(first, virtual_clock.run(again()))
    assert {finding.verdict for finding in compared.findings} <= {"same", "shown"}
