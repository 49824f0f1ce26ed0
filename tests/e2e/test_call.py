"""The whole thing: the call page in Chromium, a recorded voice, and every real model."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright

from avatar.store import ModelStore, data_folder
from bench.wer import wer
from render.baked.asset import BakedFace
from render.mouth import MouthMeter
from speech.asr.whisper import Whisper
from speech.audio import resample
from speech.vad import SileroModel
from tests.e2e.browser_call import (
    CHROMIUM,
    CHROMIUM_ARGS,
    HEARD_HZ,
    SEEN_PX,
    BrowserCall,
    Received,
    pause,
)
from tests.e2e.conftest import SPEECH, Server

pytestmark = pytest.mark.e2e

QUESTION = SPEECH / "public" / "en_ps_goforward.wav"
KEPT_ALIVE_S = 6  # an idle HTTP connection, by uvicorn
RESTING = 12  # pictures: about a second, where it listens
MOVES = 5  # pictures at least, of a mouth that speaks
INTERRUPTION = SPEECH / "cc-by-sa" / "en_privacy-prompt.wav"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=CHROMIUM_ARGS
        )
        yield chromium
        chromium.close()


@pytest.fixture
def new_call(browser: Browser, live_server: Server) -> Iterator[Callable[..., BrowserCall]]:
    """Makes calls; whatever becomes of the test, none of them keeps a place on the server."""
    calls: list[BrowserCall] = []

    def make(*, greeted: bool = True) -> BrowserCall:
        call = BrowserCall(browser, live_server.url)
        calls.append(call)
        if greeted:
            call.call()
        else:
            call.dial()
        return call

    yield make
    for call in calls:
        call.close()


@pytest.fixture(scope="module")
def meter() -> MouthMeter:
    face = BakedFace.load(data_folder("models") / "faces" / "elena")
    return MouthMeter(SEEN_PX, SEEN_PX, face)


def transcribed(received: Received) -> str:
    """What was said, by a recogniser that the server does not use for this language."""
    store = ModelStore.default()
    silero = SileroModel(store.path("silero-vad-v6") / "silero_vad_v6.onnx")
    whisper = Whisper(store.path("whisper-base"), "en", silero.detector)
    pcm = resample(np.concatenate(received.audio), HEARD_HZ, 16_000)
    try:
        # In a thread, for Playwright's own event loop runs in this one.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, whisper.recognize(pcm)).result().text
    finally:
        whisper.close()


@dataclass(frozen=True)
class SpokenTurn:
    """One question asked aloud, and what the browser made of it."""

    question: str
    answer: str
    heard: str
    faults: list[str]
    received: Received

    @property
    def while_it_speaks(self) -> np.ndarray:
        loud = self.received.loud_at_ms()
        return self.received.between(loud[0], loud[-1]).frames if len(loud) else np.empty(0)

    @property
    def came_through(self) -> bool:
        understood = wer("go forward ten meters", self.question, "en") <= 0.25
        heard = wer(self.answer, self.heard, "en") <= 0.2
        return understood and heard and len(self.while_it_speaks) > MOVES


def take_turn(call: BrowserCall) -> SpokenTurn:
    asked_at_ms = 0.0

    def ask() -> None:
        nonlocal asked_at_ms
        asked_at_ms, length_ms = call.say(QUESTION)
        pause(length_ms / 1000)

    answer = call.answered(ask)
    call.see(2 * RESTING)
    received = call.received().between(asked_at_ms, call.now_ms())
    question = call.lines("person")[-1]["text"]
    return SpokenTurn(question, answer, transcribed(received), call.faults(), received)


@pytest.fixture(scope="module")
def turn(browser: Browser, live_server: Server) -> SpokenTurn:
    """The first of three that came through: a starved browser's sound and picture have gaps."""
    call = BrowserCall(browser, live_server.url)
    call.call()
    for _ in range(3):
        spoken = take_turn(call)
        if spoken.came_through:
            break
    call.close()
    return spoken


def test_the_page_shows_what_the_person_said(turn):
    assert wer("go forward ten meters", turn.question, "en") <= 0.25


def test_the_sound_in_the_browser_says_what_the_caption_shows(turn):
    assert wer(turn.answer, turn.heard, "en") <= 0.2


def test_the_video_plays_while_it_speaks(turn):
    loud, frames = turn.received.loud_at_ms(), turn.while_it_speaks
    print(f"\n{1000 * len(frames) / (loud[-1] - loud[0]):.1f} fps while it speaks")
    moved = np.any(np.diff(frames.astype(np.int16), axis=0), axis=(1, 2))
    assert moved.sum() >= MOVES


def test_the_mouth_moves_while_it_speaks_and_rests_when_it_does_not(turn, meter):
    speaking = [meter.is_open(f) for f in turn.while_it_speaks]
    resting = [meter.is_open(f) for f in turn.received.frames[-RESTING:]]
    assert np.mean(speaking) > 0.2
    assert np.mean(resting) < 0.1


def test_nothing_went_wrong_in_the_page(turn):
    assert turn.faults == []


def test_typed_words_are_answered_and_remembered(new_call):
    call = new_call()
    assert call.answered(lambda: call.type("Hello! My name is Anna."))
    assert "Anna" in call.answered(lambda: call.type("What is my name?"))


def test_speaking_over_the_avatar_stops_its_voice_and_closes_its_mouth(new_call, meter):
    call = new_call()
    for _ in range(3):  # where the machine is starved, it may have finished before it understands
        since = call.page.evaluate("window.presencia.lines.length")
        call.type("Tell me about the history of Rome.")
        call.wait_for("window.presencia.state === 'speaking'")
        began_ms = call.now_ms()
        pause(1.5)
        call.say(INTERRUPTION)
        cut = f"window.presencia.lines.slice({since}).some((l) => l.isCut)"
        call.wait_for(f"{cut} || window.presencia.state === 'listening'")
        cut_ms = call.now_ms()
        call.see(RESTING // 2)
        if call.page.evaluate(cut):
            break
        call.wait_for_listening()
    # Opening words, if there were any, are a line of their own before the one that was cut.
    lines = call.page.evaluate("window.presencia.lines")[since:]
    cuts = [n for n, line in enumerate(lines) if line["isCut"]]
    assert cuts
    text = " ".join(line["text"] for line in lines[: cuts[0] + 1] if line["who"] == "avatar")
    received = call.received()
    said = transcribed(received.between(began_ms, cut_ms + 700))
    print(f"\nit says it was heard saying {text!r}; heard {said!r}")
    assert received.between(began_ms, cut_ms).loud_at_ms().size, "it was speaking"
    assert len(said.split()) <= len(text.split()) + 3
    for _ in range(5):  # a starved browser shows pictures late
        if not any(meter.is_open(f) for f in received.frames[-3:]):
            break
        call.see(3)
        received = call.received()
    assert not any(meter.is_open(f) for f in received.frames[-3:])


def test_hanging_up_frees_everything(new_call, live_server):
    def settled(allowed: dict[str, float]) -> dict[str, float]:
        """What it holds without a call; connections that are kept alive go some seconds later."""
        for _ in range(60):
            pause(1)
            held = live_server.metrics()
            if held["calls"] == 0 and all(held[what] <= most for what, most in allowed.items()):
                break
        return held

    def call_once() -> None:
        call = new_call()
        call.answered(lambda: call.type("Hello!"))
        call.hang_up()
        call.close()  # an open page keeps its HTTP connections, which are no part of the call

    for _ in range(2):
        call_once()
    for _ in range(3):  # pools that a busy machine fills late are full some time; a leak goes on
        settled({})
        pause(KEPT_ALIVE_S)
        before = live_server.metrics()
        allowed = {
            "calls": 0,
            "tasks": before["tasks"],
            # Less than one for each call: other connections come and go.
            "open_files": before["open_files"] + 2,
            "threads": before["threads"] + 2,
            # Caches and allocators still warm up in the first calls, by some 30 MB in all; nine
            # calls in a row were flat from the sixth. A call's own media and KV cache are more.
            "rss_mb": before["rss_mb"] + 45,
        }
        for _ in range(3):
            call_once()
        after = settled(allowed)
        grown = {
            what: after[what] - before[what] for what in allowed if after[what] > allowed[what]
        }
        print(f"grown: {grown}")
        if not grown:
            break
    assert grown == {}
