"""Known delays, put into what a client received, come out as they went in."""

import numpy as np
import pytest

from avatar.client.call import Event
from avatar.client.measure import (
    answer_metrics,
    barge_in_metrics,
    mouth_scale,
    summary,
    talked_over,
    transcript_of,
)
from avatar.client.observer import SILENCE_PEAK, HeardFrame, Observer, SeenFrame
from avatar.client.turns import TRANSCRIBED, Turn, spoken_lines

SENDER_S = 3_900_000_000.0  # its clock is NTP's, far from the loop's
PACKET = 960


def _loudness(at_s):
    """Syllables, irregular so that only the right lag fits."""
    return 0.3 + 0.7 * (0.5 - 0.5 * np.cos(2 * np.pi * (3 * at_s + 0.9 * np.sin(1.7 * at_s))))


def _call(spans, *, until_s=20.0, mouth_later_s=0.0, video_delay_s=0.0, fps=25, open_until_s=()):
    """A call that sounds in `spans`; its mouth follows `mouth_later_s` after the sound."""
    observer = Observer()
    times = np.arange(round(until_s * 50) * PACKET) / 48_000
    on = np.any([(a <= times) & (times < b) for a, b in spans], axis=0)
    sound = on * _loudness(times) * 8000 * np.sin(2 * np.pi * 1000 * times)
    for number, pcm in enumerate(sound.astype(np.int16).reshape(-1, PACKET)):
        at_s = number * PACKET / 48_000
        loud = bool(np.abs(pcm).max() > SILENCE_PEAK)
        observer.heard.append(HeardFrame(at_s, SENDER_S + at_s, pcm, loud))
    for number in range(round(until_s * fps)):
        at_s = number / fps
        heard_s = at_s - mouth_later_s
        is_open = any(a <= heard_s < b for a, b in (*spans, *open_until_s))
        openness = _loudness(heard_s) if is_open else 0.02 * np.sin(at_s)
        observer.seen.append(SeenFrame(at_s + video_delay_s, SENDER_S + at_s, openness))
    return observer


def _turn(began_s, finished_s, ended_s, events=()):
    return Turn("a clip", began_s, finished_s, ended_s, True, tuple(events))


def test_the_delay_to_the_first_sound_and_the_first_movement_is_measured():
    observer = _call([(5.3, 9.0)], mouth_later_s=0.08, video_delay_s=0.03)
    metrics = answer_metrics(_turn(3, 5, 10), observer, mouth_scale(observer))
    assert metrics["voice_to_voice_ms"] == pytest.approx(300, abs=20)
    assert metrics["voice_to_face_ms"] == pytest.approx(300 + 80 + 30, abs=45)


def test_lips_that_lead_the_sound_count():
    observer = _call([(5.3, 9.0)], mouth_later_s=-0.12)
    metrics = answer_metrics(_turn(3, 5, 10), observer, mouth_scale(observer))
    assert metrics["voice_to_face_ms"] == pytest.approx(180, abs=45)


def test_a_mouth_that_moves_long_before_the_sound_does_not_move_for_it():
    observer = _call([(5.8, 9.0)], open_until_s=[(5.1, 5.3)])
    metrics = answer_metrics(_turn(3, 5, 10), observer, mouth_scale(observer))
    assert metrics["voice_to_face_ms"] == pytest.approx(800, abs=45)


def test_a_mouth_that_never_moves_is_not_measured():
    observer = _call([(5.3, 9.0)], mouth_later_s=100)
    assert mouth_scale(observer) is None
    metrics = answer_metrics(_turn(3, 5, 10), observer, None)
    assert "voice_to_voice_ms" in metrics
    assert "voice_to_face_ms" not in metrics


@pytest.mark.parametrize("skew_ms", [-120, -40, 0, 40, 120])
def test_sound_ahead_of_the_lips_is_positive_skew(skew_ms):
    observer = _call([(5.3, 10.0)], mouth_later_s=skew_ms / 1000)
    metrics = answer_metrics(_turn(3, 5, 11), observer, mouth_scale(observer))
    assert metrics["av_skew_ms"] == pytest.approx(skew_ms, abs=6)


def test_video_that_arrives_later_skews_the_arrival_and_not_the_media():
    observer = _call([(5.3, 10.0)], video_delay_s=0.1)
    metrics = answer_metrics(_turn(3, 5, 11), observer, mouth_scale(observer))
    assert metrics["av_skew_ms"] == pytest.approx(0, abs=6)
    assert metrics["av_skew_arrival_ms"] == pytest.approx(100, abs=8)


@pytest.mark.parametrize("fps", [12, 25, 30])
def test_frames_per_second_are_counted_while_it_speaks(fps):
    observer = _call([(5.3, 9.0)], fps=fps)
    metrics = answer_metrics(_turn(3, 5, 10), observer, mouth_scale(observer))
    assert metrics["fps_received"] == pytest.approx(fps, rel=0.01)


def test_an_avatar_that_spoke_into_the_turn_has_no_latency():
    observer = _call([(4.5, 9.0)])
    turn = _turn(3, 5, 10)
    assert talked_over(turn, observer)
    assert answer_metrics(turn, observer, mouth_scale(observer)) == {}


def test_an_opener_is_not_taken_for_the_answer():
    said = [(5.5, 6.1), (7.0, 9.0)]
    opener = Event(5.48, "avatar.opener", {"text": "Let me see.", "duration_ms": 750})
    turn = _turn(3, 5, 11, [opener])
    observer = _call(said)
    metrics = answer_metrics(turn, observer, mouth_scale(observer))
    assert metrics["voice_to_voice_ms"] == pytest.approx(2000, abs=21)
    assert metrics["voice_to_face_ms"] == pytest.approx(2000, abs=60)


def test_an_answer_right_behind_an_opener_is_measured_from_its_own_first_sound():
    opener = Event(5.48, "avatar.opener", {"text": "Let me see.", "duration_ms": 750})
    turn = _turn(3, 5, 11, [opener])
    observer = _call([(5.5, 6.1), (6.25, 9.0)])
    metrics = answer_metrics(turn, observer, None)
    assert metrics["voice_to_voice_ms"] == pytest.approx(1250, abs=21)


def test_a_turn_with_nothing_but_an_opener_has_no_latency():
    opener = Event(5.48, "avatar.opener", {"text": "Let me see.", "duration_ms": 750})
    turn = _turn(3, 5, 11, [opener])
    assert answer_metrics(turn, _call([(5.5, 6.1)]), None) == {}


def test_a_barge_in_is_measured_to_the_last_sound_and_the_closed_mouth():
    observer = _call([(5.0, 8.15), (12, 14)], open_until_s=[(5.0, 8.25)])
    turn = _turn(8, 11, 15, [Event(12.0, "output_audio_buffer.started", {})])
    metrics = barge_in_metrics(turn, observer, mouth_scale(observer))
    assert metrics["barge_in_silence_ms"] == pytest.approx(150, abs=21)
    assert metrics["barge_in_mouth_closed_ms"] == pytest.approx(250, abs=45)


def test_an_avatar_that_talks_on_is_measured_to_its_end():
    observer = _call([(5.0, 10.0)])
    metrics = barge_in_metrics(_turn(8, 11, 15), observer, mouth_scale(observer))
    assert metrics["barge_in_silence_ms"] == pytest.approx(2000, abs=21)


def test_a_turn_that_interrupted_nothing_has_no_barge_in():
    observer = _call([(5.0, 7.0)])
    assert barge_in_metrics(_turn(8, 11, 15), observer, mouth_scale(observer)) == {}


def test_the_last_transcript_and_the_servers_rows_are_reported():
    events = [
        Event(4.0, TRANSCRIBED, {"transcript": "Go"}),
        Event(5.2, TRANSCRIBED, {"transcript": "forward."}),
        Event(
            5.4,
            "avatar.timeline",
            {"rows": {"turn_ended": 190, "final_transcript": 70, "llm_first_token": 320}},
        ),
    ]
    turn = _turn(3, 5, 10, events)
    metrics = answer_metrics(turn, _call([(5.3, 9.0)]), None)
    assert metrics["final_transcript_ms"] == pytest.approx(200)
    assert metrics["turn_ended_ms"] == 190
    assert metrics["words_stood_ms"] == 70
    assert metrics["ttft_ms"] == 320
    assert "first_clause_ms" not in metrics
    assert transcript_of(turn) == "Go forward."


def test_the_words_are_known_at_the_first_event_that_has_all_of_them():
    interim, said = "avatar.input_transcript.interim", {"item_id": "i"}
    events = [
        Event(4.8, interim, {**said, "text": "Go"}),
        Event(5.1, interim, {**said, "text": "Go forward."}),
        Event(5.3, TRANSCRIBED, {**said, "transcript": "Go forward."}),
    ]
    metrics = answer_metrics(_turn(3, 5, 10, events), _call([(5.4, 9.0)]), None)
    assert metrics["words_known_ms"] == pytest.approx(100)
    assert metrics["final_transcript_ms"] == pytest.approx(300)


def test_a_cut_answer_reads_as_what_was_heard():
    events = [
        Event(1, TRANSCRIBED, {"transcript": "Tell me."}),
        Event(2, "response.output_audio_transcript.done", {"item_id": "a", "transcript": "A b c."}),
        Event(3, "conversation.item.truncated", {"item_id": "a", "avatar_heard": "A b"}),
    ]
    assert list(spoken_lines(events)) == [("you", "Tell me."), ("avatar", "A b")]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], {"p50": None, "p95": None, "n": 0}),
        ([7], {"p50": 7, "p95": 7, "n": 1}),
        (range(101), {"p50": 50, "p95": 95, "n": 101}),
        ([1, 2], {"p50": 1.5, "p95": 1.95, "n": 2}),
    ],
)
def test_a_summary_is_median_and_95th_percentile(values, expected):
    assert summary(values) == expected
