"""A real call over loopback whose network is gone for five seconds, and which goes on."""

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

OUTAGE_S = 5.0


class Client:
    """One connection of a client that watches over its call."""

    def __init__(self, http):
        self.http = http
        self.pc = connection()
        self.messages = []
        self.answered_s = self.created_s = 0.0

    async def call(self, token=""):
        loop = asyncio.get_running_loop()
        sdp = await offer(self.pc, Microphone(), None, self.messages)
        avatar = {"resume_token": token} if token else {}
        session = json.dumps({"type": "realtime", "avatar": avatar})
        began_s = loop.time()
        form = {"sdp": (None, sdp), "session": (None, session)}
        response = await self.http.post("/v1/realtime/calls", files=form)
        assert response.status_code == 201, response.text
        self.answered_s = loop.time() - began_s
        await self.pc.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
        await until(lambda: self.of("session.created"), "the session")
        self.created_s = loop.time() - began_s
        self.url = response.headers["location"]
        return self

    def of(self, kind):
        events = [json.loads(message) for message in self.messages]
        return [event for event in events if event["type"] == kind]

    @property
    def avatar(self):
        return self.of("session.created")[0]["session"]["avatar"]

    def vanish(self):
        """The network is gone: what is sent gets nowhere, and nobody says so."""
        transport = self.pc.getSenders()[0].transport.transport._connection

        def nowhere(*_):
            return None

        for protocol in transport._protocols:
            protocol.send_stun = nowhere
        transport.send = _nothing
        transport.sendto = _nothing


async def _nothing(*_):
    return None


def test_after_an_outage_the_call_goes_on_within_two_seconds():
    async def call():
        rtc = RtcSettings(offer_loopback=True)
        given = settings(max_calls=1).model_copy(update={"rtc": rtc})
        async with (
            serving(given) as server,
            httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as http,
        ):
            first = await Client(http).call()
            first.vanish()
            await asyncio.sleep(OUTAGE_S)
            assert len(server.calls) == 1, "the server has not noticed yet"
            second = await Client(http).call(first.avatar["resume"]["token"])
            assert second.avatar["resumed"] is True
            assert len(server.calls) == 1
            print(
                f"resume after {OUTAGE_S} s: answered in {1000 * second.answered_s:.0f} ms, "
                f"session on the channel in {1000 * second.created_s:.0f} ms"
            )
            await http.post(second.url + "/hangup")
            await until(lambda: len(server.calls) == 0, "the end")
            assert not server.calls._held
            await first.pc.close()
            await second.pc.close()

    asyncio.run(call())
