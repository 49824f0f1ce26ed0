"""The files of deploy/kiosk: what a machine is given must be what the code means."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from avatar.kiosk import chromium
from avatar.settings import load

DEPLOY = Path(__file__).parents[2] / "deploy" / "kiosk"
UNITS = sorted(DEPLOY.glob("*.service"))


def test_the_policy_in_the_repository_is_the_one_that_the_command_prints():
    kept = (DEPLOY / "chromium-policy.json").read_text()
    assert kept == chromium.policy_text("http://127.0.0.1:8080")


def test_the_settings_of_a_kiosk_are_settings():
    settings = load(DEPLOY / "presencia.toml", {})
    assert settings.server.port == 8080
    assert settings.server.max_calls >= 2


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_variable_of_a_unit_is_a_setting(unit):
    found = re.findall(r"^Environment=(PRESENCIA_\w+)=(.*)$", unit.read_text(), re.MULTILINE)
    variables = {name: value for name, value in found if name != "PRESENCIA_CONFIG"}
    load(None, variables)  # refuses what it does not know


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd isn't installed")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    for unit in UNITS:
        # The programs are at their places on a kiosk only.
        (tmp_path / unit.name).write_text(
            re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
        )
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(tmp_path / unit.name for unit in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stderr == ""
