import argparse
import json
from pathlib import Path

import pytest

import avatar
from avatar.cli.bench import add_parser
from avatar.latency import TARGET_MS
from bench.recordings import FOLDER, recordings
from bench.report import METRICS, Report, machine_facts
from speech.errors import ConfigError


def _bench(*arguments):
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["bench", *arguments])
    return args.run(args)


def test_every_metric_is_in_the_json_even_if_nothing_was_measured():
    text = Report().as_json(machine_facts())
    report = json.loads(text)
    assert "\n" not in text
    assert report["voice_to_face_ms"] == {"p50": None, "p95": None, "n": 0}
    assert report["wer"] == {"p50": None, "p95": None, "n": 0, "pooled": None}
    assert set(METRICS) < set(report)


def test_the_pooled_word_error_rate_weighs_long_utterances_more():
    report = Report()
    report.add_words(1, 1)
    report.add_words(0, 9)
    wer = json.loads(report.as_json({}))["wer"]
    assert wer["pooled"] == 0.1
    assert wer["p50"] == 0.5


def test_an_answer_to_half_a_sentence_is_late_by_right():
    report = Report()
    turn = {"voice_to_voice_ms": 1400, "words_known_ms": 90, "fps_received": 25}
    report.add_turn(turn, finished=False)
    report.add_turn({"voice_to_voice_ms": 600}, finished=True)
    found = json.loads(report.as_json({}))
    assert found["voice_to_voice_ms"]["p95"] == 600
    assert found["unfinished_voice_to_voice_ms"]["p50"] == 1400
    assert found["words_known_ms"]["n"] == 0
    assert found["fps_received"]["p50"] == 25


def test_the_table_has_a_row_for_every_metric_and_its_goal():
    report = Report()
    report.add({"voice_to_face_ms": 812.4})
    rows = {line.split()[0]: line for line in report.as_table({}).splitlines()[1:] if line.split()}
    assert set(METRICS) <= set(rows)
    assert "812" in rows["voice_to_face_ms"]
    assert "900" in rows["voice_to_face_ms"]


def test_all_that_a_final_transcript_may_mean_stands_beside_its_goal_and_is_explained():
    report = Report()
    report.add({"words_stood_ms": 80, "words_known_ms": 95, "final_transcript_ms": 324})
    table = report.as_table({})
    goal = f"p50 <= {TARGET_MS['final_transcript']}"
    for name in ("words_stood_ms", "words_known_ms", "final_transcript_ms"):
        (row,) = (line for line in table.splitlines() if line.startswith(f"{name} "))
        assert goal in row
        assert f"\n{name}:" in table, "a note says what it is"


def test_the_benchmark_takes_the_thirty_turns_that_its_percentiles_need_unless_told_otherwise():
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["bench"])
    assert (args.turns, args.barge_ins) == (30, 10)


def test_the_repositorys_recordings_are_read_by_language():
    english = recordings(FOLDER, "en")
    assert len(english) >= 5
    assert all(recording.words and len(recording.clip.pcm) for recording in english)
    assert {recording.finished for recording in english} == {True, False}


def test_a_folder_without_transcripts_says_what_it_needs(tmp_path):
    with pytest.raises(ConfigError, match="must list file, lang and transcript"):
        recordings(tmp_path, "en")


def test_fewer_than_ten_turns_are_refused():
    with pytest.raises(ConfigError, match="10 or more"):
        _bench("--turns", "9")


def test_outside_a_checkout_it_says_where_to_run_it(tmp_path, monkeypatch):
    monkeypatch.setattr(avatar, "__file__", str(Path(tmp_path) / "avatar" / "__init__.py"))
    with pytest.raises(ConfigError, match="from a checkout"):
        _bench()
