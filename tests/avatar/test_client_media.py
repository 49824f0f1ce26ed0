import av
import numpy as np
import pytest
from aiortc.rtp import RtpPacket

from avatar.client.lip_sync import loudness_curve, skew_s
from avatar.client.observer import Observer
from avatar.client.reception import _PromptVideo, _Unwrapped
from avatar.client.recorder import Recorder, RecordingError
from avatar.client.sender_clock import SenderClock


def _packet(sequence, timestamp, *, last):
    packet = RtpPacket(sequence_number=sequence, timestamp=timestamp, marker=int(last))
    packet._data = b"%d," % sequence
    return packet


def test_a_picture_leaves_with_its_last_packet():
    buffer = _PromptVideo()
    assert buffer.add(_packet(1, 0, last=False)) == (False, None)
    _, frame = buffer.add(_packet(2, 0, last=True))
    assert (frame.data, frame.timestamp) == (b"1,2,", 0)


def test_a_picture_waits_for_a_packet_that_comes_late():
    buffer = _PromptVideo()
    buffer.add(_packet(1, 0, last=True))
    assert buffer.add(_packet(3, 3600, last=True))[1] is None
    assert buffer.add(_packet(2, 3600, last=False))[1].data == b"2,3,"


def test_a_sender_without_marker_bits_is_still_understood():
    buffer = _PromptVideo()
    buffer.add(_packet(1, 0, last=False))
    assert buffer.add(_packet(2, 3600, last=False))[1].data == b"1,"


def test_timestamps_go_on_past_their_wrap():
    stamps = _Unwrapped()
    wrap = 2**32
    assert [stamps.map(t % wrap) for t in (wrap - 960, wrap, wrap + 960, wrap - 480)] == [
        wrap - 960, wrap, wrap + 960, wrap - 480,
    ]  # fmt: skip


def test_sender_reports_put_both_streams_on_one_clock():
    clock = SenderClock()
    assert clock.seconds("audio", 1) is None
    clock.report("audio", 1000 << 32, 2**32 - 480)
    assert not clock.ready
    clock.report("video", (1000 << 32) + (1 << 31), 45_000)
    assert clock.ready
    assert clock.seconds("audio", 480) == pytest.approx(1000.02)
    assert clock.seconds("audio", 2**32 + 480) == pytest.approx(1000.02)  # unwrapped
    assert clock.seconds("video", 0) == pytest.approx(1000.0)


def test_the_luma_of_a_padded_frame_is_read_without_its_padding():
    seen = []
    picture = np.arange(50 * 3 // 2 * 50, dtype=np.uint8).reshape(75, 50)
    frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
    Observer(lambda luma: seen.append(luma.copy()) or 0.5).see(frame, 1.0, None)
    assert np.array_equal(seen[0], picture[:50])


@pytest.mark.parametrize("channels", [1, 2])
def test_sound_is_one_channel_whatever_the_decoder_makes(channels):
    layout = "mono" if channels == 1 else "stereo"
    samples = np.repeat(np.arange(960, dtype=np.int16), channels)[None]
    frame = av.AudioFrame.from_ndarray(samples, "s16", layout)
    heard = Observer().hear(frame, 1.0, None)
    assert np.array_equal(heard.pcm, np.arange(960))
    assert heard.loud


def test_too_little_sound_has_no_skew():
    curve = [(i / 100, float(i % 7)) for i in range(100)]
    assert skew_s(curve, curve) is None


def test_a_mouth_that_does_not_follow_the_sound_has_no_skew():
    rng = np.random.default_rng(3)
    mouth = [(i / 25, rng.random()) for i in range(100)]
    assert skew_s(mouth, [(i / 100, rng.random()) for i in range(400)]) is None


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_a_recording_keeps_sound_and_picture_in_sync_through_a_gap(tmp_path, suffix):
    path = tmp_path / f"call{suffix}"
    start_s = 3_900_000_000.0
    loud = {10, 40, 41, 70, 110, 125}  # of 150 frames of 20 ms; picture and sound together
    with Recorder(path) as recorder:
        for number in range(150):
            at_s = start_s + number * 0.02
            if number % 2 == 0:
                level = 255 if {number, number + 1} & loud else 0
                picture = np.full((96, 64), level, np.uint8)
                picture[64:] = 128
                recorder.see(av.VideoFrame.from_ndarray(picture, "yuv420p"), at_s)
            if not 50 <= number < 60:  # lost on the way
                tone = np.sin(np.arange(960) / 6) * (12000 if number in loud else 0)
                recorder.hear(tone.astype(np.int16), at_s)
    with av.open(str(path)) as file:
        pictures = [(f.time, f.to_ndarray(format="gray").mean()) for f in file.decode(video=0)]
    with av.open(str(path)) as file:
        resampler = av.AudioResampler("s16", "mono", 48_000)
        sounds = [
            (part.time, part.to_ndarray()[0])
            for frame in file.decode(audio=0)
            for part in resampler.resample(frame)
        ]
    assert len(pictures) == 75
    assert pictures[-1][0] == pytest.approx(2.96, abs=0.01)
    assert sounds[-1][0] == pytest.approx(2.98, abs=0.04)
    # A flash is seen from its frame's start on, its sound's middle is 10 or 30 ms later.
    assert skew_s(pictures, loudness_curve(sounds)) == pytest.approx(-0.015, abs=0.02)


def test_a_recording_of_nothing_leaves_no_file(tmp_path):
    with Recorder(tmp_path / "call.mp4") as recorder:
        pass
    assert recorder.empty
    assert not (tmp_path / "call.mp4").exists()


def test_an_unknown_suffix_names_the_known_ones(tmp_path):
    with pytest.raises(RecordingError, match=r"\.mp4, \.mkv, \.webm"):
        Recorder(tmp_path / "call.avi")


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(RecordingError, match="Can't write"):
        Recorder(tmp_path / "nowhere" / "call.mp4")
