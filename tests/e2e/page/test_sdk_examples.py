"""docs/examples/ run as they stand, but for the address of the server."""

import re
import shutil
import subprocess
import sys
import threading
import wave
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.page.kit import eventually
from tests.e2e.page.stand_in import PATIENCE_S, serving, wait_until
from tests.e2e.page.test_page_picture import pose_message
from tests.e2e.page.test_sdk_element import connected, dial

pytestmark = pytest.mark.e2e

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
ADDRESS = "http://127.0.0.1:8080"


@pytest.fixture
def site(tmp_path, server):
    """A copy of the examples that calls the stand-in, and its URL."""
    ignored = shutil.ignore_patterns("node_modules", "dist")
    copy = shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=ignored)
    for path in copy.rglob("*"):
        if path.suffix in (".html", ".jsx"):
            text = path.read_text("utf-8")
            path.write_text(text.replace(ADDRESS, server.url.rstrip("/")), "utf-8")
    with serving(copy) as url:
        yield copy, url


def call_tool(server, name, arguments):
    item = {"type": "function_call", "call_id": "c1", "name": name, "arguments": arguments}
    server.call.send("response.output_item.done", response_id="r1", item=item)
    server.call.send("response.done", response={"id": "r1", "status": "completed"})


def test_the_plain_page_talks_and_is_called_by_the_avatar(open_page, server, site):
    page = open_page(url=site[1] + "plain.html")
    dial(page)
    connected(page)
    server.call.hear("Put two lamps into my basket.", "q1")
    expect(page.locator("#words li")).to_have_text("person: Put two lamps into my basket.")
    call_tool(server, "add_to_basket", '{"product": "lamps", "count": 2}')
    expect(page.locator("#basket")).to_have_text("2 lamps")


def test_the_page_that_draws_the_face_itself_follows_the_poses(open_page, server, site):
    page = open_page(url=site[1] + "own_face.html")
    page.get_by_role("button", name="Call").click()
    expect(page.locator("#phase")).to_have_text("connected")
    wait_until(lambda: server.call.can_draw, "the pose channel")
    wish = server.call.received("avatar.face.update")[-1]
    assert (wish["mode"], wish["automatic"]) == ("client", False)
    server.call.send_pose(pose_message(1, 0, jaw=0.4))
    expect(page.locator("#face")).to_have_attribute("data-jaw", "0.40")
    eventually(page, lambda: page.evaluate("voice.srcObject.getAudioTracks().length") == 1)
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_role("button", name="Call")).to_be_enabled()
    expect(page.locator("#face")).to_have_attribute("data-jaw", "0.00")


def test_the_react_app_renders_words_and_ends_the_call_with_its_component(open_page, server, site):
    react = site[0] / "react"
    npm = ["npm", "--prefix", str(react), "--silent"]
    subprocess.run([*npm, "ci", "--no-audit", "--no-fund"], check=True)
    subprocess.run([*npm, "run", "build"], check=True)
    page = open_page(url=site[1] + "react/index.html")
    dial(page)
    connected(page)
    server.call.hear("Paint it blue.", "q1")
    expect(page.locator("li")).to_have_text("person: Paint it blue.")
    call_tool(server, "paint", '{"color": "blue"}')
    expect(page.locator("main")).to_have_css("background-color", "rgb(0, 0, 255)")
    page.get_by_role("button", name="Close").click()
    eventually(page, lambda: server.call.has_hung_up)
    assert page.evaluate("held.tracks.map((track) => track.readyState)") == ["ended"]


def test_the_python_script_asks_and_saves_what_it_hears(server, tmp_path):
    file = tmp_path / "answer.wav"
    command = [sys.executable, EXAMPLES / "talk.py", "Who are you?", file, "--url", server.url]
    done = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=EXAMPLES.parents[1])
    threading.Thread(target=answer, args=[server], daemon=True).start()
    out, _ = done.communicate(timeout=PATIENCE_S)
    assert done.returncode == 0
    assert "I am Elena." in out
    with wave.open(str(file)) as saved:
        assert (saved.getframerate(), saved.getnchannels()) == (48_000, 1)
        assert saved.getnframes() > 0


def answer(server):
    """What the avatar does once it was asked."""
    wait_until(lambda: server.call.received("conversation.item.create"), "a question")
    wait_until(lambda: server.call.heard > 25, "half a second of sound")
    server.call.say("I am Elena.")
    server.call.send("output_audio_buffer.stopped", response_id="r1")


def test_the_documentation_shows_every_example():
    text = (EXAMPLES.parent / "sdk.md").read_text("utf-8")
    linked = set(re.findall(r"\(examples/([^)]+?)/?\)", text))
    assert linked == {path.name for path in EXAMPLES.iterdir() if path.name[0] != "_"}
