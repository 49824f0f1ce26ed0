"""The service's side of the kiosk: who may ask, the PIN, the reports, what it tells systemd."""

import asyncio
import json
import os
import socket
import stat
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from avatar.kiosk.choices import Choices, ChoicesFile
from avatar.kiosk.kiosk import Kiosk
from avatar.kiosk.notify import Systemd
from avatar.kiosk.reports import Reports
from avatar.kiosk.settings import KioskSettings
from avatar.kiosk.staff import SESSION_S, PinLockedError, Staff, WrongPinError
from avatar.kiosk.watchdog import Facts, Restart
from avatar.routes.state import State
from avatar.server import create_app
from avatar.settings import Settings
from speech.errors import ConfigError
from tests.session.virtual_clock import run as on_virtual_clock

PIN = "271828"
BEAT = {"screen": "attract", "occupied": False, "frames": 120, "heap_mb": 12}
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state"


def client(folder, *, url="http://127.0.0.1:8080", peer="127.0.0.1", enabled=True, calls=None):
    kiosk = KioskSettings(enabled=enabled, state_folder=folder)
    app = create_app(Settings(kiosk=kiosk), State(calls))
    return TestClient(app, base_url=url, client=(peer, 50000))


def code(response):
    return response.json()["error"]["code"]


# ---- Who may ask ----


def test_without_the_setting_there_is_no_kiosk(folder):
    http = client(folder, enabled=False)
    assert http.get("/v1/kiosk/status").status_code == 404
    page = http.get("/kiosk.html")
    assert page.status_code == 404
    assert page.headers["permissions-policy"] == "microphone=(self), camera=()"
    assert "kiosk.enabled = true" in page.text, "whoever set it up is told how"
    assert "<script" not in page.text


def test_only_the_kiosks_page_may_use_the_camera(folder):
    http = client(folder)
    assert "camera=(self)" in http.get("/kiosk.html").headers["permissions-policy"]
    assert "camera=()" in http.get("/index.html").headers["permissions-policy"]
    assert "camera=()" in http.get("/kiosk/main.js").headers["permissions-policy"]


@pytest.mark.parametrize(
    ("made", "headers"),
    [
        ({"peer": "192.0.2.7"}, {}),
        ({"url": "http://192.0.2.1:8080"}, {}),
        ({}, {"X-Forwarded-For": "192.0.2.7"}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
    ],
)
def test_only_this_machines_own_page_is_answered(folder, made, headers):
    http = client(folder, **made)
    for ask in (http.get("/kiosk.html", headers=headers),
                http.get("/v1/kiosk/status", headers=headers),
                http.post("/v1/kiosk/beat", json=BEAT, headers=headers),
                http.post("/v1/kiosk/staff", json={"pin": PIN}, headers=headers)):  # fmt: skip
        assert ask.status_code == 403, ask.request.url


def test_a_beat_is_answered_with_what_the_page_should_do(folder):
    http = client(folder)
    assert http.post("/v1/kiosk/beat", json=BEAT).json() == {"reload": "", "ready": False}
    assert http.post("/v1/kiosk/beat", json={**BEAT, "frames": -1}).status_code == 422


def test_a_lost_visitors_call_is_hung_up_by_the_next_page(folder):
    hung_up = []
    engines = SimpleNamespace(forgetting=())
    calls = SimpleNamespace(hang_up_all=hung_up.append, engines=engines)
    assert client(folder, calls=calls).post("/v1/kiosk/wiped").status_code == 204
    assert hung_up == ["address:127.0.0.1"]


# ---- Staff ----


def test_the_pin_opens_the_settings_and_the_wipe_closes_them(folder):
    Staff(folder).set_pin(PIN)
    http = client(folder)
    assert http.get("/v1/kiosk/config").json()["has_pin"] is True
    wanted = {"volume": 0.5, "languages": ["es"]}
    assert code(http.put("/v1/kiosk/choices", json=wanted)) == "pin_needed"
    assert code(http.post("/v1/kiosk/staff", json={"pin": "999999"})) == "wrong_pin"
    token = http.post("/v1/kiosk/staff", json={"pin": PIN}).json()["token"]
    staff = {"Authorization": f"Bearer {token}"}
    assert http.put("/v1/kiosk/choices", json=wanted, headers=staff).status_code == 204
    shown = http.get("/v1/kiosk/config").json()
    assert (shown["volume"], shown["languages"]) == (0.5, ["es"])
    assert http.get("/v1/kiosk/diagnostics", headers=staff).status_code == 200
    http.post("/v1/kiosk/wiped")
    assert http.get("/v1/kiosk/diagnostics", headers=staff).status_code == 401


def test_staff_can_have_each_part_started_again(folder):
    Staff(folder).set_pin(PIN)
    http = client(folder)
    token = http.post("/v1/kiosk/staff", json={"pin": PIN}).json()["token"]
    staff = {"Authorization": f"Bearer {token}"}
    for part in ("page", "browser"):
        answer = http.post("/v1/kiosk/restart", json={"part": part}, headers=staff)
        assert answer.status_code == 204
    assert http.post("/v1/kiosk/beat", json=BEAT).json()["reload"] == "staff"
    assert http.post("/v1/kiosk/beat", json=BEAT).json()["reload"] == ""
    status = http.get("/v1/kiosk/status").json()
    assert status["browser"]["restarts_wanted"] == 1
    assert [(r["part"], r["why"]) for r in status["reports"]] == [
        ("browser", "staff"),
        ("page", "staff"),
    ]
    metrics = http.get("/v1/metrics").text
    assert 'presencia_kiosk_restarts_total{part="browser",why="staff"} 1.0' in metrics


def test_a_pin_is_kept_as_a_salted_hash_for_its_owner_alone(folder):
    first, second = Staff(folder / "a"), Staff(folder / "b")
    first.set_pin(PIN)
    second.set_pin(PIN)
    kept = (folder / "a" / "pin.json").read_text()
    assert PIN not in kept
    assert json.loads(kept)["hash"] != json.loads((folder / "b" / "pin.json").read_text())["hash"]
    assert stat.S_IMODE(os.stat(folder / "a" / "pin.json").st_mode) == 0o600


@pytest.mark.parametrize(
    "pin", ["123", "12345678901234", "12a4", "0000", "1234", "8765", "", "١٢٣٤"]
)
def test_a_bad_pin_is_not_taken(folder, pin):
    with pytest.raises(ConfigError):
        Staff(folder).set_pin(pin)
    assert not Staff(folder).has_pin


@pytest.fixture
def no_threads(monkeypatch):
    """The virtual clock waits for no thread."""

    async def here(call, *args):
        return call(*args)

    monkeypatch.setattr("asyncio.to_thread", here)


def test_five_wrong_pins_lock_it_for_longer_and_longer(folder, no_threads):
    async def tries():
        staff = Staff(folder)
        staff.set_pin(PIN)
        locks = []
        for _ in range(7):
            with pytest.raises((WrongPinError, PinLockedError)):
                await staff.enter("999999")
            with pytest.raises((WrongPinError, PinLockedError)) as refused:
                await staff.enter("888888")
            if isinstance(refused.value, PinLockedError):
                locks.append(refused.value.retry_after_s)
                with pytest.raises(PinLockedError):
                    await staff.enter(PIN)  # the right one is not looked at either
                await asyncio.sleep(refused.value.retry_after_s)
        assert await staff.enter(PIN)
        return locks

    locks = on_virtual_clock(tries())
    assert locks[0] > 55
    assert locks[-1] > 4 * locks[0]


def test_many_pins_at_once_are_many_tries(folder):
    async def tries():
        staff = Staff(folder)
        staff.set_pin(PIN)
        guesses = [staff.enter(str(guess)) for guess in range(200000, 200050)]
        return await asyncio.gather(*guesses, return_exceptions=True)

    refused = [type(error) for error in asyncio.run(tries())]
    assert refused.count(WrongPinError) == 5
    assert refused.count(PinLockedError) == 45


def test_a_right_pin_is_good_for_five_minutes(folder, no_threads):
    async def waits():
        staff = Staff(folder)
        staff.set_pin(PIN)
        token = await staff.enter(PIN)
        assert staff.allows(token)
        assert not staff.allows(token + "x")
        assert not staff.allows("")
        await asyncio.sleep(SESSION_S)
        assert not staff.allows(token)

    on_virtual_clock(waits())


def test_without_a_pin_nobody_gets_in(folder):
    async def tries():
        for pin in ("", "0000"):
            with pytest.raises(WrongPinError):
                await Staff(folder).enter(pin)

    asyncio.run(tries())


def test_choices_outlive_the_service_and_a_broken_file_does_not_stop_it(folder):
    ChoicesFile(folder).choose(Choices(volume=0.3))
    ChoicesFile(folder).choose(Choices(idle_s=60))
    kept = ChoicesFile(folder).applied(KioskSettings())
    assert (kept.volume, kept.idle_s, kept.countdown_s) == (0.3, 60, 10)
    (folder / "choices.json").write_text('{"volume": 7}')
    assert ChoicesFile(folder).applied(KioskSettings()).volume == 0.8


# ---- Reports, and the watch itself ----


def test_reports_outlive_the_service_and_torn_lines_are_passed_over(folder):
    reports = Reports(folder)
    for number in range(300):
        reports.add(Restart("browser", "silent", str(number)), NOON + timedelta(hours=number))
    file = folder / "reports.jsonl"
    file.write_text(file.read_text() + '{"at": "torn')
    newest = Reports(folder).newest(3)
    assert [report["detail"] for report in newest] == ["299", "298", "297"]
    assert len(file.read_text().splitlines()) <= 201


def kiosk_of(folder, **settings):
    made = KioskSettings(enabled=True, state_folder=folder, **settings)
    return Kiosk(made, ("en", "es"), CollectorRegistry(), lambda: NOON)


def test_the_watch_ends_the_service_when_a_model_is_stuck(folder, monkeypatch):
    insisted = []
    monkeypatch.setattr("avatar.kiosk.kiosk._insist_on_ending", lambda: insisted.append(True))
    ended = []

    async def watch():
        kiosk = kiosk_of(folder)
        kiosk.end_service = lambda: ended.append(asyncio.get_running_loop().time())
        begun_s = asyncio.get_running_loop().time()

        def facts(late_s, hour):
            busy_s = asyncio.get_running_loop().time() - begun_s
            return Facts(True, busy_s, late_s, 1700, 0, hour)

        await kiosk.run(facts)  # ends by itself
        return kiosk.status(), ended[0] - begun_s

    status, after_s = on_virtual_clock(watch())
    assert 60 < after_s < 63
    assert insisted == [True]
    assert status["reports"][0]["why"] == "stuck"


def test_systemd_is_told_that_it_is_ready_and_lives(folder, monkeypatch, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        async def watch():
            ready_at_s = asyncio.get_running_loop().time() + 3
            kiosk = kiosk_of(folder)

            def facts(late_s, hour):
                ready = asyncio.get_running_loop().time() > ready_at_s
                return Facts(ready, 0, late_s, 1700, 0, hour)

            async with asyncio.timeout(6):
                await kiosk.run(facts)

        with pytest.raises(TimeoutError):
            on_virtual_clock(watch())
        told = []
        while True:
            try:
                told.append(systemd.recv(1000).decode())
            except BlockingIOError:
                break
    assert told.count("WATCHDOG=1") >= 4
    assert told.index("READY=1\nSTATUS=Serving") >= 2
    assert sum("READY=1" in state for state in told) == 1


def test_without_systemd_nothing_is_told(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Systemd().tell("READY=1")
