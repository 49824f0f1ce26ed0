import asyncio

import pytest

from avatar.rtc.events_channel import (
    MESSAGE_LIMIT_CHARS,
    QUEUE_LIMIT,
    UNSENT_LIMIT_BYTES,
    EventsChannel,
)
from tests.session.virtual_clock import run


class Channel:
    """A client's data channel."""

    def __init__(self, label: str = "oai-events", state: str = "open", buffered: int = 0) -> None:
        self.label = label
        self.readyState = state
        self.bufferedAmount = buffered
        self.sent: list[str] = []
        self.listeners = {}

    def on(self, event, listener):
        self.listeners[event] = listener

    def send(self, text):
        assert self.readyState == "open"
        self.sent.append(text)

    def says(self, message):
        self.listeners["message"](message)


@pytest.fixture
def overflows() -> list[bool]:
    return []


@pytest.fixture
def events(overflows) -> EventsChannel:
    async def make():
        return EventsChannel(lambda: overflows.append(True))

    return run(make())


def received(events: EventsChannel) -> list[str]:
    async def read():
        events.end()
        return [message async for message in events.messages()]

    return run(read())


def test_what_is_sent_early_waits_for_the_channel_in_order(events):
    channel = Channel(state="connecting")
    events.send("one")
    events.attach(channel)
    events.send("two")
    assert channel.sent == []
    channel.readyState = "open"
    channel.listeners["open"]()
    events.send("three")
    assert channel.sent == ["one", "two", "three"]


def test_what_waits_is_bounded_and_the_oldest_goes(events):
    channel = Channel()
    for n in range(QUEUE_LIMIT + 5):
        events.send(str(n))
    events.attach(channel)
    assert channel.sent[0] == "5"
    assert len(channel.sent) == QUEUE_LIMIT


def test_a_client_that_reads_nothing_is_given_up(events, overflows):
    events.attach(Channel(buffered=UNSENT_LIMIT_BYTES + 1))
    events.send("hello")
    assert overflows


def test_messages_come_in_order_and_what_is_no_event_is_dropped(events):
    channel = Channel()
    events.attach(channel)
    for message in ("one", b"binary", "x" * (MESSAGE_LIMIT_CHARS + 1), "two"):
        channel.says(message)
    assert received(events) == ["one", "two"]


def test_a_client_that_floods_loses_what_is_too_much(events):
    channel = Channel()
    events.attach(channel)
    for n in range(QUEUE_LIMIT + 5):
        channel.says(str(n))
    assert received(events) == [str(n) for n in range(QUEUE_LIMIT)]


def test_only_the_first_channel_counts_whatever_its_name(events):
    first, second = Channel("chat"), Channel()
    events.attach(first)
    events.attach(second)
    events.send("hello")
    assert (first.sent, second.sent) == (["hello"], [])


def test_after_the_end_nothing_is_sent(events):
    channel = Channel()
    events.attach(channel)
    events.end()
    events.send("late")
    assert channel.sent == []


def test_a_message_wakes_a_waiting_reader():
    async def scenario():
        events, channel = EventsChannel(lambda: None), Channel()
        events.attach(channel)

        async def first():
            async for message in events.messages():
                return message

        async with asyncio.TaskGroup() as group:
            task = group.create_task(first())
            await asyncio.sleep(1)
            channel.says("hello")
        assert task.result() == "hello"

    run(scenario())
