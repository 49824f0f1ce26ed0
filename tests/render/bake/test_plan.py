import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from render.bake import plan
from render.bake.blender_env import OVERRIDE, Blender, find_blender
from render.bake.plan import _CODE_NOT_RENDERED, SHADING, plates, render_plates
from speech.errors import RenderError

CHARACTER = {"name": "Nobody"}


class FakeBlender(Blender):
    """Reports plates as Blender does, and stops after `stop_after` of them."""

    def __init__(self, stop_after: int = 99) -> None:
        super().__init__(Path("blender"))
        object.__setattr__(self, "stop_after", stop_after)
        object.__setattr__(self, "rendered", [])

    def run(self, module: str, job: Path) -> Iterator[str]:
        for k, plate in enumerate(json.loads(job.read_text())["plates"]):
            if k == self.stop_after:  # type: ignore[attr-defined]
                raise RenderError("out of light")
            self.rendered.append(plate["name"])  # type: ignore[attr-defined]
            Path(plate["file"]).touch()
            yield f"{plate['name']} 1.0"


def bake(blender: FakeBlender, cache: Path, samples: int = 8, name: str = "Nobody") -> list[str]:
    said: list[str] = []
    render_plates(blender, cache, {"name": name}, plates(samples), cache, said.append)
    return said


def test_a_stopped_bake_goes_on_with_the_next_plate(tmp_path: Path) -> None:
    first, second = FakeBlender(stop_after=4), FakeBlender()
    with pytest.raises(RenderError, match="out of light"):
        bake(first, tmp_path)
    bake(second, tmp_path)
    names = [spec.name for spec in plates(8)]
    assert first.rendered + second.rendered == names  # type: ignore[attr-defined]


def test_a_finished_bake_renders_nothing_again(tmp_path: Path) -> None:
    bake(FakeBlender(), tmp_path)
    again = FakeBlender()
    assert all(line.endswith("kept") for line in bake(again, tmp_path))
    assert again.rendered == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("change", [{"samples": 16}, {"name": "Somebody"}])
def test_other_inputs_are_rendered_anew(tmp_path: Path, change: dict[str, int | str]) -> None:
    bake(FakeBlender(), tmp_path)
    again = FakeBlender()
    bake(again, tmp_path, **change)  # type: ignore[arg-type]
    assert len(again.rendered) == len(plates(8))  # type: ignore[attr-defined]


def test_a_picture_that_was_lost_is_rendered_anew(tmp_path: Path) -> None:
    bake(FakeBlender(), tmp_path)
    (tmp_path / "rest.png").unlink()
    again = FakeBlender()
    bake(again, tmp_path)
    assert again.rendered == ["rest"]  # type: ignore[attr-defined]


def test_every_box_begins_and_ends_on_a_texel() -> None:
    for spec in plates(8):
        for edge, start in zip(spec.box, spec.canvas[:2] * 2, strict=True):
            assert (edge - start) / spec.scale == pytest.approx(round((edge - start) / spec.scale))


def test_every_expression_with_shading_has_a_plate() -> None:
    assert set(SHADING) <= {spec.name for spec in plates(8)}


def test_blenders_own_program_finds_this_package(tmp_path: Path) -> None:
    program = tmp_path / "blender"
    program.write_text(
        """#!/bin/sh
        case " $* " in *" --python-use-system-env "*) ;; *) unset PYTHONPATH ;; esac
        echo "presencia: $PYTHONPATH"
        """
    )
    program.chmod(0o755)
    (found,) = Blender(program).run("render.bake.blender.scene", tmp_path / "job.json")
    assert (Path(found) / "render/bake/blender/scene.py").is_file()


def test_a_blender_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="no-such-blender"):
        find_blender(tmp_path, {OVERRIDE: "no-such-blender"})


def test_plates_are_rendered_anew_for_code_that_blender_runs_and_no_other() -> None:
    folder = Path(plan.__file__).parent
    hashed = {file.name for file in folder.glob("*.py")} - {*_CODE_NOT_RENDERED}
    todo, run = [*(folder / "blender").glob("*.py")], set()
    while todo:
        file = todo.pop()
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            name = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            used = folder / f"{name.removeprefix('render.bake.')}.py"
            if name.startswith("render.bake.") and used.exists() and used.name not in run:
                run.add(used.name)
                todo.append(used)
    assert hashed == run | {"__init__.py"}
