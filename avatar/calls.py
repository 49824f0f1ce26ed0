"""All calls of this server: admission, life and end."""

import asyncio
import logging
import secrets
from dataclasses import dataclass, field

from avatar.engines import Engines
from avatar.events import new_id
from avatar.protocol.config import CallConfig
from avatar.protocol.dialect import Speak
from avatar.session import Connect, MediaCost, Session
from avatar.settings import Settings
from avatar.telemetry.turns import Telemetry
from speech.errors import ServerFullError

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Calls:
    """The calls under way, each a task of `tasks`.

    Attributes:
        tasks: Owns the calls' tasks; ends when the server does.
        telemetry: Told what every conversation's answers were like.
    """

    settings: Settings
    engines: Engines
    tasks: asyncio.TaskGroup
    telemetry: Telemetry = field(default_factory=Telemetry)
    _sessions: dict[str, Session] = field(default_factory=dict)
    _places_taken: int = 0
    _spent: MediaCost = field(default_factory=MediaCost)

    def __len__(self) -> int:
        return self._places_taken

    async def start(self, offer_sdp: str, config: CallConfig, speak: Speak) -> tuple[str, str]:
        """Answer a WebRTC offer and begin its call.

        Args:
            offer_sdp: The offer.
            config: What the caller asks for.
            speak: Makes the dialect that the caller speaks.

        Returns:
            The call's id and the answer SDP.

        Raises:
            ServerFullError: Every place is taken.
            SignallingError: The offer can't be answered.
        """
        self._take_place(config)  # before anything is awaited, or two callers get one place
        try:
            session = await Session.answer(
                new_id("rtc"), offer_sdp, config, speak, self.engines, self.settings, self.telemetry
            )
        except BaseException:
            self._places_taken -= 1
            raise
        self._begin(session)
        return session.call_id, session.answer_sdp

    def hold(self, connect: Connect, config: CallConfig, speak: Speak) -> Session:
        """Begin a call over another transport than WebRTC; it ends when that closes.

        Args:
            connect: Makes the transport.
            config: What the caller asks for.
            speak: Makes the dialect that the caller speaks.

        Raises:
            ServerFullError: Every place is taken.
        """
        self._take_place(config)
        try:
            session = Session.over(
                connect,
                new_id("rtc"),
                config,
                speak,
                self.engines,
                self.settings,
                self.telemetry,
                secrets.randbits(32),
            )
        except BaseException:
            self._places_taken -= 1
            raise
        self._begin(session)
        return session

    def hang_up(self, call_id: str) -> bool:
        """End a call; False if there is none of that name."""
        session = self._sessions.get(call_id)
        if session is None:
            return False
        session.hang_up()
        return True

    def hang_up_all(self) -> None:
        """End every call."""
        for session in self._sessions.values():
            session.hang_up()

    def cost(self) -> MediaCost:
        """What the media of all calls, ended ones included, have cost so far."""
        return sum((s.cost() for s in self._sessions.values()), self._spent)

    def _take_place(self, config: CallConfig) -> None:
        if self._places_taken >= self.settings.server.max_calls:
            language = config.language or self.settings.listening.language
            raise ServerFullError(self.engines.persona.busy[language])
        self._places_taken += 1

    def _begin(self, session: Session) -> None:
        self._sessions[session.call_id] = session
        self.tasks.create_task(self._hold(session), name=session.call_id)

    async def _hold(self, session: Session) -> None:
        try:
            await session.run()
        except Exception:  # noqa: BLE001 - a session's failure ends the session, not the server
            _log.exception("call failed", extra={"call_id": session.call_id})
        finally:
            self._spent += session.cost()
            del self._sessions[session.call_id]
            self._places_taken -= 1
