"""The far end's clock: what RTP timestamps mean in seconds, told by RTCP sender reports."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Kind = Literal["audio", "video"]

RTP_RATE_HZ: Mapping[Kind, int] = MappingProxyType({"audio": 48_000, "video": 90_000})
"""RFC 7587 (Opus) and RFC 3551 (video)."""


class SenderClock:
    """Maps RTP timestamps to seconds on the sender's clock, as a browser's lip sync does.

    RFC 3550, 6.4.1: a sender report says which NTP time an RTP timestamp belongs to. The last
    report of each stream counts.
    """

    def __init__(self) -> None:
        self._reports: dict[Kind, tuple[float, int]] = {}

    @property
    def ready(self) -> bool:
        """True once both streams have been reported on."""
        return len(self._reports) == len(RTP_RATE_HZ)

    def knows(self, kind: Kind) -> bool:
        """True once this stream has been reported on."""
        return kind in self._reports

    def report(self, kind: Kind, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """Take in a sender report.

        Args:
            kind: The stream it is about.
            ntp_timestamp: 64-bit NTP: seconds since 1900 in units of 2^-32 s.
            rtp_timestamp: 32-bit RTP timestamp of the same instant.
        """
        self._reports[kind] = (ntp_timestamp / 2**32, rtp_timestamp)

    def seconds(self, kind: Kind, pts: int) -> float | None:
        """When `pts` is due on the sender's clock; None before its stream's first report.

        Args:
            kind: The stream.
            pts: RTP timestamp of a frame, unwrapped or not.
        """
        if kind not in self._reports:
            return None
        ntp_s, reference = self._reports[kind]
        ticks = (pts - reference + 2**31) % 2**32 - 2**31
        return ntp_s + ticks / RTP_RATE_HZ[kind]
