"""Holding one's tongue, and going on with the word that was cut."""

import asyncio

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.playout import FRAME_SAMPLES, Playout
from render.types import VisemeTrack
from speech.types import AudioFrame, PhonemeTiming, SpeechChunk

RATE = 48_000
TRACK = VisemeTrack(np.zeros((1, 52), np.float32), beats=(4800, 14_400))


def chunk(text, samples, starts=()):
    """Speech whose samples count up, so that one tells what is heard by its values."""
    pcm = (np.arange(samples) // 4 + 1000).astype(np.int16)
    ends = [*starts[1:], samples]
    phonemes = [
        PhonemeTiming("a", start, end, starts_word=True)
        for start, end in zip(starts, ends, strict=False)
    ]
    return SpeechChunk(text, AudioFrame(pcm, RATE), tuple(phonemes))


def saying(*chunks, **options):
    playout = Playout(limit_s=1e6, **options)
    playout.start_reply()
    for each in chunks:
        asyncio.run(playout.push(each, TRACK))
    return playout


def play(playout, frames):
    return np.concatenate([playout.next_frame() for _ in range(frames)])


def test_a_hold_fades_and_keeps_quiet():
    playout = saying(chunk("one two", 48_000))
    play(playout, 5)
    playout.hold()
    fading = playout.next_frame().astype(int)
    assert np.abs(np.diff(fading)).max() < 30, "a ramp, not a click"
    assert fading[-1] == 0
    assert not play(playout, 50).any()
    assert playout.speaking, "the rest is not forgotten"


def test_it_goes_on_with_the_word_that_was_cut():
    playout = saying(chunk("one two three four", 38_400, starts=(0, 9600, 19_200, 28_800)))
    play(playout, 12)  # 11,520 samples: in "two"
    playout.hold()
    play(playout, 20)
    playout.resume()
    heard = play(playout, 20)
    assert abs(int(heard[480]) - (1000 + (9600 + 480) // 4)) <= 1
    assert abs(int(heard[0])) < 10, "the word is faded in"


def test_a_pause_after_the_last_word_is_not_filled_with_it_again():
    said = chunk("one two", 28_800, starts=(0, 9600))
    short = [*said.phonemes[:1], PhonemeTiming("a", 9600, 19_200, starts_word=True)]
    playout = saying(SpeechChunk(said.text, said.audio, tuple(short)), chunk("three", 960))
    play(playout, 22)  # 21,120 samples: "two" is over
    playout.hold()
    assert playout.heard() == "one two"
    play(playout, 1)
    playout.resume()
    assert int(playout.next_frame()[0]) == 1000, "the next chunk follows"


def test_the_mouth_closes_and_opens_where_the_sound_does():
    playout = saying(chunk("one two", 19_200, starts=(0, 9600)))
    play(playout, 12)
    playout.hold()
    assert playout.speech[0].end_sample == 12 * FRAME_SAMPLES
    play(playout, 3)
    playout.resume()
    cut, rest = playout.speech
    assert cut.end_sample == 12 * FRAME_SAMPLES
    assert (rest.start_sample, rest.known_sample) == (15 * FRAME_SAMPLES, 15 * FRAME_SAMPLES)
    assert rest.track.lead == -9600, "the rest of the same movement"
    assert rest.track.beats == (4800,)


def test_each_word_is_heard_once_in_the_text_and_started_once():
    started = []
    playout = saying(
        chunk("one two ", 19_200, starts=(0, 9600)),
        chunk("three", 9600),
        on_start=lambda each: started.append(each.text),
    )
    play(playout, 12)
    playout.hold()
    assert playout.heard() == "one"
    playout.resume()
    play(playout, 40)
    assert playout.heard() == "one two three"
    assert started == ["one two ", "three"]


def test_what_is_pushed_meanwhile_waits_its_turn():
    playout = saying(chunk("one ", 9600))
    play(playout, 2)
    playout.hold()
    asyncio.run(playout.push(chunk("two", 9600), TRACK))
    playout.next_frame()
    assert not play(playout, 20).any()
    assert playout.buffered_samples == 19_200, "the word that was cut, and the next"
    playout.resume()
    play(playout, 30)
    assert playout.heard() == "one two"


def test_clear_ends_a_hold_and_drops_what_it_kept():
    playout = saying(chunk("one two three", 28_800))
    play(playout, 12)
    playout.hold()
    playout.clear()
    playout.resume()
    assert not playout.speaking
    assert playout.heard() == "one"


steps = st.lists(
    st.one_of(
        st.integers(0, 5000).map(lambda n: ("push", n)),
        *(st.just((step, 0)) for step in ("play", "play", "play", "hold", "resume")),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(steps)
def test_however_often_it_is_held_all_is_said_once(taken):
    playout, pushed = saying(), ""
    for i, (step, samples) in enumerate(taken):
        if step == "push":
            text = f"word{i} and more "
            asyncio.run(playout.push(chunk(text, samples), TRACK))
            pushed += text
        else:
            getattr(playout, {"play": "next_frame"}.get(step, step))()
        assert pushed.startswith(playout.heard())
    playout.resume()
    while playout.speaking:
        playout.next_frame()
    assert playout.heard() == pushed.rstrip()
