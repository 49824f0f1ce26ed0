# ruff: noqa: RUF001  # IPA has letters that look like others
"""What a client of Azure's is told of the avatar's sound, words, mouth and face."""

import base64

import numpy as np
import pytest
from azure.ai.voicelive import models as sdk

from avatar import events as say
from avatar.playout import Begun
from avatar.protocol.voice_live.blendshapes import FRAME_SAMPLES
from avatar.protocol.voice_live.description import LEAD_SAMPLES
from speech.types import AudioFrame, PhonemeTiming, SpeechChunk
from tests.avatar.voice_live_kit import Client, understood


def test_words_and_mouth_shapes_are_timed_from_the_first_sound_of_the_answer():
    client = Client()
    client.updates(
        animation=sdk.Animation(outputs=["viseme_id"]), output_audio_timestamp_types=["word"]
    )
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.hears(
        "Bob, so. ",
        480_000,
        (
            PhonemeTiming("b", 0, 4800, starts_word=True),
            PhonemeTiming("ɑ", 4800, 14_400),
            PhonemeTiming("b", 14_400, 19_200),
            PhonemeTiming("s", 24_000, 28_800, starts_word=True),
            PhonemeTiming("oʊ", 28_800, 38_400),  # IPA
        ),
    )
    client.hears("Ah.", 528_000, (PhonemeTiming("ɑ", 0, 24_000, starts_word=True),))
    client.server.tell(say.ReplyEnded("resp_1", "item_9", "completed", "Bob, so. Ah.", 1500))

    words = [understood(event) for event in client.of("response.audio_timestamp.delta")]
    shapes = [understood(event) for event in client.of("response.animation_viseme.delta")]

    assert [(w.text, w.audio_offset_ms, w.audio_duration_ms) for w in words] == [
        ("Bob,", 0, 500),
        ("so.", 500, 300),
        ("Ah.", 1000, 500),
    ]
    assert [(shape.audio_offset_ms, shape.viseme_id) for shape in shapes] == [
        (0, 21), (100, 2), (300, 21), (400, 0), (500, 15), (600, 8), (700, 4), (800, 0),
        (1000, 2), (1500, 0),
    ]  # fmt: skip
    assert {(shape.response_id, shape.item_id) for shape in shapes} == {("resp_1", "item_9")}
    ends = [t for t in client.types if t.endswith((".done",))]
    assert ends.index("response.animation_viseme.done") < ends.index("response.audio.done")
    assert ends.index("response.audio_timestamp.done") < ends.index("response.audio.done")
    assert client.of("response.animation_blendshapes.delta") == []


def test_the_face_is_told_ahead_of_its_sound_sixty_times_a_second_without_a_hole():
    client = Client()
    client.updates(animation=sdk.Animation(outputs=["blendshapes"]))
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.hears("Hello there.", 48_000, samples=48_000)
    for position in range(48_000, 96_000, 960):
        client.position = position
        client.server.moved()
        told = client.of("response.animation_blendshapes.delta")
        frames = sum(len(event["frames"]) for event in told)
        ahead = frames - (position - 48_000) / FRAME_SAMPLES
        assert 0 < ahead <= LEAD_SAMPLES / FRAME_SAMPLES + 1
    client.server.tell(say.ReplyEnded("resp_1", "item_9", "completed", "Hello there.", 1000))

    deltas = [understood(event) for event in client.of("response.animation_blendshapes.delta")]

    count = 0
    for delta in deltas:
        assert delta.frame_index == count
        for i, frame in enumerate(delta.frames):
            jaw = (48_000 + (count + i) * FRAME_SAMPLES) / 96_000
            assert frame[17] == pytest.approx(jaw, abs=1e-3)
        count += len(delta.frames)
    understood(client.of("response.animation_blendshapes.done")[0])


@pytest.mark.parametrize(("name", "rate_hz"), [("pcm16_8000hz", 8_000), ("pcm16_16000hz", 16_000)])
def test_sound_has_the_rates_that_were_asked_for(name, rate_hz):
    client = Client()
    client.updates(output_audio_format=name, input_audio_sampling_rate=16_000)
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.hears("Hi there.", 0)
    client.sounds(50)
    client.server.tell(say.ReplyEnded("resp_1", "item_9", "completed", "Hi there.", 1000))
    second = base64.b64encode(np.ones(16_000, "<i2").tobytes()).decode()
    for _ in range(3):
        client.sends(sdk.ClientEventInputAudioBufferAppend(audio=second))

    heard = [understood(event).delta for event in client.of("response.audio.delta")]
    assert sum(map(len, heard)) == 2 * rate_hz
    assert client.line.microphone_in.position == pytest.approx(48_000, abs=100)
    assert client.of("session.updated")[0]["session"]["output_audio_format"] == name
    assert not client.of("error")


def test_an_opener_is_part_of_the_sound_and_a_silence_for_the_person_is_not():
    client = Client()
    client.updates(output_audio_timestamp_types=["word"])
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    chunk = SpeechChunk("Hm.", AudioFrame(np.zeros(24_000, np.int16), 48_000))
    client.begun = Begun(chunk, 48_000)
    client.server.tell(say.OpenerHeard("resp_1", "Hm.", 500))
    client.hears("Well. ", 96_000)
    client.position = 100_000
    client.server.tell(say.ReplyHeld("resp_1", "item_9"))
    client.position = 148_000
    client.server.tell(say.ReplyResumed("resp_1", "item_9", "backchannel"))
    client.hears("Yes.", 192_000)

    words = client.of("response.audio_timestamp.delta")
    assert [(word["text"], word["audio_offset_ms"]) for word in words] == [
        ("Well.", 1000),
        ("Yes.", 2000),
    ]


def test_what_was_not_asked_for_is_not_told():
    client = Client()
    client.server.tell(say.ReplyStarted("resp_1", "item_9"))
    client.hears("Hi.", 0, (PhonemeTiming("h", 0, 4800, starts_word=True),))
    client.position = 48_000
    client.server.moved()
    client.server.tell(say.ReplyEnded("resp_1", "item_9", "completed", "Hi.", 1000))

    assert not [kind for kind in client.types if "animation" in kind or "timestamp" in kind]
