"""The line for a place, on made-up time."""

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.access.queue import POLL_WITHIN_S, Line
from avatar.access.waiting import expected_wait_s, remaining_s
from speech.errors import CallLimitError, QueueFullError, ServerFullError, TicketError


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self):
        return self.now_s


def line_of(capacity, longest=100):
    clock = Clock()
    return clock, Line(capacity, longest, clock)


@dataclass
class Crowd:
    """Callers who come at once, ask every 5 s, and talk for a while when it is their turn."""

    capacity: int
    callers: int
    talk_s: float = 30.0
    answered: list = field(default_factory=list)
    most_at_once: int = 0

    def run(self):
        clock, line = line_of(self.capacity, self.callers)
        tickets, calls = {}, {}
        for caller in range(self.callers):
            try:
                calls[line.take("")] = self._until(clock)
                self.answered.append(caller)
            except ServerFullError:
                tickets[caller] = line.join("")
        while tickets or calls:
            clock.now_s += 1.0
            for place in [p for p, end_s in calls.items() if end_s <= clock.now_s]:
                del calls[place]
                line.release(place)
            for caller, ticket in list(tickets.items()):
                asks_now = (clock.now_s + caller) % 5 == 0
                if asks_now and line.ask(ticket, "").status == "ready":
                    calls[line.take("", tickets.pop(caller))] = self._until(clock)
                    self.answered.append(caller)
            self.most_at_once = max(self.most_at_once, len(calls))
            assert clock.now_s < 1e5, "somebody was forgotten"
        return self

    def _until(self, clock):
        return clock.now_s + self.talk_s


def test_ten_times_more_callers_than_places_are_all_answered_in_order():
    crowd = Crowd(capacity=3, callers=30).run()
    assert crowd.most_at_once == 3
    assert len(crowd.answered) == 30
    # Two may be ready at once, and then whoever asks first is answered first.
    displaced = [abs(n - caller) for n, caller in enumerate(crowd.answered)]
    assert max(displaced) < 3, crowd.answered


def test_with_one_place_the_order_is_exactly_that_of_coming():
    assert Crowd(capacity=1, callers=10).run().answered == list(range(10))


def test_a_place_that_is_kept_for_the_first_is_not_given_to_a_newcomer():
    _, line = line_of(1)
    place = line.take("")
    ticket = line.join("")
    assert line.ask(ticket, "").place == 1
    line.release(place)
    with pytest.raises(ServerFullError):
        line.take("")
    assert line.ask(ticket, "").status == "ready"
    line.take("", ticket)
    with pytest.raises(TicketError):
        line.ask(ticket, "")


def test_a_ticket_that_nobody_asks_about_gives_up_its_place():
    clock, line = line_of(1)
    place = line.take("")
    silent, alive = line.join(""), line.join("")
    clock.now_s = 10.0
    assert line.ask(alive, "").place == 2
    clock.now_s = POLL_WITHIN_S + 0.1
    assert line.ask(alive, "").place == 1
    with pytest.raises(TicketError):
        line.ask(silent, "")
    line.release(place)
    assert line.ask(alive, "").status == "ready"


def test_a_kept_place_that_nobody_takes_goes_to_the_next():
    clock, line = line_of(1)
    place = line.take("")
    first, second = line.join(""), line.join("")
    line.release(place)
    told = []
    with line.watched(lambda: told.append(clock.now_s)):
        for _ in range(4):
            clock.now_s += 4.0
            if clock.now_s <= POLL_WITHIN_S:
                assert line.ask(first, "").status == "ready", "asking does not prolong it"
            line.ask(second, "")
    assert line.ask(second, "").status == "ready"
    assert told == [16.0], "whoever streams is told"
    with pytest.raises(TicketError):
        line.take("", first)


def test_a_ticket_is_of_the_key_that_it_was_given_to():
    _, line = line_of(1)
    line.take("key:a")
    ticket = line.join("key:a")
    for act in (line.ask, line.leave):
        with pytest.raises(TicketError):
            act(ticket, "key:b")
    assert line.ask(ticket, "key:a").place == 1


def test_leaving_lets_the_others_move_up():
    _, line = line_of(1)
    line.take("")
    first, second = line.join(""), line.join("")
    line.leave(first, "")
    assert line.ask(second, "").place == 1


def test_the_line_is_bounded():
    _, line = line_of(1, longest=2)
    line.take("")
    line.join("")
    line.join("")
    with pytest.raises(QueueFullError):
        line.join("")


def test_one_caller_holds_so_many_tickets_and_the_rest_of_the_line_is_for_others():
    clock, line = line_of(1, longest=4)
    line.most_of_one = 2
    place = line.take("")
    first, second = line.join("", "address:a"), line.join("", "address:a")
    clock.now_s = 5.0
    with pytest.raises(CallLimitError, match="leave the line") as refused:
        line.join("", "address:a")
    assert refused.value.wait_s == POLL_WITHIN_S - 5.0
    assert line.ask(line.join("", "address:b"), "").place == 3
    line.leave(second, "")
    line.join("", "address:a")
    line.release(place)
    assert line.ask(first, "").status == "ready"
    with pytest.raises(CallLimitError):
        line.join("", "address:a")
    line.take("", first)
    line.join("", "address:a")
    line.join("", "address:c")
    with pytest.raises(QueueFullError):
        line.join("", "address:d")


def test_the_expected_wait_follows_the_lengths_of_real_calls():
    clock, line = line_of(1)
    for _ in range(10):
        place = line.take("")
        clock.now_s += 60.0
        line.release(place)
    line.take("")
    clock.now_s += 20.0
    first, second = line.join(""), line.join("")
    assert line.ask(first, "").expected_wait_s == 40.0
    assert line.ask(second, "").expected_wait_s == 100.0
    assert line.expected_wait_s() == 160.0


def test_the_expected_wait_is_about_right_for_a_crowd():
    rng = random.Random(5)
    lengths = [rng.expovariate(1 / 90) for _ in range(2000)]
    # for lengths without memory, what is left does not depend on what has passed
    assert remaining_s(60.0, lengths) == pytest.approx(90, rel=0.2)
    assert expected_wait_s([10.0] * 4, lengths, 8, 4) == pytest.approx(180, rel=0.3)
    assert remaining_s(1e9, lengths) == 1.0


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.integers(1, 4),
    st.lists(st.sampled_from(["come", "go", "ask", "leave", "wait", "long"]), max_size=120),
    st.randoms(use_true_random=False),
)
def test_no_order_of_events_overbooks_loses_or_overtakes(capacity, happenings, rng):
    clock, line = line_of(capacity, longest=6)
    calls, tickets = [], []
    for happening in happenings:
        if happening == "come":
            try:
                calls.append(line.take(""))
                assert not tickets or not line.waiting, "a newcomer overtook those who wait"
            except ServerFullError:
                if len(tickets) < 6:
                    tickets.append(line.join(""))
        elif happening == "go" and calls:
            line.release(calls.pop(rng.randrange(len(calls))))
        elif happening == "ask":
            standings = [line.ask(ticket, "") for ticket in tickets]
            waiting = [s.place for s in standings if s.status == "waiting"]
            assert waiting == list(range(1, len(waiting) + 1)), "places are in the order of coming"
            ready = [s.status == "ready" for s in standings]
            assert ready == sorted(ready, reverse=True), "nobody is ready before who came earlier"
            if any(ready) and rng.random() < 0.7:
                calls.append(line.take("", tickets.pop(ready.index(True))))
        elif happening == "leave" and tickets:
            line.leave(tickets.pop(rng.randrange(len(tickets))), "")
        elif happening == "wait":
            clock.now_s += 1.0
        elif happening == "long":
            clock.now_s += POLL_WITHIN_S + 1
        alive = []
        for ticket in tickets:
            try:
                line.ask(ticket, "")
                alive.append(ticket)
            except TicketError:
                assert happening in ("long", "wait"), "a ticket was lost"
        tickets = alive
        ready = sum(line.ask(ticket, "").status == "ready" for ticket in tickets)
        assert line.taken == len(calls)
        assert line.taken + ready <= capacity, "overbooked"
        assert line.waiting == len(tickets)
        if len(tickets) > ready:
            assert line.taken + ready == capacity, "a place is free and somebody waits"
