import av
import numpy as np
import pytest

from speech.g711 import decode, encode

ALL = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)
CODECS = {"mu": "pcm_mulaw", "a": "pcm_alaw"}


def by_ffmpeg(code, law):
    decoder = av.CodecContext.create(CODECS[law], "r")
    decoder.sample_rate, decoder.layout = 8000, "mono"
    (frame,) = decoder.decode(av.Packet(code))
    return frame.to_ndarray().reshape(-1)


@pytest.mark.parametrize("law", ["mu", "a"])
def test_every_code_means_what_another_decoder_says(law):
    codes = bytes(range(256))
    assert np.array_equal(decode(codes, law), by_ffmpeg(codes, law))


@pytest.mark.parametrize("law", ["mu", "a"])
def test_a_sample_becomes_the_nearest_value_that_there_is(law):
    values = np.unique(decode(bytes(range(256)), law)).astype(np.int32)
    nearest = np.abs(ALL.astype(np.int32)[:, None] - values[None]).min(axis=1)
    error = np.abs(decode(encode(ALL, law), law).astype(np.int32) - ALL)
    assert np.array_equal(error, nearest)


@pytest.mark.parametrize("law", ["mu", "a"])
def test_what_was_decoded_is_coded_to_the_same_value_again(law):
    values = decode(bytes(range(256)), law)
    assert np.array_equal(decode(encode(values, law), law), values)


@pytest.mark.parametrize(("law", "silence"), [("mu", 0xFF), ("a", 0xD5)])
def test_silence_is_the_code_that_telephones_send(law, silence):
    """A tie at zero goes to the positive code, as in every other encoder."""
    assert encode(np.zeros(3, np.int16), law) == bytes([silence] * 3)
