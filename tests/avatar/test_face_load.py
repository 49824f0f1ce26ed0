from avatar.face.load import (
    DOWN_AFTER_S,
    LAST_RUNG,
    TOO_EARLY_S,
    UP_AFTER_LIMIT_S,
    UP_AFTER_S,
    LoadPolicy,
    Second,
)

EASY = Second(25, 0, 0.01)
SKIPPING = Second(25, 12, 0.02)
STALLED = Second(0, 0, 0.4)
SO_SO = Second(25, 4, 0.08)


def spend(policy, second, seconds):
    for _ in range(seconds):
        policy.observe(second)
    return policy.rung


def seconds_until(policy, second, rung):
    for passed in range(1, 1000):
        if policy.observe(second) == rung:
            return passed
    raise AssertionError("never")


def test_a_hiccup_changes_nothing():
    policy = LoadPolicy()
    assert spend(policy, SKIPPING, DOWN_AFTER_S - 1) == 0
    assert spend(policy, EASY, 10) == 0
    assert spend(policy, STALLED, DOWN_AFTER_S - 1) == 0


def test_falling_behind_for_seconds_steps_down_and_more_of_it_further():
    for trouble in (SKIPPING, STALLED):
        policy = LoadPolicy()
        assert spend(policy, trouble, DOWN_AFTER_S) == 1
        assert spend(policy, trouble, DOWN_AFTER_S) == 2
        assert spend(policy, trouble, 60) == LAST_RUNG


def test_trouble_every_other_second_does_not_add_up():
    policy = LoadPolicy()
    for _ in range(60):
        policy.observe(SKIPPING)
        policy.observe(EASY)
    assert policy.rung == 0


def test_room_for_a_while_steps_up_one_rung_at_a_time():
    policy = LoadPolicy()
    spend(policy, SKIPPING, 2 * DOWN_AFTER_S)
    assert spend(policy, EASY, UP_AFTER_S - 1) == 2
    assert spend(policy, EASY, 1) == 1
    assert spend(policy, EASY, UP_AFTER_S) == 0


def test_seconds_that_are_neither_hold_the_rung():
    policy = LoadPolicy()
    spend(policy, SKIPPING, DOWN_AFTER_S)
    assert spend(policy, SO_SO, 600) == 1


def test_a_step_up_in_vain_makes_the_next_one_wait_twice_as_long():
    policy = LoadPolicy()
    waits = []
    for _ in range(6):
        spend(policy, SKIPPING, DOWN_AFTER_S)
        waits.append(seconds_until(policy, EASY, 0))
    assert waits == [15, 30, 60, 120, 240, UP_AFTER_LIMIT_S]


def test_a_step_up_that_lasts_is_forgiven():
    policy = LoadPolicy()
    spend(policy, SKIPPING, DOWN_AFTER_S)
    spend(policy, EASY, UP_AFTER_S)
    spend(policy, SKIPPING, DOWN_AFTER_S)
    assert seconds_until(policy, EASY, 0) == 2 * UP_AFTER_S
    spend(policy, EASY, TOO_EARLY_S + 1)
    spend(policy, SKIPPING, DOWN_AFTER_S)
    assert seconds_until(policy, EASY, 0) == UP_AFTER_S
