"""Going on with a call after its connection was lost."""

import asyncio
import json
from dataclasses import replace

import pytest

from avatar.access.caller import Caller
from avatar.access.client_secrets import ClientSecret
from avatar.heartbeat import HEARTBEAT_LIMIT_S
from avatar.protocol.config import CallConfig
from avatar.protocol.realtime import Realtime
from avatar.recording.about import header
from avatar.resume import KEEP_PLACE_S, without_token
from avatar.session import Session
from speech.errors import CallLimitError, ResumeExpiredError, ServerFullError, SignallingError
from tests.session import virtual_clock
from tests.session.held_calls import Client, house, settings
from tests.session.scripted_engines import LONG

SETTLED_S = 4.0  # a client that pings every 3 s has been heard for long enough
SHOP = Caller("key:1a2b3c4d")


def with_token(token, caller=Caller()):  # noqa: B008 - a Caller is frozen
    return replace(caller, resume_token=token)


async def talked(held, config=None, caller=Caller()):  # noqa: B008
    """A client that was greeted, and is being told a story."""
    client = await held.call(config, caller)
    client.send("response.create")
    await asyncio.sleep(6)
    client.send("conversation.item.create", item=typed("Tell me a story."))
    client.send("response.create")
    await asyncio.sleep(3)
    return client


def typed(text):
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def run(test):
    virtual_clock.run(test())


def test_the_conversation_goes_on_with_what_was_heard_and_without_a_greeting():
    async def test():
        async with house(replies=[LONG, "Far away."]) as held:
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
            asked = [m.content for m in held.prompts[-1]]
            assert asked[-3] == "Tell me a story."
            assert LONG.startswith(asked[-2].rstrip("…"))
            assert 0 < len(asked[-2]) < len(LONG), "cut where the sound was cut"
            assert asked[-1] == "And then?"
            assert second.heard[-1] == "Far away."

    run(test)


def test_who_did_not_want_to_be_watched_is_not_after_a_lost_connection_either():
    async def test():
        async with house() as held:
            first = await held.call()
            assert held.calls.audience(first.call_id).allowed
            first.send("avatar.watching.forbid")
            await asyncio.sleep(0.5)
            first.close()
            await asyncio.sleep(1)
            second = await held.call(caller=with_token(first.token))
            assert second.avatar["resumed"] is True
            assert not held.calls.audience(second.call_id).allowed

    run(test)


def test_what_the_client_put_into_the_conversation_is_still_there():
    async def test():
        async with house(replies=["Blue ones."]) as held:
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
            asked = " ".join(message.content for message in held.prompts[-1])
            assert "blue shoes only" in asked

    run(test)


def test_what_was_asked_and_not_answered_is_answered_after_the_outage():
    async def test():
        async with house(replies=["A story."]) as held:
            first = await held.call()
            first.send("conversation.item.create", item=typed("Tell me a story."))
            await asyncio.sleep(0.2)
            first.close()
            await asyncio.sleep(0.5)
            second = await held.call(None, with_token(first.token), Client())
            await asyncio.sleep(3)
            assert second.heard == ["A story."]

    run(test)


def test_the_old_connection_is_ended_if_it_is_still_there():
    async def test():
        async with house(replies=[LONG]) as held:
            first = await talked(held)
            began_s = asyncio.get_running_loop().time()
            await held.call(None, with_token(first.token))
            assert asyncio.get_running_loop().time() - began_s < 2
            assert first.peer.closed.is_set()
            assert len(held.calls) == 1, "one place for both"

    run(test)


def test_a_token_is_for_one_use_and_the_next_one_works():
    async def test():
        async with house() as held:
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
    async def test():
        async with house(settings(max_calls=5)) as held:
            first = await held.call()
            attempts = (held.call(None, with_token(first.token)) for _ in range(4))
            results = await asyncio.gather(*attempts, return_exceptions=True)
            refused = [r for r in results if isinstance(r, CallLimitError)]
            assert len(refused) == 3, "to try again: the first may yet fail"
            assert len(held.calls) == 1
            await asyncio.sleep(SETTLED_S)
            with pytest.raises(ResumeExpiredError):
                await held.call(None, with_token(first.token))

    run(test)


def story_goes_on(held, client):
    """Whether a client's call knows what was said in the one before."""
    client.send("conversation.item.create", item=typed("And then?"))
    client.send("response.create")
    return asyncio.sleep(4, result=lambda: "Tell me a story." in str(held.prompts[-1]))


@pytest.mark.parametrize("is_lost", [True, False], ids=["lost before", "still there"])
def test_an_offer_that_cannot_be_answered_leaves_the_conversation_and_its_place(is_lost):
    async def test():
        async with house(replies=[LONG, "Far away."]) as held:
            first = await talked(held)
            if is_lost:
                first.close()
                await asyncio.sleep(1)
            for _ in range(3):
                with pytest.raises(SignallingError):
                    await held.calls.start("v=0", CallConfig(), Realtime, with_token(first.token))
            with pytest.raises(ServerFullError):
                await held.call()
            second = await held.call(None, with_token(first.token))
            assert second.avatar["resumed"] is True
            assert (await story_goes_on(held, second))()
            assert len(held.calls) == 1

    run(test)


def test_a_place_that_was_kept_long_enough_is_not_kept_anew_by_bad_offers():
    async def test():
        async with house() as held:
            first = await talked(held)
            first.close()
            await asyncio.sleep(KEEP_PLACE_S - 1)
            entry = await held.calls.enter(CallConfig(), with_token(first.token))
            await asyncio.sleep(2)
            held.calls.turn_away(entry)
            assert len(held.calls) == 0
            second = await held.call(None, with_token(first.token))
            assert second.avatar["resumed"] is True

    run(test)


@pytest.mark.parametrize("waits_s", [1, 60])
def test_who_never_got_the_answer_goes_on_with_the_token_that_they_have(waits_s):
    async def test():
        async with house(replies=[LONG, "Far away."]) as held:
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
            assert (await story_goes_on(held, last))()
            assert len(held.calls) == len(held.calls._held) == 1
            for used in (first.token, unheard.token):
                with pytest.raises(ResumeExpiredError):
                    await held.call(None, with_token(used))
            assert len(held.calls._tokens) < 5

    run(test)


def test_what_was_asked_is_owed_until_there_is_somebody_to_hear_it():
    async def test():
        async with house(replies=["A story."]) as held:
            first = await held.call()
            first.send("conversation.item.create", item=typed("Tell me a story."))
            await asyncio.sleep(0.2)
            first.close()
            await asyncio.sleep(0.2)
            await held.call(None, with_token(first.token), Client(pings=False))
            await asyncio.sleep(2)
            assert not held.prompts, "nobody would hear it, and its tools would run"
            last = await held.call(None, with_token(first.token))
            await asyncio.sleep(2)
            assert last.heard == ["A story."]

    run(test)


def test_who_was_heard_once_may_not_have_the_new_token_yet():
    async def test():
        async with house(replies=[LONG, "Far away."]) as held:
            first = await talked(held)
            first.close()
            await asyncio.sleep(1)
            second = await held.call(None, with_token(first.token))
            second.send("conversation.item.create", item=typed("Wait."))
            await asyncio.sleep(0.5)
            second.close()
            await asyncio.sleep(60)
            third = await held.call(None, with_token(first.token))
            assert third.avatar["resumed"] is True
            assert (await story_goes_on(held, third))()
            assert "Wait." in str(held.prompts[-1]), "they were heard: that was said"

    run(test)


def test_a_call_that_nobody_answered_to_is_forgotten_in_time():
    async def test():
        async with house(settings(resume_s=30)) as held:
            first = await talked(held)
            first.close()
            await asyncio.sleep(1)
            unheard = await held.call(None, with_token(first.token), Client(pings=False))
            unheard.close()
            await asyncio.sleep(31)
            assert not held.calls._held
            assert not len(held.calls._tokens)
            assert held.calls._tokens._inherited == {}
            assert len(held.calls) == 0

    run(test)


def test_a_token_expires_and_everything_of_the_call_is_freed():
    async def test():
        async with house(settings(resume_s=120)) as held:
            first = await talked(held)
            first.vanish()
            await asyncio.sleep(HEARTBEAT_LIMIT_S + 120 - 4)
            assert held.calls._held, "kept until then"
            await asyncio.sleep(5)
            with pytest.raises(ResumeExpiredError, match="new one"):
                await held.call(None, with_token(first.token))
            assert not held.calls._held
            assert not len(held.calls._tokens)
            assert len(held.calls) == 0

    run(test)


@pytest.mark.parametrize("when", ["during the call", "after it was lost"])
def test_an_explicit_hang_up_wipes_everything_at_once(when):
    async def test():
        async with house() as held:
            first = await talked(held)
            if when == "after it was lost":
                first.close()
                await asyncio.sleep(1)
            assert held.calls.hang_up(first.call_id)
            late = held.calls._tokens.make(first.call_id)  # for a last session.updated
            for token in (first.token, late):
                with pytest.raises(ResumeExpiredError):
                    await held.call(None, with_token(token))
            await asyncio.sleep(0.1)
            assert not held.calls._held
            assert not len(held.calls._tokens)
            assert not held.calls.hang_up(first.call_id)

    run(test)


def test_hanging_up_while_somebody_goes_on_with_the_call_wipes_it_too(monkeypatch):
    async def test():
        async with house() as held:
            first = await talked(held)
            first.close()
            await asyncio.sleep(1)

            async def answer(call_id, _offer, *rest):
                held.calls.hang_up(first.call_id)
                *rest, terms = rest
                return Session.over(Client().connect, call_id, *rest, 0, terms)

            monkeypatch.setattr(Session, "answer", answer)
            with pytest.raises(ResumeExpiredError):
                await held.calls.start("", CallConfig(), Realtime, with_token(first.token))
            await asyncio.sleep(0.1)
            assert not held.calls._held
            assert not len(held.calls._tokens)
            assert len(held.calls) == 0

    run(test)


def test_hanging_up_a_call_wipes_those_that_went_on_with_it_unheard():
    async def test():
        async with house() as held:
            first = await talked(held)
            for _ in range(2):
                unheard = await held.call(None, with_token(first.token), Client(pings=False))
                unheard.close()
                await asyncio.sleep(1)
            assert held.calls.hang_up(first.call_id)
            await asyncio.sleep(0.1)
            assert not held.calls._held
            assert not len(held.calls._tokens)
            assert len(held.calls) == 0

    run(test)


def test_a_late_hang_up_of_the_old_call_does_not_end_the_one_that_is_known():
    async def test():
        async with house() as held:
            first = await talked(held)
            second = await held.call(None, with_token(first.token))
            await asyncio.sleep(SETTLED_S)
            assert not held.calls.hang_up(first.call_id)
            await asyncio.sleep(0.1)
            assert second.call_id in held.calls.under_way

    run(test)


def test_a_page_that_is_left_but_may_come_back_says_so():
    async def test():
        async with house() as held:
            first = await talked(held)
            assert held.calls.hang_up(first.call_id, for_good=False)
            await asyncio.sleep(1)
            assert first.peer.closed.is_set()
            second = await held.call(None, with_token(first.token))
            assert second.avatar["resumed"] is True

    run(test)


def test_a_lost_call_keeps_its_place_for_a_while_and_then_the_next_gets_it():
    async def test():
        async with house() as held:
            first = await talked(held)
            first.close()
            await asyncio.sleep(KEEP_PLACE_S - 1)
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
    async def test():
        async with house() as held:
            first = await talked(held)
            first.close()
            await asyncio.sleep(KEEP_PLACE_S + 1)
            stranger = await held.call()
            ticket = held.calls.places.line.join("")
            held.calls.hang_up(stranger.call_id)
            await asyncio.sleep(0.1)
            caller = Caller(ticket=ticket, resume_token=first.token)
            second = await held.call(None, caller)
            assert second.avatar["resumed"] is True

    run(test)


def test_a_client_that_never_pinged_leaves_nothing_and_frees_its_place_at_once():
    async def test():
        async with house() as held:
            stock = await held.call(client=Client(pings=False))
            stock.close()
            await asyncio.sleep(0.2)
            assert len(held.calls) == 0
            assert not held.calls._held

    run(test)


def test_a_token_is_worth_nothing_with_another_key():
    async def test():
        async with house() as held:
            first = await held.call(None, SHOP)
            for other in (Caller("key:other"), Caller("address:192.0.2.7")):
                with pytest.raises(ResumeExpiredError):
                    await held.call(None, with_token(first.token, other))
            second = await held.call(None, with_token(first.token, SHOP))
            assert second.avatar["resumed"] is True, "the failures did not use it up"

    run(test)


def test_a_client_secret_fixes_the_call_that_goes_on_as_well():
    async def test():
        async with house() as held:
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
    async def test():
        async with house() as held:
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
    async def test():
        async with house() as held:
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
    async def test():
        async with house() as held:
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


def test_where_calls_cannot_be_gone_on_with_no_token_is_shown():
    async def test():
        async with house(settings(resume_s=0)) as held:
            client = await talked(held)
            assert "resume" not in client.avatar
            client.close()
            await asyncio.sleep(0.1)
            assert not held.calls._held

    run(test)


def test_a_recording_holds_no_token():
    async def test():
        async with house() as held:
            client = await held.call()
            message = json.dumps(client.of("session.created")[0], separators=(",", ":"))
            assert client.token in message
            assert client.token not in without_token(message)
            assert json.loads(without_token(message))["session"]["avatar"]["resume"]["token"] == ""

    run(test)
