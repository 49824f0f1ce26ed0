"""The doctor's opinion of relays, against coturn itself on loopback."""

import asyncio
import ipaddress
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aioice import stun

from avatar.doctor import relay as doctor
from avatar.doctor.findings import Finding
from avatar.rtc.relay_credentials import relay_credentials
from avatar.turn_server.configuration import Relay
from tests.e2e.page.stand_in import PATIENCE_S, wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("turnserver") is None, reason="coturn is not installed"),
]
LOOPBACK = ipaddress.ip_address("127.0.0.1")
SECRET = "5ec2e7"


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("certificate")
    chain, key = folder / "chain.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-out", str(chain), "-keyout", str(key)],
        check=True, capture_output=True,
    )  # fmt: skip
    return chain, key


@pytest.fixture
def start(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[object]:
    processes = []

    def start_(**changes: object) -> Relay:
        relay = Relay(
            host="localhost",
            secret=SECRET,
            peers=(LOOPBACK,),
            listen=(LOOPBACK,),
            port=free_port(socket.SOCK_STREAM),
            tls_port=free_port(socket.SOCK_STREAM),
            certificate=certificate[0],
            key=certificate[1],
        )
        relay = replace(relay, **changes)
        conf = tmp_path / "turnserver.conf"
        conf.write_text(relay.turnserver_conf())
        command = ["turnserver", "-c", str(conf), f"--pidfile={tmp_path}/turnserver.pid"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        processes.append(subprocess.Popen(command, **quiet))
        wait_until(lambda: answers(relay.tls_port), "coturn's port for TLS")
        wait_until(lambda: answers_stun(relay.port), "coturn's port for UDP")
        return relay

    # Its certificate is of nobody's making but ours.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    yield start_
    for process in processes:
        process.terminate()
        process.wait(PATIENCE_S)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers_stun(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        probe.connect(("127.0.0.1", port))
        try:
            probe.send(bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST)))
            return bool(probe.recv(1500))
        except OSError:
            return False


def findings(relay: Relay, secret: str = SECRET, lifetime_s: int = 60) -> list[Finding]:
    made = relay_credentials(secret, lifetime_s, datetime.now(UTC))

    async def each() -> list[Finding]:
        return [await doctor.check(url, made.username, made.credential) for url in relay.urls]

    return asyncio.run(each())


def test_a_relay_that_works_is_found_good_over_udp_tcp_and_tls(start):
    found = findings(start())
    assert [finding.status for finding in found] == ["good"] * 3, found
    assert [finding.name.split(",")[0] for finding in found] == [
        "turn over UDP", "turn over TCP", "turn over TLS",
    ]  # fmt: skip


def test_a_relay_with_another_secret_refuses_us(start):
    found = findings(start(), secret="another")
    assert {finding.says for finding in found} == {"refuses our credentials"}
    assert "presencia turn setup" in found[0].fix


def test_credentials_are_refused_once_they_have_expired(start):
    assert {each.says for each in findings(start(), lifetime_s=-5)} == {"refuses our credentials"}


def test_a_relay_leads_to_nobody_but_the_server_that_it_was_set_up_for(start):
    elsewhere = ipaddress.ip_address("192.0.2.7")
    found = findings(start(peers=(elsewhere,)))
    assert {finding.says for finding in found} == {"does not relay to this machine"}


def test_a_relay_whose_certificate_nobody_vouches_for_fails_over_tls_alone(start, monkeypatch):
    relay = start()
    monkeypatch.delenv("SSL_CERT_FILE")
    assert [finding.status for finding in findings(relay)] == ["good", "good", "failed"]


def test_where_nothing_listens_the_port_is_named():
    port = free_port(socket.SOCK_STREAM)
    url = f"turn:127.0.0.1:{port}?transport=tcp"
    finding = asyncio.run(doctor.check(url, "a", "b"))
    assert finding.status == "failed"
    assert str(port) in finding.fix


def test_a_stun_server_answers(start):
    relay = start()
    finding = asyncio.run(doctor.check(f"stun:127.0.0.1:{relay.port}", None, None))
    assert finding.status == "good"


def test_a_stun_server_is_asked_again_when_the_question_is_lost():
    class Deaf(asyncio.DatagramProtocol):
        asked = 0

        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, addr):
            self.asked += 1
            if self.asked > 1:
                question = stun.parse_message(data)
                answer = stun.Message(
                    stun.Method.BINDING, stun.Class.RESPONSE, question.transaction_id
                )
                answer.attributes["XOR-MAPPED-ADDRESS"] = addr
                self.transport.sendto(bytes(answer), addr)

    async def ask() -> Finding:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Deaf, local_addr=("127.0.0.1", 0))
        try:
            port = transport.get_extra_info("sockname")[1]
            return await doctor.check(f"stun:127.0.0.1:{port}", None, None)
        finally:
            transport.close()

    assert asyncio.run(ask()).status == "good"
