"""The avatar's own voice, come back from a loudspeaker, and people who speak over it."""

import asyncio
import itertools
import re
import time
from contextlib import aclosing
from dataclasses import replace

import numpy as np
import pytest

from avatar.store import ModelStore
from bench.face.sayings import STORY
from speech.audio import resample
from speech.echo import EchoRemover
from speech.text.normalise import normalise
from speech.tts.hibari import HibariVoice
from speech.tts.kokoro import KokoroVoice
from speech.types import AudioFrame, Clause
from speech.vad import SileroModel
from tests.e2e.echo_kit import RATE_HZ, Room, at_48k, level, listen, spoken_over
from tests.e2e.listening_kit import recordings, spoken_span

pytestmark = pytest.mark.e2e

ANSWER = (
    "You can reach us by phone between nine and five. ",
    "If you prefer to write, send a message to our support team, and they will answer in a day. ",
    "Most problems are solved by restarting the router, so please try that first, and wait. ",
    "There was once a little boat that sailed far across the wide blue sea.",
)
LEVELS_DB = (-10, -20, -30)
DELAYS_S = (0.05, 0.15, 0.3)
ROOMS = [
    Room(db, delay_s, rings_s, drift, seed)
    for seed, (db, delay_s, (rings_s, drift)) in enumerate(
        itertools.product(LEVELS_DB, DELAYS_S, [(0.15, 0.0), (0.3, 1e-4), (0.5, -1e-4)])
    )
]


@pytest.fixture(scope="module")
def silero():
    return SileroModel(ModelStore.default().path("silero-vad-v6") / "silero_vad_v6.onnx")


def said(voice, language, texts):
    """A second of silence, what the voice says, a second of silence: 16 kHz."""

    async def chunks():
        async def clauses():
            for text in texts:
                yield Clause(text, normalise(text, language))

        async with aclosing(voice.speak(clauses())) as chunks:
            return [chunk.audio.pcm async for chunk in chunks]

    pcm = resample(np.concatenate(asyncio.run(chunks())), 24_000, RATE_HZ)
    voice.close()
    return np.concatenate([np.zeros(RATE_HZ, np.int16), pcm, np.zeros(RATE_HZ, np.int16)])


def hibari():
    return HibariVoice(ModelStore.default().path("hibari") / "hibari.onnx")


def kokoro():
    return KokoroVoice(ModelStore.default().path("kokoro-82m-int8"))


@pytest.fixture(scope="module")
def played():
    return said(hibari(), "en", ANSWER)


@pytest.fixture(scope="module")
def stories():
    """Full of short pauses, by two voices."""
    english, spanish = (re.findall(r"[^,.?:]+[,.?:]+ ?", STORY[language]) for language in STORY)
    return [said(hibari(), "en", english[:8]), said(kokoro(), "es", spanish[:4])]


@pytest.fixture(scope="module")
def people(silero):
    """Recorded people, from their first sound on."""
    clips = [recording.pcm for recording in recordings("en") + recordings("es")]
    return [pcm[slice(*spoken_span(pcm, silero.detector()))] for pcm in clips]


def test_without_the_remover_the_echo_interrupts(played, silero):
    heard = listen(at_48k(played), Room(-20, 0.15).echo(played), silero.detector(), removing=False)
    assert heard.sustained_s
    assert heard.turns_s


def test_its_own_voice_never_interrupts_it_nor_becomes_a_turn(played, silero):
    sounding, interrupted = at_48k(played), []
    for room in ROOMS:
        heard = listen(sounding, room.echo(played), silero.detector())
        if heard.sustained_s or heard.turns_s or heard.worded_s:
            interrupted.append((room, heard))
    print(f"\n{len(interrupted)} of {len(ROOMS)} echoes interrupted")
    assert not interrupted


def test_nor_do_other_voices_and_texts(stories, silero):
    for room, story in itertools.product(ROOMS[1::4], stories):
        heard = listen(at_48k(story), room.echo(story), silero.detector())
        assert not heard.sustained_s, room
        assert not heard.turns_s, room


@pytest.mark.parametrize("jump_s", [0.06, 0.12])
def test_a_delay_that_jumps_in_an_answer_interrupts_nobody(jump_s, played, silero):
    for i, room in enumerate(ROOMS[::7]):
        jumping = replace(room, jump_s=jump_s, jumps_at_s=4.5 + i)
        heard = listen(at_48k(played), jumping.echo(played), silero.detector())
        assert not heard.sustained_s, jumping


@pytest.mark.parametrize("delay_s", [0.45, 0.6])
def test_an_echo_that_comes_very_late_is_none_the_less_its_own_voice(delay_s, played, silero):
    for db in LEVELS_DB:
        heard = listen(at_48k(played), Room(db, delay_s).echo(played), silero.detector())
        assert not heard.sustained_s


@pytest.mark.parametrize(("above_db", "least"), [(0, 0.6), (6, 0.8), (12, 0.9)])
def test_people_who_speak_over_the_echo_are_heard(above_db, least, played, people, silero):
    sounding, waits = at_48k(played), []
    for i, room in enumerate(ROOMS):
        at_s = 4.0 + i % 7
        loudness = level(played) * 10 ** ((room.db + above_db) / 20)
        voice = people[i % len(people)][: 3 * RATE_HZ]
        end = round((at_s + 2) * RATE_HZ)
        microphone = spoken_over(room.echo(played), voice, at_s, loudness)[:end]
        heard = listen(sounding, microphone, silero.detector())
        waits.append(min((s - at_s for s in heard.sustained_s if s > at_s), default=None))
    caught = [wait for wait in waits if wait is not None and wait <= 1.2]
    print(
        f"\n{above_db} dB above the echo: {len(caught)} of {len(waits)} heard within 1.2 s,"
        f" median {np.median(caught):.2f} s, p90 {np.percentile(caught, 90):.2f} s"
    )
    assert len(caught) >= least * len(waits)


def test_where_there_is_no_echo_nothing_is_lost_in_the_first_second(played, people, silero):
    sounding, turns = at_48k(played), 0
    for voice in people[:6]:
        quiet = 8 * np.random.default_rng(1).standard_normal(len(played))
        microphone = spoken_over(quiet, voice[: 2 * RATE_HZ], 1.1, 1500)[: 6 * RATE_HZ]
        heard = listen(sounding, microphone, silero.detector())
        turns += bool(heard.turns_s) and heard.turns_s[0][0] <= 1.2
    assert turns == 6


@pytest.mark.parametrize("at_s", [2.2, 3.0, 6.0])
def test_where_there_is_no_echo_people_are_heard_at_once(at_s, played, people, silero):
    sounding, waits = at_48k(played), []
    for i, voice in enumerate(people[::3]):
        quiet = 8 * np.random.default_rng(i).standard_normal(len(played))
        microphone = spoken_over(quiet, voice[: 3 * RATE_HZ], at_s, 1500)
        heard = listen(sounding, microphone[: round((at_s + 2) * RATE_HZ)], silero.detector())
        waits.append(min((s - at_s for s in heard.sustained_s if s > at_s), default=9.0))
    print(f"\nno echo, at {at_s} s: median {np.median(waits):.2f} s, most {max(waits):.2f} s")
    assert np.median(waits) < 0.25
    assert max(waits) < 1.0


def test_what_is_said_while_nothing_is_played_passes_untouched(people):
    remover = EchoRemover()
    for start in range(0, 16_000, 320):
        remover.played(np.zeros(960, np.int16))
        frame = AudioFrame(people[0][start : start + 320], RATE_HZ, start)
        assert remover.clean(frame)[0] is frame


def test_its_own_voice_is_taken_out_once_it_is_found(played):
    remover, sounding, microphone = EchoRemover(), at_48k(played), Room(-20, 0.15).echo(played)
    pcm, left = microphone.astype(np.int16), []
    began = time.process_time()
    for start in range(0, len(pcm) - 320, 320):
        remover.played(sounding[start * 3 : start * 3 + 960])
        frames = remover.clean(AudioFrame(pcm[start : start + 320], RATE_HZ, start))
        left += [frame.pcm for frame in frames]
    cost = (time.process_time() - began) / (len(pcm) / RATE_HZ)
    print(f"\n{cost * 10:.3f} ms of CPU for 10 ms of sound")
    found = slice(4 * RATE_HZ, 14 * RATE_HZ)
    before, after = (np.std(x[found].astype(float)) for x in (pcm, np.concatenate(left)))
    print(f"its own voice {before:.0f} before, {after:.0f} after (RMS)")
    assert after < before / 3
