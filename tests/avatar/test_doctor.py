import argparse
import asyncio
import json
import socket

import pytest

from avatar.cli import doctor
from avatar.doctor import examination, installation, loop, machine, media, network, relay
from avatar.doctor.findings import Finding, as_json, failed, good, table, warning
from avatar.doctor.load import Load
from avatar.doctor.loop import Trials
from avatar.settings import RtcSettings, ServerSettings, Settings
from avatar.store import ModelStore
from speech.errors import ServerFullError

LOOPBACK = RtcSettings(offer_loopback=True)


@pytest.fixture
def empty_store(tmp_path):
    return ModelStore.default({"PRESENCIA_CACHE": str(tmp_path)})


def test_what_to_do_stands_below_what_failed():
    lines = table([good("disk", "9 GB free"), failed("codecs", "no Opus", "Install it.")])
    assert lines.splitlines() == [
        "  ok  disk    9 GB free",
        "FAIL  codecs  no Opus",
        "              -> Install it.",
    ]


def test_nothing_fails_without_a_word_on_what_to_do():
    with pytest.raises(ValueError, match="nobody is told"):
        Finding("disk", "failed", "full")


def test_only_a_failure_makes_an_installation_unhealthy():
    look = warning("cpu", "busy", "Stop something.")
    assert as_json([good("disk", "free"), look])["healthy"] is True
    assert as_json([look, failed("codecs", "none", "Install it.")])["healthy"] is False


def test_calls_need_the_models_that_are_fetched_by_default():
    store = ModelStore.default()
    default = {name for name in store.names() if store.entry(name).default}
    assert set(installation.needed_models(Settings())) == default


def test_an_endpoint_needs_no_model_file_of_its_own():
    llm = {"backend": "openai", "model": "qwen", "base_url": "http://127.0.0.1:8000/v1"}
    settings = Settings.model_validate({"llm": llm})
    assert "qwen" not in installation.needed_models(settings)


def test_a_missing_model_names_the_command_that_fetches_it(empty_store):
    for hash_them in (True, False):
        found = list(installation.models(empty_store, Settings(), hash_them=hash_them))
        assert {finding.status for finding in found} == {"failed"}
        assert found[0].fix == "Run presencia models fetch silero-vad-v6."


def test_a_model_that_was_tampered_with_is_found_by_its_checksum(empty_store):
    folder = empty_store.cache / "models" / "silero-vad-v6"
    folder.mkdir(parents=True)
    (folder / empty_store.entry("silero-vad-v6").files[0].name).write_bytes(b"not a model")
    first = next(installation.models(empty_store, Settings(), hash_them=True))
    assert "wrong checksum" in first.says


def test_a_model_that_nobody_knows_is_named():
    settings = Settings.model_validate({"llm": {"model": "gpt-9"}})
    found = list(installation.models(ModelStore.default(), settings, hash_them=False))
    assert "gpt-9" in found[-1].says


def test_wrong_settings_are_one_finding_and_the_rest_goes_on(tmp_path):
    file = tmp_path / "presencia.toml"
    file.write_text("[server]\nprot = 1\n")
    found, settings = installation.config(file)
    assert found.status == "failed"
    assert "server.prot" in found.says
    assert settings == Settings()


def test_a_full_disk_says_how_much_to_free(tmp_path):
    found = machine.disk(tmp_path / "not" / "there", missing_bytes=10**18)
    assert found.status == "failed"
    assert "PRESENCIA_CACHE" in found.fix


def test_a_busy_machine_is_told_how_many_cores_its_calls_want():
    found = asyncio.run(machine.cpu(calls=10_000))
    assert found.status == "warning"
    assert "5000.0 idle cores" in found.fix


@pytest.mark.parametrize(
    ("busy", "late_ms", "fix"),
    [
        (0.49, 5, ""),
        (0.515, 5, "2 calls want 1.0 idle cores, and only 0.9 are idle."),
        (0.1, 140, "over 100 ms late"),
    ],
)
def test_the_advice_for_a_cpu_names_what_is_short(monkeypatch, busy, late_ms, fix):
    async def measured():
        return Load(cores=2, busy=busy, late_ms=late_ms)

    monkeypatch.setattr(machine, "measure_load", measured)
    found = asyncio.run(machine.cpu(calls=2))
    assert found.status == ("warning" if fix else "good")
    assert fix in found.fix
    assert "cores, and" not in found.fix or late_ms < 100


def test_every_installed_package_is_the_one_that_was_tested():
    assert machine.versions().status == "good", machine.versions()


def test_a_package_of_another_version_is_named(monkeypatch):
    monkeypatch.setattr(machine, "requires", lambda _: ["aiortc==0.1", "nothing-like-it==1"])
    found = machine.versions()
    assert "in place of 0.1" in found.says
    assert "nothing-like-it missing" in found.says


def test_all_codecs_of_a_call_encode():
    assert media.codecs().status == "good"


def test_a_taken_port_is_told_from_our_own_server(monkeypatch):
    monkeypatch.setattr(network, "_HTTP_LIMIT_S", 0.5)  # what holds the port says nothing
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = ServerSettings(port=taken.getsockname()[1])
        taken.close()
        free = asyncio.run(network.own_port(server, network.Running(network.own_url(server))))
    assert free.status == "good"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = ServerSettings(port=taken.getsockname()[1])
        found = asyncio.run(network.own_port(server, network.Running(network.own_url(server))))
    assert found.status == "failed"
    assert "--port" in found.fix


def test_a_server_that_is_said_to_be_elsewhere_is_looked_for_there_alone(monkeypatch):
    for url, name in [("http://127.0.0.1:1", "port 1"), ("https://127.0.0.1", "port 443")]:
        found = asyncio.run(network.port(network.Running(url)))
        assert (found.name, found.status) == (name, "failed")
        assert url in found.says

    async def is_there(self):
        return True

    monkeypatch.setattr(network.Running, "is_there", is_there)
    assert asyncio.run(network.port(network.Running("http://h:9000"))).name == "port 9000"


def test_a_port_that_is_picked_at_each_start_is_not_named():
    server = ServerSettings(port=0)
    found = asyncio.run(network.own_port(server, network.Running(network.own_url(server))))
    assert (found.name, found.status) == ("port", "skipped")


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ([], ("", None)),
        (["--port", "9000"], ("", 9000)),
        (["--url", "http://h"], ("http://h", None)),
    ],
)
def test_the_doctor_looks_where_the_command_line_says(monkeypatch, arguments, asked):
    seen = []

    async def examine(config, url, port, *, hash_models):
        seen.append((url, port))
        yield good("codecs", "all")

    monkeypatch.setattr(examination, "examine", examine)
    parser = argparse.ArgumentParser()
    doctor.add_parser(parser.add_subparsers())
    doctor.run(parser.parse_args(["doctor", "--json", *arguments]))
    assert seen == [asked]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("192.0.2.7", "http://192.0.2.7:8080"),
    ],
)
def test_a_server_is_asked_where_its_own_machine_reaches_it(host, url):
    assert network.own_url(ServerSettings(host=host)) == url


def test_a_page_for_others_needs_tls():
    assert network.page_address(ServerSettings(host="127.0.0.1")).status == "good"
    assert "TLS" in network.page_address(ServerSettings(host="0.0.0.0")).fix


def test_a_machine_without_a_network_is_told_of_loopback(monkeypatch):
    monkeypatch.setattr(network.aioice.ice, "get_host_addresses", lambda **_: [])
    assert "offer_loopback" in network.media_addresses(RtcSettings()).fix
    assert network.media_addresses(LOOPBACK).status == "good"


def test_a_trial_call_here_finds_sound_and_picture_both_ways():
    async def scenario():
        async with asyncio.TaskGroup() as tasks:
            trials = Trials(LOOPBACK)
            return await media.webrtc_loop(
                lambda offer: trials.start(offer, tasks), offer_loopback=True
            )

    found = asyncio.run(scenario())
    assert found.status == "good", found


def test_where_no_packet_passes_the_firewall_is_named(monkeypatch):
    monkeypatch.setattr(media, "_CONNECTS_WITHIN_S", 0.5)
    monkeypatch.setattr(loop, "TRIAL_S", 0.6)

    async def scenario():
        async with asyncio.TaskGroup() as tasks:
            trials = Trials(LOOPBACK)

            async def astray(offer):
                return without_candidates(await trials.start(without_candidates(offer), tasks))

            return await media.webrtc_loop(astray, offer_loopback=False)

    found = asyncio.run(scenario())
    assert found.status == "failed"
    assert "firewall" in found.fix


def without_candidates(sdp):
    return "".join(line for line in sdp.splitlines(True) if not line.startswith("a=candidate"))


def test_a_server_that_refuses_a_trial_is_quoted():
    class Full(network.Running):
        async def admits(self):
            return True

        async def try_call(self, offer_sdp):
            raise ServerFullError("Too many trials.")

    found = asyncio.run(examination._call(Settings(rtc=LOOPBACK), Full("http://127.0.0.1:1")))
    assert (found.status, found.says) == ("failed", "Too many trials.")


@pytest.mark.parametrize(
    ("url", "host", "port", "way"),
    [
        ("turn:relay.example.org", "relay.example.org", 3478, "UDP"),
        ("turn:relay.example.org?transport=tcp", "relay.example.org", 3478, "TCP"),
        ("turns:relay.example.org:443?transport=tcp", "relay.example.org", 443, "TLS"),
        ("turns:relay.example.org", "relay.example.org", 5349, "TLS"),
        ("turn:[2001:db8::7]:3479?transport=udp", "2001:db8::7", 3479, "UDP"),
        ("stun:192.0.2.7", "192.0.2.7", 3478, "UDP"),
    ],
)
def test_a_url_says_where_and_how(url, host, port, way):
    endpoint = relay.Endpoint.parse(url)
    assert (endpoint.host, endpoint.port, endpoint.way) == (host, port, way)


@pytest.mark.parametrize("url", ["http://a", "turn:", "turn:a:b", "turn:a?transport=sctp", "turn"])
def test_what_is_no_url_of_a_relay_is_a_finding(url):
    assert asyncio.run(relay.check(url, None, None)).status == "failed"


def test_every_configured_url_is_tried_by_itself(monkeypatch):
    tried = []

    async def check(url, username, credential):
        tried.append((url, username, credential))
        return good(url, "works")

    monkeypatch.setattr(relay, "check", check)
    settings = RtcSettings.model_validate(
        {
            "ice_servers": [{"urls": ["stun:a", "turn:b"], "username": "u", "credential": "c"}],
            "turn": {"urls": ["turns:d:443"], "secret": "s"},
        }
    )

    async def scenario():
        return [finding async for finding in network.ice_servers(settings)]

    asyncio.run(scenario())
    assert tried[:2] == [("stun:a", "u", "c"), ("turn:b", "u", "c")]
    assert tried[2][0] == "turns:d:443"
    assert tried[2][2]


@pytest.mark.parametrize(("finding", "status"), [("good", 0), ("failed", 1)])
def test_the_exit_status_is_for_scripts(monkeypatch, capsys, finding, status):
    async def examine(*_, **__):
        yield Finding("codecs", finding, "something", "Do something.")

    monkeypatch.setattr(examination, "examine", examine)
    parser = argparse.ArgumentParser()
    doctor.add_parser(parser.add_subparsers())
    assert doctor.run(parser.parse_args(["doctor", "--json"])) == status
    assert json.loads(capsys.readouterr().out)["healthy"] is (status == 0)
    assert doctor.run(parser.parse_args(["doctor"])) == status
    assert "codecs" in capsys.readouterr().out
