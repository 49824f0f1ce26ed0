"""What watchers are sent, and how often they have a complete picture made, on the virtual clock."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from avatar.events import Watched
from avatar.protocol.dialect import Doors, FaceFiles
from avatar.protocol.events import SessionConfig
from avatar.protocol.events.session import AvatarConfig
from avatar.protocol.realtime import Realtime
from avatar.rtc.clock import MediaClock
from avatar.rtc.encoders import Encoded
from avatar.rtc.fragment import parse_fragment
from avatar.rtc.relay import QUEUE_LIMIT, RelaySender
from avatar.rtc.sender import NtpTimeline
from avatar.rtc.watcher import Watcher
from avatar.settings import RtcSettings
from avatar.whep import KEYFRAME_EVERY_S, Audience, WatchError
from tests.session.virtual_clock import run


def frame(number: int, *, key: bool = False) -> Encoded:
    return Encoded([bytes([number])], number * 3600, key)


def relay(kind: str = "video"):
    """A sender to one watcher, what it takes from, and when it wanted a complete picture."""
    source = SimpleNamespace(kind=kind, relays=set())
    wanted = []
    sender = RelaySender(
        source,
        SimpleNamespace(state="new"),
        clock=MediaClock(),
        timeline=NtpTimeline(),
        rate_hz=90_000,
        heard=lambda: None,
        want_keyframe=lambda: wanted.append(True),
    )
    return sender, source, wanted


async def sent(sender: RelaySender, frames: int) -> list[int]:
    return [(await sender.next_frame()).payloads[0][0] for _ in range(frames)]


def test_a_watcher_begins_with_a_complete_picture_and_then_gets_all():
    async def scenario():
        sender, source, wanted = relay()
        async with asyncio.TaskGroup() as tasks:
            receiving = tasks.create_task(sent(sender, 3))
            await asyncio.sleep(0)
            (take,) = source.relays
            for number in range(6):
                take(frame(number, key=number == 3), None)
        assert receiving.result() == [3, 4, 5]
        assert sender.dropped == 3
        assert len(wanted) == 4  # as it joined, and for each picture that it could not use

    run(scenario())


def test_sound_needs_no_complete_picture():
    async def scenario():
        sender, source, wanted = relay("audio")
        async with asyncio.TaskGroup() as tasks:
            receiving = tasks.create_task(sent(sender, 2))
            await asyncio.sleep(0)
            (take,) = source.relays
            take(frame(1), -20)
            take(frame(2), -20)
        assert (receiving.result(), wanted) == ([1, 2], [])

    run(scenario())


def test_a_watcher_that_can_t_keep_up_starts_again_at_a_complete_picture():
    async def scenario():
        sender, _, _ = relay()
        for number in range(QUEUE_LIMIT + 3):
            sender.take(frame(number, key=number == 0), None)
        sender.take(frame(99, key=True), None)
        assert await sent(sender, 1) == [99]
        assert sender.dropped == QUEUE_LIMIT + 3

    run(scenario())


def test_a_watcher_that_left_takes_nothing():
    async def scenario():
        sender, source, _ = relay("audio")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sent(sender, 1))
            await asyncio.sleep(0)
            sender.take(frame(1), None)
        assert source.relays
        sender.release()
        assert not source.relays

    run(scenario())


def test_watchers_together_have_a_complete_picture_made_every_two_seconds_at_most():
    async def scenario():
        loop = asyncio.get_running_loop()
        made_s = []
        show = SimpleNamespace(send_keyframe=lambda: made_s.append(loop.time()))
        audience = Audience(3, lambda watchers: None, RtcSettings())
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(audience.run(lambda: show))
            await asyncio.sleep(0)
            begun_s = loop.time()
            for _ in range(50):
                audience.want_keyframe()
                await asyncio.sleep(0.1)
            running.cancel()
        assert [round(at_s - begun_s, 1) for at_s in made_s] == [0, 2, 4]
        assert KEYFRAME_EVERY_S == 2

    run(scenario())


def test_who_is_being_let_in_as_the_person_forbids_it_is_not(monkeypatch):
    async def scenario():
        watcher = SimpleNamespace(closed=asyncio.Event(), answer_sdp="")

        async def close():
            watcher.closed.set()

        async def answer(*_):
            audience.forbid()
            return watcher

        watcher.close = close
        monkeypatch.setattr(Watcher, "answer", answer)
        audience = Audience(3, lambda watchers: None, RtcSettings(), is_shown=True)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(audience.run(lambda: SimpleNamespace()))
            await asyncio.sleep(0)
            with pytest.raises(WatchError, match="does not want to be watched"):
                await audience.admit("v=0")
            running.cancel()
        assert (watcher.closed.is_set(), len(audience)) == (True, 0)

    run(scenario())


def test_a_watcher_whose_connection_fails_to_close_leaves_the_call_alone(monkeypatch, caplog):
    async def scenario():
        watcher = SimpleNamespace(
            closed=asyncio.Event(), connected=asyncio.Event(), answer_sdp="", offer=None
        )

        async def close():
            raise OSError("the socket is gone")

        async def answer(*_):
            return watcher

        watcher.close = close
        monkeypatch.setattr(Watcher, "answer", answer)
        audience = Audience(1, lambda watchers: None, RtcSettings(), is_shown=True)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(audience.run(lambda: SimpleNamespace()))
            await asyncio.sleep(0)
            await audience.admit("v=0")
            watcher.closed.set()
            await asyncio.sleep(1)
            assert (len(audience), running.done()) == (0, False)
            running.cancel()

    run(scenario())
    assert "did not close" in caplog.text


def test_a_fragment_names_the_session_and_its_candidates():
    candidate = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host"
    text = (
        f"a=group:BUNDLE 0\nm=audio 9 RTP/AVP 0\na=mid:0\na=ice-ufrag:u\na=ice-pwd:p\n{candidate}"
    )
    assert parse_fragment(text) == (("u", "p"), [candidate])


def told_of(**doors):
    """A client of the Realtime protocol, and what it is told."""
    told = []
    nothing = {"call_id": "rtc_1", "language": "en", "instructions": ""}
    return told, Doors(
        **nothing,
        face=FaceFiles("elena", "/faces/"),
        send=lambda message: told.append(json.loads(message)),
        command=lambda command: None,
        **doors,
    )


def test_the_person_is_told_how_many_watch_and_can_forbid_it():
    forbidden = []
    told, doors = told_of(forbid_watching=lambda: forbidden.append(True))
    client = Realtime(doors)
    client.tell(Watched(2))
    assert (told[-1]["type"], told[-1]["watchers"]) == ("avatar.watched", 2)
    client.receive('{"type": "avatar.watching.forbid"}')
    assert forbidden == [True]


def test_nobody_watches_whose_client_has_not_said_that_it_shows_it(monkeypatch):
    async def scenario():
        watcher = SimpleNamespace(
            closed=asyncio.Event(), connected=asyncio.Event(), answer_sdp="v=0 answer"
        )
        watcher.leave = watcher.closed.set

        async def close():
            pass

        async def answer(*_):
            return watcher

        watcher.close = close
        monkeypatch.setattr(Watcher, "answer", answer)
        audience = Audience(1, lambda watchers: None, RtcSettings())
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(audience.run(lambda: SimpleNamespace()))
            await asyncio.sleep(0)
            with pytest.raises(WatchError, match="has not said that it shows"):
                await audience.admit("v=0")
            audience.be_shown(True)
            assert (await audience.admit("v=0"))[1] == "v=0 answer"
            audience.be_shown(False)
            await asyncio.sleep(0.1)
            assert (watcher.closed.is_set(), len(audience)) == (True, 0)
            audience.forbid()
            audience.be_shown(True)
            with pytest.raises(WatchError, match="does not want"):
                await audience.admit("v=0")
            running.cancel()

    run(scenario())


def test_a_client_of_the_realtime_protocol_says_so_as_it_calls_or_later():
    said = []
    wanted = SessionConfig(avatar=AvatarConfig(shows_watchers=True))
    told, doors = told_of(shows_watchers=said.append)
    client = Realtime(doors, wanted=wanted)
    client.open()
    assert said == [True]
    for shows in (False, None, True):
        avatar = {} if shows is None else {"shows_watchers": shows}
        session = {"type": "realtime", "avatar": avatar}
        client.receive(json.dumps({"type": "session.update", "session": session}))
    assert said == [True, False, True]
    assert not [event for event in told if event["type"] == "error"]
