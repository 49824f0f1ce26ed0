"""What a session learns of how its person pauses."""

import asyncio

from avatar.settings import ListeningSettings
from tests.session import held_calls, virtual_clock
from tests.session.held_calls import Client, house, settings
from tests.session.scripted_engines import LONG

MM_HM = 4020
NO_ECHO = ListeningSettings(remove_echo=False)  # the avatar sounds like the person here


class Stopwatch(Client):
    """A client that notes when it is told that its person has stopped speaking."""

    stopped_s = 0.0

    def told(self, event):
        super().told(event)
        if event["type"] == "input_audio_buffer.speech_stopped":
            self.stopped_s = asyncio.get_running_loop().time()

    async def says(self, loudness, lasts_s):
        self.loudness = loudness
        await asyncio.sleep(lasts_s)
        self.loudness = 0


def waits_s(meanwhile):
    """How long a turn's end is waited for, behind an answer over which something was said."""

    async def call():
        given = settings().model_copy(update={"listening": NO_ECHO})
        async with house(given, [LONG, LONG]) as held:
            held.calls.engines.turn_detector.probability = 0.98
            client = await held.call(client=Stopwatch())
            for loudness, speaks_s, listens_s in ((4000, 0.6, 1.1), (meanwhile, 0.4, 9.0)):
                await client.says(loudness, speaks_s)
                await asyncio.sleep(listens_s)
            await client.says(4010, 0.8)
            spoken_s = asyncio.get_running_loop().time()
            await asyncio.sleep(2)
            return client.stopped_s - spoken_s

    return virtual_clock.run(call())


def test_who_says_mm_hm_to_an_answer_is_waited_for_no_longer(monkeypatch):
    monkeypatch.setitem(held_calls.WORDS, MM_HM, "mm-hm")
    silent = waits_s(0)
    assert waits_s(MM_HM) == silent
    assert waits_s(4010) > silent
