"""Kernels that tests compile are kept for the next run, and for whatever else draws."""

import pytest

from avatar.store import ModelStore
from render.baked.kernels import cache_kernels


@pytest.fixture(scope="session", autouse=True)
def kernels() -> None:
    cache_kernels(ModelStore.default().cache / "kernels")
