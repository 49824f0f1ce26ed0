"""Modules of the pages that are functions of events and time, run in Node: a week in a second."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = sorted(Path(__file__).parent.glob("*/*.test.mjs"))


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js isn't installed")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_module_keeps_its_rules(script: Path) -> None:
    ran = subprocess.run(
        ["node", "--test", "--test-reporter=tap", script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    passed = re.search(r"^# pass (\d+)$", ran.stdout, re.MULTILINE)
    assert passed, "Node ran no test"
    assert int(passed[1]) > 0
