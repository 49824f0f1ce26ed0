from dataclasses import replace
from itertools import pairwise

from avatar.kiosk.settings import KioskSettings
from avatar.kiosk.watchdog import Beat, Facts, Watchdog
from tests.avatar.kiosk_week import HOUR_S, Machine

WELL = Facts(ready=True, busy_s=0, late_s=0.001, rss_mb=1700, calls=1, hour=12)
IDLE = Beat("attract", occupied=False, frames=120)
MEETS = Beat("call", occupied=True, frames=120)


def beating(beat=IDLE, settings=None, until_s=120.0, facts=WELL):
    dog = Watchdog(settings or KioskSettings(), 0.0)
    for now_s in range(0, int(until_s) + 1, 2):
        dog.hear(beat, float(now_s))
        assert dog.look(facts, float(now_s)) is None
    return dog


def seen(dog, facts, from_s, until_s, beat=None):
    """What it wants restarted, and when, from then on."""
    wanted = []
    for now_s in range(int(from_s), int(until_s)):
        if beat is not None and now_s % 2 == 0:
            dog.hear(beat, float(now_s))
        if restart := dog.look(facts, float(now_s)):
            wanted.append((now_s, restart.part, restart.why))
    return wanted


def test_a_kiosk_that_is_well_is_left_alone():
    beating(until_s=2 * HOUR_S)
    beating(MEETS, until_s=2 * HOUR_S)


def test_a_silent_page_gets_a_new_browser_after_15_s_and_then_less_and_less_often():
    wanted = seen(beating(), WELL, 121, 2000)
    assert {what[1:] for what in wanted} == {("browser", "silent")}
    gaps = [b[0] - a[0] for a, b in pairwise(wanted)]
    assert wanted[0][0] == 136
    assert gaps == sorted(gaps)
    assert gaps[-1] > 4 * gaps[0]


def test_a_page_that_never_comes_gets_a_new_browser_too():
    wanted = seen(Watchdog(KioskSettings(), 0.0), WELL, 0, 100)
    assert wanted == [(91, "browser", "silent")]


def test_a_page_that_draws_nothing_is_reloaded_and_then_its_browser_started_again():
    frozen = replace(IDLE, frames=0)
    wanted = seen(beating(), WELL, 121, 160, frozen)
    assert [what[1:] for what in wanted] == [("page", "frozen"), ("browser", "frozen")]


def test_an_uncaught_error_reloads_the_page_once():
    wanted = seen(beating(), WELL, 121, 200, replace(IDLE, errors=1))
    assert [what[1:] for what in wanted] == [("page", "error")]


def test_a_model_that_is_stuck_ends_the_service_even_in_a_call():
    stuck = replace(WELL, busy_s=61)
    assert seen(beating(MEETS), stuck, 121, 122) == [(121, "service", "stuck")]


def test_memory_waits_until_nobody_is_there():
    much = replace(WELL, rss_mb=9000)
    dog = beating(MEETS)
    assert seen(dog, much, 121, 900, MEETS) == []
    assert seen(dog, much, 900, 1000, IDLE)[0] == (958, "service", "memory")
    dog = beating(MEETS)
    assert seen(dog, WELL, 121, 900, replace(MEETS, heap_mb=900)) == []
    assert seen(dog, WELL, 900, 1000, replace(IDLE, heap_mb=900))[0] == (958, "page", "memory")


def test_another_clients_call_is_somebody():
    much = replace(WELL, rss_mb=9000, calls=2)
    assert seen(beating(), much, 121, 900, IDLE) == []


def test_the_night_restarts_it_once_and_not_in_a_call():
    night = replace(WELL, hour=4.5)
    dog = beating(until_s=7 * HOUR_S)
    assert seen(dog, night, 7 * HOUR_S, 7 * HOUR_S + 99, MEETS) == []
    wanted = seen(dog, night, 7 * HOUR_S + 99, 7 * HOUR_S + 200, IDLE)
    assert wanted[0][1:] == ("service", "nightly")
    young = beating(until_s=HOUR_S)
    assert seen(young, night, HOUR_S, HOUR_S + 200, IDLE) == []
    never = beating(settings=KioskSettings(restart_hour=-1), until_s=7 * HOUR_S)
    assert seen(never, night, 7 * HOUR_S, 7 * HOUR_S + 200, IDLE) == []


def test_an_event_loop_that_is_late_three_times_ends_the_service():
    late = replace(WELL, late_s=6)
    dog = beating()
    assert seen(dog, late, 121, 123, IDLE) == []
    assert seen(dog, late, 123, 124, IDLE) == [(123, "service", "late")]


def test_models_that_never_load_end_the_service():
    dog = Watchdog(KioskSettings(), 0.0)
    loading = replace(WELL, ready=False)
    assert ("service", "not_ready") in [w[1:] for w in seen(dog, loading, 0, 1900, IDLE)]


def test_a_week_of_hangs_leaks_and_people_is_survived():
    machine = Machine(settings=KioskSettings(service_memory_mb=2000))
    faults = 0
    while machine.now_s < 7 * 24 * HOUR_S:
        machine.run(machine.random.uniform(600, 2 * HOUR_S))
        machine.occupied = machine.random.random() < 0.5 and 9 < machine.hour < 19
        if machine.random.random() < 0.4:
            faults += 1
            match machine.random.choice(["silent", "frozen", "throwing", "stuck", "heap"]):
                case "stuck":
                    machine.busy_since_s = machine.now_s
                case "heap":
                    machine.heap_mb = 900.0
                case fault:
                    machine.page = fault
        machine.run(machine.random.uniform(60, 300))
        machine.occupied = False
    machine.run(600)
    assert faults > 20
    assert machine.works
    assert max(machine.outages_s) < 120, "nothing stays broken for two minutes"
    for _, restart, occupied in machine.restarts:
        assert not (occupied and restart.why in ("memory", "nightly", "late")), restart
    assert machine.why("service").count("nightly") >= 4
    assert machine.why("service").count("memory") >= 2
    assert {"silent", "frozen"} <= set(machine.why("browser"))
    assert {"error", "memory", "frozen"} <= set(machine.why("page"))
    assert machine.rss_mb < 2400
