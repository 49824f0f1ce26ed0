"""Everything that can be configured, its default, and where it is read from.

Order, first wins: environment (`PRESENCIA_SERVER__PORT=9000`), the TOML file named by
`PRESENCIA_CONFIG` or `--config` (else `presencia.toml` here, if there is one), the defaults below.
"""

import contextlib
import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from avatar.access.settings import AccessSettings
from avatar.cores import usable_cores
from avatar.kiosk.settings import KioskSettings
from avatar.setting_values import HttpUrl, RelayUrl, Text, TurnUrl, UserPath
from speech.errors import ConfigError
from speech.types import Language

ENV_PREFIX = "PRESENCIA_"
_LONGEST_SILENCE_MS = 10_000  # whoever waits for an answer for longer hangs up
_NOT_SETTINGS = {"PRESENCIA_CONFIG", "PRESENCIA_CACHE", "PRESENCIA_MODELS"}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ServerSettings(_Section):
    """The HTTP server."""

    host: Text = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535, description="0 picks a free port")
    max_calls: int = Field(2, ge=1, description="further callers hear that all places are taken")
    tls_certificate: UserPath | None = Field(None, description="PEM file; then it serves https")
    tls_key: UserPath | None = Field(None, description="PEM file, of the certificate")


class IceServer(_Section):
    """One STUN or TURN server, as RTCIceServer in WebRTC."""

    urls: list[RelayUrl] = Field(min_length=1)
    username: str | None = None
    credential: SecretStr | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "IceServer":
        relays = any(url.startswith("turn") for url in self.urls)
        if relays and not (self.username and self.credential):
            raise ValueError("a turn: URL needs username and credential: browsers refuse it else")
        return self


class TurnSettings(_Section):
    """A TURN server of your own, with credentials that are made for each call (docs/network.md)."""

    urls: list[TurnUrl] = Field([], description="as 'turn:turn.example.org:3478?transport=udp'")
    secret: SecretStr = Field(SecretStr(""), description="shared with the TURN server")
    lifetime_s: int = Field(
        86_400, ge=60, description="a call that begins later needs credentials made later"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> "TurnSettings":
        if self.urls and not self.secret.get_secret_value():
            raise ValueError("urls need the secret that `presencia turn setup` prints")
        return self


class RtcSettings(_Section):
    """WebRTC."""

    ice_servers: list[IceServer] = []
    turn: TurnSettings = TurnSettings()
    video_bitrate_bps: int = Field(1_000_000, ge=100_000, le=8_000_000)
    offer_loopback: bool = Field(
        False, description="also offer 127.0.0.1 as a candidate: for tests on an isolated machine"
    )


class RecognizerChoice(_Section):
    """The recogniser of each language."""

    en: Literal["moonshine", "whisper"] = "moonshine"
    es: Literal["whisper"] = "whisper"


class ListeningSettings(_Section):
    """VAD, endpointing and recognition."""

    language: Language = Field("en", description="of a call whose client names none")
    recognizer: RecognizerChoice = RecognizerChoice()
    end_silence_ms: int = Field(
        280, ge=100, le=_LONGEST_SILENCE_MS, description="ends a turn that sounds finished"
    )
    patient_silence_ms: int = Field(
        1100, ge=200, le=_LONGEST_SILENCE_MS, description="ends a turn that does not"
    )
    dictation_silence_ms: int = Field(
        1500,
        ge=200,
        le=_LONGEST_SILENCE_MS,
        description="ends one that dictates a number or an address, or lacks a word",
    )
    judge_words: bool = Field(
        True, description="weigh by the words, too, whether a turn is over; loads smollm2-135m"
    )
    remove_echo: bool = Field(
        True, description="take the avatar's own voice out of the microphone, where it comes back"
    )
    barge_in_ms: int = Field(
        96, ge=60, le=_LONGEST_SILENCE_MS, description="of speech over the avatar stop it"
    )


def _threads() -> int:
    """So many that the call has cores of its own; more would wait for each other and for memory."""
    return min(4, max(1, usable_cores() // 2))


class LlmSettings(_Section):
    """The language model: embedded, or any OpenAI-compatible endpoint."""

    backend: Literal["embedded", "openai"] = "embedded"
    model: Text = Field("qwen2.5-coder-0.5b", description="manifest name, or the endpoint's name")
    smaller_model: str = Field(
        "", description="of the same backend; answers while the usual one is late (docs/latency.md)"
    )
    base_url: HttpUrl = Field("", description="as 'http://127.0.0.1:8000/v1', for backend 'openai'")
    api_key: SecretStr = SecretStr("")
    threads: int = Field(
        default_factory=_threads,
        ge=1,
        le=256,
        description="for computing; by default half of the cores, four at most",
    )
    context_tokens: int = Field(4096, ge=512, le=131_072)
    max_reply_tokens: int = Field(160, ge=16)
    temperature: float = Field(
        0, ge=0, le=2, description="above 0 a small model forgets that it is no human"
    )
    timeout_s: float = Field(20, gt=0, description="to the first token")

    @model_validator(mode="after")
    def _fits(self) -> "LlmSettings":
        if self.backend == "openai" and not self.base_url:
            raise ValueError("backend 'openai' needs base_url, as 'http://127.0.0.1:8000/v1'")
        if 2 * self.max_reply_tokens > self.context_tokens:
            raise ValueError("max_reply_tokens may be half of context_tokens: lower it")
        return self


class VoiceChoice(_Section):
    """The voice of each language."""

    en: Literal["hibari"] = "hibari"
    es: Literal["kokoro"] = "kokoro"


class VoiceSettings(_Section):
    """Speech synthesis."""

    voice: VoiceChoice = VoiceChoice()
    speed: float = Field(1.0, ge=0.5, le=2)


class FaceSettings(_Section):
    """The face and its video."""

    name: Text = Field("elena", description="folder under models/faces, or a path to one")
    width: int = Field(512, ge=128, le=1920, multiple_of=16)
    height: int = Field(512, ge=128, le=1080, multiple_of=16)
    speaking_fps: Literal[25, 30, 50] = 25
    idle_fps: Literal[10, 12, 15, 25] = 15


class RecordingSettings(_Section):
    """Recording calls to files, for replays (docs/replay.md)."""

    enabled: bool = Field(False, description="record the calls whose person has agreed to it")
    folder: Path = Field(
        Path("~/.local/share/presencia/recordings"), description="readable by this user alone"
    )
    keep_days: int = Field(30, ge=1, description="recordings are deleted when they are older")

    @property
    def root(self) -> Path:
        """`folder`, with `~` resolved."""
        return self.folder.expanduser()


class McpServer(_Section):
    """One MCP server: a command that is started here, or a URL (docs/tools.md)."""

    command: list[str] = Field([], description="program and arguments, for stdio; no shell")
    env: dict[str, str] = Field({}, description="variables for the command")
    pass_env: list[str] = Field([], description="variables of ours that it gets too, as secrets")
    url: HttpUrl = Field("", description="of a streamable HTTP server, as 'https://host/mcp'")
    headers: dict[str, SecretStr] = Field({}, description="sent to the URL, as Authorization")
    only: list[str] = Field([], description="of its tools; empty takes all")
    timeout_s: float = Field(15, gt=0, description="of a call")
    max_result_chars: int = Field(4000, ge=100, description="of a result; the rest is cut off")

    @model_validator(mode="after")
    def _is_one_kind(self) -> "McpServer":
        if bool(self.command) == bool(self.url):
            raise ValueError("give either a command or a url")
        return self


class ToolSettings(_Section):
    """What the avatar can do beside talking."""

    mcp: dict[Annotated[str, StringConstraints(pattern="^[a-z0-9-]{1,24}$")], McpServer] = Field(
        {}, description="MCP servers, by name"
    )
    client_timeout_s: float = Field(30, gt=0, description="for the client to run a tool of its own")


class WatchingSettings(_Section):
    """Letting others watch the avatar in a call, by WHEP (docs/whep.md)."""

    enabled: bool = Field(False, description="the person in the call is told, and may refuse")
    max_watchers: int = Field(3, ge=1, le=20, description="of one call")


class TelemetrySettings(_Section):
    """What is told about the calls to those who run the server; never words."""

    otlp_endpoint: HttpUrl = Field(
        "", description="OpenTelemetry collector, as 'http://127.0.0.1:4318'; needs presencia[otel]"
    )


class Settings(_Section):
    """All settings. Immutable; made by `load`."""

    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    rtc: RtcSettings = RtcSettings()
    listening: ListeningSettings = ListeningSettings()
    llm: LlmSettings = Field(default_factory=LlmSettings)
    voice: VoiceSettings = VoiceSettings()
    face: FaceSettings = FaceSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    recording: RecordingSettings = RecordingSettings()
    watching: WatchingSettings = WatchingSettings()
    kiosk: KioskSettings = KioskSettings()
    tools: ToolSettings = ToolSettings()
    persona: Text = Field("default", description="file in avatar/dialogue/personas, or a path")

    @model_validator(mode="after")
    def _has_place_for_the_kiosk(self) -> "Settings":
        if self.kiosk.enabled and self.server.max_calls < 2:
            raise ValueError("server.max_calls must be 2 or more: the kiosk's idling face has one")
        return self


def load(config: Path | None = None, environ: dict[str, str] | None = None) -> Settings:
    """Read the settings.

    Args:
        config: A TOML file; None means `PRESENCIA_CONFIG`, else `presencia.toml` if it exists.
        environ: Defaults to the process's environment.

    Raises:
        ConfigError: A file is missing or malformed, or a name or value is not known.
    """
    env = dict(os.environ) if environ is None else environ
    path = config or (Path(env["PRESENCIA_CONFIG"]) if "PRESENCIA_CONFIG" in env else None)
    if path is None and Path("presencia.toml").is_file():
        path = Path("presencia.toml")
    tree: dict[str, object] = {}
    if path is not None:
        try:
            tree = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise ConfigError(f"Can't read {path}: {error.strerror}. Check --config.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from error
    for name in sorted(env):
        if name.startswith(ENV_PREFIX) and name not in _NOT_SETTINGS:
            _insert(tree, name, env[name])
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_explain(error, path)) from None


def at_address(settings: Settings, host: str | None, port: int | None) -> Settings:
    """The same settings, served where the command line says; None leaves what the settings say.

    Raises:
        ConfigError: That can't be.
    """
    changes = {"host": host, "port": port}
    given = {name: value for name, value in changes.items() if value is not None}
    try:
        server = ServerSettings.model_validate({**settings.server.model_dump(), **given})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(f"--{first['loc'][0]} {first['input']}: {first['msg']}.") from None
    return settings.model_copy(update={"server": server})


def _insert(tree: dict[str, object], name: str, value: str) -> None:
    """Put an environment variable's value into the tree."""
    *parents, last = name.removeprefix(ENV_PREFIX).lower().split("__")
    node = tree
    for key in parents:
        child = node.setdefault(key, {})
        if not isinstance(child, dict):
            raise ConfigError(f"{name}: {key} has no settings below it; see docs/configuration.md")
        node = child
    node[last] = value
    # Only lists and tables are TOML: an API key of digits stays the text that it is.
    if value.startswith(("[", "{")):
        with contextlib.suppress(tomllib.TOMLDecodeError):
            node[last] = tomllib.loads(f"v = {value}")["v"]


def _explain(error: ValidationError, path: Path | None) -> str:
    where = f" (file {path} and {ENV_PREFIX}* variables)" if path else f" ({ENV_PREFIX}* variables)"
    lines = []
    for e in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in e["loc"])
        hint = (
            "no such setting; see docs/configuration.md"
            if e["type"] == "extra_forbidden"
            else e["msg"].removeprefix("Value error, ")
        )
        lines.append(f"{name}: {hint}" if name else hint)
    return f"Configuration{where}: " + "; ".join(lines)
