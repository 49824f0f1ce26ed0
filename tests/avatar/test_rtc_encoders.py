from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.codecs import depayload
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from avatar.rtc.encoders import OpusEncoder, video_encoder

CODECS = {"video/VP8": "libvpx", "video/H264": "h264"}


def picture(n: int, width: int = 128, height: int = 128, step: int = 3600) -> av.VideoFrame:
    """A bright bar that moves right over a dark ground."""
    i420 = np.full((height * 3 // 2, width), 128, np.uint8)
    i420[:height] = 40
    i420[:height, n * 2 % width :][:, :16] = 200
    frame = av.VideoFrame.from_numpy_buffer(i420, format="yuv420p")
    frame.pts, frame.time_base = n * step, Fraction(1, 90_000)
    return frame


def received(mime_type: str, payloads: list[list[bytes]]) -> list[np.ndarray]:
    codec = RTCRtpCodecParameters(mimeType=mime_type, clockRate=90_000, payloadType=96)
    decoder = av.CodecContext.create(CODECS[mime_type], "r")
    pictures = []
    for frame in payloads:
        data = b"".join(depayload(codec, payload) for payload in frame)
        pictures += [p.to_ndarray(format="yuv420p") for p in decoder.decode(av.Packet(data))]
    return pictures + [p.to_ndarray(format="yuv420p") for p in decoder.decode(None)]


@pytest.mark.parametrize("mime_type", CODECS)
def test_every_picture_comes_out_at_once_with_its_own_timestamp(mime_type):
    encoder = video_encoder(mime_type, 500_000)
    encoded = [encoder.encode(picture(n), keyframe=False) for n in range(30)]
    assert all(frame.payloads for frame in encoded)
    assert max(len(payload) for frame in encoded for payload in frame.payloads) <= 1300
    assert [frame.timestamp for frame in encoded] == [n * 3600 for n in range(30)]
    pictures = received(mime_type, [frame.payloads for frame in encoded])
    assert len(pictures) == 30
    wanted = picture(29).to_ndarray()[:128].astype(float)
    assert np.abs(pictures[-1][:128] - wanted).mean() < 5


@pytest.mark.parametrize("mime_type", CODECS)
def test_a_keyframe_comes_first_and_then_only_on_request(mime_type):
    encoder = video_encoder(mime_type, 500_000)
    encoded = [encoder.encode(picture(n), keyframe=n == 300) for n in range(400)]
    assert [n for n, frame in enumerate(encoded) if frame.is_keyframe] == [0, 300]
    assert received(mime_type, [frame.payloads for frame in encoded[300:]])


@pytest.mark.parametrize("mime_type", CODECS)
def test_a_picture_of_another_size_starts_a_new_stream(mime_type):
    encoder = video_encoder(mime_type, 500_000)
    encoder.encode(picture(0), keyframe=False)
    bigger = encoder.encode(picture(1, 256, 192), keyframe=False)
    assert bigger.is_keyframe
    (seen,) = received(mime_type, [bigger.payloads])
    assert seen.shape == (192 * 3 // 2, 256)


@pytest.mark.parametrize("mime_type", CODECS)
def test_the_bitrate_is_the_configured_one(mime_type):
    encoder = video_encoder(mime_type, 300_000)
    noise = np.random.default_rng(1)
    total = 0
    for n in range(100):
        frame = picture(n)
        grain = noise.integers(0, 60, (192, 128), dtype=np.uint8)
        np.asarray(frame.planes[0])[:] = grain[:128].reshape(-1)
        total += sum(map(len, encoder.encode(frame, keyframe=False).payloads)) if n >= 25 else 0
    assert 8 * total / 3 == pytest.approx(300_000, rel=0.25)


def test_opus_stays_mono_and_small_and_says_how_far_it_lags():
    encoder = OpusEncoder()
    tone = (8000 * np.sin(np.arange(48_000) * 0.03)).astype(np.int16)
    size, timestamps = 0, []
    for n in range(50):
        block = tone[n * 960 : (n + 1) * 960]
        frame = av.AudioFrame.from_ndarray(block[np.newaxis], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, n * 960, Fraction(1, 48_000)
        encoded = encoder.encode(frame, keyframe=False)
        size += sum(map(len, encoded.payloads))
        timestamps.append(encoded.timestamp)
    assert size * 8 < 40_000
    assert timestamps == [n * 960 - 312 for n in range(50)]  # libopus looks 6.5 ms ahead
