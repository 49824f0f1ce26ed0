"""Tells systemd how the service is: sd_notify(3), a datagram to the socket that it names."""

import logging
import os
import socket

_log = logging.getLogger(__name__)


class Systemd:
    """The service manager that started this process; does nothing where there is none."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")

    def tell(self, *states: str) -> None:
        """Send states, as `READY=1`, `WATCHDOG=1`, `STATUS=...`."""
        if not self._address:
            return
        address = self._address
        if address.startswith("@"):  # an abstract socket
            address = "\0" + address[1:]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.setblocking(False)
                channel.sendto("\n".join(states).encode(), address)
        except OSError:
            _log.warning("systemd can't be told", exc_info=True)
