"""The picture that stands in for the face: before a call, and before the server can draw it."""

import cv2
import numpy as np
import pytest

from avatar.face.library import face_folder
from avatar.face.poster import draw_poster
from avatar.settings import Settings
from avatar.store.data import data_folder
from render.baked.asset import BakedFace

pytestmark = pytest.mark.e2e  # drawing is compiled for half a minute first

SIZE = 256


def picture(webp):
    decoded = cv2.imdecode(np.frombuffer(webp, np.uint8), cv2.IMREAD_COLOR)
    return cv2.resize(decoded, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(float)


def difference(one, other):
    return float(np.abs(picture(one) - picture(other)).mean())


def test_the_page_shows_the_default_face_before_the_server_can():
    page = (data_folder("web_client") / "poster.webp").read_bytes()
    face = BakedFace.load(face_folder(Settings().face.name))
    assert difference(page, draw_poster(face, SIZE, SIZE)) < 5  # another face: 55
