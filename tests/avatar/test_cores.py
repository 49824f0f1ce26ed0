"""How many cores there are to use."""

import os

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from avatar import settings
from avatar.cores import in_one_thread, usable_cores
from avatar.settings import load


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("150000 100000", 1),
        ("50000 100000", 1),
        ("1600000 100000", 8),
        ("nonsense", 8),
        (None, 8),
    ],
)
def test_a_container_may_use_what_it_was_granted(quota, cores, eight_cores, tmp_path):
    path = tmp_path / "cpu.max"
    if quota is not None:
        path.write_text(quota)
    assert usable_cores(path) == cores


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (4, 2), (8, 4), (64, 4)])
def test_the_language_model_has_half_of_them_and_four_at_most(cores, threads, monkeypatch):
    monkeypatch.setattr(settings, "usable_cores", lambda: cores)
    assert load(environ={}).llm.threads == threads
    assert load(environ={"PRESENCIA_LLM__THREADS": "3"}).llm.threads == 3


def blas_threads():
    """How many the matrix products of numpy are shared among."""
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_matrices_are_multiplied_by_nobody_else_until_it_ends():
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()  # none where numpy was built without OpenBLAS or its like
        with in_one_thread():
            assert blas_threads() == {1 for _ in before}
        assert blas_threads() == before
