"""All calls of this server: admission, life and end, and what is left of those that were lost."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from avatar.access.caller import BY_KEY, Caller
from avatar.access.places import Place, Places
from avatar.engines import Engines
from avatar.events import new_id
from avatar.freeing import free_soon
from avatar.media_cost import MediaCost
from avatar.protocol.config import CallConfig
from avatar.protocol.dialect import Speak
from avatar.resume import KEEP_PLACE_S, OPEN, Continuation, ResumeToken, Tokens
from avatar.rtc.peer import Peer
from avatar.session import Session
from avatar.settings import Settings
from avatar.telemetry.turns import Telemetry
from avatar.terms import Terms, narrowed
from avatar.transport import Connect
from avatar.whep import Audience
from speech.errors import CallLimitError, ResumeExpiredError, ServerFullError

_log = logging.getLogger(__name__)

NOBODY = Caller()

_FORGOTTEN = "This conversation is over and forgotten. Begin a new one, without a resume token."
_CLAIMED_WAIT_S = 1.0
_MAX_FORMER = 16  # of many attempts in vain; a client surely knows the oldest
_LEAST_S = 5.0  # what is left of a call that was lost in its last moments


@dataclass(frozen=True, slots=True)
class Entry:
    """A caller who is let in, and not yet answered.

    Attributes:
        call_id: Of the call to come.
        place: That it has.
        owner: Whose call it will be.
        config: What it begins with.
        terms: On which it is held.
        old_id: Of the call that it goes on with; empty for a new conversation.
        let_go: Set when that is hung up meanwhile: nothing of it may go on.
    """

    call_id: str
    place: Place
    owner: str
    config: CallConfig
    terms: Terms
    old_id: str = ""
    let_go: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Held:
    """A call, or what is left of one whose client may come back for it.

    Attributes:
        owner: Whose it is.
        place: That it has; None once it was given back or passed on.
        session: None once it is over.
        left: Once it is over, what another call can go on with.
        is_claimed: Whether somebody is about to go on with it. They may yet fail.
        keeps_place: Whether its place is kept for whoever goes on with it.
        let_go: Set when nobody will, any more.
        former: Those that it goes on with, by which alone its client may know it.
    """

    owner: str
    place: Place | None
    session: Session | None
    former: tuple[str, ...] = ()
    left: Continuation | None = None
    is_claimed: bool = False
    keeps_place: bool = True
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def end(self) -> Continuation:
        """End it, if it is not over; what is left of it."""
        if self.session is not None:
            session = self.session
            session.hang_up(for_good=False)  # somebody goes on with it: nobody says goodbye
            await session.ended.wait()
            return session.left()
        assert self.left is not None
        return self.left

    def put_back(self, place: Place) -> bool:
        """Whoever claimed it failed; False if it has no use for its place any more."""
        self.is_claimed = False
        if self.let_go.is_set() or not self.keeps_place:
            return False
        self.place = place
        return True


@dataclass(slots=True)
class Calls:
    """The calls under way, each a task of `tasks`.

    Attributes:
        tasks: Owns the calls' tasks; ends when the server does.
        telemetry: Told what every conversation's answers were like.
        places: That calls take, and the line for them.
    """

    settings: Settings
    engines: Engines
    tasks: asyncio.TaskGroup
    telemetry: Telemetry = field(default_factory=Telemetry)
    places: Places = field(init=False)
    _held: dict[str, _Held] = field(default_factory=dict)
    _tokens: Tokens = field(default_factory=Tokens)
    _spent: MediaCost = field(default_factory=MediaCost)

    def __post_init__(self) -> None:
        self.places = Places(self.settings, lambda: asyncio.get_running_loop().time())

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, call_id: object) -> bool:
        """Whether a call of that name is under way, or can be gone on with."""
        return call_id in self._held

    async def start(
        self, offer_sdp: str, config: CallConfig, speak: Speak, caller: Caller = NOBODY
    ) -> tuple[str, str]:
        """Answer a WebRTC offer and begin its call.

        Args:
            offer_sdp: The offer.
            config: What the caller asks for.
            speak: Makes the dialect that the caller speaks.
            caller: Who calls, and whether to go on with a call that was lost.

        Returns:
            The call's id and the answer SDP.

        Raises:
            CallLimitError: The caller has, or begins, too many calls.
            ServerFullError: No place is free for them yet.
            TicketError: They wait in line no more.
            ResumeExpiredError: The call that they go on with is not there any more.
            SignallingError: The offer can't be answered.
        """
        entry = await self.enter(config, caller)
        try:
            session = await Session.answer(
                entry.call_id,
                offer_sdp,
                entry.config,
                speak,
                self.engines,
                self.settings,
                self.telemetry,
                entry.terms,
            )
        except BaseException:
            self.turn_away(entry)
            raise
        if not self._begin(session, entry):
            raise ResumeExpiredError(_FORGOTTEN)
        return session.call_id, session.answer_sdp

    def hold(
        self, connect: Connect, config: CallConfig, speak: Speak, entry: Entry | None = None
    ) -> Session:
        """Begin a call over another transport than WebRTC; it ends when that closes.

        Args:
            connect: Makes the transport.
            config: What the caller asks for; if there is no `entry`.
            speak: Makes the dialect that the caller speaks.
            entry: Of the caller, from `enter`.

        Raises:
            ServerFullError: Every place is taken.
        """
        entry = entry or self._enter(config, NOBODY)
        seed = secrets.randbits(32)
        try:
            session = Session.over(
                connect,
                entry.call_id,
                entry.config,
                speak,
                self.engines,
                self.settings,
                self.telemetry,
                entry.terms.continues.seed if entry.terms.continues else seed,
                entry.terms,
            )
        except BaseException:
            self.turn_away(entry)
            raise
        session.record_if_agreed(self.settings, may_yet=True)  # there was no form to say so in
        self._begin(session, entry)
        return session

    async def enter(self, config: CallConfig, caller: Caller) -> Entry:
        """Let a caller in: as `start` does, and with its errors.

        Whoever has an entry begins a call with it, or else gives it to `turn_away`.
        """
        if caller.resume_token:
            return await self._go_on(config, caller)
        return self._enter(config, caller)

    def turn_away(self, entry: Entry) -> None:
        """Give back the place of a call that did not begin; what it would go on with is kept."""
        self._tokens.forget(entry.call_id)
        self._put_back(self._held.get(entry.old_id), entry.place)

    def _put_back(self, held: _Held | None, place: Place) -> None:
        if held is None or not held.put_back(place):
            self.places.release(place)

    def connection(self, call_id: str) -> Peer | None:
        """The WebRTC connection of a call; None if there is no such call, or it has none."""
        held = self._held.get(call_id)
        peer = held.session.peer if held is not None and held.session is not None else None
        return peer if isinstance(peer, Peer) else None

    def audience(self, call_id: str) -> Audience | None:
        """Who watches a call; None if there is no such call."""
        held = self._held.get(call_id)
        return held.session.audience if held is not None and held.session is not None else None

    @property
    def under_way(self) -> tuple[str, ...]:
        """The names of the calls that are held now, the oldest first."""
        return tuple(name for name, held in self._held.items() if held.session is not None)

    def hang_up(self, call_id: str, *, for_good: bool = True) -> bool:
        """End a call; False if there is none of that name.

        Args:
            call_id: Its name.
            for_good: Nobody will go on with it: everything of it is forgotten at once, and what
                has gone on with it unknown to its client.
        """
        if for_good:
            heirs = (name for name, held in self._held.items() if call_id in held.former)
            call_id = next(heirs, call_id)
        held = self._held.get(call_id)
        if held is None:
            return False
        if for_good:
            held.let_go.set()
            self._tokens.forget(call_id)
        if held.session is not None:
            held.session.hang_up(for_good=for_good)
        return True

    def hang_up_all(self, owner: str | None = None) -> None:
        """End every call, and forget what was left of those that were lost.

        Args:
            owner: Only those of this caller.
        """
        for call_id, held in tuple(self._held.items()):
            if owner is None or held.owner == owner:
                self.hang_up(call_id)

    def cost(self) -> MediaCost:
        """What the media of all calls, ended ones included, have cost so far."""
        sessions = (held.session for held in self._held.values())
        return sum((s.cost() for s in sessions if s is not None), self._spent)

    def _enter(self, config: CallConfig, caller: Caller) -> Entry:
        # The place first, before anything is awaited, or two callers get one.
        place = self._take_place(config, caller)
        fixed = caller.secret.fixed if caller.secret else OPEN
        call_id = new_id("rtc")
        terms = self._terms(call_id, None, fixed, self.settings.access.max_call_s)
        return Entry(call_id, place, caller.owner, narrowed(config, fixed), terms)

    async def _go_on(self, config: CallConfig, caller: Caller) -> Entry:
        old_id = self._tokens.call(caller.resume_token) or ""
        held = self._held.get(old_id)
        if held is None or held.let_go.is_set() or _is_anothers(held, caller):
            raise ResumeExpiredError(_FORGOTTEN)
        if held.is_claimed:
            raise CallLimitError(
                "Somebody is about to go on with this conversation. Try again.", _CLAIMED_WAIT_S
            )
        place, held.place = held.place or self._take_place(config, caller), None
        held.is_claimed = True  # before anything is awaited, or two go on with one call
        try:
            continues = await held.end()
        except BaseException:
            self._put_back(held, place)
            raise
        fixed = caller.secret.fixed if caller.secret else OPEN
        fixed = narrowed(continues.fixed, fixed)
        config = narrowed(continues.asked_again(config), fixed)
        call_id = new_id("rtc")
        longest_s = self.settings.access.max_call_s
        left_s = max(_LEAST_S, longest_s - continues.lasted_s) if longest_s else 0.0
        terms = self._terms(call_id, continues, fixed, left_s)
        return Entry(call_id, place, held.owner, config, terms, old_id, held.let_go)

    def _terms(
        self, call_id: str, continues: Continuation | None, fixed: CallConfig, lasts_s: float
    ) -> Terms:
        heard_from = partial(self._settle, call_id)
        return Terms(continues, fixed, self._maker(call_id), lasts_s, heard_from)

    def _settle(self, call_id: str) -> None:
        """A call's client surely knows its name and its token."""
        self._tokens.settle(call_id)
        self._held[call_id].former = ()

    def _take_place(self, config: CallConfig, caller: Caller) -> Place:
        self.places.count(caller)
        try:
            return self.places.take(caller)
        except ServerFullError as error:
            language = config.language or self.settings.listening.language
            raise ServerFullError(self.engines.persona.busy[language]) from error

    def _maker(self, call_id: str) -> Callable[[], ResumeToken | None]:
        lasts_s = self.settings.access.resume_s
        if not lasts_s:
            return lambda: None
        return lambda: ResumeToken(self._tokens.make(call_id), lasts_s)

    def _begin(self, session: Session, entry: Entry) -> bool:
        """Hold a call; False if it ends at once, what it goes on with having been hung up."""
        is_over = entry.let_go.is_set()
        old = self._held.get(entry.old_id)
        former: tuple[str, ...] = ()
        if old is not None:
            old.let_go.set()
            former = (*old.former, entry.old_id)[:_MAX_FORMER]
            self._tokens.pass_on(entry.old_id, entry.call_id)
        held = _Held(entry.owner, entry.place, session, former)
        self._held[session.call_id] = held
        call = self.tasks.create_task(self._hold(session, held), name=session.call_id)
        call.add_done_callback(free_soon)
        if is_over:
            self.hang_up(session.call_id)
        return not is_over

    async def _hold(self, session: Session, held: _Held) -> None:
        call_id = session.call_id
        try:
            try:
                await session.run()
            except Exception:  # noqa: BLE001 - a session's failure ends the session, not the server
                _log.exception("call failed", extra={"call_id": call_id})
            finally:
                self._spent += session.cost()
                held.session, held.left = None, session.left()
            if session.may_come_back:
                del session  # what is left is small; the session is not
                await self._keep(held)
        finally:
            self._tokens.forget(call_id)
            del self._held[call_id]
            if held.place is not None:
                self.places.release(held.place)

    async def _keep(self, held: _Held) -> None:
        """Keep what is left of a call, and its place for a while, for whoever comes back."""
        lasts_s = self.settings.access.resume_s
        keeps_place_s = min(KEEP_PLACE_S, lasts_s)
        await _elapsed(held.let_go, keeps_place_s)
        held.keeps_place = False
        if held.place is not None and not held.let_go.is_set():
            self.places.release(held.place)
            held.place = None
        await _elapsed(held.let_go, lasts_s - keeps_place_s)


def _is_anothers(held: _Held, caller: Caller) -> bool:
    """Whether a call was begun with another key. An address may change with the network."""
    return held.owner.startswith(BY_KEY) and held.owner != caller.owner


async def _elapsed(event: asyncio.Event, limit_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await event.wait()
