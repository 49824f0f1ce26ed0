from datetime import UTC, datetime

import pytest
from aiortc import RTCRtpSender, clock

from avatar.rtc import aiortc_private
from avatar.rtc.sender import NtpTimeline


def test_sample_zero_is_the_present_and_time_runs_at_the_speech_clocks_rate():
    timeline = NtpTimeline()
    begun = clock.datetime_from_ntp(timeline.at(0))
    assert abs((begun - datetime.now(UTC)).total_seconds()) < 5
    assert (timeline.at(48_000 * 3600) - timeline.at(0)) / 2**32 == 3600
    assert (timeline.at(48) - timeline.at(0)) / 2**32 == pytest.approx(0.001, abs=1e-9)


def test_the_private_names_that_we_use_exist():
    aiortc_private.check()


def test_an_aiortc_without_a_name_that_we_use_is_refused_by_that_name(monkeypatch):
    monkeypatch.delattr(RTCRtpSender, "_next_encoded_frame")
    with pytest.raises(ImportError, match=r"RTCRtpSender\._next_encoded_frame.*aiortc 1\.16\.0"):
        aiortc_private.check()


def test_a_renamed_attribute_of_aiortc_is_noticed_too(monkeypatch):
    used = {RTCRtpSender: ("_RTCRtpSender__gone",)}
    monkeypatch.setattr(aiortc_private, "_USED", used)
    with pytest.raises(ImportError, match="_RTCRtpSender__gone"):
        aiortc_private.check()
