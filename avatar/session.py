"""One call: a peer, a conversation and a face, in one task group."""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import NoReturn, Self

from avatar.commands import Command, Configure, Farewell, Respond
from avatar.conversation import Conversation
from avatar.dialogue.history import History
from avatar.engines import Engines
from avatar.events import ConversationEvent, ReplyTimed, UserSaid, Watched
from avatar.face.library import face_url
from avatar.face.mode import Wish
from avatar.face.performance import FacePerformance
from avatar.hearing import Hearing
from avatar.heartbeat import Heartbeat
from avatar.listening import Heard
from avatar.media_cost import MediaCost
from avatar.pace import Pace
from avatar.parting import Parting
from avatar.protocol.config import CallConfig
from avatar.protocol.dialect import Doors, FaceFiles, Performance, Speak
from avatar.recording.format import Committed, Header
from avatar.recording.kept import Kept
from avatar.recording.recorder import Recorder
from avatar.resume import Continuation, Return, without_token
from avatar.rtc.clock import MediaClock
from avatar.rtc.peer import Peer
from avatar.rtc.watcher import Show
from avatar.settings import Settings
from avatar.smaller import EitherModel
from avatar.telemetry.turns import Telemetry
from avatar.terms import NEW_CALL, Agreement, Terms, asked, changes
from avatar.tools.toolbox import Toolbox
from avatar.transport import Connect, Transport
from avatar.whep import Audience
from render.types import VideoFrame
from speech.errors import StageError
from speech.types import Language

_log = logging.getLogger(__name__)


class _CallEnded(Exception):
    """Ends a session's task group from within."""


class Session:
    """One call, from answer to hang-up. `run` owns it: everything ends when that does.

    Attributes:
        call_id: Its public name.
        peer: Its transport; there from `answer` on.
        audience: Who watches it.
        ended: Set when the conversation has; the connection may take a moment more to close.
    """

    peer: Transport

    def __init__(
        self,
        call_id: str,
        config: CallConfig,
        speak: Speak,
        engines: Engines,
        settings: Settings,
        telemetry: Telemetry,
        seed: int,
        terms: Terms = NEW_CALL,
    ) -> None:
        self.call_id = call_id
        self.ended = asyncio.Event()
        self._agreed = Agreement(config, terms, seed)
        self._return = Return(terms.continues is not None, terms.heard_from)
        self._parting = Parting(self._tell, lambda: self._conversation.send(Farewell()))
        language: Language = config.language or settings.listening.language
        self._telemetry = telemetry.of_call(call_id)
        self._hung_up = asyncio.Event()
        self._heart = Heartbeat()
        self._kept = Kept(
            lambda: self._conversation.playout.position,
            lambda: self._dialect.show_session(),
            self._agreed,
        )
        self.audience = Audience(
            settings.watching.max_watchers,
            lambda n: self._tell(Watched(n)),
            settings.rtc,
            allowed=terms.continues is None or terms.continues.allows_watching,
        )
        self._dialect = speak(self._doors(config, terms, language, settings))
        self._pace = Pace(
            telemetry.recent,
            ("smaller_face", "smaller_model") if engines.smaller_model else ("smaller_face",),
            applies=lambda relief: relief != "smaller_face" or self._face.control.can_show_less,
            has_opened=terms.continues is not None and terms.continues.has_opened,
        )
        self._llm = engines.language_model()
        if smaller := engines.smaller_model:
            wants_smaller = partial(self._pace.has_in_force, "smaller_model")
            self._llm = EitherModel(self._llm, smaller(), wants_smaller)
        self._history = History(settings.llm.context_tokens, settings.llm.max_reply_tokens)
        self._conversation = Conversation(
            llm=self._llm,
            voices=engines.voices,
            apologies=engines.apologies,
            persona=engines.persona,
            history=self._history,
            language=language,
            emit=self._tell,
            pace=self._pace,
            openers=engines.openers,
            toolbox=Toolbox(engines.tools),
            covers=engines.covers,
            client_tool_s=settings.tools.client_timeout_s,
        )
        self._hearing = Hearing(
            engines, settings.listening, language, self._conversation, self._heard
        )
        self._clock = MediaClock()
        self._face = FacePerformance(
            engines,
            settings.face,
            seed,
            self._conversation,
            self._clock,
            peer=lambda: self.peer,
            tell=lambda shown, reason, fps: self._dialect.show(shown.mode, reason, fps),
            failed=self._face_failed,
        )
        if terms.continues is not None:
            self._history.remember(terms.continues.messages)
        if changes(asked(config)):
            self._obey(asked(config))

    @classmethod
    async def answer(
        cls,
        call_id: str,
        offer_sdp: str,
        config: CallConfig,
        speak: Speak,
        engines: Engines,
        settings: Settings,
        telemetry: Telemetry,
        terms: Terms = NEW_CALL,
    ) -> Self:
        """Answer a client's offer.

        Args:
            call_id: Its public name.
            offer_sdp: The offer.
            config: What the client asks for.
            speak: Makes the dialect of its events.
            engines: The stages.
            settings: The server's.
            telemetry: Told what every answer was like.
            terms: On which the call is held.

        Raises:
            SignallingError: The offer can't be answered.
        """
        seed = terms.continues.seed if terms.continues else secrets.randbits(32)
        session = cls(call_id, config, speak, engines, settings, telemetry, seed, terms)
        try:
            session.peer = await Peer.answer(
                offer_sdp,
                audio=session._conversation.playout,
                video=session._face.video.frames(),
                clock=session._clock,
                settings=settings.rtc,
                poses_changed=session._face.control.channel_changed,
            )
        except BaseException:
            await session._llm.close()
            raise
        session.record_if_agreed(settings)
        return session

    @classmethod
    def over(
        cls,
        connect: Connect,
        call_id: str,
        config: CallConfig,
        speak: Speak,
        engines: Engines,
        settings: Settings,
        telemetry: Telemetry,
        seed: int,
        terms: Terms = NEW_CALL,
    ) -> Self:
        """A call over another transport than WebRTC.

        Args:
            connect: Makes the transport.
            call_id: Its public name.
            config: What the client asks for.
            speak: Makes the dialect of its messages.
            engines: The stages.
            settings: The server's.
            telemetry: Told what every answer was like.
            seed: Of the face's movement.
            terms: On which the call is held.
        """
        session = cls(call_id, config, speak, engines, settings, telemetry, seed, terms)
        session.peer = connect(
            session._conversation.playout, session._face.video.frames(), session._clock
        )
        return session

    def new_frames(self) -> AsyncGenerator[VideoFrame, None]:
        """Pictures of the face, for a transport that begins to take them during the call."""
        return self._face.video.frames()

    def transport_changed(self) -> None:
        """Find out anew whether the client takes video: its transport has changed."""
        self._face.control.channel_changed()

    def _doors(
        self, config: CallConfig, terms: Terms, language: Language, settings: Settings
    ) -> Doors:
        """What the dialect may know and do."""
        return Doors(
            call_id=self.call_id,
            language=language,
            instructions=config.instructions or "",
            face=FaceFiles(Path(settings.face.name).name, face_url(settings.face.name)),
            send=lambda message: self.peer.send(message),
            command=self._obey,
            forget=lambda: self._hearing.listener.forget(),
            commit=self._commit,
            submit=lambda pcm, item_id: self._hearing.listener.submit(pcm, item_id),
            pinged=self._heart.beat,
            show_face=lambda mode, automatic, reason: self._face.control.ask(
                Wish(mode, automatic), reason
            ),
            recorded=lambda: self._kept.is_recorded,
            agree=self._kept.agree,
            withdraw=self._kept.withdraw,
            note=lambda source, message: self._kept.note(source, without_token(message)),
            hang_up=self.hang_up,
            forbid_watching=self.audience.forbid,
            shows_watchers=self.audience.be_shown,
            farewell=self._return.leave_word,
            resume=terms.new_token,
            resumed=terms.continues is not None,
            performance=Performance(
                position=lambda: self._conversation.playout.position,
                begun=lambda: self._conversation.playout.begun,
                pose=lambda sample: self._face.movement.pose_at(sample),
            ),
        )

    @property
    def answer_sdp(self) -> str:
        """The answer to the client's offer."""
        return self.peer.answer_sdp

    def record_if_agreed(self, settings: Settings, *, may_yet: bool = False) -> None:
        """Record the call, if operator and person agree; they `may_yet`, until anything is said."""
        video = self.peer.takes_video
        self._kept.start_if_agreed(self.call_id, settings, takes_video=video, may_yet=may_yet)

    def record(self, root: Path, about: Header) -> Recorder:
        """Record the call from now on, below `root`.

        Raises:
            OSError: That is not possible; the call can go on unrecorded.
        """
        return self._kept.start(root, about)

    def cost(self) -> MediaCost:
        """What the call's video has cost so far."""
        return self._face.cost()

    def hang_up(self, *, for_good: bool = True) -> None:
        """End the call; `run` returns soon after.

        Args:
            for_good: Whether nobody will go on with it.
        """
        self._return.hang_up(for_good=for_good)
        self._hung_up.set()

    @property
    def may_come_back(self) -> bool:
        """Whether the client may be back for the call."""
        return self._return.is_likely(watches=self._heart.has_begun)

    def left(self) -> Continuation:
        """What another call can go on with."""
        return self._agreed.left(
            self._history,
            self._conversation.language,
            self._kept.recordings,
            allows_watching=self.audience.allowed,
            has_opened=self._pace.has_opened,
            is_known=self._return.is_known,
        )

    async def run(self) -> None:
        """Hold the call until the client goes or `hang_up` is called."""
        try:
            async with asyncio.TaskGroup() as tasks:
                listening = self._hearing.run(self.peer.microphone(), self._kept.hear)
                tasks.create_task(listening, name="listener")
                tasks.create_task(self._conversation.run(), name="conversation")
                tasks.create_task(self._client_events(), name="client-events")
                tasks.create_task(self._heartbeat(), name="heartbeat")
                tasks.create_task(self._face.run(), name="face")
                tasks.create_task(self.audience.run(self._show), name="audience")
                tasks.create_task(self._end_when(self._hung_up), name="hang-up")
                tasks.create_task(self._keep_to_time(), name="parting")
                tasks.create_task(self._end_when(self.peer.closed), name="peer-closed")
        except* _CallEnded:
            pass
        finally:
            self.ended.set()
            if self._return.farewell and self._return.is_done:
                self.peer.send(self._return.farewell)
            try:
                await self.peer.close()
            finally:  # a model's place that is not given back is lost to all calls to come
                self._kept.close()
                await self._llm.close()

    async def _client_events(self) -> None:
        self._dialect.open()
        async for message in self.peer.events_in():
            if self._return.hear() and self._agreed.owes_reply:
                self._conversation.send(Respond())  # not before: to nobody, tools would run
            self._dialect.receive(message)
            await self._conversation.keep_up()

    async def _keep_to_time(self) -> None:
        if self._agreed.terms.lasts_s:
            await self._parting.run(self._agreed.terms.lasts_s)
            self.hang_up()

    async def _end_when(self, event: asyncio.Event) -> None:
        await event.wait()
        self._end()

    def _end(self) -> NoReturn:
        self._kept.end(self._history.messages)
        raise _CallEnded

    async def _heartbeat(self) -> None:
        await self._heart.stopped()
        _log.info("the client stopped pinging", extra={"call_id": self.call_id})
        self._end()

    def _show(self) -> Show | None:
        return self.peer.show() if isinstance(self.peer, Peer) else None

    def _obey(self, command: Command) -> None:
        if isinstance(command, Configure):
            command = self._allowed(command)
            self._hearing.change(command.language, command.turn_taking)
        self._conversation.send(command)

    def _allowed(self, wanted: Configure) -> Configure:
        """What is wanted, without what this caller can't change; the rest is remembered."""
        allowed, refused = self._agreed.change(wanted)
        for name in refused:
            self._dialect.fail(
                "session_fixed",
                f"The {name} of this call can't be changed: its client secret says what they are.",
            )
        return allowed

    def _commit(self, at_sample: int | None) -> None:
        if at_sample is not None:
            self._kept.note("session", Committed(at_sample))
        self._hearing.listener.commit(at_sample)

    def _heard(self, event: Heard) -> None:
        self._kept.note("listener", event)
        self._conversation.send(event)

    def _tell(self, event: ConversationEvent) -> None:
        self._kept.note("conversation", event)
        self._dialect.tell(event)
        self._parting.note(event)
        self._telemetry(event)
        if isinstance(event, UserSaid) and event.is_backchannel:
            self._hearing.listener.unhear(event.start_sample)
        if isinstance(event, ReplyTimed):
            self._face.control.relieve(self._pace.has_in_force("smaller_face"))

    def _face_failed(self, error: StageError) -> None:
        self._dialect.fail(
            "face_failed", f"The face can't be drawn at the moment ({error}). The call goes on."
        )
