import asyncio

from avatar.latency import BUDGET, LIMIT_MS, ROWS, TARGET_MS, Timeline, late_rows
from tests.session import virtual_clock


def test_the_budget_leaves_the_network_its_part_of_500_and_900_ms():
    to_and_from_the_network_ms = 20 + 110
    assert TARGET_MS["first_face_frame"] + to_and_from_the_network_ms == 500
    assert LIMIT_MS["first_face_frame"] + to_and_from_the_network_ms == 900
    assert TARGET_MS["final_transcript"] <= 100


def test_every_row_waits_only_for_rows_above_it_that_are_due_before_it():
    for row, allowance in BUDGET.items():
        assert allowance.target_ms < allowance.limit_ms
        for before in allowance.after:
            assert ROWS.index(before) < ROWS.index(row)
            assert TARGET_MS[before] < TARGET_MS[row]
            assert LIMIT_MS[before] < LIMIT_MS[row]


def test_a_row_is_timed_by_its_first_delivery_and_all_are_counted():
    async def turn():
        timeline = Timeline(asyncio.get_running_loop().time())
        await asyncio.sleep(0.1)
        timeline.mark("llm_first_token")
        await asyncio.sleep(0.1)
        timeline.mark("llm_first_token")
        return timeline

    timeline = virtual_clock.run(turn())
    assert timeline.rows_ms() == {"llm_first_token": 100}
    assert timeline.deliveries["llm_first_token"] == 2


def test_a_rows_own_time_begins_at_the_last_of_the_rows_that_it_waits_for():
    at_s = {
        "turn_ended": 10.25,
        "final_transcript": 10.1,
        "llm_first_token": 10.15,
        "first_clause": 10.2,
        "tts_first_audio": 10.22,
        "first_sound": 10.27,
    }
    starts = Timeline(10.0, at_s).starts_ms()
    assert starts["turn_ended"] == starts["final_transcript"] == 0
    assert starts["llm_first_token"] == 100
    assert starts["first_sound"] == 250, "the answer waited for the end of the turn"
    assert "first_face_frame" not in starts


def test_a_row_is_late_beyond_its_limit_not_beyond_its_target():
    limit = LIMIT_MS["first_sound"]
    assert late_rows({"first_sound": limit, "turn_ended": 10}) == ()
    assert late_rows({"first_sound": limit + 1, "turn_ended": 10}) == ("first_sound",)
