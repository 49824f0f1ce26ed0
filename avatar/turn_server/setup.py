"""Puts coturn to work on this machine: Debian's package, its configuration, its systemd unit."""

import os
import secrets
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

from avatar.turn_server.configuration import Relay, secret_in
from speech.errors import ConfigError

CONF = Path("/etc/turnserver.conf")
UNIT = "coturn"
USER = "turnserver"
_DROP_IN = Path(f"/etc/systemd/system/{UNIT}.service.d/presencia.conf")
_SYSTEMD = Path("/run/systemd/system")
_PRIVILEGED_PORTS = 1024

Say = Callable[[str], None]


def existing_secret(conf: Path = CONF) -> str | None:
    """The secret that the relay of this machine has already."""
    try:
        return secret_in(conf.read_text("utf-8"))
    except OSError:
        return None


def new_secret() -> str:
    """256 random bits, in letters that neither a shell nor TOML minds."""
    return secrets.token_hex(32)


def install(say: Say) -> None:
    """Install coturn, if it is not here.

    Raises:
        ConfigError: It can't be installed from here.
    """
    if shutil.which("turnserver"):
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise ConfigError(
            "coturn is not installed: run this as root, or first: sudo apt-get install coturn"
        )
    say("installing coturn")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", "coturn"]):
        done = subprocess.run(
            ["apt-get", "-qq", *command], env=environment, capture_output=True, text=True
        )
        if done.returncode:
            raise ConfigError(f"coturn can't be installed: {_last_line(done.stderr)}")


def write(relay: Relay, conf: Path, say: Say) -> None:
    """Write the configuration, readable by root and coturn alone; keep the one before it.

    Raises:
        ConfigError: It can't be written there, or coturn can't read the certificate.
    """
    for path in (relay.certificate, relay.key):
        if path is not None:
            _check_readable(path)
    text = relay.turnserver_conf()
    try:
        if conf.exists() and conf.read_text("utf-8") == text:
            say(f"{conf} is as it should be")
        else:
            _replace(conf, text, say)
    except OSError as error:
        raise ConfigError(
            f"Can't write {error.filename or conf}: {error.strerror}. "
            "Run this as root, or with --print to see what it would write."
        ) from error


def start(relay: Relay, say: Say) -> None:
    """Have systemd run coturn now and at every boot; where there is no systemd, say how to run it.

    Raises:
        ConfigError: systemd can't start it.
    """
    if not _SYSTEMD.is_dir():
        say(f"systemd does not run here; start the relay with: turnserver -c {CONF}")
        return
    ports = (relay.port, relay.tls_port) if relay.certificate else (relay.port,)
    if min(ports) < _PRIVILEGED_PORTS:
        # Debian's unit runs as a user who may not listen below 1024.
        _DROP_IN.parent.mkdir(parents=True, exist_ok=True)
        _DROP_IN.write_text("[Service]\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n", "utf-8")
    else:
        _DROP_IN.unlink(missing_ok=True)
    for command in (["daemon-reload"], ["enable", UNIT], ["restart", UNIT]):
        done = subprocess.run(["systemctl", *command], capture_output=True, text=True)
        if done.returncode:
            raise ConfigError(
                f"systemctl {' '.join(command)}: {_last_line(done.stderr)} "
                f"See: journalctl -u {UNIT}"
            )
    say(f"{UNIT}.service runs, now and after every boot")


def _replace(conf: Path, text: str, say: Say) -> None:
    conf.parent.mkdir(parents=True, exist_ok=True)
    if conf.exists():
        before = conf.with_name(f"{conf.name}.before-presencia")
        if not before.exists():
            shutil.copy2(conf, before)
            say(f"kept the old one as {before}")
    draft = conf.with_name(f"{conf.name}.new")
    draft.unlink(missing_ok=True)
    # Never readable by others, not even for a moment: the secret is in it.
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    if os.geteuid() == 0 and _has_user():
        shutil.chown(draft, "root", USER)
        draft.chmod(0o640)
    draft.replace(conf)
    say(f"wrote {conf}")


def _check_readable(path: Path) -> None:
    """That coturn, which does not run as root, will be able to read a file.

    Raises:
        ConfigError: It is not there, or the user may not read it.
    """
    if not path.is_file():
        raise ConfigError(f"{path} is not there: give the certificate's chain and its key in PEM.")
    if os.geteuid() != 0 or not _has_user():
        return
    test = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "test", "-r"]
    if subprocess.run([*test, str(path)], capture_output=True).returncode:
        mode = stat.filemode(path.stat().st_mode)
        raise ConfigError(
            f"coturn runs as {USER}, who can't read {path} ({mode}): copy certificate and key to "
            f"/etc/turn-tls, and give them to the group {USER}; renew the copies as well."
        )


def _has_user() -> bool:
    return subprocess.run(["id", USER], capture_output=True).returncode == 0


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]
