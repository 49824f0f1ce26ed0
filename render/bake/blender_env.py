"""The Python that has Blender, and jobs that run in it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import render
from speech.errors import RenderError

OVERRIDE = "PRESENCIA_BLENDER_PYTHON"
"""A Python that can `import bpy`, or Blender's own program (4.5), to use instead of the wheel."""
_REQUIREMENT = "bpy==4.5.*"
_PYTHON = "python3.11"  # the only one that the wheel is built for
_MARK = "presencia: "


@dataclass(frozen=True)
class Blender:
    """Where Blender is.

    Attributes:
        program: A Python that has `bpy`, or the program `blender`.
    """

    program: Path

    def run(self, module: str, job: Path) -> Iterator[str]:
        """Run a module on a job file; yields what it reports, line by line.

        Raises:
            RenderError: It failed; the message ends with the last that it said.
        """
        file = Path(render.__file__).parent.parent / (module.replace(".", "/") + ".py")
        command = [str(self.program), "-u", str(file), str(job)]
        if self.program.name.startswith("blender"):
            command = [str(self.program), "-b", "--factory-startup", "--python-exit-code", "1"]
            # Blender's own Python ignores PYTHONPATH, by which it finds this package, without it.
            command += ["--python-use-system-env", "--python", str(file), "--", str(job)]
        log = job.with_suffix(".log")
        with log.open("w") as errors:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, env=_environment()
            )
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    if line.startswith(_MARK):
                        yield line.removeprefix(_MARK).strip()
            finally:
                if process.poll() is None and sys.exc_info()[0] is not None:
                    process.terminate()
                process.stdout.close()
                process.wait()
        if process.returncode != 0:
            said = log.read_text("utf-8", "replace").strip().splitlines() or ["nothing said"]
            raise RenderError(f"Blender stopped ({process.returncode}): {said[-1]}; see {log}")


def find_blender(cache: Path, environ: Mapping[str, str] = os.environ) -> Blender:
    """The Blender of the environment, or a virtual environment in the cache, made if needed.

    Raises:
        RenderError: There is none, and none can be made.
    """
    if chosen := environ.get(OVERRIDE):
        program = shutil.which(chosen)
        if program is None:
            raise RenderError(f"{OVERRIDE} names {chosen}, which is not a program.")
        return Blender(Path(program))
    folder = cache / "blender-4.5"
    program_path = folder / "bin/python"
    if not (folder / ".ready").exists():
        _install(folder, program_path)
        (folder / ".ready").touch()
    return Blender(program_path)


def _install(folder: Path, program: Path) -> None:
    python = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which(_PYTHON)
    if python is None:
        raise RenderError(
            f"Blender's wheel {_REQUIREMENT} needs {_PYTHON}: install it, or set {OVERRIDE} to a "
            "Blender 4.5."
        )
    for command in (
        [python, "-m", "venv", "--clear", str(folder)],
        [str(program), "-m", "pip", "install", "--disable-pip-version-check", _REQUIREMENT],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines() or ["nothing said"]
            raise RenderError(f"Can't install Blender: {said[-1]}. Or set {OVERRIDE}.")


def _environment() -> dict[str, str]:
    """The environment with this package importable, and without this Python's own settings."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "VIRTUAL_ENV")}
    return kept | {"PYTHONPATH": str(Path(render.__file__).parent.parent)}
