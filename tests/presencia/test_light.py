"""`presencia.client` is light: a program that only talks loads nothing that a server needs."""

import subprocess
import sys

HEAVY = (
    "cv2",
    "ctranslate2",
    "fastapi",
    "hibari",
    "llvmlite",
    "numba",
    "onnxruntime",
    "pydantic",
    "starlette",
    "uvicorn",
    "xllamacpp",
)
ALLOWED = {
    "avatar",
    "avatar.client",
    "avatar.client.poses",
    "avatar.client.reception",
    "avatar.client.sender_clock",
    "avatar.client.signalling",
    "avatar.protocol",
    "avatar.protocol.poses",
    "avatar.rtc",
    "avatar.rtc.aiortc_private",
    "avatar.rtc.receive_buffer",
}


def test_importing_the_client_loads_no_server():
    code = "import sys, presencia.client; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert "presencia.client.call" in loaded
    assert {name for name in loaded if name.partition(".")[0] in HEAVY} == set()
    assert {name for name in loaded if name.partition(".")[0] == "avatar"} <= ALLOWED
