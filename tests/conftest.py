"""What all tests share: that a slow machine fails none of them, and that they cost it little."""

import gc

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """Look for garbage in what tests make alone: modules were two fifths of all processor time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Distribute the end-to-end tests, which come by file, in groups of files."""
    from tests.e2e.order import Groups

    return Groups(config, log) if config.getoption("dist") == "loadfile" else None
