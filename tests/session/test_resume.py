"""Going on with a call after its connection was lost."""

import asyncio
from dataclasses import replace

import pytest

from avatar.access.caller import Caller
from avatar.heartbeat import HEARTBEAT_LIMIT_S
from avatar.protocol.config import CallConfig
from avatar.resume import KEEP_PLACE_S
from speech.errors import CallLimitError, ResumeExpiredError, ServerFullError
from tests.session.held_calls import Client, settings
from tests.session.openers import opener
from tests.session.resuming import (
    SETTLED_S,
    asked,
    assert_forgotten,
    lost,
    resumed,
    run,
    talked,
    typed,
    with_token,
)
from tests.session.scripted_engines import LONG, Model


def test_the_conversation_goes_on_with_what_was_heard_and_without_a_greeting():
    async def test(held):
        first = await talked(held, CallConfig(language="es", instructions="Be brief."))
        assert first.avatar.get("resumed") is None
        first.close()
        await asyncio.sleep(5)
        second = await held.call(CallConfig(language="en"), with_token(first.token))
        assert second.avatar["resumed"] is True
        session = second.of("session.created")[0]["session"]
        assert session["audio"]["input"]["transcription"]["language"] == "es"
        assert session["instructions"] == "Be brief."
        await asyncio.sleep(2)
        assert not second.of("response.created"), "nobody is greeted, nothing is owed"
        second.send("conversation.item.create", item=typed("And then?"))
        second.send("response.create")
        await asyncio.sleep(4)
        prompt = [m.content for m in held.prompts[-1]]
        assert prompt[-3] == "Tell me a story."
        assert LONG.startswith(prompt[-2].rstrip("…"))
        assert 0 < len(prompt[-2]) < len(LONG), "cut where the sound was cut"
        assert prompt[-1] == "And then?"
        assert second.heard[-1] == "Far away."

    run(test, replies=[LONG, "Far away."])


def test_who_did_not_want_to_be_watched_is_not_after_a_lost_connection_either():
    async def test(held):
        first = await held.call()
        assert held.calls.audience(first.call_id).allowed
        first.send("avatar.watching.forbid")
        await asyncio.sleep(0.5)
        first.close()
        await asyncio.sleep(1)
        second = await resumed(held, first)
        assert not held.calls.audience(second.call_id).allowed

    run(test)


def test_no_two_answers_on_end_have_an_opener_though_the_connection_broke_in_between():
    async def test(held):
        opening = {"en": (opener("Let me see."),), "es": ()}
        slow = Model(["Yes."] * 3, first_word_s=2.0)
        engines = replace(held.calls.engines, openers=opening, language_model=lambda: slow)
        held.calls.engines = engines
        client = await held.call()
        opened = []
        for question in range(3):
            if question == 1:
                client.close()
                await asyncio.sleep(1)
                client = await resumed(held, client)
            client.send("conversation.item.create", item=typed("Are you there?"))
            client.send("response.create")
            await asyncio.sleep(5)
            opened.append(len(client.of("avatar.opener")))
        assert opened == [1, 0, 1]

    run(test)


def test_what_the_client_put_into_the_conversation_is_still_there():
    async def test(held):
        first = await held.call()
        note = {"type": "input_text", "text": "The shop has blue shoes only."}
        item = {"type": "message", "role": "system", "content": [note]}
        first.send("conversation.item.create", item=item)
        await asyncio.sleep(0.5)
        first.close()
        await asyncio.sleep(0.5)
        second = await held.call(None, with_token(first.token))
        second.send("conversation.item.create", item=typed("Which shoes are there?"))
        second.send("response.create")
        await asyncio.sleep(3)
        assert "blue shoes only" in str(held.prompts[-1])

    run(test, replies=["Blue ones."])


def test_what_was_asked_and_not_answered_is_answered_after_the_outage():
    async def test(held):
        first = await asked(held)
        second = await held.call(None, with_token(first.token), Client())
        await asyncio.sleep(3)
        assert second.heard == ["A story."]

    run(test, replies=["A story."])


def test_the_old_connection_is_ended_if_it_is_still_there():
    async def test(held):
        first = await talked(held)
        began_s = asyncio.get_running_loop().time()
        await held.call(None, with_token(first.token))
        assert asyncio.get_running_loop().time() - began_s < 2
        assert first.peer.closed.is_set()
        assert len(held.calls) == 1, "one place for both"

    run(test, replies=[LONG])


def test_a_token_is_for_one_use_and_the_next_one_works():
    async def test(held):
        first = await held.call()
        second = await held.call(None, with_token(first.token))
        await asyncio.sleep(SETTLED_S)
        with pytest.raises(ResumeExpiredError):
            await held.call(None, with_token(first.token))
        third = await held.call(None, with_token(second.token))
        assert third.avatar["resumed"] is True
        assert len({first.token, second.token, third.token}) == 3

    run(test)


def test_two_who_come_at_once_with_one_token_do_not_both_get_the_call():
    async def test(held):
        first = await held.call()
        attempts = (held.call(None, with_token(first.token)) for _ in range(4))
        results = await asyncio.gather(*attempts, return_exceptions=True)
        refused = [r for r in results if isinstance(r, CallLimitError)]
        assert len(refused) == 3, "to try again: the first may yet fail"
        assert len(held.calls) == 1
        await asyncio.sleep(SETTLED_S)
        with pytest.raises(ResumeExpiredError):
            await held.call(None, with_token(first.token))

    run(test, settings(max_calls=5))


def test_a_token_expires_and_everything_of_the_call_is_freed():
    async def test(held):
        first = await talked(held)
        first.vanish()
        await asyncio.sleep(HEARTBEAT_LIMIT_S + 120 - 4)
        assert held.calls._held, "kept until then"
        await asyncio.sleep(5)
        with pytest.raises(ResumeExpiredError, match="new one"):
            await held.call(None, with_token(first.token))
        assert_forgotten(held)

    run(test, settings(resume_s=120))


def test_a_lost_call_keeps_its_place_for_a_while_and_then_the_next_gets_it():
    async def test(held):
        first = await lost(held, after_s=KEEP_PLACE_S - 1)
        with pytest.raises(ServerFullError):
            await held.call()
        await asyncio.sleep(2)
        stranger = await held.call()
        with pytest.raises(ServerFullError, match="other people"):
            await held.call(None, with_token(first.token))
        held.calls.hang_up(stranger.call_id)
        await asyncio.sleep(0.1)
        second = await held.call(None, with_token(first.token))
        assert second.avatar["resumed"] is True, "full was no reason to forget it"

    run(test)


def test_whoever_lost_the_place_waits_in_line_for_another():
    async def test(held):
        first = await lost(held, after_s=KEEP_PLACE_S + 1)
        stranger = await held.call()
        ticket = held.calls.places.line.join("")
        held.calls.hang_up(stranger.call_id)
        await asyncio.sleep(0.1)
        caller = Caller(ticket=ticket, resume_token=first.token)
        second = await held.call(None, caller)
        assert second.avatar["resumed"] is True

    run(test)


def test_a_client_that_never_pinged_leaves_nothing_and_frees_its_place_at_once():
    async def test(held):
        stock = await held.call(client=Client(pings=False))
        stock.close()
        await asyncio.sleep(0.2)
        assert len(held.calls) == 0
        assert not held.calls._held

    run(test)


def test_where_calls_cannot_be_gone_on_with_no_token_is_shown():
    async def test(held):
        client = await talked(held)
        assert "resume" not in client.avatar
        client.close()
        await asyncio.sleep(0.1)
        assert not held.calls._held

    run(test, settings(resume_s=0))


def test_a_goodbye_that_is_lost_with_the_network_frees_the_place_in_half_a_minute():
    async def test(held):
        first = await talked(held)
        first.vanish()
        await asyncio.sleep(HEARTBEAT_LIMIT_S + KEEP_PLACE_S)
        second = await held.call()
        await asyncio.sleep(held.calls.settings.access.resume_s)
        assert list(held.calls._held) == [second.call_id], "and then nothing is kept of it"

    run(test)
