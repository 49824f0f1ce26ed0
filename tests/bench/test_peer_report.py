"""What is said of two sides: medians, their ratio, and what is missing."""

import argparse
import json

import pytest

from avatar.cli import bench
from bench.peer.environment import PeerError, peer_python
from bench.peer.process import check
from bench.peer.report import METRICS, PEER, Comparison
from bench.report import Report
from speech.errors import ConfigError


def report(*voice_to_voice_ms: float) -> Report:
    made = Report()
    for value in voice_to_voice_ms:
        made.add({"voice_to_voice_ms": value})
    made.counts["turns"] = len(voice_to_voice_ms)
    return made


def test_the_ratio_is_of_the_medians_not_of_the_means():
    sides = {"ours": report(300, 400, 9000), PEER: report(700, 800, 900)}
    assert Comparison(sides).ratios()["ours"]["voice_to_voice_ms"] == 0.5


def test_every_side_of_ours_gets_a_ratio_and_the_peer_none():
    sides = {"audio": report(400), "video": report(600), PEER: report(800)}
    ratios = Comparison(sides).ratios()
    assert {name: found["voice_to_voice_ms"] for name, found in ratios.items()} == {
        "audio": 0.5,
        "video": 0.75,
    }


def test_what_one_side_could_not_measure_has_no_ratio():
    ratios = Comparison({"ours": report(400), PEER: report()}).ratios()["ours"]
    assert ratios == dict.fromkeys(METRICS)


def test_the_json_has_every_number_and_what_it_depends_on():
    sides = {"ours": report(400, 500), PEER: report(900)}
    text = Comparison(sides, {"peer_versions": {"pipecat-ai": "1.0"}}).as_json()
    found = json.loads(text)
    assert "\n" not in text
    assert found["sides"]["ours"]["voice_to_voice_ms"] == {"p50": 450, "p95": 495, "n": 2}
    assert found["sides"][PEER]["barge_in_silence_ms"] == {"p50": None, "p95": None, "n": 0}
    assert found["ratios"]["ours"]["voice_to_voice_ms"] == 0.5
    assert found["peer_versions"] == {"pipecat-ai": "1.0"}


def test_the_table_shows_medians_ratio_and_goal_in_the_sides_row():
    sides = {"ours": report(402, 402), PEER: report(804)}
    lines = Comparison(sides, {"machine": {"cores": 2}}).as_table().splitlines()
    row = next(line for line in lines if line.split()[:2] == ["voice_to_voice_ms", "ours"])
    assert row.split()[2:] == ["402", "402", "2", "0.50", "<=", "0.6"]
    assert "  cores 2" in lines


def test_how_many_were_talked_over_stands_beside_the_medians():
    eager = report(300, 300)
    eager.counts.update(turns=2, turns_talked_over=1)
    comparison = Comparison({"ours": eager, PEER: report(804)})
    lines = [" ".join(line.split()) for line in comparison.as_table().splitlines()]
    assert "began before the person ended ours 25 % 4" in lines
    assert f"began before the person ended {PEER} 0 % 1" in lines
    sides = json.loads(comparison.as_json())["sides"]
    assert sides["ours"]["turns_talked_over_percent"] == 25.0
    assert sides[PEER]["turns_talked_over_percent"] == 0.0


def test_a_side_that_answered_nothing_leaves_the_comparison_incomplete():
    silent = report(700, 800)
    silent.counts["turns_lost"] = 2
    assert not Comparison({"ours": report(400), PEER: silent}).complete
    assert Comparison({"ours": report(400), PEER: report(700)}).complete


@pytest.mark.e2e  # pip in an environment of its own
def test_a_peer_that_cant_be_installed_says_why_and_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(PeerError, match=r"no-such-package.*registry: check the network"):
        peer_python(tmp_path, ["no-such-package==1"])
    assert not (tmp_path / "peer" / "installed.txt").exists()
    assert "installing Pipecat" in capsys.readouterr().err


def test_other_models_than_the_peer_can_be_given_are_refused():
    from avatar.settings import load

    with pytest.raises(ConfigError, match="these settings have whisper, embedded, hibari"):
        check(load(environ={"PRESENCIA_LISTENING__RECOGNIZER__EN": "whisper"}))


def test_the_command_refuses_no_turns_before_it_installs_anything():
    parser = argparse.ArgumentParser()
    bench.add_parser(parser.add_subparsers())
    args = parser.parse_args(["bench", "peer", "--turns", "0"])
    with pytest.raises(ConfigError, match="1 or more"):
        args.run(args)
