import argparse
import ipaddress
import os
import stat
import tomllib
from dataclasses import replace

import pytest

from avatar.cli import turn
from avatar.settings import Settings
from avatar.turn_server import setup
from avatar.turn_server.configuration import Relay, secret_in
from speech.errors import ConfigError

SERVER = ipaddress.ip_address("192.0.2.7")


def relay(**changes: object) -> Relay:
    return Relay(**{"host": "relay.example.org", "secret": "5ec2e7", "peers": (SERVER,)} | changes)


def lines(one: Relay) -> list[str]:
    return one.turnserver_conf().splitlines()


def command(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    turn.add_parser(parser.add_subparsers())
    return parser.parse_args(["turn", "setup", *arguments])


def test_it_relays_to_our_server_and_to_nobody_else():
    conf = lines(relay())
    assert "denied-peer-ip=0.0.0.0-255.255.255.255" in conf
    assert [each for each in conf if each.startswith("allowed-peer-ip")] == [
        "allowed-peer-ip=192.0.2.7"
    ]
    assert "allow-loopback-peers" not in conf
    assert "use-auth-secret" in conf


def test_without_a_server_to_relay_to_there_is_no_relay():
    with pytest.raises(ConfigError, match="--server-address"):
        relay(peers=())


def test_tls_is_on_when_there_is_a_certificate_and_only_then(tmp_path):
    secure = relay(certificate=tmp_path / "chain.pem", key=tmp_path / "key.pem")
    assert f"cert={tmp_path}/chain.pem" in lines(secure)
    assert secure.urls[-1] == "turns:relay.example.org:443?transport=tcp"
    assert "no-tls" in lines(relay())
    assert not any(url.startswith("turns:") for url in relay().urls)


def test_a_certificate_without_its_key_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="--key"):
        relay(certificate=tmp_path / "chain.pem")


def test_what_it_prints_is_what_the_server_reads():
    table = tomllib.loads(relay().settings_toml())
    read = Settings.model_validate(table).rtc.turn
    assert read.urls == relay().urls
    assert read.secret.get_secret_value() == "5ec2e7"


def test_an_ipv6_address_is_bracketed_in_the_urls():
    assert relay(host="2001:db8::7").urls[0] == "turn:[2001:db8::7]:3478?transport=udp"


def test_written_again_it_keeps_the_secret_and_the_first_configuration(tmp_path, capsys):
    conf = tmp_path / "turnserver.conf"
    conf.write_text("# Debian's own\n")
    arguments = command("--conf", str(conf), "--server-address", "192.0.2.7", "--host", "a.org")
    setup.write(turn._relay(arguments, "first"), conf, print)
    assert setup.existing_secret(conf) == "first"
    assert stat.S_IMODE(conf.stat().st_mode) & 0o007 == 0
    arguments.port = 3479
    setup.write(turn._relay(arguments, setup.existing_secret(conf)), conf, print)
    assert "listening-port=3479" in conf.read_text()
    assert secret_in(conf.read_text()) == "first"
    assert (tmp_path / "turnserver.conf.before-presencia").read_text() == "# Debian's own\n"


@pytest.fixture
def systemctl(tmp_path, monkeypatch):
    """A systemd that keeps what it was asked, and fails at what `tmp_path / "refuses"` names."""
    script = tmp_path / "systemctl"
    script.write_text(
        f"""#!/bin/sh
echo "$*" >> {tmp_path}/asked
if [ "$1" = "$(cat {tmp_path}/refuses 2>/dev/null)" ]; then echo no such unit >&2; exit 1; fi
"""
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(setup, "_SYSTEMD", tmp_path)
    monkeypatch.setattr(setup, "_DROP_IN", tmp_path / "coturn.service.d" / "presencia.conf")
    return tmp_path


def test_systemd_runs_it_now_and_after_every_boot(systemctl):
    setup.start(relay(), print)
    asked = (systemctl / "asked").read_text().splitlines()
    assert asked == ["daemon-reload", "enable coturn", "restart coturn"]


def test_below_1024_the_unit_gets_the_right_to_listen_and_loses_it_again(systemctl):
    secure = relay(certificate=systemctl / "chain.pem", key=systemctl / "key.pem")
    setup.start(secure, print)
    drop_in = systemctl / "coturn.service.d" / "presencia.conf"
    assert "CAP_NET_BIND_SERVICE" in drop_in.read_text()
    setup.start(replace(secure, tls_port=5349), print)
    assert not drop_in.exists()


def test_a_unit_that_does_not_start_is_told_with_its_log(systemctl):
    (systemctl / "refuses").write_text("restart")
    with pytest.raises(ConfigError, match="no such unit See: journalctl -u coturn"):
        setup.start(relay(), print)


def test_without_systemd_it_says_how_to_start_it(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "_SYSTEMD", tmp_path / "none")
    said = []
    setup.start(relay(), said.append)
    assert "turnserver -c /etc/turnserver.conf" in said[0]


def test_a_certificate_that_is_not_there_is_named(tmp_path):
    secure = relay(certificate=tmp_path / "chain.pem", key=tmp_path / "key.pem")
    with pytest.raises(ConfigError, match=r"chain\.pem is not there"):
        setup.write(secure, tmp_path / "turnserver.conf", print)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--server-address", "server.example.org"),
        ("--relay-ports", "many"),
        ("--relay-ports", "50000-49000"),
        ("--host", "a b"),
    ],
)
def test_a_wrong_argument_is_named(arguments):
    with pytest.raises(ConfigError, match=r"is not an IP|--relay-ports|neither a host"):
        turn._relay(command("--server-address", "192.0.2.7", *arguments), "secret")


def test_print_writes_nothing(tmp_path, capsys):
    conf = tmp_path / "turnserver.conf"
    assert turn.run(command("--print", "--conf", str(conf), "--server-address", "192.0.2.7")) == 0
    assert "static-auth-secret=" in capsys.readouterr().out
    assert not conf.exists()
