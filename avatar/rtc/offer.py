"""A client's SDP offer, checked and brought into the shape that aiortc answers best."""

import copy
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from aiortc import RTCIceCandidate
from aiortc.rtcsctptransport import RTCSctpCapabilities
from aiortc.sdp import (
    GroupDescription,
    MediaDescription,
    SessionDescription,
    candidate_from_sdp,
)

from speech.errors import SignallingError

OFFER_LIMIT_BYTES = 64 * 1024
"""A browser's offer is 3-10 KiB."""

MEDIA_LIMIT = 16
"""M-lines of an offer; a call has three."""

CANDIDATE_LIMIT = 32
"""Candidates that are tried; each costs checks to an address that the client chose."""

_VIDEO_CODECS = {"video/vp8", "video/h264"}

Use = Literal["voice", "face", "unused"]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client asks for.

    Attributes:
        sdp: The offer for aiortc: one BUNDLE group, the same ICE candidates on every m-line.
        uses: What each audio and video m-line, in order, is used for, with its kind.
        credentials: ICE's user name fragment and password.
    """

    sdp: str
    uses: tuple[tuple[str, Use], ...]
    credentials: tuple[str, str]

    @property
    def wants_face(self) -> bool:
        """Whether there is a video m-line to send the face on."""
        return ("video", "face") in self.uses


def parse_offer(sdp: str) -> Offer:
    """Check an SDP offer.

    Candidates with `.local` names are left out: to resolve them takes a second each and needs
    multicast, and the client's own checks reach us anyway. For the same reason an offer without
    any candidate is good.

    Raises:
        SignallingError: It is malformed, or can't be answered.
    """
    session = _parse(sdp)
    _check_transport(session)
    uses: list[tuple[str, Use]] = []
    for media in session.media:
        media.direction = media.direction or "sendrecv"  # RFC 8866, section 6.7
        if media.kind in ("audio", "video"):
            taken = {use for _, use in uses}
            uses.append((media.kind, _use(media, taken)))
    if ("audio", "voice") not in uses:
        raise SignallingError(_why_no_voice(session))
    _unify_transport(session)
    return Offer(str(session), tuple(uses), _credentials(session))


def _parse(sdp: str) -> SessionDescription:
    if len(sdp) > OFFER_LIMIT_BYTES:
        raise SignallingError("The SDP offer is too long; send a WebRTC offer of under 64 KiB.")
    try:
        if not sdp.startswith("v=0"):
            raise ValueError("not SDP")
        session = SessionDescription.parse(sdp)
        str(session)
    except Exception as error:  # aiortc's parser raises anything on bad input
        raise SignallingError(
            "The SDP offer is malformed; send localDescription.sdp of an RTCPeerConnection."
        ) from error
    if not 0 < len(session.media) <= MEDIA_LIMIT:
        raise SignallingError("The SDP offer has no media; offer an audio line to talk on.")
    return session


def _check_transport(session: SessionDescription) -> None:
    mids = [media.rtp.muxId for media in session.media]
    if "" in mids or len(set(mids)) < len(mids) or set(mids) != set(_bundle(session)):
        raise SignallingError("The SDP offer must bundle all its media (a=group:BUNDLE, a=mid).")
    _credentials(session)
    tagged = _tagged(session)
    if tagged.dtls is None or not tagged.dtls.fingerprints:
        raise SignallingError("The SDP offer lacks a DTLS fingerprint and setup role.")
    if tagged.kind != "application" and not tagged.rtcp_mux:
        raise SignallingError("The SDP offer must multiplex RTCP (a=rtcp-mux).")
    kinds = [media.kind for media in session.media]
    if set(kinds) - {"audio", "video", "application"} or kinds.count("application") > 1:
        raise SignallingError("The SDP offer may have audio, video and one data channel line only.")


def _credentials(session: SessionDescription) -> tuple[str, str]:
    ice = _tagged(session).ice
    if ice is None or not ice.usernameFragment or not ice.password:
        raise SignallingError("The SDP offer lacks ICE credentials (a=ice-ufrag, a=ice-pwd).")
    return ice.usernameFragment, ice.password


def _bundle(session: SessionDescription) -> list[str]:
    """Mids of the BUNDLE group; a single m-line needs none."""
    group = next((group for group in session.group if group.semantic == "BUNDLE"), None)
    if group is not None:
        return [str(mid) for mid in group.items]
    return [media.rtp.muxId for media in session.media[:1]]


def _tagged(session: SessionDescription) -> MediaDescription:
    """The m-line whose transport the whole bundle uses (RFC 9143, section 7.2)."""
    first = _bundle(session)[0]
    return next(media for media in session.media if media.rtp.muxId == first)


def _use(media: MediaDescription, taken: set[Use]) -> Use:
    codecs = {codec.mimeType.lower() for codec in media.rtp.codecs}
    if media.kind == "video" and not codecs & _VIDEO_CODECS:
        raise SignallingError("The SDP offer has a video line with neither VP8 nor H.264.")
    to_us_only = media.direction in ("sendonly", "inactive")
    if media.kind == "audio" and "voice" not in taken and not to_us_only and "audio/opus" in codecs:
        return "voice"
    if media.kind == "video" and "face" not in taken and not to_us_only:
        return "face"
    return "unused"


def _why_no_voice(session: SessionDescription) -> str:
    audio = [media for media in session.media if media.kind == "audio"]
    if not audio:
        return "The SDP offer has no audio line; offer one (sendrecv) to talk on."
    if all(media.direction in ("sendonly", "inactive") for media in audio):
        return "The SDP offer receives no audio; offer the audio line as sendrecv or recvonly."
    return "The SDP offer has no Opus audio, which every WebRTC client must support (RFC 7874)."


def _unify_transport(session: SessionDescription) -> None:
    """Put the bundle's one transport on every m-line: aiortc reads it off whichever comes last.

    End-of-candidates is not passed on, so that ICE goes on waiting for checks from the client, at
    addresses that it did not name (behind a NAT, or with its `.local` names left out).
    """
    tagged = _tagged(session)
    candidates = _usable(tagged.ice_candidates)
    for media in session.media:
        media.ice = copy.copy(tagged.ice)
        media.dtls = copy.deepcopy(tagged.dtls)
        media.ice_candidates = list(candidates)
        media.ice_candidates_complete = False
        media.rtcp_mux = True
        media.rtcp_port = media.rtcp_port or 9  # aiortc writes rtcp-mux only next to a=rtcp
        if media.kind == "application":
            media.sctp_port = media.sctp_port or 5000  # RFC 8841, section 5.2
            media.sctpCapabilities = media.sctpCapabilities or RTCSctpCapabilities(65_536)
    # aiortc builds the transport for its first transceiver and drops that of all others.
    first = next(media for media in session.media if media.kind in ("audio", "video"))
    mids = [media.rtp.muxId for media in session.media]
    mids.sort(key=lambda mid: mid != first.rtp.muxId)
    session.group = [GroupDescription("BUNDLE", list(mids))]


def parse_candidates(lines: Iterable[str]) -> list[RTCIceCandidate]:
    """The candidates that a client names after its offer, as trickle ICE does (RFC 8838).

    What can't be tried is left out, as in an offer: RFC 9725, section 4.3.2 asks for that. An empty
    line, or end-of-candidates, says nothing: ICE goes on waiting for checks from elsewhere.

    Args:
        lines: Each as in `RTCIceCandidate.candidate`, with or without "a=".

    Raises:
        SignallingError: A line is no candidate.
    """
    candidates = []
    for line in lines:
        text = line.strip().removeprefix("a=").removeprefix("candidate:")
        if not text or text == "end-of-candidates":
            continue
        try:
            candidates.append(candidate_from_sdp(text))
        except (AssertionError, IndexError, ValueError) as error:
            raise SignallingError(
                "An ICE candidate is malformed; send RTCIceCandidate.candidate as it is."
            ) from error
    return _usable(candidates)


def _usable(candidates: list[RTCIceCandidate]) -> list[RTCIceCandidate]:
    """Those that aioice can try: UDP, with an address, at most CANDIDATE_LIMIT."""
    return [
        candidate
        for candidate in candidates
        if candidate.protocol.lower() == "udp"
        and _is_address(candidate.ip)
        and 0 < candidate.port < 65_536
    ][:CANDIDATE_LIMIT]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
