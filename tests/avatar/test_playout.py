import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.playout import FRAME_SAMPLES, Playout
from render.types import Emotion, VisemeTrack
from speech.types import AudioFrame, SpeechChunk
from tests.session.virtual_clock import run

TRACK = VisemeTrack(np.zeros((1, 52), np.float32))


def chunk(text, samples, value=1000, rate=48_000):
    return SpeechChunk(text, AudioFrame(np.full(samples, value, np.int16), rate))


def push_all(playout, *chunks):
    async def push():
        for each in chunks:
            await playout.push(each, TRACK)

    run(push())


def test_chunks_follow_each_other_without_a_gap_or_an_overlap():
    playout = Playout()
    push_all(playout, chunk("a ", 1500, 1), chunk("b ", 700, 2))
    played = np.concatenate([playout.next_frame() for _ in range(3)])
    assert played.tolist() == [1] * 1500 + [2] * 700 + [0] * (3 * FRAME_SAMPLES - 2200)


def test_the_face_is_told_the_samples_at_which_speech_is_heard():
    playout = Playout()
    playout.next_frame()
    push_all(playout, chunk("a", 1500), chunk("b", 700))
    assert [(s.start_sample, s.end_sample) for s in playout.speech] == [(960, 2460), (2460, 3160)]


def test_clear_fades_out_in_8_ms():
    playout = Playout()
    push_all(playout, chunk("one two three four", 48_000, 8000))
    playout.next_frame()
    playout.clear()
    fading, silent = playout.next_frame(), playout.next_frame()
    assert 7000 < fading[0] <= 8000
    assert np.abs(np.diff(fading.astype(int))).max() < 40, "a ramp, not a click"
    assert fading[300].any()
    assert not fading[384:].any(), "so that Opus's look-ahead of 6.5 ms stays in this packet"
    assert not silent.any()
    assert playout.speech[0].end_sample == FRAME_SAMPLES


def test_clear_drops_chunks_that_nobody_heard_from_what_the_face_sees():
    playout = Playout()
    push_all(playout, chunk("a", 48_000), chunk("b", 4800))
    playout.next_frame()
    playout.clear()
    assert len(playout.speech) == 1
    assert not playout.speaking


def test_clear_lets_the_face_let_go_of_a_chunk_that_it_already_prepared_for():
    playout = Playout()
    push_all(playout, chunk("a", 4800), chunk("b", 4800))
    playout.next_frame()
    playout.clear()
    assert [s.end_sample for s in playout.speech] == [FRAME_SAMPLES, FRAME_SAMPLES]
    assert playout.heard_samples() == FRAME_SAMPLES
    playout.next_frame()
    assert not any(playout.next_frame().any() for _ in range(20))


def test_the_face_learns_when_a_chunk_became_known_and_what_it_feels_like():
    playout = Playout()
    playout.next_frame()
    asyncio.run(playout.push(chunk("a", 4800), TRACK, Emotion.of(happy=0.5)))
    assert playout.speech[0].known_sample == FRAME_SAMPLES
    assert playout.speech[0].emotion["happy"] == 0.5


def test_heard_text_is_cut_at_a_whole_word():
    playout = Playout()
    playout.start_reply()
    push_all(playout, chunk("First. ", 960), chunk("second third fourth fifth", 4 * 9600))
    for _ in range(22):
        playout.next_frame()
    playout.clear()
    assert playout.heard() == "First. second third"


def test_a_chunk_without_sound_is_heard_when_what_precedes_it_was():
    playout = Playout()
    playout.start_reply()
    push_all(playout, chunk("Hi. ", 960), chunk(":-)", 0))
    assert playout.heard() == ""
    playout.next_frame()
    assert playout.heard() == "Hi. :-)"


def test_start_is_told_once_per_chunk_in_order():
    started = []
    playout = Playout(on_start=lambda each: started.append(each.text))
    push_all(playout, chunk("a", 1500), chunk("b", 10), chunk("c", 0), chunk("d", 3000))
    for _ in range(8):
        playout.next_frame()
    assert started == ["a", "b", "c", "d"]


def test_push_waits_while_enough_is_buffered_and_goes_on_after_clear():
    async def scenario():
        playout = Playout(limit_s=1.0)
        await playout.push(chunk("a", 48_000), TRACK)
        async with asyncio.TaskGroup() as tasks:
            pushing = tasks.create_task(playout.push(chunk("b", 48_000), TRACK))
            await asyncio.sleep(0)
            assert not pushing.done()
            playout.clear()
        assert pushing.done()

    run(scenario())


def test_drained_returns_when_the_last_sample_has_left():
    async def scenario():
        playout = Playout()
        await playout.push(chunk("a", 1000), TRACK)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(playout.drained())
            playout.next_frame()
            await asyncio.sleep(0)
            assert not waiting.done()
            playout.next_frame()
        assert waiting.done()

    run(scenario())


def test_another_sample_rate_is_refused():
    with pytest.raises(ValueError, match="48000"):
        push_all(Playout(), chunk("a", 100, rate=24_000))


@given(
    st.lists(
        st.one_of(
            st.integers(0, 5000).map(lambda n: ("push", n)),
            st.just(("play", 0)),
            st.just(("clear", 0)),
        ),
        max_size=40,
    )
)
def test_what_was_heard_is_always_a_prefix_of_what_was_pushed(steps):
    playout = Playout(limit_s=1e6)
    playout.start_reply()
    pushed = ""
    for i, (step, n) in enumerate(steps):
        if step == "push":
            text = f"word{i} and "
            push_all(playout, chunk(text, n))
            pushed += text
        elif step == "play":
            playout.next_frame()
        else:
            playout.clear()
            assert pushed.startswith(playout.heard())
            playout.start_reply()
            pushed = ""
        assert pushed.startswith(playout.heard())
