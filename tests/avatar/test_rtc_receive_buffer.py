import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.rtc.receive_buffer import MAX_DROPOUT, MAX_MISORDER, ReceiveBuffer

PTIME_S = 0.02


@dataclass(frozen=True)
class Packet:
    sequence_number: int
    ssrc: int = 1
    index: int = 0


def packets(first: int, count: int) -> list[Packet]:
    return [Packet((first + i) % 65536, index=i) for i in range(count)]


def feed(buffer: ReceiveBuffer, arrivals: list[Packet]) -> list[tuple[int, int]]:
    """(index, lost) of what comes out, with one arrival every 20 ms."""
    return [
        (ready.packet.index, ready.lost)
        for i, packet in enumerate(arrivals)
        for ready in buffer.add(packet, i * PTIME_S)
    ]


def test_packets_in_order_leave_at_once():
    buffer = ReceiveBuffer()
    for packet in packets(100, 50):
        (ready,) = buffer.add(packet, 0.0)
        assert (ready.packet, ready.lost) == (packet, 0)
    assert buffer.deadline_s is None


def test_the_sequence_number_wraps_without_a_hitch():
    out = feed(ReceiveBuffer(), packets(65_530, 20))
    assert out == [(i, 0) for i in range(20)]


def test_swapped_packets_are_put_in_order_and_nothing_is_lost():
    sent = packets(65_534, 6)
    buffer = ReceiveBuffer()
    out = feed(buffer, [sent[0], sent[2], sent[1], sent[3], sent[5], sent[4]])
    assert out == [(i, 0) for i in range(6)]
    assert buffer.counts.lost == 0


def test_a_lost_packet_holds_the_next_ones_for_two_packets_only():
    sent = packets(0, 10)
    buffer = ReceiveBuffer(wait_packets=2)
    del sent[3]
    delays = {}
    for i, packet in enumerate(sent):
        for ready in buffer.add(packet, i * PTIME_S):
            delays[ready.packet.index] = i - sent.index(ready.packet)
    assert delays == {0: 0, 1: 0, 2: 0, 4: 2, 5: 1, 6: 0, 7: 0, 8: 0, 9: 0}
    assert buffer.counts.lost == 1


def test_a_hole_is_given_up_when_its_time_is_over_even_if_no_packet_comes():
    buffer = ReceiveBuffer(wait_s=0.06)
    sent = packets(0, 3)
    buffer.add(sent[0], 0.0)
    assert buffer.add(sent[2], 0.02) == []
    assert buffer.deadline_s == pytest.approx(0.08)
    assert buffer.expire(0.079) == []
    (ready,) = buffer.expire(0.08)
    assert (ready.packet, ready.lost) == (sent[2], 1)
    assert buffer.deadline_s is None


def test_a_packet_that_comes_after_it_was_given_up_is_discarded():
    sent = packets(0, 8)
    late = sent.pop(2)
    buffer = ReceiveBuffer()
    out = feed(buffer, [*sent, late])
    assert [index for index, _ in out] == [0, 1, 3, 4, 5, 6, 7]
    assert buffer.counts.discarded == 1


def test_a_packet_that_comes_twice_is_delivered_once_held_or_not():
    sent = packets(0, 4)
    buffer = ReceiveBuffer()
    out = feed(buffer, [sent[0], sent[0], sent[2], sent[2], sent[1], sent[3]])
    assert out == [(i, 0) for i in range(4)]
    assert buffer.counts.discarded == 2


def test_a_new_ssrc_begins_a_new_stream_whatever_its_sequence_number():
    buffer = ReceiveBuffer()
    buffer.add(Packet(500, ssrc=1), 0.0)
    (ready,) = buffer.add(Packet(499, ssrc=2), 0.02)
    assert (ready.packet.ssrc, ready.lost) == (2, 0)
    assert buffer.counts.restarts == 1


def test_one_stray_packet_does_not_break_a_stream():
    buffer = ReceiveBuffer()
    buffer.add(Packet(0), 0.0)
    assert buffer.add(Packet(30_000), 0.02) == []
    assert len(buffer.add(Packet(1), 0.04)) == 1
    assert buffer.counts.restarts == 0


def test_two_consecutive_packets_far_away_begin_a_new_stream():
    buffer = ReceiveBuffer()
    buffer.add(Packet(0), 0.0)
    assert buffer.add(Packet(30_000), 0.02) == []
    (ready,) = buffer.add(Packet(30_001), 0.04)
    assert (ready.packet.sequence_number, ready.lost) == (30_001, 0)
    assert buffer.counts.restarts == 1


@pytest.mark.parametrize("step", [MAX_DROPOUT - 1, 200])
def test_a_long_outage_counts_as_loss(step):
    buffer = ReceiveBuffer(wait_packets=0)
    buffer.add(Packet(0), 0.0)
    (ready,) = buffer.add(Packet(step), 1.0)
    assert ready.lost == step - 1


def test_a_packet_just_within_misorder_is_late_and_not_a_restart():
    buffer = ReceiveBuffer()
    feed(buffer, packets(0, 200))
    assert buffer.add(Packet(200 - MAX_MISORDER), 9.0) == []
    assert buffer.add(Packet(201 - MAX_MISORDER), 9.0) == []
    assert buffer.counts.restarts == 0


@st.composite
def arrivals(draw):
    """A stream with loss, duplicates and bounded reordering, as indices in order of arrival."""
    fates = draw(st.lists(st.sampled_from([1, 1, 1, 0, 2]), min_size=1, max_size=40))
    copies = [i for i, fate in enumerate(fates) for _ in range(fate)]
    shifts = draw(st.lists(st.integers(0, 6), min_size=len(copies), max_size=len(copies)))
    return [i for _, i in sorted((i + s, i) for i, s in zip(copies, shifts, strict=True))]


@settings(max_examples=150, deadline=None)
@given(arrivals(), st.integers(0, 65535), st.integers(0, 4))
def test_whatever_the_network_does_order_holds_and_delay_is_bounded(order, first, wait_packets):
    buffer = ReceiveBuffer(wait_packets=wait_packets)
    seen: list[int] = []
    left: list[tuple[int, int]] = []
    for n, index in enumerate(order):
        ready = buffer.add(Packet((first + index) % 65536, index=index), n * PTIME_S)
        if index not in seen:
            seen.append(index)
        for r in ready:
            after = seen[seen.index(r.packet.index) + 1 :]
            assert sum(other > r.packet.index for other in after) <= wait_packets
        left += [(r.packet.index, r.lost) for r in ready]
    while (deadline_s := buffer.deadline_s) is not None:
        left += [(r.packet.index, r.lost) for r in buffer.expire(deadline_s)]
    position = order[0] if order else 0
    for index, lost in left:
        assert index == position + lost  # in order, none twice, every gap reported
        position = index + 1
    assert position > max(order, default=-1)
    assert {index for index, _ in left} <= set(order)
    assert buffer.counts.delivered == len(left)
    assert buffer.counts.discarded == len(order) - len(left)


def test_under_jitter_and_loss_the_median_packet_is_not_delayed_at_all():
    rng = random.Random(7)
    events = sorted(
        (i * PTIME_S + abs(rng.gauss(0, 0.008)), i) for i in range(5000) if rng.random() > 0.03
    )
    buffer, waited_ms = ReceiveBuffer(), []
    arrived = {i: at_s for at_s, i in events}
    for at_s, i in events:
        ready = buffer.add(Packet(i % 65536, index=i), at_s)
        waited_ms += [1000 * (at_s - arrived[r.packet.index]) for r in ready]
    waited_ms.sort()
    assert waited_ms[len(waited_ms) // 2] == 0
    assert waited_ms[int(len(waited_ms) * 0.95)] <= 45
    assert waited_ms[-1] <= 130
