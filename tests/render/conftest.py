"""Kernels that tests compile are kept for the next run."""

import pytest

from render.baked.kernels import cache_kernels


@pytest.fixture(scope="session", autouse=True)
def kernels(request: pytest.FixtureRequest) -> None:
    cache_kernels(request.config.cache.mkdir("kernels"))
