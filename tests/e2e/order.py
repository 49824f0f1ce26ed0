"""Which files of tests a worker has together, and in which order they begin."""

from pathlib import PurePath

from xdist.scheduler import LoadScopeScheduling

# They wait for nothing but the processor. One worker has them all, and gives way to the others,
# which hold calls in real time.
COMPUTING = {
    f"test_{name}"
    for name in (
        *("bench_face", "closing", "echo", "face", "face_skew", "face_view", "fitting", "lips"),
        *("listening", "llm", "llm_http", "malformed", "malformed_messages", "openapi"),
        *("poster", "replay", "smaller_model", "speaking", "tools", "voice_live_malformed"),
        "wheel",
    )
}
# They share a server.
CALLS = {
    f"test_{name}" for name in ("call", "calls", "clients_real_model", "face_modes", "page_modes")
}
# They make the same files anew.
BUNDLE = {"test_sdk_bundle", "test_sdk_element"}
# Of the others the longest: no worker is left alone with one of them.
LONGEST = [
    f"test_{name}"
    for name in (
        *("kiosk", "client", "openai_realtime", "voice_live", "doctor_page", "turn"),
        *("kiosk_launch", "page_call", "rtvi_browser", "rtc"),
    )
]
_FIRST = ["computing", "calls", *LONGEST]


def group_of(nodeid: str) -> str:
    """What the worker that has a test has with it."""
    path = PurePath(nodeid.split("::", 1)[0])
    if path.stem in COMPUTING or path.parts[:2] == ("tests", "render"):
        return "computing"
    if path.stem in CALLS:
        return "calls"
    return "bundle" if path.stem in BUNDLE else path.stem


def rank_of(nodeid: str) -> int:
    """Where a test's group begins: the longest first."""
    group = group_of(nodeid)
    return _FIRST.index(group) if group in _FIRST else len(_FIRST)


class Groups(LoadScopeScheduling):
    """`--dist loadfile` by groups of files."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
