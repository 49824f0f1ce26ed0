"""Fragments of SDP that carry ICE candidates (RFC 8840, section 4.4)."""

from speech.errors import SignallingError


def parse_fragment(text: str) -> tuple[tuple[str, str], list[str]]:
    """The ICE credentials and the candidates of a fragment.

    Args:
        text: As `application/trickle-ice-sdpfrag`.

    Raises:
        SignallingError: It names no credentials.
    """
    lines = [line.strip() for line in text.splitlines()]
    named = {
        name: [line.removeprefix(f"a={name}:") for line in lines if line.startswith(f"a={name}:")]
        for name in ("ice-ufrag", "ice-pwd")
    }
    if not all(named.values()):
        raise SignallingError("The fragment lacks ICE credentials (a=ice-ufrag, a=ice-pwd).")
    candidates = [line for line in lines if line.startswith("a=candidate:")]
    return (named["ice-ufrag"][0], named["ice-pwd"][0]), candidates
