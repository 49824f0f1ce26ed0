import os

import pytest

from avatar.access.keys import KeyRing, new_key, read_keys, write_keys
from speech.errors import ConfigError


def ring_of(file, *names):
    made = [new_key(name, "2026-11-28") for name in names]
    write_keys(file, [key for _, key in made])
    return [token for token, _ in made], KeyRing(file)


def test_a_key_is_found_and_a_changed_one_is_not(tmp_path):
    (token, other), ring = ring_of(tmp_path / "keys.json", "shop", "app")
    assert ring.find(token).name == "shop"
    assert ring.find(other).name == "app"
    # of the last character's six bits, two are padding
    changed = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    for wrong in (changed, token[:-1], token + "x", token.upper(), "", "pres_", "pres", "\udcff"):
        assert ring.find(wrong) is None, wrong


def test_the_file_holds_no_key_and_only_its_owner_can_read_it(tmp_path):
    file = tmp_path / "folder" / "keys.json"
    (token,), _ = ring_of(file, "shop")
    assert token.rpartition("_")[2] not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file], "nothing is left beside it"


def test_a_file_that_others_can_read_is_refused_with_what_to_do(tmp_path):
    file = tmp_path / "keys.json"
    ring_of(file, "shop")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_keys(file)


@pytest.mark.parametrize("text", ["", "{}", '[{"id": 1}]', "\xff"])
def test_a_broken_file_is_refused_with_its_name(tmp_path, text):
    file = tmp_path / "keys.json"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match=r"keys\.json is not a file of keys"):
        KeyRing(file)


def test_a_revoked_key_stops_being_one_while_the_server_runs(tmp_path):
    file = tmp_path / "keys.json"
    (token, other), ring = ring_of(file, "shop", "app")
    write_keys(file, [key for key in read_keys(file) if key.name != "shop"])
    assert ring.find(token) is None
    assert ring.find(other) is not None
    assert ring.named(token.split("_")[1]) is None


def test_losing_the_file_opens_nothing(tmp_path):
    file = tmp_path / "keys.json"
    (token,), ring = ring_of(file, "shop")
    file.unlink()
    assert ring.find(token) is None
    assert ring.demanded


def test_a_file_that_breaks_while_the_server_runs_lets_nobody_in(tmp_path, caplog):
    file = tmp_path / "keys.json"
    (token,), ring = ring_of(file, "shop")
    file.write_text("[")
    assert ring.find(token) is None
    assert ring.demanded
    assert "until it is repaired" in caplog.text


def test_without_a_file_nothing_is_demanded_until_the_first_key_is_made(tmp_path):
    file = tmp_path / "keys.json"
    ring = KeyRing(file)
    assert not ring.demanded
    write_keys(file, [new_key("shop", "2026-11-28")[1]])
    assert ring.demanded


def test_keys_of_the_settings_count_as_well(tmp_path):
    token = "a-container-has-this-one"
    ring = KeyRing(tmp_path / "none.json", [token])
    assert ring.demanded
    assert ring.find(token).id == "settings-1"
    assert ring.find(token[:-1]) is None


def test_a_failed_write_leaves_the_old_keys(tmp_path, monkeypatch):
    file = tmp_path / "keys.json"
    (token,), ring = ring_of(file, "shop")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(ConfigError, match="No space left"):
        write_keys(file, [])
    assert ring.find(token) is not None
