"""The store against a local HTTP server, a local folder, and files that were tampered with."""

import errno
import hashlib
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from avatar.store import Entry, ModelStore
from speech.errors import ModelStoreError

CONTENT = bytes(range(256)) * 10_000  # three chunks of the store
FILE = "model.bin"


class Hub(ThreadingHTTPServer):
    """Serves CONTENT at any path that ends in .bin, as hubs do; counts what it sent."""

    def __init__(self, *, ranges: bool = True, breaks_at: int | None = None) -> None:
        self.ranges = ranges
        self.breaks_at = breaks_at
        self.sent = 0
        super().__init__(("127.0.0.1", 0), HubRequest)
        self.url = f"http://127.0.0.1:{self.server_port}"


class HubRequest(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        if not self.path.endswith(".bin"):
            self.send_error(404)
            return
        asked = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        start = asked if self.server.ranges else 0
        self.send_response(206 if self.server.ranges else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        body = CONTENT[start : self.server.breaks_at]
        self.wfile.write(body)
        self.server.sent += len(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def entry(*sources: dict[str, object], content: bytes = CONTENT) -> dict[str, Entry]:
    sha256 = hashlib.sha256(content).hexdigest()
    file = {"name": FILE, "bytes": len(content), "sha256": sha256, "sources": sources}
    row = {"name": "tiny", "kind": "asr", "licence": "MIT", "attribution": "us", "file": [file]}
    return {"tiny": Entry.model_validate(row)}


def url(hub: Hub, path: str = "/model.bin") -> dict[str, object]:
    return {"url": hub.url + path}


def partial(cache: Path, begin: bytes) -> None:
    (cache / "partial").mkdir(parents=True)
    (cache / "partial" / hashlib.sha256(CONTENT).hexdigest()).write_bytes(begin)


def test_the_first_use_fetches_and_the_second_needs_no_source(hub: Hub, tmp_path: Path) -> None:
    entries = entry(url(hub))
    assert not ModelStore(entries, tmp_path).is_fetched("tiny")
    assert (ModelStore(entries, tmp_path).path("tiny") / FILE).read_bytes() == CONTENT
    assert (ModelStore(entries, tmp_path).path("tiny") / FILE).read_bytes() == CONTENT
    assert hub.sent == len(CONTENT)
    assert os.listdir(tmp_path / "models" / "tiny") == [FILE]
    assert os.listdir(tmp_path / "partial") == []


def test_a_hub_repository_is_found_at_its_endpoint(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    store = ModelStore(entry({"hub": "someone/tiny", "file": "sub/model.bin"}), tmp_path)
    assert (store.path("tiny") / FILE).read_bytes() == CONTENT


def test_a_half_download_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    partial(tmp_path, CONTENT[:1_500_001])
    ModelStore(entry(url(hub)), tmp_path).fetch("tiny")
    assert hub.sent == len(CONTENT) - 1_500_001


def test_a_half_download_goes_on_from_a_server_without_ranges(hub: Hub, tmp_path: Path) -> None:
    hub.ranges = False
    partial(tmp_path, CONTENT[:1_500_001])
    folder = ModelStore(entry(url(hub)), tmp_path).fetch("tiny")
    assert (folder / FILE).read_bytes() == CONTENT


@pytest.mark.parametrize("size", [1_500_001, len(CONTENT), len(CONTENT) + 1])
def test_a_half_download_that_is_wrong_is_discarded(hub: Hub, tmp_path: Path, size: int) -> None:
    partial(tmp_path, b"x" * size)
    folder = ModelStore(entry(url(hub)), tmp_path).fetch("tiny")
    assert (folder / FILE).read_bytes() == CONTENT


def test_what_one_source_began_another_finishes(hub: Hub, tmp_path: Path) -> None:
    hub.breaks_at = 1_200_000
    offline = tmp_path / "offline" / "tiny" / FILE
    with pytest.raises(ModelStoreError, match="ended early"):
        ModelStore(entry(url(hub)), tmp_path).fetch("tiny")
    offline.parent.mkdir(parents=True)
    offline.write_bytes(CONTENT)
    arrived: list[int] = []
    store = ModelStore(entry(url(hub)), tmp_path, offline_folder=tmp_path / "offline")
    store.fetch("tiny", arrived.append)
    assert arrived[0] > 1_000_000
    assert arrived[-1] == len(CONTENT)


def test_a_source_with_the_wrong_file_is_passed_over(hub: Hub, tmp_path: Path) -> None:
    offline = tmp_path / "offline" / "tiny" / FILE
    offline.parent.mkdir(parents=True)
    offline.write_bytes(CONTENT[:-1] + b"!")
    store = ModelStore(entry(url(hub)), tmp_path, offline_folder=tmp_path / "offline")
    assert (store.path("tiny") / FILE).read_bytes() == CONTENT


def test_the_offline_folder_comes_before_the_network(hub: Hub, tmp_path: Path) -> None:
    offline = tmp_path / "offline" / "tiny" / FILE
    offline.parent.mkdir(parents=True)
    offline.write_bytes(CONTENT)
    ModelStore(entry(url(hub)), tmp_path, offline_folder=tmp_path / "offline").fetch("tiny")
    assert hub.sent == 0


def test_a_file_with_the_wrong_checksum_never_gets_its_name(hub: Hub, tmp_path: Path) -> None:
    store = ModelStore(entry(url(hub), content=CONTENT[::-1]), tmp_path)
    with pytest.raises(ModelStoreError, match="wrong checksum") as raised:
        store.path("tiny")
    assert "presencia models fetch tiny" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert os.listdir(tmp_path / "models" / "tiny") == []


def test_a_server_that_sends_too_little_or_too_much_is_refused(hub: Hub, tmp_path: Path) -> None:
    for content in (CONTENT + b"more", CONTENT[:-1]):
        with pytest.raises(ModelStoreError, match=r"ended early|wrong checksum"):
            ModelStore(entry(url(hub), content=content), tmp_path).path("tiny")


def test_every_source_that_failed_is_named_in_one_line(hub: Hub, tmp_path: Path) -> None:
    closed = {"url": "http://127.0.0.1:9/model.bin"}
    store = ModelStore(entry(url(hub, "/gone"), closed), tmp_path, offline_folder=tmp_path / "off")
    with pytest.raises(ModelStoreError) as raised:
        store.path("tiny")
    message = str(raised.value)
    for reason in ("No such file", "answers 404", "no network for http://127.0.0.1:9"):
        assert reason in message
    assert "\n" not in message


def test_an_unknown_name_says_where_the_names_are(tmp_path: Path) -> None:
    with pytest.raises(ModelStoreError, match="presencia models list"):
        ModelStore({}, tmp_path).path("tiny")


def test_verify_finds_a_file_that_changed_in_secret(hub: Hub, tmp_path: Path) -> None:
    store = ModelStore(entry(url(hub)), tmp_path)
    path = store.path("tiny") / FILE
    store.verify("tiny")
    stat = path.stat()
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(ModelStoreError, match="wrong checksum"):
        store.verify("tiny")
    assert (store.path("tiny") / FILE).read_bytes() == CONTENT
    path.unlink()
    with pytest.raises(ModelStoreError, match="is missing"):
        store.verify("tiny")


def test_a_file_that_was_touched_is_hashed_again(hub: Hub, tmp_path: Path) -> None:
    store = ModelStore(entry(url(hub)), tmp_path)
    path = store.path("tiny") / FILE
    os.utime(path, ns=(1, 1))
    assert not store.is_fetched("tiny")
    store.path("tiny")
    assert store.is_fetched("tiny")
    assert hub.sent == len(CONTENT)
    path.write_bytes(CONTENT[::-1])
    assert (store.path("tiny") / FILE).read_bytes() == CONTENT


def test_a_lost_or_broken_record_costs_a_hash_not_a_download(hub: Hub, tmp_path: Path) -> None:
    store = ModelStore(entry(url(hub)), tmp_path)
    store.path("tiny")
    for record in ("", "[]", "{"):
        (tmp_path / "verified" / "tiny.json").write_text(record)
        store.path("tiny")
    assert hub.sent == len(CONTENT)


def test_too_small_a_disk_is_noticed_before_anything_is_fetched(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=50 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ModelStoreError, match=r"has 50 MB: make room, or set PRESENCIA_CACHE"):
        ModelStore(entry(url(hub)), tmp_path).fetch("tiny")
    assert hub.sent == 0


def test_only_sources_that_are_unpacked_need_room_beside_the_file(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = (64 << 20) + len(CONTENT)
    usage = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    wheel = {"wheel": "some-weights==1.0", "member": "a.bin"}
    with pytest.raises(ModelStoreError, match="make room"):
        ModelStore(entry(wheel, url(hub)), tmp_path).fetch("tiny")
    ModelStore(entry(url(hub)), tmp_path).fetch("tiny")


def test_a_disk_that_fills_up_says_so(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelStoreError, match="is full: make room"):
        ModelStore(entry(url(hub)), tmp_path).fetch("tiny")


def test_a_cache_that_can_not_be_written_says_so(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelStoreError, match=r"Can't write to .*PRESENCIA_CACHE"):
        ModelStore(entry(url(hub)), tmp_path / "file" / "cache").path("tiny")


def test_the_cache_is_where_the_environment_says(tmp_path: Path) -> None:
    cases = [
        {"PRESENCIA_CACHE": str(tmp_path / "a"), "XDG_CACHE_HOME": str(tmp_path / "b")},
        {"XDG_CACHE_HOME": str(tmp_path / "b")},
        {},
    ]
    places = [tmp_path / "a", tmp_path / "b/presencia", Path("~/.cache/presencia").expanduser()]
    for environ, place in zip(cases, places, strict=True):
        store = ModelStore.default(environ)
        assert store.cache == place
