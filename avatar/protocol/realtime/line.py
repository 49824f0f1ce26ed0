"""What carries the sound of a client that has it in its events."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avatar.websocket.microphone import LineMicrophone


class SoundLine(Protocol):
    """A WebSocket, mostly: `avatar.websocket.line.WebSocketLine`.

    Attributes:
        microphone_in: The client's voice.
        on_sound: To be called with every 20 ms of the avatar's: int16, 48 kHz, shape (960,).
    """

    microphone_in: LineMicrophone
    on_sound: Callable[[NDArray[np.int16]], None]
