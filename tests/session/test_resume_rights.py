"""Who may go on with a call, and what they agreed to be recorded."""

import asyncio
import json

import pytest

from avatar.access.caller import Caller
from avatar.access.client_secrets import ClientSecret
from avatar.protocol.config import CallConfig
from avatar.protocol.realtime import Realtime
from avatar.recording.about import header
from avatar.resume import without_token
from speech.errors import ResumeExpiredError
from tests.session.held_calls import Client, settings
from tests.session.resuming import SHOP, run, typed, with_token


def test_a_token_is_worth_nothing_with_another_key():
    async def test(held):
        first = await held.call(None, SHOP)
        for other in (Caller("key:other"), Caller("address:192.0.2.7")):
            with pytest.raises(ResumeExpiredError):
                await held.call(None, with_token(first.token, other))
        second = await held.call(None, with_token(first.token, SHOP))
        assert second.avatar["resumed"] is True, "the failures did not use it up"

    run(test)


def test_a_client_secret_fixes_the_call_that_goes_on_as_well():
    async def test(held):
        secret = ClientSecret("", CallConfig(instructions="Sell shoes."), {}, 1e9)
        caller = Caller(secret=secret)
        first = await held.call(CallConfig(instructions="Be rude."), caller)
        created = first.of("session.created")[0]["session"]
        assert created["instructions"] == "Sell shoes."
        second = await held.call(None, with_token(first.token))
        second.send("session.update", session={"type": "realtime", "instructions": "Be rude."})
        second.send("conversation.item.create", item=typed("Who are you?"))
        second.send("response.create")
        await asyncio.sleep(3)
        assert [e["error"]["code"] for e in second.of("error")] == ["session_fixed"]
        asked = " ".join(message.content for message in held.prompts[-1])
        assert "Sell shoes." in asked
        assert "Be rude." not in asked

    run(test)


def test_a_consent_to_recording_is_kept_and_can_be_withdrawn():
    async def test(held):
        first = await held.call(CallConfig(recording=True))
        entry = await held.calls.enter(CallConfig(), with_token(first.token))
        assert entry.config.recording is True
        second = Client()
        held.calls.hold(second.connect, entry.config, Realtime, entry)
        held.tasks.create_task(second.peer.run())
        await asyncio.sleep(0.1)
        entry = await held.calls.enter(CallConfig(recording=False), with_token(second.token))
        assert entry.config.recording is False
        held.calls.turn_away(entry)

    run(test)


def test_a_consent_to_recording_stays_withdrawn_though_the_call_was_never_heard():
    async def test(held):
        first = await held.call(CallConfig(recording=True))
        withdrawn = CallConfig(recording=False)
        await held.call(withdrawn, with_token(first.token), Client(pings=False))
        entry = await held.calls.enter(CallConfig(), with_token(first.token))
        assert entry.config.recording is False
        held.calls.turn_away(entry)

    run(test)


def recorded(session, root):
    return session.record(
        root, header(session.call_id, CallConfig(), settings(), seed=1, takes_video=False)
    )


@pytest.mark.parametrize("says", ["in the call", "as it comes back"])
def test_who_withdraws_has_nothing_left_of_the_call_before_either(tmp_path, says):
    async def test(held):
        first = await held.call(CallConfig(recording=True))
        recorders = [recorded(held.calls._held[first.call_id].session, tmp_path)]
        first.close()
        await asyncio.sleep(1)
        assert recorders[0].folder.exists()
        back = CallConfig(recording=None if says == "in the call" else False)
        second = await held.call(back, with_token(first.token))
        if says == "in the call":
            recorders.append(recorded(held.calls._held[second.call_id].session, tmp_path))
            avatar = {"recording": False}
            second.send("session.update", session={"type": "realtime", "avatar": avatar})
            await asyncio.sleep(1)
        for recorder in recorders:
            recorder.wait()
        assert list(tmp_path.iterdir()) == []

    run(test)


def test_a_recording_holds_no_token():
    async def test(held):
        client = await held.call()
        message = json.dumps(client.of("session.created")[0], separators=(",", ":"))
        assert client.token in message
        assert client.token not in without_token(message)
        assert json.loads(without_token(message))["session"]["avatar"]["resume"]["token"] == ""

    run(test)
