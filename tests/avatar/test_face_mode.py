"""Who draws the face, on a virtual clock."""

import asyncio
import itertools
from dataclasses import dataclass, field

import pytest

from avatar.face.mode import FaceControl, Shown, Wish, shown
from tests.session.virtual_clock import run


@dataclass
class Drawing:
    """Stands for the server's drawing: `skips` of 25 slots a second are late while it draws."""

    skips: int = 0
    every: int | None = 1
    due: int = 0
    skipped: int = 0

    def draw_every(self, every):
        self.every = every

    def stop_drawing(self):
        self.every = None

    async def go_on(self):
        for slot in itertools.count():
            await asyncio.sleep(0.04)
            if self.every and slot % self.every == 0:
                self.due += 1
                self.skipped += slot % 25 < self.skips


@dataclass
class Poses:
    runs: bool = False

    def start(self):
        self.runs = True

    def stop(self):
        self.runs = False


@dataclass
class Call:
    """A call's face, and what its client is told."""

    can_draw: bool = True
    takes_video: bool = True
    keyframes: int = 0
    told: list = field(default_factory=list)

    def __post_init__(self):
        self.drawing, self.poses = Drawing(), Poses()
        self.control = FaceControl(
            video=self.drawing,
            poses=self.poses,
            can_draw=lambda: self.can_draw,
            takes_video=lambda: self.takes_video,
            keyframe=self._keyframe,
            tell=lambda shown, reason: self.told.append((shown.mode, reason)),
        )

    def _keyframe(self):
        self.keyframes += 1

    def at(self, script):
        """Run `script(call)` while the call goes on."""

        async def go():
            async with asyncio.TaskGroup() as tasks:
                going = [
                    tasks.create_task(self.drawing.go_on()),
                    tasks.create_task(self.control.run()),
                ]
                await script(self)
                for task in going:
                    task.cancel()

        run(go())


@pytest.mark.parametrize(
    ("wish", "can_draw", "takes_video", "rungs"),
    [
        (Wish("video", True), True, True, ["video", "client", "audio"]),
        (Wish("video", True), False, True, ["video", "video/2", "audio"]),
        (Wish("client", True), True, True, ["client", "client", "audio"]),
        (Wish("client", True), False, True, ["video", "video/2", "audio"]),
        (Wish("video", False), True, True, ["video"] * 3),
        (Wish("client", False), True, True, ["client"] * 3),
        (Wish("client", False), False, True, ["video"] * 3),
        (Wish("audio", True), True, True, ["audio"] * 3),
        (Wish("video", True), True, False, ["client", "client", "audio"]),
        (Wish("video", True), False, False, ["audio"] * 3),
    ],
)
def test_what_a_wish_comes_to(wish, can_draw, takes_video, rungs):
    got = [shown(wish, rung, can_draw=can_draw, takes_video=takes_video) for rung in range(3)]
    assert [each.mode + ("/2" if each.every == 2 else "") for each in got] == rungs


def test_a_chosen_mode_is_taken_and_told():
    call = Call()
    for mode in ("client", "audio", "video"):
        call.control.ask(Wish(mode), "chosen")
        assert (call.drawing.every is not None, call.poses.runs) == (
            mode == "video",
            mode == "client",
        )
    assert call.told == [("client", "chosen"), ("audio", "chosen"), ("video", "chosen")]
    assert call.keyframes == 1


def test_a_client_that_can_not_draw_yet_gets_video_until_it_can():
    call = Call(can_draw=False)
    call.control.ask(Wish("client"), "chosen")
    assert call.drawing.every == 1
    call.can_draw = True
    call.control.channel_changed()
    call.can_draw = False
    call.control.channel_changed()
    assert call.told == [("video", "drawing"), ("client", "chosen"), ("video", "drawing")]
    assert call.drawing.every == 1


def test_a_client_that_asked_for_video_is_not_told_that_it_can_not_draw():
    async def script(call):
        call.control.ask(Wish("video", automatic=True), "chosen")
        call.control.relieve(True)
        call.can_draw = False  # it was handed the drawing, and can't
        call.control.channel_changed()
        assert call.told[-1] == ("video", "chosen")

    Call().at(script)


def test_a_busy_server_hands_the_drawing_over_and_takes_it_back_when_there_is_room():
    async def script(call):
        call.control.ask(Wish("video", automatic=True), "chosen")
        call.drawing.skips = 15
        await asyncio.sleep(8)
        assert call.control.now == Shown("client")
        assert call.poses.runs
        await asyncio.sleep(12)
        call.drawing.skips = 0
        await asyncio.sleep(10)
        assert call.control.now == Shown("video")

    call = Call()
    call.at(script)
    assert call.told == [("video", "chosen"), ("client", "busy"), ("video", "recovered")]


def test_a_client_that_can_not_draw_gets_fewer_frames_then_sound_only():
    async def script(call):
        call.control.ask(Wish("video", automatic=True), "chosen")
        call.drawing.skips = 15
        await asyncio.sleep(6)
        assert call.control.now == Shown("video", every=2)
        await asyncio.sleep(6)
        assert call.control.now == Shown("audio")
        assert call.drawing.every is None

    call = Call(can_draw=False)
    call.at(script)
    assert call.told == [("video", "chosen"), ("video", "busy"), ("audio", "busy")]


def test_a_mode_that_a_person_chose_is_kept_however_busy_the_server_is():
    async def script(call):
        call.control.ask(Wish("video"), "chosen")
        call.drawing.skips = 20
        await asyncio.sleep(60)

    call = Call()
    call.at(script)
    assert call.told == [("video", "chosen")]


def test_late_answers_make_the_face_lighter_only_where_the_client_lets_them():
    for automatic, told in ((True, [("client", "busy"), ("video", "recovered")]), (False, [])):
        call = Call()
        call.control.ask(Wish("video", automatic=automatic), "chosen")
        assert call.control.can_show_less == automatic
        for wanted in (True, True, False, False):
            call.control.relieve(wanted)
        assert call.told[1:] == told


def test_a_client_that_can_not_draw_gets_fewer_frames_while_answers_are_late():
    call = Call(can_draw=False)
    call.control.ask(Wish("video", automatic=True), "chosen")
    call.control.relieve(True)
    assert call.control.now == Shown("video", every=2)


def test_who_asks_while_the_server_is_busy_is_told_so():
    async def script(call):
        call.control.ask(Wish("video", automatic=True), "chosen")
        call.drawing.skips = 20
        await asyncio.sleep(8)
        call.control.ask(Wish("video", automatic=True), "recovered")

    call = Call()
    call.at(script)
    assert call.told[-1] == ("client", "busy")
