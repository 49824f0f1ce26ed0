"""Ten times more callers than places: real offers, a real line, real calls over loopback."""

import asyncio
import json

import httpx
import pytest
from aiortc import RTCSessionDescription

from avatar.settings import RtcSettings
from tests.e2e.loopback_server import serving
from tests.e2e.rtc_client import Microphone, connection, offer, until
from tests.session.held_calls import settings

pytestmark = pytest.mark.e2e

PLACES = 2
CALLERS = 10 * PLACES
OFFER = {"content-type": "application/sdp"}


class Caller:
    """Comes, waits in line if need be, says hello, and goes."""

    def __init__(self, http, number, answered, everybody_came):
        self.http, self.number, self.answered = http, number, answered
        self.everybody_came = everybody_came
        self.places = []

    async def call(self):
        pc, messages = connection(), []
        try:
            sdp = await offer(pc, Microphone(), None, messages)
            response = await self._post(sdp)
            if response.status_code == 202:
                ticket = response.json()["ticket"]
                await self._wait(response.headers["location"])
                response = await self._post(sdp, {"presencia-ticket": ticket})
            assert response.status_code == 201, response.text
            self.answered.append(self.number)
            await pc.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
            await until(lambda: any("session.created" in m for m in messages), "the session")
            await self.everybody_came.wait()
            await self.http.post(response.headers["location"] + "/hangup")
        finally:
            await pc.close()

    async def _post(self, sdp, more=()):
        headers = OFFER | {"prefer": "wait"} | dict(more)
        return await self.http.post("/v1/realtime/calls", content=sdp, headers=headers)

    async def _wait(self, url):
        headers = {"accept": "text/event-stream"}
        async with self.http.stream("GET", url, headers=headers) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    standing = json.loads(line.removeprefix("data: "))
                    self.places.append(standing["place"])
                    if standing["status"] == "ready":
                        return
        raise AssertionError(f"caller {self.number} was dropped at {self.places}")


def test_ten_times_more_callers_than_places_are_all_answered_in_order():
    async def crowd():
        given = settings(max_calls=PLACES).model_copy(
            update={"rtc": RtcSettings(offer_loopback=True)}
        )
        answered, everybody_came = [], asyncio.Event()
        async with (
            serving(given) as server,
            httpx.AsyncClient(base_url=server.url, timeout=120, trust_env=False) as http,
            asyncio.TaskGroup() as tasks,
        ):
            callers = [Caller(http, number, answered, everybody_came) for number in range(CALLERS)]
            waiting = server.calls.places.line
            for caller in callers:  # one comes after the other, so that there is an order
                before = waiting.taken + waiting.waiting
                task = tasks.create_task(caller.call())
                await until(
                    lambda b=before, t=task: waiting.taken + waiting.waiting > b or t.done(),
                    "the next caller's arrival",
                )
            everybody_came.set()
        assert sorted(answered) == list(range(CALLERS)), "nobody is dropped"
        out_of_order = [abs(n - number) for n, number in enumerate(answered)]
        assert max(out_of_order) < PLACES, f"first come, first served: {answered}"
        for caller in callers:
            assert caller.places == sorted(caller.places, reverse=True), "nobody falls back"
        assert callers[-1].places[0] == CALLERS - PLACES, "the last of them all"
        assert len(server.calls) == 0
        print(f"order: {answered}; longest line: {callers[-1].places[0]}")

    asyncio.run(crowd())
