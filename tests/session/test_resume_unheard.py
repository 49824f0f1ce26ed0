"""Going on with a call whose answer never arrives, and hanging up meanwhile."""

import asyncio

import pytest

from avatar.protocol.config import CallConfig
from avatar.protocol.realtime import Realtime
from avatar.resume import KEEP_PLACE_S
from avatar.session import Session
from speech.errors import ResumeExpiredError, ServerFullError, SignallingError
from tests.session.held_calls import Client, settings
from tests.session.resuming import (
    SETTLED_S,
    asked,
    assert_forgotten,
    lost,
    resumed,
    run,
    story_goes_on,
    talked,
    typed,
    with_token,
)
from tests.session.scripted_engines import LONG


@pytest.mark.parametrize("is_lost", [True, False], ids=["lost before", "still there"])
def test_an_offer_that_cannot_be_answered_leaves_the_conversation_and_its_place(is_lost):
    async def test(held):
        first = await (lost if is_lost else talked)(held)
        for _ in range(3):
            with pytest.raises(SignallingError):
                await held.calls.start("v=0", CallConfig(), Realtime, with_token(first.token))
        with pytest.raises(ServerFullError):
            await held.call()
        second = await resumed(held, first)
        assert await story_goes_on(held, second)
        assert len(held.calls) == 1

    run(test, replies=[LONG, "Far away."])


def test_a_place_that_was_kept_long_enough_is_not_kept_anew_by_bad_offers():
    async def test(held):
        first = await lost(held, after_s=KEEP_PLACE_S - 1)
        entry = await held.calls.enter(CallConfig(), with_token(first.token))
        await asyncio.sleep(2)
        held.calls.turn_away(entry)
        assert len(held.calls) == 0
        await resumed(held, first)

    run(test)


@pytest.mark.parametrize("waits_s", [1, 60])
def test_who_never_got_the_answer_goes_on_with_the_token_that_they_have(waits_s):
    async def test(held):
        first = await talked(held)
        first.close()
        unheard = None
        for _ in range(6):
            await asyncio.sleep(0.2)
            unheard = await held.call(None, with_token(first.token), Client(pings=False))
            assert len(held.calls) == 1
        if waits_s > 10:
            unheard.close()  # it never connected, and was given up
        await asyncio.sleep(waits_s)
        last = await held.call(None, with_token(first.token))
        assert unheard.peer.closed.is_set()
        assert last.avatar["resumed"] is True
        assert await story_goes_on(held, last)
        assert len(held.calls) == len(held.calls._held) == 1
        for used in (first.token, unheard.token):
            with pytest.raises(ResumeExpiredError):
                await held.call(None, with_token(used))
        assert len(held.calls._tokens) < 5

    run(test, replies=[LONG, "Far away."])


def test_what_was_asked_is_owed_until_there_is_somebody_to_hear_it():
    async def test(held):
        first = await asked(held)
        await held.call(None, with_token(first.token), Client(pings=False))
        await asyncio.sleep(2)
        assert not held.prompts, "nobody would hear it, and its tools would run"
        last = await held.call(None, with_token(first.token))
        await asyncio.sleep(2)
        assert last.heard == ["A story."]

    run(test, replies=["A story."])


def test_who_was_heard_once_may_not_have_the_new_token_yet():
    async def test(held):
        first = await lost(held)
        second = await held.call(None, with_token(first.token))
        second.send("conversation.item.create", item=typed("Wait."))
        await asyncio.sleep(0.5)
        second.close()
        await asyncio.sleep(60)
        third = await resumed(held, first)
        assert await story_goes_on(held, third)
        assert "Wait." in str(held.prompts[-1]), "they were heard: that was said"

    run(test, replies=[LONG, "Far away."])


def test_a_call_that_nobody_answered_to_is_forgotten_in_time():
    async def test(held):
        first = await lost(held)
        unheard = await held.call(None, with_token(first.token), Client(pings=False))
        unheard.close()
        await asyncio.sleep(31)
        assert_forgotten(held)
        assert held.calls._tokens._inherited == {}

    run(test, settings(resume_s=30))


@pytest.mark.parametrize("when", ["during the call", "after it was lost"])
def test_an_explicit_hang_up_wipes_everything_at_once(when):
    async def test(held):
        first = await (lost if when == "after it was lost" else talked)(held)
        assert held.calls.hang_up(first.call_id)
        late = held.calls._tokens.make(first.call_id)  # for a last session.updated
        for token in (first.token, late):
            with pytest.raises(ResumeExpiredError):
                await held.call(None, with_token(token))
        await asyncio.sleep(0.1)
        assert_forgotten(held)
        assert not held.calls.hang_up(first.call_id)

    run(test)


def test_hanging_up_while_somebody_goes_on_with_the_call_wipes_it_too(monkeypatch):
    async def test(held):
        first = await lost(held)

        async def answer(call_id, _offer, *rest):
            held.calls.hang_up(first.call_id)
            *rest, terms = rest
            return Session.over(Client().connect, call_id, *rest, 0, terms)

        monkeypatch.setattr(Session, "answer", answer)
        with pytest.raises(ResumeExpiredError):
            await held.calls.start("", CallConfig(), Realtime, with_token(first.token))
        await asyncio.sleep(0.1)
        assert_forgotten(held)

    run(test)


def test_hanging_up_a_call_wipes_those_that_went_on_with_it_unheard():
    async def test(held):
        first = await talked(held)
        for _ in range(2):
            unheard = await held.call(None, with_token(first.token), Client(pings=False))
            unheard.close()
            await asyncio.sleep(1)
        assert held.calls.hang_up(first.call_id)
        await asyncio.sleep(0.1)
        assert_forgotten(held)

    run(test)


def test_a_late_hang_up_of_the_old_call_does_not_end_the_one_that_is_known():
    async def test(held):
        first = await talked(held)
        second = await held.call(None, with_token(first.token))
        await asyncio.sleep(SETTLED_S)
        assert not held.calls.hang_up(first.call_id)
        await asyncio.sleep(0.1)
        assert second.call_id in held.calls.under_way

    run(test)


def test_a_page_that_is_left_but_may_come_back_says_so():
    async def test(held):
        first = await talked(held)
        assert held.calls.hang_up(first.call_id, for_good=False)
        await asyncio.sleep(1)
        assert first.peer.closed.is_set()
        await resumed(held, first)

    run(test)
