import logging
import sys

import pytest

from avatar.access.redaction import WithoutTokens, without_tokens
from avatar.cli.main import main
from tests.avatar.access_kit import call, door, settings_with


@pytest.fixture
def presencia(tmp_path, monkeypatch, capsys):
    """Runs the command with its keys in a folder of its own: (status, stdout, stderr)."""
    monkeypatch.setenv("PRESENCIA_ACCESS__KEYS_FILE", str(tmp_path / "keys.json"))
    monkeypatch.chdir(tmp_path)

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["presencia", *args])
        status = main()
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_a_key_is_made_used_listed_and_revoked(presencia, tmp_path):
    status, out, err = presencia("keys", "new", "shop", "--calls", "2")
    token = out.strip()
    assert (status, "only time" in err) == (0, True)
    client, calls = door(settings_with(keys_file=tmp_path / "keys.json"))
    assert call(client, authorization=f"Bearer {token}").status_code == 201
    assert calls.callers[0].key.max_calls == 2

    _, listed, _ = presencia("keys", "list")
    assert "shop" in listed
    assert token not in listed

    assert presencia("keys", "revoke", "shop")[0] == 0
    assert call(client, authorization=f"Bearer {token}").status_code == 401
    assert "keys new NAME" in presencia("keys", "list")[1]


def test_a_name_is_taken_once_and_an_unknown_one_is_said_to_be(presencia):
    presencia("keys", "new", "shop")
    status, _, err = presencia("keys", "new", "shop")
    assert (status, "already" in err) == (1, True)
    status, _, err = presencia("keys", "revoke", "app")
    assert (status, "presencia keys list" in err) == (1, True)


def test_serving_others_without_keys_is_refused_with_what_to_do(presencia):
    status, _, err = presencia("serve", "--host", "0.0.0.0", "--port", "0")
    assert status == 1
    for what in ("0.0.0.0", "presencia keys new", "access.open"):
        assert what in err


def test_a_port_that_is_none_is_refused_in_a_line(presencia):
    status, _, err = presencia("serve", "--port", "99999")
    assert (status, "--port 99999: " in err, "Traceback" in err) == (1, True, False)


@pytest.mark.parametrize("what", ["certificate", "key"])
def test_a_certificate_that_cannot_be_used_is_refused_at_start(presencia, monkeypatch, what):
    monkeypatch.setenv(f"PRESENCIA_SERVER__TLS_{what.upper()}", "/nonexistent.pem")
    status, _, err = presencia("serve", "--port", "0")
    assert (status, f"tls_{what}" in err or "nonexistent" in err) == (1, True)


def test_whatever_a_library_logs_holds_no_token():
    tokens = [
        "Authorization: Bearer some-key-of-the-settings",
        "< api-key: some-key-of-the-settings",
        "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.some-key-of-the-settings",
        "GET /?x=ek_some-key-of-the-settings",
        "pres_0123abcd_some-key-of-the-settings",
        '127.0.0.1:1 - "WebSocket /v1/realtime?model=x&api-key=some-key-of-the-settings" 401',
        '{"avatar":{"resume":{"token":"some-key-of-the-settings","expires_in_s":120}}}',
        '{"resume_token": "some-key-of-the-settings"}',
    ]
    for text in tokens:
        assert "some-key" not in without_tokens(text), text
    plain = "peek_ing: ek is a word, pres_ a prefix, and 'token' is said in many places"
    assert without_tokens(plain) == plain


def test_a_log_line_and_its_traceback_are_written_without_tokens():
    formatter = WithoutTokens(logging.Formatter("%(levelname)s %(message)s"))
    try:
        raise ValueError("Bearer some-key-of-the-settings")
    except ValueError:
        record = logging.LogRecord(
            "x", logging.ERROR, "f", 1, "got %s", ("ek_abcdef",), sys.exc_info()
        )
    text = formatter.format(record)
    assert text.startswith("ERROR got [token]")
    assert "ValueError" in text
    assert "some-key" not in text
