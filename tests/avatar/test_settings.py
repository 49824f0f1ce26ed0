from pathlib import Path

import pytest

from avatar.settings import Settings, load
from avatar.writable import check_folders
from speech.errors import ConfigError


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "presencia.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_without_file_and_environment_the_defaults_hold() -> None:
    assert load(environ={}) == Settings()


def test_a_file_in_the_working_folder_is_read() -> None:
    Path("presencia.toml").write_text("[server]\nport = 9001\n")
    assert load(environ={}).server.port == 9001


def test_the_environment_wins_over_the_file_and_keeps_the_rest_of_it(tmp_path: Path) -> None:
    config = toml(tmp_path, "[server]\nport = 9001\nmax_calls = 7\n")
    server = load(config, {"PRESENCIA_SERVER__PORT": "9002"}).server
    assert (server.port, server.max_calls) == (9002, 7)


def test_the_file_can_be_named_by_the_environment(tmp_path: Path) -> None:
    config = toml(tmp_path, "[server]\nport = 9001\n")
    assert load(environ={"PRESENCIA_CONFIG": str(config)}).server.port == 9001


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("PRESENCIA_SERVER__HOST", "0.0.0.0", ("server", "host", "0.0.0.0")),
        ("PRESENCIA_VOICE__SPEED", "1.5", ("voice", "speed", 1.5)),
        ("PRESENCIA_RTC__OFFER_LOOPBACK", "true", ("rtc", "offer_loopback", True)),
        ("PRESENCIA_LLM__MODEL", "12345", ("llm", "model", "12345")),
        ("PRESENCIA_LLM__MODEL", "true", ("llm", "model", "true")),
        ("PRESENCIA_FACE__NAME", "a # b", ("face", "name", "a # b")),
        ("PRESENCIA_LLM__BASE_URL", "http://h:1/v1", ("llm", "base_url", "http://h:1/v1")),
        ("PRESENCIA_SERVER__HOST", "[::1]", ("server", "host", "[::1]")),
    ],
)
def test_a_variable_is_read_as_what_its_setting_is(
    name: str, value: str, read: tuple[str, str, object]
) -> None:
    section, setting, expected = read
    settings = load(environ={name: value})
    assert getattr(getattr(settings, section), setting) == expected


def test_a_key_made_of_digits_stays_the_text_it_is() -> None:
    settings = load(environ={"PRESENCIA_LLM__API_KEY": "1234"})
    assert settings.llm.api_key.get_secret_value() == "1234"


def test_one_language_can_be_changed_without_naming_the_others(tmp_path):
    file = tmp_path / "presencia.toml"
    file.write_text('[listening.recognizer]\nen = "whisper"\n')
    recognizer = load(file, {}).listening.recognizer
    assert (recognizer.en, recognizer.es) == ("whisper", "whisper")


def test_a_backend_is_refused_for_a_language_that_it_does_not_speak(tmp_path):
    file = tmp_path / "presencia.toml"
    file.write_text('[listening.recognizer]\nes = "moonshine"\n')
    with pytest.raises(ConfigError, match=r"listening\.recognizer\.es"):
        load(file, {})


def test_lists_can_come_from_the_environment() -> None:
    value = '[{urls = ["turn:turn.example.org"], username = "u", credential = "c"}]'
    server = load(environ={"PRESENCIA_RTC__ICE_SERVERS": value}).rtc.ice_servers[0]
    assert server.urls == ["turn:turn.example.org"]


def test_variables_of_the_model_store_are_no_settings() -> None:
    environ = {"PRESENCIA_CACHE": "/c", "PRESENCIA_MODELS": "/m"}
    assert load(environ=environ) == Settings()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[server]\nprt = 1\n", r"server\.prt: no such setting"),
        ("[servr]\nport = 1\n", "servr: no such setting"),
        ("[server]\nport = 70000\n", r"server\.port: .*65535"),
        ("[server]\nport = 'many'\n", r"server\.port: .*integer"),
        ("server = 1\n", "server: "),
        ("[face]\nspeaking_fps = 26\n", r"face\.speaking_fps: .*25"),
        ("[listening]\nlanguage = 'fr'\n", r"listening\.language: .*'en'"),
        ("[llm\n", "not valid TOML"),
        ("[server]\nhost = ''\n", r"server\.host: .*at least 1"),
        ("[server]\ntls_key = '~nobody-here/key.pem'\n", r"server\.tls_key: nobody has that home"),
        ("[llm]\nbase_url = 'localhost:8000/v1'\n", r"llm\.base_url: .*begins with http://"),
        ("[llm]\nbase_url = 'http://'\n", r"llm\.base_url: .*names a host"),
        ("[llm]\nbase_url = 'http://h:99999/v1'\n", r"llm\.base_url: "),
        ("[llm]\nbase_url = 'http://h h/v1'\n", r"llm\.base_url: "),
        ("[llm]\nbackend = 'openai'\n", r"llm: .*needs base_url"),
        ("[llm]\nmax_reply_tokens = 4000\n", r"llm: max_reply_tokens .*context_tokens"),
        ("[llm]\ntimeout_s = inf\n", r"llm\.timeout_s: .*finite"),
        ("[llm]\nmodel = ''\n", r"llm\.model: "),
        ("[listening]\nend_silence_ms = 60000\n", r"listening\.end_silence_ms: .*10000"),
        ("[telemetry]\notlp_endpoint = 'collector:4318'\n", r"telemetry\.otlp_endpoint: .*http://"),
        ("[access]\nresume_s = inf\n", r"access\.resume_s: .*finite"),
        ("[kiosk]\nenabled = true\n[server]\nmax_calls = 1\n", r"server\.max_calls must be 2"),
    ],
)
def test_a_mistake_in_the_file_gives_one_line_that_names_it(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint) as raised:
        load(toml(tmp_path, text), {})
    assert "\n" not in str(raised.value)
    assert "presencia.toml" in str(raised.value)


@pytest.mark.parametrize(
    ("server", "complaint"),
    [
        ('urls = ["http://relay.example"]', r"urls\.0: write it as 'stun:host:3478'"),
        ('urls = ["stun.example:3478"]', r"urls\.0: write it as"),
        ('urls = ["stun:"]', r"urls\.0: write it as"),
        ('urls = ["stun://relay.example"]', r"urls\.0: write it as"),
        ('urls = ["turn:relay.example:99999"]', r"urls\.0: write it as"),
        ('urls = ["turn:relay.example?transport=sctp"]', r"urls\.0: write it as"),
        ('urls = ["stun:relay.example?transport=udp"]', r"urls\.0: .*takes no \?transport"),
        ("urls = []", r"urls: .*at least 1"),
        ('urls = ["turn:relay.example"]', "needs username and credential"),
    ],
)
def test_a_relay_that_browsers_would_refuse_is_refused_at_start(
    tmp_path: Path, server: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=rf"rtc\.ice_servers\.0.*{complaint}") as raised:
        load(toml(tmp_path, f"[[rtc.ice_servers]]\n{server}\n"), {})
    assert "Value error" not in str(raised.value)


@pytest.mark.parametrize("url", ["stun:10.0.0.1", "stuns:h:443", "stun:[2001:db8::7]:3478"])
def test_every_kind_of_stun_url_is_taken(tmp_path: Path, url: str) -> None:
    config = toml(tmp_path, f"[[rtc.ice_servers]]\nurls = ['{url}']\n")
    assert load(config, {}).rtc.ice_servers[0].urls == [url]


@pytest.mark.parametrize("url", ["stun:relay.example", "turn:", "turn:relay.example:0"])
def test_a_relay_of_ones_own_is_a_turn_url(tmp_path: Path, url: str) -> None:
    text = f"[rtc.turn]\nurls = ['{url}']\nsecret = 's'\n"
    with pytest.raises(ConfigError, match=r"rtc\.turn\.urls\.0: "):
        load(toml(tmp_path, text), {})


@pytest.mark.parametrize(
    ("section", "setting"), [("recording", "folder"), ("kiosk", "state_folder")]
)
def test_a_folder_that_cannot_be_written_is_refused_where_it_is_needed(
    tmp_path: Path, section: str, setting: str
) -> None:
    (tmp_path / "file").write_text("")
    values = {setting: str(tmp_path / "file" / "inside")}
    check_folders(Settings.model_validate({section: values}))
    with pytest.raises(ConfigError, match=rf"{section}\.{setting}: .*inside can't be written"):
        check_folders(Settings.model_validate({section: {**values, "enabled": True}}))


def test_a_folder_that_is_not_there_yet_is_made_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    recording = {"enabled": True, "folder": str(folder)}
    check_folders(Settings.model_validate({"recording": recording}))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("PRESENCIA_SERVR__PORT", "1", "servr: no such setting"),
        ("PRESENCIA_SERVER_PORT", "1", "server_port: no such setting"),
        ("PRESENCIA_SERVER__PORT", "many", r"server\.port: "),
        ("PRESENCIA_SERVER", "8080", "server: "),
        ("PRESENCIA_PERSONA__NAME", "x", "persona: "),
        ("PRESENCIA_SERVER__PORT__X", "1", r"server\.port: "),
    ],
)
def test_a_mistake_in_the_environment_gives_one_line_that_names_it(
    name: str, value: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint) as raised:
        load(environ={name: value})
    assert "\n" not in str(raised.value)


def test_a_variable_below_a_plain_value_of_the_file_is_refused(tmp_path: Path) -> None:
    config = toml(tmp_path, "persona = 'default'\n")
    with pytest.raises(ConfigError, match="PRESENCIA_PERSONA__NAME"):
        load(config, {"PRESENCIA_PERSONA__NAME": "x"})


def test_several_mistakes_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"server\.port: .*; llm\.threads: "):
        load(toml(tmp_path, "[server]\nport = -1\n[llm]\nthreads = 0\n"), {})


def test_a_file_that_is_not_there_or_not_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Can't read .*No such file.*--config"):
        load(tmp_path / "missing.toml", {})
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(tmp_path / "binary.toml", {})


def test_mcp_servers_are_named_and_keep_their_headers_secret(tmp_path: Path) -> None:
    config = toml(
        tmp_path,
        """[tools.mcp.weather]
        command = ["weather-mcp", "--metric"]
        pass_env = ["WEATHER_KEY"]
        [tools.mcp.shop]
        url = "https://shop.example/mcp"
        """,
    )
    name = "PRESENCIA_TOOLS__MCP__SHOP__HEADERS__AUTHORIZATION"
    settings = load(config, {name: "Bearer hunter2"})
    assert settings.tools.mcp["weather"].command == ["weather-mcp", "--metric"]
    header = settings.tools.mcp["shop"].headers["authorization"]
    assert header.get_secret_value() == "Bearer hunter2"
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("server", "complaint"),
    [
        ("", "either a command or a url"),
        ("command = ['a']\nurl = 'http://b/mcp'", "either a command or a url"),
        ("url = 'file:///etc/passwd'", "begins with http"),
        ("command = 'rm -rf /'", "list"),
    ],
)
def test_an_mcp_server_that_cannot_be_is_refused(
    tmp_path: Path, server: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load(toml(tmp_path, f"[tools.mcp.x]\n{server}\n"), {})


def test_a_wrong_secret_is_not_shown() -> None:
    environ = {"PRESENCIA_LLM__API_KEY": "[1, 'hunter2']"}
    with pytest.raises(ConfigError) as raised:
        load(environ=environ)
    assert "hunter2" not in str(raised.value)
