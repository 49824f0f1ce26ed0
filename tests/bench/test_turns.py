"""The benchmark of turn-taking, on talks whose outcome is known."""

import wave
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from bench.turns.calls import call_scores
from bench.turns.curve import as_svg
from bench.turns.replay import Lateness, Outcome, replay
from bench.turns.sweep import Score, frontier, score
from bench.turns.talks import GAPS_MS, Talk, talks
from bench.turns.traces import Judged, Trace
from speech.endpointing import Endpointer
from speech.errors import ConfigError

WINDOW = 512
NEVER = Lateness(None, {"en": None, "es": None})
PROMPT = Lateness(60, {"en": 100, "es": 100})


def heard(*runs, finished=True, pauses=None):
    """A trace of runs of windows, speech and silence by turns, beginning with speech."""
    voice = np.concatenate([np.full(n, 0.95 * (i % 2 == 0)) for i, n in enumerate(runs)])
    last = sum(runs[:-1]) if len(runs) % 2 == 0 else sum(runs)
    talk = Talk(
        "talk",
        "en",
        "somebody",
        "tuning",
        "real",
        0,
        finished,
        np.zeros(0, np.int16),
        last * WINDOW,
    )
    ends = np.cumsum(runs)[::2] * WINDOW
    answers = pauses or [Judged(0.0, "") for _ in ends]
    return Trace(talk, voice, dict(zip(ends.tolist(), answers, strict=True)))


def patient(ms):
    return lambda language: Endpointer(
        language=language, end_silence_ms=200, patient_silence_ms=ms, unlikely=0.3, likely=0.7
    )


def test_who_pauses_longer_than_the_patience_is_cut_off():
    outcome = replay(heard(40, 25, 40, 80), patient(700), NEVER)
    assert (outcome.paused, outcome.cut_off, outcome.delay_ms) == (True, True, None)


def test_who_pauses_shorter_is_heard_to_the_end_which_costs_the_patience():
    outcome = replay(heard(40, 15, 40, 80), patient(700), NEVER)
    assert (outcome.paused, outcome.cut_off) == (True, False)
    assert 700 <= outcome.delay_ms <= 732


def test_who_has_not_finished_adds_no_delay():
    outcome = replay(heard(40, 15, 40, finished=False), patient(700), NEVER)
    assert (outcome.paused, outcome.cut_off, outcome.delay_ms) == (True, False, None)


def test_a_verdict_counts_from_when_it_is_late_no_sooner():
    trace = heard(40, 80, pauses=[Judged(0.99, "")])
    soon = replay(trace, patient(900), replace(NEVER, verdict_ms=60)).delay_ms
    late = replay(trace, patient(900), replace(NEVER, verdict_ms=400)).delay_ms
    assert soon <= 232
    assert 96 + 400 <= late <= 96 + 400 + 32


def test_words_that_come_late_still_save_the_person_from_being_cut_off():
    trace = heard(40, 20, 40, 80, pauses=[Judged(0.6, "I would like the"), Judged(0.9, "Tea.")])
    assert replay(trace, patient(900), replace(PROMPT, words_ms={"en": None})).cut_off
    assert not replay(trace, patient(900), replace(PROMPT, words_ms={"en": 250})).cut_off


def test_who_goes_on_before_the_answer_is_heard_is_not_cut_off():
    trace = heard(40, 15, 40, 80)  # 480 ms of thought
    outcomes = [replay(trace, patient(300), replace(NEVER, sound_ms=ms)) for ms in (250, 390, 600)]
    assert [outcome.taken for outcome in outcomes] == [True] * 3
    assert [outcome.cut_off for outcome in outcomes] == [True, False, False]
    assert [outcome.touched for outcome in outcomes] == [True, True, False]
    assert [outcome.delay_ms is None for outcome in outcomes] == [True, True, False]


def test_who_went_on_once_can_be_cut_off_in_the_next_pause():
    trace = heard(40, 15, 40, 40, 40, 80)
    outcome = replay(trace, patient(300), replace(NEVER, sound_ms=600))
    assert (outcome.taken, outcome.cut_off) == (True, True)


def test_an_answer_is_not_heard_before_it_is_ready():
    trace = heard(40, 80)
    quick = replay(trace, patient(300), replace(NEVER, sound_ms=100))
    slow = replay(trace, patient(300), replace(NEVER, sound_ms=500))
    assert quick.sound_ms == quick.delay_ms == slow.delay_ms
    assert slow.sound_ms == 96 + 500


def test_who_pauses_in_every_talk_of_a_call_is_cut_off_in_the_first_ones_alone():
    pausing = heard(40, 25, 40, 80, pauses=[Judged(0.7, ""), Judged(0.0, "")])
    call = [
        replace(pausing, talk=replace(pausing.talk, name=f"{name}", speaker=speaker))
        for speaker in ("ann", "bob")
        for name in range(8)
    ]
    late = replace(NEVER, verdict_ms=60)
    settings = {"unlikely": 0.3, "likely": 0.7, "learns": True}
    for first, later in call_scores(call, settings, late).values():
        assert (first.cut_off, later.cut_off) == (1 / 3, 0)
        assert (first.paused, later.paused) == (4 * 3, 4 * 5)
    for first, later in call_scores(call, {**settings, "learns": False}, late).values():
        assert first.cut_off == later.cut_off == 1


def test_what_was_learnt_in_a_recording_that_stops_in_mid_speech_stays_learnt():
    stopping = heard(40, 25, 40, finished=False, pauses=[Judged(0.7, ""), Judged(0.0, "")])
    call = [replace(stopping, talk=replace(stopping.talk, name=f"{name}")) for name in range(8)]
    settings = {"unlikely": 0.3, "likely": 0.7, "learns": True}
    ((_, later),) = call_scores(call, settings, replace(NEVER, verdict_ms=60)).values()
    assert (later.cut_off, later.paused) == (0, 4 * 5)


def test_only_those_who_paused_can_be_cut_off_and_only_those_who_finished_wait():
    talk = heard(40, 80).talk
    s = score(
        [
            Outcome(talk, paused=True, taken=True, cut_off=True, touched=True),
            Outcome(talk, paused=True, taken=True, delay_ms=400, sound_ms=500),
            Outcome(talk, paused=False, delay_ms=200, sound_ms=300),
        ]
    )
    assert (s.cut_off, s.touched, s.taken, s.paused) == (0.5, 0.5, 1.0, 2)
    assert (s.mean_ms, s.p50_ms, s.sound_p50_ms, s.finished) == (300, 300, 400, 2)


def scored(cut_off, mean_ms):
    return Score(cut_off, cut_off, cut_off, 9, mean_ms, mean_ms, mean_ms, mean_ms, 9)


def test_the_frontier_holds_nothing_that_is_both_slower_and_ruder():
    quick, slow, bad = scored(0.3, 250), scored(0.0, 920), scored(0.3, 950)
    found = [({"likely": i}, s) for i, s in enumerate((bad, slow, quick))]
    assert [s for _, s in frontier(found)] == [quick, slow]


def test_the_curve_is_a_picture():
    picture = as_svg({"silence alone": [(900, 0.0), (300, 0.5)]}, (400, 0.02), "a < b")
    texts = [e.text for e in ElementTree.fromstring(picture).iter() if e.tag.endswith("text")]
    assert "a < b" in texts
    assert "silence alone" in texts


def write(path, seconds):
    """A hum with a soft noise before and after it."""
    random = np.random.default_rng(1)
    pcm = random.integers(-8, 8, round(16_000 * (seconds + 0.6)))
    hum = 8000 * np.sin(np.arange(round(16_000 * seconds)) / 20)
    pcm[4800 : 4800 + len(hum)] += hum.astype(np.int64)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(pcm.astype("<i2").tobytes())


def table(folder, *rows):
    header = "name\tlang\tspeaker\tkind\tfinished\tpieces"
    (folder / "talks.tsv").write_text("\n".join([header, *rows]), "utf-8")


def test_a_pause_is_put_in_with_every_length_and_in_the_rooms_own_noise(tmp_path):
    write(tmp_path / "a.wav", 1.0)
    table(tmp_path, "a\ten\tann\tmid-phrase\tyes\ta.wav:0-0.8 | a.wav:0.8-1.6")
    found = talks([tmp_path])
    assert [talk.gap_ms for talk in found] == list(GAPS_MS)
    first, last = found[0], found[-1]
    assert len(last.pcm) - len(first.pcm) == (GAPS_MS[-1] - GAPS_MS[0]) * 16
    gap = last.pcm[round(0.4 * 16_000) + 12_800 :][: GAPS_MS[-1] * 16].astype(float)
    assert 2 < np.sqrt(np.square(gap).mean()) < 10
    assert not any(talk.finished for talk in found)


def test_all_talks_of_a_speaker_are_in_one_half_and_each_language_has_both(tmp_path):
    write(tmp_path / "a.wav", 0.5)
    table(
        tmp_path,
        *(
            f"{language}{speaker}{i}\t{language}\t{language}-{speaker}\twhole\tyes\ta.wav"
            for language in ("en", "es")
            for speaker in ("ann", "bob")
            for i in range(2)
        ),
    )
    halves = {(talk.language, talk.speaker, talk.half) for talk in talks([tmp_path])}
    assert len(halves) == 4
    assert len({(language, half) for language, _, half in halves}) == 4


def test_a_table_that_names_a_language_nobody_knows_is_refused(tmp_path):
    write(tmp_path / "a.wav", 0.5)
    table(tmp_path, "a\txx\tann\twhole\tyes\ta.wav")
    with pytest.raises(ConfigError, match=r"talks\.tsv"):
        talks([tmp_path])
