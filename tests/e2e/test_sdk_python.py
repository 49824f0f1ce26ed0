"""`presencia.client` in real calls, against the stand-in: sound, words, poses, tools, resuming."""

import asyncio
import json

import aioice.ice
import numpy as np
import pytest

from avatar.protocol.poses import pack, pack_body
from presencia import client
from render.types import ARKIT, FacePose
from tests.e2e.page.stand_in import PATIENCE_S, REFUSAL, StandIn

pytestmark = pytest.mark.e2e


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    with StandIn() as stand_in:
        yield stand_in


def run(talk):
    async def patiently():
        async with asyncio.timeout(PATIENCE_S):
            return await talk()

    return asyncio.run(patiently())


async def until(condition):
    while not condition():  # noqa: ASYNC110 - the stand-in lives in another thread
        await asyncio.sleep(0.01)


async def wait_for(call, kind):
    async for event in call.events():
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind}")


def received(server, kind):
    return server.call.received(kind)


def test_sound_goes_out_and_comes_in(server):
    async def talk():
        async with client.connect(server.url) as call:
            await call.send_audio(np.full(4800, 8000, np.int16), sample_rate_hz=16_000)
            frames = [await anext(call.audio()) for _ in range(10)]
            await until(lambda: server.call.loudest > 4000)
        return frames

    frames = run(talk)
    assert all(frame.pcm.dtype == np.int16 and frame.pcm.shape == (960,) for frame in frames)
    steps = np.diff([frame.timestamp for frame in frames])
    assert set(steps.tolist()) == {960}
    assert server.call.has_hung_up


def test_words_come_typed_and_typed_words_go(server):
    async def talk():
        async with client.connect(server.url, language="es", instructions="Be brief.") as call:
            joined = await wait_for(call, client.Joined)
            await call.say("Hola")
            await call.interrupt()
            await until(lambda: received(server, "response.cancel"))
            await asyncio.to_thread(server.call.hear, "Buenos días.", "q1")
            said = await wait_for(call, client.PersonSaid)
            await asyncio.to_thread(server.call.say, "Buenos", " días.")
            spoken = await wait_for(call, client.AvatarSaid)
            assert call.state == "speaking"
        return joined, said, spoken

    joined, said, spoken = run(talk)
    assert not joined.resumed
    assert (said.text, said.is_final, spoken.text) == ("Buenos días.", True, "Buenos")
    assert server.session["instructions"] == "Be brief."
    assert server.call.language == "es"
    greeting, answer = received(server, "response.create")
    assert greeting["type"] == answer["type"]
    [item] = received(server, "conversation.item.create")
    assert item["item"]["content"] == [{"type": "input_text", "text": "Hola"}]


def test_pictures_come_where_they_are_asked_for(server):
    async def talk():
        async with client.connect(server.url, video=True) as call:
            return await anext(call.video())

    frame = run(talk)
    assert frame.rgb().shape == (512, 512, 3)


def test_poses_come_as_their_sound_does(server):
    weights = np.zeros(len(ARKIT), np.float32)
    weights[ARKIT.index("jawOpen")] = 0.6
    body = pack_body(FacePose(weights, np.zeros(3), np.zeros(2), 0.0, 0))

    async def talk():
        async with client.connect(server.url, poses=True) as call:
            await until(lambda: server.calls and server.call.can_draw)
            heard = await anext(call.audio())
            await asyncio.to_thread(server.call.send_pose, pack(body, 1, heard.timestamp + 9600))
            return await anext(call.poses()), heard

    pose, heard = run(talk)
    assert pose.weights[ARKIT.index("jawOpen")] == pytest.approx(0.6, abs=0.01)
    assert pose.at_sample == heard.timestamp + 9600
    assert received(server, "avatar.face.update")[0]["mode"] == "client"


def call_tool(server, name, arguments, status="completed"):
    item = {"type": "function_call", "call_id": "c1", "name": name, "arguments": arguments}
    server.call.send("response.output_item.done", response_id="r1", item=item)
    server.call.send("response.done", response={"id": "r1", "status": status, "output": [item]})


def test_tools_are_declared_run_and_answered(server):
    @client.tool
    async def weather(city: str) -> dict:
        """The weather in a city."""
        return {"city": city, "sky": "clear"}

    async def talk():
        async with client.connect(server.url, tools=[weather]) as call:
            await wait_for(call, client.Joined)
            await asyncio.to_thread(call_tool, server, "weather", '{"city": "Lima"}')
            used = await wait_for(call, client.ToolUsed)
            await until(lambda: len(received(server, "response.create")) == 2)
        return used

    used = run(talk)
    assert server.session["tools"] == [weather.declared()]
    assert (used.name, used.arguments, used.failed) == ("weather", {"city": "Lima"}, False)
    [sent] = received(server, "conversation.item.create")
    assert sent["item"]["type"] == "function_call_output"
    assert sent["item"]["call_id"] == "c1"
    assert json.loads(sent["item"]["output"]) == {"city": "Lima", "sky": "clear"}


def test_a_tool_that_fails_is_told_to_the_avatar(server):
    @client.tool
    def weather(city: str) -> str:
        """The weather in a city."""
        raise RuntimeError(f"no station in {city}")

    async def talk():
        async with client.connect(server.url, tools=[weather]) as call:
            await wait_for(call, client.Joined)
            await asyncio.to_thread(call_tool, server, "weather", '{"city": "Lima"}')
            return await wait_for(call, client.ToolUsed)

    used = run(talk)
    assert used.failed
    assert json.loads(used.output) == {"error": "no station in Lima"}


def test_a_lost_call_goes_on_and_greets_nobody_again(server):
    server.resumes = True

    async def talk():
        async with client.connect(server.url, shows_watchers=True) as call:
            await wait_for(call, client.Joined)
            first = server.call
            await asyncio.to_thread(first.cut_off)
            await wait_for(call, client.Lost)
            joined = await wait_for(call, client.Joined)
            await call.say("And now?")
            await until(lambda: received(server, "conversation.item.create"))
            return joined, first

    joined, first = run(talk)
    assert joined.resumed
    assert server.session["avatar"]["resume_token"] == "token of call 1"
    assert server.session["avatar"]["shows_watchers"] is True
    assert server.call is not first
    assert not first.has_hung_up
    assert len(received(server, "response.create")) == 1  # what was asked, no greeting


def test_a_conversation_that_is_forgotten_begins_anew(server):
    server.resumes = True

    async def talk():
        async with client.connect(server.url) as call:
            await wait_for(call, client.Joined)
            server.tokens = set()
            await asyncio.to_thread(server.call.cut_off)
            await wait_for(call, client.Lost)
            return await wait_for(call, client.Joined)

    assert not run(talk).resumed


def test_where_every_place_is_taken_it_waits_in_line(server):
    server.mode, server.place = "queueing", 2

    async def wait():
        async with client.connect(server.url) as call:
            return await wait_for(call, client.Joined)

    async def talk():
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(wait())
            await until(lambda: server.waiting)
            server.place = 0
            return await waiting

    run(talk)
    assert server.session["avatar"]["ticket"] == "ticket1"


def test_a_key_is_shown_and_a_refusal_is_told_in_the_servers_words(server):
    async def talk():
        async with client.connect(server.url, key="sk-1") as call:
            await wait_for(call, client.Joined)
        server.mode = "refusing"
        with pytest.raises(client.CallError, match=REFUSAL):
            async with client.connect(server.url):
                pass

    run(talk)
    assert server.keys == ["Bearer sk-1"]


def test_where_nobody_answers_it_says_so():
    async def talk():
        with pytest.raises(client.ServerUnreachableError, match=r"127\.0\.0\.1:9"):
            async with client.connect("http://127.0.0.1:9"):
                pass

    run(talk)
