from contextlib import suppress
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.rtc.offer import (
    CANDIDATE_LIMIT,
    OFFER_LIMIT_BYTES,
    parse_candidates,
    parse_offer,
)
from speech.errors import SignallingError

CHROMIUM = (Path(__file__).parent.parent / "data" / "chromium_offer.sdp").read_bytes().decode()
HOST = "a=candidate:1 1 udp 2113937151 192.0.2.7 52124 typ host"


def sections(sdp: str) -> list[str]:
    """The session part, then each m-line with its attributes."""
    head, *media = sdp.split("\r\nm=")
    return [head + "\r\n", *("m=" + part.rstrip("\r\n") + "\r\n" for part in media)]


def without(sdp: str, start: str) -> str:
    return "".join(line for line in sdp.splitlines(True) if not line.startswith(start))


def test_a_chromium_offer_is_understood():
    offer = parse_offer(CHROMIUM)
    assert offer.uses == (("audio", "voice"), ("video", "face"))
    assert offer.wants_face


def test_local_names_are_left_out_and_an_offer_without_candidates_is_good():
    assert ".local" in CHROMIUM
    assert "a=candidate" not in parse_offer(CHROMIUM).sdp
    assert parse_offer(without(CHROMIUM, "a=candidate")).uses


def test_the_first_lines_candidates_are_put_on_every_line_and_more_may_come():
    sdp = CHROMIUM.replace("a=ice-ufrag", f"{HOST}\r\na=end-of-candidates\r\na=ice-ufrag", 1)
    media = SessionDescription.parse(parse_offer(sdp).sdp).media
    assert [[c.ip for c in m.ice_candidates] for m in media] == [["192.0.2.7"]] * 3
    assert not any(m.ice_candidates_complete for m in media)


def test_tcp_candidates_are_left_out():
    sdp = CHROMIUM.replace("a=ice-ufrag", f"{HOST} tcptype active\r\na=ice-ufrag", 1)
    assert "192.0.2.7" not in parse_offer(sdp.replace(" udp 21139371", " tcp 21139371")).sdp


def test_transport_attributes_may_stand_on_the_bundles_first_line_alone():
    head, audio, video, channel = sections(CHROMIUM)
    for attribute in ("a=ice", "a=fingerprint", "a=setup", "a=candidate", "a=rtcp"):
        video, channel = without(video, attribute), without(channel, attribute)
    media = SessionDescription.parse(parse_offer(head + audio + video + channel).sdp).media
    assert {m.ice.usernameFragment for m in media} == {"NtXN"}
    assert all(m.dtls.fingerprints for m in media)
    assert all(m.rtcp_mux for m in media)


def test_the_data_channel_may_come_first():
    head, audio, video, channel = sections(CHROMIUM)
    head = head.replace("BUNDLE 0 1 2", "BUNDLE 2 0 1")
    offer = parse_offer(head + channel + audio + video)
    assert offer.uses == (("audio", "voice"), ("video", "face"))
    assert "a=group:BUNDLE 0 2 1" in offer.sdp


def test_an_offer_without_video_is_for_a_voice_call():
    head, audio, _, channel = sections(CHROMIUM)
    offer = parse_offer(head.replace("0 1 2", "0 2") + audio + channel)
    assert not offer.wants_face


def test_only_the_first_video_line_that_receives_gets_the_face():
    head, audio, video, channel = sections(CHROMIUM)
    camera = video.replace("a=mid:1", "a=mid:7").replace("a=recvonly", "a=sendonly")
    second = video.replace("a=mid:1", "a=mid:8")
    sdp = head.replace("0 1 2", "0 7 1 8 2") + audio + camera + video + second + channel
    assert [use for _, use in parse_offer(sdp).uses] == ["voice", "unused", "face", "unused"]


def test_a_client_without_a_microphone_may_listen():
    sdp = CHROMIUM.replace("a=sendrecv", "a=recvonly", 1)
    assert parse_offer(sdp).uses[0] == ("audio", "voice")


def test_no_direction_means_both_directions():
    assert "a=sendrecv" in parse_offer(without(CHROMIUM, "a=sendrecv")).sdp


HEAD, AUDIO, VIDEO, CHANNEL = sections(CHROMIUM)
UNANSWERABLE = {
    "malformed": "hello",
    "no media": HEAD,
    "bundle": without(CHROMIUM, "a=group"),
    "bundle ": CHROMIUM.replace("BUNDLE 0 1 2", "BUNDLE 0 1"),
    "ICE credentials": without(CHROMIUM, "a=ice-pwd"),
    "DTLS": without(CHROMIUM, "a=fingerprint"),
    "multiplex RTCP": without(CHROMIUM, "a=rtcp-mux"),
    "no audio line": HEAD.replace("0 1 2", "2") + CHANNEL,
    "receives no audio": CHROMIUM.replace("a=sendrecv", "a=sendonly", 1),
    "no Opus": without(CHROMIUM.replace("opus/48000/2", "speex/16000"), "a=fmtp:111"),
    "neither VP8 nor H.264": CHROMIUM.replace(" VP8/", " VP7/").replace(" H264/", " H263/"),
    "one data channel": HEAD.replace("0 1 2", "0 1 2 3")
    + AUDIO
    + VIDEO
    + CHANNEL
    + CHANNEL.replace("a=mid:2", "a=mid:3"),
    "too long": CHROMIUM + "a=x\r\n" * OFFER_LIMIT_BYTES,
}


@pytest.mark.parametrize("reason", UNANSWERABLE)
def test_an_offer_that_cannot_be_answered_says_why(reason):
    with pytest.raises(SignallingError, match=reason.strip()) as caught:
        parse_offer(UNANSWERABLE[reason])
    assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_offer_is_answered_or_refused_and_never_crashes(data):
    lines = CHROMIUM.splitlines(True)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        cut = data.draw(st.integers(0, len(line)))
        lines[at] = line[:cut] + data.draw(st.sampled_from(["", " ", "\r\n", "a=mid:", "9", "ß:"]))
    with suppress(SignallingError):
        parse_offer("".join(lines))


@given(st.text())
def test_any_text_is_refused_in_one_line(text):
    with pytest.raises(SignallingError) as caught:
        parse_offer(text)
    assert "\n" not in str(caught.value)


CANDIDATE = HOST.removeprefix("a=")


def test_candidates_that_come_after_the_offer_are_read_in_every_spelling():
    lines = [HOST, CANDIDATE, CANDIDATE.removeprefix("candidate:"), f"  {HOST}\r\n"]
    assert [(c.ip, c.port) for c in parse_candidates(lines)] == [("192.0.2.7", 52124)] * 4


def test_late_candidates_that_nobody_can_try_are_left_out():
    tcp = CANDIDATE.replace(" udp ", " tcp ") + " tcptype active"
    local = CANDIDATE.replace("192.0.2.7", "4f0c.local")
    nowhere = CANDIDATE.replace("52124", "0"), CANDIDATE.replace("52124", "65536")
    assert parse_candidates([tcp, local, *nowhere, "", "a=end-of-candidates"]) == []
    assert len(parse_candidates([CANDIDATE] * 99)) == CANDIDATE_LIMIT


@pytest.mark.parametrize("line", ["hello", "candidate:1 1 udp", CANDIDATE.replace("52124", "x")])
def test_a_malformed_late_candidate_is_refused_in_one_line(line):
    with pytest.raises(SignallingError, match=r"^An ICE candidate is malformed;[^\n]*$"):
        parse_candidates([CANDIDATE, line])


@given(st.lists(st.text()))
def test_any_late_candidates_are_read_or_refused(lines):
    with suppress(SignallingError):
        parse_candidates(lines)
