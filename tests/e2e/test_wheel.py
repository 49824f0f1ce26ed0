"""Builds the wheel and uses it where there is no checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

CHECKOUT = Path(__file__).resolve().parents[2]
PROBE = """
import avatar, render, speech
from avatar.store import data_folder
print(avatar.__file__, render.__file__, speech.__file__)
print(data_folder("models"), data_folder("web_client"))
"""


def run(*command: str | Path, cwd: Path) -> str:
    environ = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's folder of commands; the dependencies are this environment's."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    made = ("node_modules", "build", "dist", "*.egg-info", "out", "__pycache__")
    shutil.copytree(CHECKOUT, source, ignore=shutil.ignore_patterns(".*", *made))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, source, cwd=folder)
    shutil.rmtree(source)
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = folder.glob("presencia-*.whl")
    run(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    here = sysconfig.get_path("purelib")
    there = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    Path(there.strip(), "dependencies.pth").write_text(here)  # after the wheel's own packages
    return python.parent


def test_the_wheel_lists_its_models_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    assert "moonshine-tiny-en" in run(installed / "presencia", "models", "list", cwd=tmp_path)


def test_the_wheel_carries_packages_and_data_of_its_own(installed: Path, tmp_path: Path) -> None:
    printed = run(installed / "python", "-c", PROBE, cwd=tmp_path).split()
    assert all(Path(path).is_relative_to(installed.parent) for path in printed), printed
    models, web_client = map(Path, printed[-2:])
    assert (models / "manifest.toml").is_file()
    assert any((models / "faces" / "elena").iterdir())
    assert (web_client / "index.html").is_file()
    assert not (web_client / "node_modules").exists()


def test_the_wheel_has_every_data_file_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    printed = run(installed / "python", "-c", PROBE, cwd=tmp_path).split()
    tracked = run("git", "ls-files", "models", "web_client", "avatar", cwd=CHECKOUT).split()
    tools = ("package", "package-lock", "tsconfig", "tsconfig.types", "face/tsconfig")
    of_the_tools = {f"web_client/{name}.json" for name in tools}
    wanted = {path for path in tracked if not path.endswith(".py")} - of_the_tools
    site = Path(printed[0]).parents[1]
    data = Path(printed[-1]).parent
    lacking = {p for p in wanted if not (data / p).is_file() and not (site / p).is_file()}
    assert not lacking
