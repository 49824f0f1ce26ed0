"""The model store with the real pip and npm, from packages made here, and between processes."""

import hashlib
import io
import json
import multiprocessing
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from avatar.store import Entry, ModelStore
from speech.errors import ModelStoreError

pytestmark = pytest.mark.e2e

PARTS = (b"begin" * 100_000, b"middle" * 100_000, b"end" * 100_000)
CONTENT = b"".join(PARTS)
POISON = "raise SystemExit('a package of weights was executed')\n"


def entry(*sources: dict[str, object]) -> dict[str, Entry]:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    file = {"name": "model.bin", "bytes": len(CONTENT), "sha256": sha256, "sources": sources}
    row = {"name": "tiny", "kind": "llm", "licence": "MIT", "attribution": "us", "file": [file]}
    return {"tiny": Entry.model_validate(row)}


def wheels(platform: str | None = None) -> dict[str, object]:
    parts = [
        {"wheel": f"presencia-test-{n}==1.0", "member": "weights/part.bin", "bytes": len(part)}
        | ({"platform": platform} if platform else {})
        for n, part in enumerate(PARTS)
    ]
    return {"parts": parts}


def make_wheel(folder: Path, number: int, tag: str = "py3-none-any") -> None:
    info = f"presencia_test_{number}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"presencia_test_{number}-1.0-{tag}.whl", "w") as wheel:
        wheel.writestr("weights/__init__.py", POISON)
        wheel.writestr("weights/part.bin", PARTS[number])
        metadata = f"Metadata-Version: 2.1\nName: presencia-test-{number}\nVersion: 1.0\n"
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip knows."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_an_interrupted_model_goes_on_with_the_wheel_that_was_missing(
    index: Path, tmp_path: Path
) -> None:
    store = ModelStore(entry(wheels()), tmp_path / "cache")
    make_wheel(index, 0)
    make_wheel(index, 1)
    with pytest.raises(ModelStoreError, match=r"presencia-test-2==1.0 is not on the package index"):
        store.path("tiny")
    assert list((tmp_path / "cache" / "downloads").iterdir()) == []
    shutil.rmtree(index)
    index.mkdir()
    make_wheel(index, 2)
    arrived: list[int] = []
    assert (store.path("tiny", arrived.append) / "model.bin").read_bytes() == CONTENT
    assert arrived[-1] == len(CONTENT)


def test_a_wheel_for_another_machine_gives_its_data_here(index: Path, tmp_path: Path) -> None:
    for number in range(len(PARTS)):
        make_wheel(index, number, "py3-none-macosx_26_0_arm64")
    store = ModelStore(entry(wheels("macosx_26_0_arm64")), tmp_path / "cache")
    assert (store.path("tiny") / "model.bin").read_bytes() == CONTENT


def test_a_source_package_is_refused_not_built(index: Path, tmp_path: Path) -> None:
    with tarfile.open(index / "presencia_test_0-1.0.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("presencia_test_0-1.0/setup.py")
        member.size = len(POISON)
        tar.addfile(member, io.BytesIO(POISON.encode()))
    with pytest.raises(ModelStoreError, match=r"presencia-test-0==1.0 is not on the package index"):
        ModelStore(entry(wheels()), tmp_path / "cache").path("tiny")


def test_a_wheel_without_the_file_says_so(index: Path, tmp_path: Path) -> None:
    make_wheel(index, 0)
    source = {"wheel": "presencia-test-0==1.0", "member": "weights/other.bin"}
    with pytest.raises(ModelStoreError, match=r"presencia-test-0==1.0 has no readable weights/oth"):
        ModelStore(entry(source), tmp_path / "cache").path("tiny")


def test_a_python_package_index_out_of_reach_is_called_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(ModelStoreError, match=r"no network for wheel presencia-test-0==1.0"):
        ModelStore(entry(wheels()), tmp_path / "cache").path("tiny")


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder that npm takes for its registry, and its URL."""
    folder = tmp_path / "registry"
    folder.mkdir()

    class Request(SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Request) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setenv("npm_config_registry", url)
        yield folder, url
        server.shutdown()
        thread.join()


def publish(folder: Path, url: str) -> None:
    with tarfile.open(folder / "voices.tgz", "w:gz") as tar:
        described = json.dumps(
            {"name": "voices", "version": "1.0.0", "scripts": {"prepack": "exit 1"}}
        ).encode()
        for name, content in (("package.json", described), ("a.bin", CONTENT)):
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    shasum = hashlib.sha1((folder / "voices.tgz").read_bytes()).hexdigest()
    version = {
        "name": "voices",
        "version": "1.0.0",
        "dist": {"tarball": f"{url}voices.tgz", "shasum": shasum},
    }
    (folder / "voices").write_text(
        json.dumps(
            {"name": "voices", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
        )
    )


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_a_file_is_taken_out_of_an_npm_package(registry: tuple[Path, str], tmp_path: Path) -> None:
    source = {"npm": "voices@1.0.0", "member": "package/a.bin"}
    store = ModelStore(entry(source), tmp_path / "cache")
    with pytest.raises(
        ModelStoreError, match=r"npm package voices@1.0.0 is not on the package ind"
    ):
        store.path("tiny")
    publish(*registry)
    assert (store.path("tiny") / "model.bin").read_bytes() == CONTENT


def test_a_machine_without_npm_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    source = {"npm": "voices@1.0.0", "member": "package/a.bin"}
    with pytest.raises(ModelStoreError, match=r"install Node\.js"):
        ModelStore(entry(source), tmp_path / "cache").path("tiny")


def fetch_in_another_process(entries: dict[str, Entry], cache: Path, offline: Path) -> bytes:
    return (ModelStore(entries, cache, offline).path("tiny") / "model.bin").read_bytes()


def test_two_processes_that_fetch_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    (tmp_path / "offline" / "tiny").mkdir(parents=True)
    (tmp_path / "offline" / "tiny" / "model.bin").write_bytes(CONTENT)
    work = (entry({"url": "http://127.0.0.1:9/"}), tmp_path / "cache", tmp_path / "offline")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.starmap(fetch_in_another_process, [work] * 4) == [CONTENT] * 4


def test_every_default_model_is_fetched_and_verified() -> None:
    store = ModelStore.default()
    for name in store.names():
        if store.entry(name).default:
            store.path(name)
            store.verify(name)
