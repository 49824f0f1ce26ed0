"""The face that the page draws, in Chromium, against the one that the server draws."""

import base64
import io
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import uvicorn
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from avatar.face.library import face_folder, face_names, face_url
from avatar.routes.state import State
from avatar.server import create_app
from avatar.settings import FaceSettings, Settings
from render.baked.asset import BakedFace
from render.baked.renderer import cache_kernels, compositor
from render.types import ARKIT, FacePose
from tests.e2e.browser_call import webgl_browser

pytestmark = pytest.mark.e2e

elena_alone = pytest.mark.parametrize("face", ["elena"], indirect=True, scope="module")

SIDE = 512
BLOCK = 16
SHOW = """async (pose) => {
  pose.weights = Float32Array.from(pose.weights);
  view.show(pose);
  return canvas.toDataURL();
}"""
ATTACH = """async ([url, side]) => {
  document.body.innerHTML = "<canvas></canvas>";
  globalThis.canvas = document.querySelector("canvas");
  canvas.style.cssText = `position:fixed;inset:0;width:${side}px;height:${side}px`;
  const { FaceView } = await import("/face/face.js");
  globalThis.view = await FaceView.attach(canvas, url);
}"""
POSES = {
    "rest": {},
    "aa": {"jawOpen": 0.5, "mouthLowerDown": 0.25, "mouthUpperUp": 0.2},
    "laugh": {"jawOpen": 0.3, "mouthSmile": 0.6, "mouthUpperUp": 0.15},
    "smile": {"mouthSmile": 0.8, "cheekSquint": 0.4},
    "blink": {"eyeBlink": 1.0},
    "pucker": {"mouthPucker": 0.8, "browInnerUp": 0.6},
    "o": {"jawOpen": 0.31, "mouthFunnel": 0.32, "mouthPucker": 0.44},
    "p": {"mouthPress": 0.3, "mouthRollLower": 0.18, "mouthRollUpper": 0.14},
    "th": {"jawOpen": 0.2, "tongueOut": 0.6, "mouthLowerDown": 0.2},
    "aside": {"gaze": (0.25, 0.1)},
    "turned": {"head": (0.2, 0.05, -0.08)},
    "turned back": {"head": (-0.21, 0.12, 0.0)},
    "tilted, breathing in": {"head": (0.05, -0.08, 0.12), "breath": 1.0},
}


@pytest.fixture(scope="module", params=face_names())
def face(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(face: str) -> Iterator[str]:
    """Where the page and the face are; the models are never ready."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = create_app(Settings(face=FaceSettings(name=face)), State())
        http = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=http.run, args=([listener],))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        http.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with webgl_browser() as chromium:
        yield chromium


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": SIDE, "height": SIDE})
    opened.set_default_timeout(120_000)
    opened.goto(f"{server}/v1/health/live")
    yield opened
    opened.close()


def attach(page: Page, name: str) -> None:
    page.evaluate(ATTACH, [face_url(name), SIDE])


def face_pose(head=(0, 0, 0), gaze=(0, 0), breath=0.0, **weights) -> FacePose:
    """A pose; a weight without a side is for both."""
    row = np.zeros(len(ARKIT), np.float32)
    for name, weight in weights.items():
        for k, known in enumerate(ARKIT):
            if known in (name, f"{name}Left", f"{name}Right"):
                row[k] = weight
    return FacePose(row, np.array(head, np.float32), np.array(gaze, np.float32), breath, 0, 0.03)


def wire(pose: FacePose) -> dict[str, object]:
    return {
        "weights": pose.weights.tolist(),
        "head": pose.head.tolist(),
        "gaze": pose.gaze.tolist(),
        "vergence": pose.vergence,
        "breath": pose.breath,
    }


def test_the_page_draws_every_pose_as_the_server_does(page, face):
    cache_kernels(Path.home() / ".cache" / "presencia" / "kernels")
    frames = compositor(BakedFace.load(face_folder(face)), SIDE, SIDE)
    attach(page, face)
    started_s = time.monotonic()
    for label, changes in POSES.items():
        pose = face_pose(**changes)
        png = base64.b64decode(page.evaluate(SHOW, wire(pose)).split(",")[1])
        drawn = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
        wanted = cv2.cvtColor(frames.draw(pose), cv2.COLOR_YUV2BGR_I420)
        apart = np.abs(drawn.astype(float) - wanted).mean(2)
        blocks = apart.reshape(SIDE // BLOCK, BLOCK, SIDE // BLOCK, BLOCK).mean((1, 3))
        assert apart.mean() < 2.5, label
        assert blocks.max() < 20, (label, np.unravel_index(blocks.argmax(), blocks.shape))
    print(f"{(time.monotonic() - started_s) / len(POSES):.2f} s a pose")


@elena_alone
def test_the_reader_of_numpy_files_reads_what_numpy_wrote(page, face):
    arrays = {
        "floats": np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3),
        "indices": np.arange(7, dtype=np.uint16),
        "deltas": np.array([[-300, 2, 5]], np.int16),
        "starts": np.arange(53, dtype=np.int32),
        "flags": np.array([True, False]),
        "columns_first": np.asfortranarray(np.arange(12, dtype=np.uint16).reshape(4, 3)),
    }
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, **arrays)
        read = page.evaluate(
            """async (text) => {
              const { readNpz } = await import("/face/npz.js");
              const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
              const arrays = Object.entries(await readNpz(bytes.buffer));
              return arrays.map(([name, { data, shape }]) => [name, shape, [...data]]);
            }""",
            base64.b64encode(file.getvalue()).decode(),
        )
        assert len(read) == len(arrays)
        for name, shape, numbers in read:
            assert tuple(shape) == arrays[name].shape
            assert np.allclose(np.array(numbers).reshape(shape), arrays[name])


@elena_alone
def test_a_file_that_the_card_does_not_name_is_refused_by_name(page, face):
    page.route("**/rest.webp*", lambda route: route.fulfill(body=b"RIFF"))
    with pytest.raises(PlaywrightError) as error:
        attach(page, face)
    assert "rest.webp" in str(error.value)
    assert "card" in str(error.value)


@elena_alone
def test_a_closed_view_leaves_its_canvas_to_the_next(page, face):
    attach(page, face)
    drawn = page.evaluate(
        """async ([pose, url]) => {
          pose.weights = Float32Array.from(pose.weights);
          view.close();
          const { FaceView } = await import("/face/face.js");
          const second = await FaceView.attach(canvas, url);
          second.show(pose);
          return [canvas.getContext("webgl2").getError(), canvas.toDataURL().length];
        }""",
        [wire(face_pose()), face_url(face)],
    )
    assert drawn[0] == 0
    assert drawn[1] > 50_000
