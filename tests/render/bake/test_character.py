from pathlib import Path

import pytest

from render.bake.character import read_character
from speech.errors import ConfigError

SHIPPED = Path(__file__).parents[3] / "models/characters"


@pytest.mark.parametrize("name", ["elena", "marcus", "mei"])
def test_every_shipped_character_is_valid(name: str) -> None:
    assert read_character(SHIPPED / f"{name}.toml").name.lower() == name


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('iris = "#5f452c"', 'iris = "brown"', "eyes.iris"),
        ("age = 28", "age = 8", "body.age"),
        ("mouthPressLeft", "mouthPresLeft", "mouthPresLeft"),
        ("thickness = ", "thicknes = ", "brows.thicknes"),
        ("[skin]", "[skin", "not valid TOML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    text = (SHIPPED / "elena.toml").read_text("utf-8")
    assert old in text
    file = tmp_path / "wrong.toml"
    file.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ConfigError, match=named):
        read_character(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nobody\.toml"):
        read_character(tmp_path / "nobody.toml")
