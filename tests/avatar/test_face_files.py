import hashlib
import tomllib

import pytest
from starlette.testclient import TestClient

from avatar.face.library import face_folder, face_url
from avatar.routes.state import State
from avatar.server import create_app
from avatar.settings import Settings

URL = face_url("elena")
CARD = tomllib.loads((face_folder("elena") / "card.toml").read_text("utf-8"))
REST = CARD["plates"]["rest"]


@pytest.fixture(scope="module")
def page():
    return TestClient(create_app(Settings(), State()), base_url="http://localhost")


def test_the_card_comes_as_json_and_says_the_same(page):
    assert page.get(URL + "card.json").json() == CARD


def test_every_file_that_the_card_names_is_the_one_that_it_names(page):
    parts = [CARD["mesh"], *CARD["plates"].values(), *CARD["shading"].values()]
    for part in parts:
        content = page.get(URL + part["file"]).content
        assert hashlib.sha256(content).hexdigest() == part["sha256"]


def test_a_file_asked_for_by_its_sum_is_kept_for_ever_and_else_asked_about(page):
    named = page.get(f"{URL}{REST['file']}?{REST['sha256']}")
    assert "immutable" in named.headers["cache-control"]
    plain = page.get(URL + REST["file"])
    assert plain.headers["cache-control"] == "no-cache"
    stale = page.get(f"{URL}{REST['file']}?{'0' * 64}")
    assert stale.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["card.json", REST["file"]])
def test_what_the_browser_has_is_not_sent_again(page, name):
    tag = page.get(URL + name).headers["etag"]
    again = page.get(URL + name, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name",
    ["none.webp", "../../manifest.toml", "%2e%2e%2f%2e%2e%2fmanifest.toml", "..%5ccard.toml", ""],
)
def test_nothing_else_is_given(page, name):
    assert page.get(URL + name).status_code == 404
