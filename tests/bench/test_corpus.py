"""The corpus: recipes are read, and their person does what they say, when they say it."""

import asyncio
import json

import numpy as np
import pytest

from bench.corpus.person import ScriptedPerson
from bench.corpus.recipes import Recipe, recipes
from bench.corpus.room import Room
from bench.corpus.run import read_clips
from speech.errors import ConfigError
from tests.session import virtual_clock

MIC_HZ = 16_000


def act(steps, clips=(), avatar=lambda person: asyncio.sleep(0), listen_s=0.5):
    """Do the steps against `avatar`; the person, and all that their microphone gave."""
    recipe = Recipe(name="n", why="w", steps=steps)
    return act_recipe(recipe, clips, avatar, listen_s)


def act_recipe(recipe, clips=(), avatar=lambda person: asyncio.sleep(0), listen_s=0.5):
    """The same for a whole recipe."""

    async def call():
        person = ScriptedPerson(recipe, dict(clips))
        heard = []

        async def listen():
            async for frame in person.voice():  # cancelled, and what came before is wanted
                heard.append(frame.pcm)  # noqa: PERF401

        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(listen())
            answering = tasks.create_task(avatar(person))
            await person.done()
            await asyncio.sleep(listen_s)
            listening.cancel()
            answering.cancel()
        return person, np.concatenate(heard)

    return virtual_clock.run(call())


def loud_s(pcm):
    """First and last second in which there is more than a quiet room."""
    loud = np.flatnonzero(np.abs(pcm.astype(int)) > 300) / MIC_HZ
    return loud[0], loud[-1]


@pytest.fixture(scope="module")
def clips():
    return read_clips(recipes())


def test_every_recipe_names_clips_that_are_there_and_says_what_is_to_become_of_it(clips):
    for recipe in recipes():
        assert recipe.why
        spoken = sum(hasattr(step, "say") for step in recipe.steps)
        assert bool(recipe.said) == bool(spoken), recipe.name
        assert recipe.completed + recipe.interrupted + recipe.stopped or not spoken, recipe.name
    assert len({recipe.name for recipe in recipes()}) == len(recipes())
    assert clips


def test_an_unknown_call_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigError, match="no call nonsense; it has question"):
        recipes(["nonsense"])


@pytest.mark.parametrize(
    "text",
    [
        "call = 3",
        '[[call]]\nname = "n"\nwhy = "w"\nsteps = [{ whistle = true }]',
        '[[call]]\nname = "n"\nwhy = "w"\nsteps = [{ pause_s = -1.0 }]',
        '[[call]]\nname = "n"\nwhy = "w"\nsteps = []\nmood = "good"',
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused(tmp_path, text):
    path = tmp_path / "calls.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="holds no recipes"):
        recipes(path=path)


def test_a_clip_is_said_from_its_first_word_to_its_last(clips):
    clip = clips["en_tt-weasels"]
    person, pcm = act([{"pause_s": 1.0}, {"say": "en_tt-weasels"}], clips.items())
    first_s, last_s = loud_s(pcm)
    length_s = (clip.speech_end - clip.speech_start) / 48_000
    assert first_s == pytest.approx(1.0, abs=0.1)
    assert last_s == pytest.approx(1.0 + length_s, abs=0.15)
    (turn,) = person.spoken
    assert (turn.start_s, turn.end_s) == pytest.approx((1.0, 1.0 + length_s), abs=0.05)


def test_a_pause_within_a_turn_is_part_of_it(clips):
    steps = [
        {"say": "en_tt-weasels", "to_s": 1.0},
        {"pause_s": 0.7},
        {"say": "en_tt-weasels", "from_s": 1.0},
    ]
    person, _ = act(steps, clips.items())
    (turn,) = person.spoken
    whole_s = (clips["en_tt-weasels"].speech_end - clips["en_tt-weasels"].speech_start) / 48_000
    assert turn.end_s - turn.start_s == pytest.approx(whole_s + 0.7, abs=0.06)


async def speak(person, start_s=1.0, end_s=3.0):
    """An avatar that answers from one second to another."""
    loud, quiet = np.full(960, 4000, np.int16), np.zeros(960, np.int16)
    for n in range(500):
        at_s = n * 0.02
        if at_s == pytest.approx(start_s):
            person.told({"type": "output_audio_buffer.started"})
        if at_s == pytest.approx(end_s):
            person.told({"type": "response.done", "response": {"status": "completed"}})
        person.hears(loud if start_s <= at_s < end_s else quiet)
        await asyncio.sleep(0.02)


def test_speaking_over_an_answer_begins_when_it_has_lasted_so_long(clips):
    person, pcm = act([{"over_s": 0.8}, {"say": "en_tt-weasels"}], clips.items(), speak)
    assert loud_s(pcm)[0] == pytest.approx(1.8, abs=0.1)
    (turn,) = person.spoken
    assert turn.over
    assert person.overlap_s(grace_s=0.5) == pytest.approx(3.0 - 1.8 - 0.5, abs=0.1)


def test_an_avatar_that_speaks_in_a_pause_is_caught(clips):
    steps = [
        {"say": "en_ps_goforward", "to_s": 1.0},
        {"pause_s": 2.5},
        {"say": "en_ps_goforward", "from_s": 1.0},
    ]
    person, _ = act(steps, clips.items(), speak)
    assert person.overlap_s(grace_s=0.5) == pytest.approx(2.0, abs=0.1)


def test_waiting_for_an_answer_ends_with_it_or_in_vain(clips):
    _, pcm = act([{"answered": True}, {"bang_db": -12.0}], clips.items(), speak)
    assert loud_s(pcm)[0] == pytest.approx(3.0, abs=0.1)
    _, pcm = act([{"answered": True}, {"bang_db": -12.0}], clips.items())
    assert loud_s(pcm)[0] == pytest.approx(25.0, abs=0.1)


def test_clips_of_one_breath_are_said_one_after_the_other(clips):
    names = ("en/digit-2", "en/digit-1")
    person, pcm = act([{"say": names}], clips.items())
    first_s, last_s = loud_s(pcm)
    length_s = sum((clips[name].speech_end - clips[name].speech_start) / 48_000 for name in names)
    assert last_s - first_s == pytest.approx(length_s + 0.08, abs=0.15)
    assert len(person.spoken) == 1


def test_a_cough_is_two_bursts_of_its_level_and_no_turn():
    person, pcm = act([{"pause_s": 1.0}, {"cough_db": -10.0}])
    peak = np.abs(pcm.astype(int)).max()
    assert 20 * np.log10(peak / 32768) == pytest.approx(-10, abs=1)
    levels = np.abs(pcm[MIC_HZ : MIC_HZ + MIC_HZ * 4 // 5].astype(int)).reshape(-1, 320).max(axis=1)
    loud = levels > peak / 8
    assert np.count_nonzero(np.diff(loud.astype(int)) == 1) + loud[0] == 2
    assert person.spoken == []


def test_a_room_gives_back_what_was_played_as_late_and_as_loud_as_it_is():
    room, rng = Room(echo_db=-20.0, delay_s=0.15, rings_s=0.3), np.random.default_rng(0)
    played = rng.normal(0, 4000, (100, 960)).astype(np.int16)
    played[:20] = played[60:] = 0
    back = []
    for n, frame in enumerate(played):
        room.played(frame)
        back.append(room.echo(n * 320, 320))
    back = np.concatenate(back)
    start_s = np.flatnonzero(np.abs(back) > 20)[0] / MIC_HZ
    assert start_s == pytest.approx(20 * 0.02 + 0.15, abs=0.01)
    sounding = back[round(0.7 * MIC_HZ) : round(1.3 * MIC_HZ)]
    third = 4000 / np.sqrt(3)  # of the power of white noise is below 8 kHz
    assert 20 * np.log10(sounding.std() / third) == pytest.approx(-20, abs=2)
    ringing = back[round(1.38 * MIC_HZ) : round(1.42 * MIC_HZ)]
    assert 1 < ringing.std() < sounding.std() / 3


def test_where_the_avatar_comes_from_a_loudspeaker_the_microphone_hears_it(clips):
    recipe = Recipe(
        name="n",
        why="w",
        steps=[{"pause_s": 4.0}],
        loudspeaker={"echo_db": -20.0, "delay_s": 0.15, "rings_s": 0.3},
    )
    _, pcm = act_recipe(recipe, clips, speak)
    assert loud_s(pcm)[0] == pytest.approx(1.15, abs=0.05)


def test_noise_has_its_level(clips):
    _, pcm = act([{"noise_s": 2.0, "level_db": -40.0}], listen_s=0.02)
    rms = np.sqrt(np.mean(pcm.astype(float) ** 2))
    assert 20 * np.log10(rms / 32768) == pytest.approx(-40, abs=1)


def test_what_the_client_sends_is_sent(clips):
    async def call():
        recipe = Recipe(name="n", why="w", steps=[{"send": "response.create"}])
        person = ScriptedPerson(recipe, {})
        await person.done()
        loop, messages = asyncio.get_running_loop(), person.messages()
        sent = [(json.loads(await anext(messages))["type"], loop.time()) for _ in range(4)]
        await messages.aclose()
        return sent

    assert virtual_clock.run(call()) == [
        ("avatar.ping", 0),  # a client that is there
        ("response.create", 0),
        ("avatar.ping", 3),
        ("avatar.ping", 6),
    ]
