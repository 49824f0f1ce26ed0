"""PyPI has other distributions called avatar, speech and render."""

import importlib
from importlib import metadata
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("avatar", "speech", "render")


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_comes_from_this_checkout_alone(name: str) -> None:
    package = importlib.import_module(name)
    assert [Path(path) for path in package.__path__] == [CHECKOUT / name]


@pytest.mark.parametrize("name", PACKAGES)
def test_no_other_distribution_brings_a_package_of_ours(name: str) -> None:
    assert set(metadata.packages_distributions().get(name, [])) <= {"presencia"}
