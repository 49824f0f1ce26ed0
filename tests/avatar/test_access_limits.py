from hypothesis import given
from hypothesis import strategies as st

from avatar.access.client_secrets import ClientSecret, ClientSecrets, TooManySecretsError
from avatar.access.fixing import fixable, with_fixed, without_fixed
from avatar.access.limits import FREE_FAILURES, LONGEST_WAIT_S, Failures, Rate
from avatar.protocol.config import CallConfig


def test_a_few_wrong_keys_are_free_then_each_one_doubles_the_wait():
    failures = Failures()
    waits = []
    for _ in range(FREE_FAILURES + 9):
        failures.note("192.0.2.7", 100.0)
        waits.append(failures.wait_s("192.0.2.7", 100.0))
    assert waits[:FREE_FAILURES] == [0.0] * FREE_FAILURES
    assert waits[FREE_FAILURES : FREE_FAILURES + 4] == [1.0, 2.0, 4.0, 8.0]
    assert waits[-1] == LONGEST_WAIT_S
    assert failures.wait_s("192.0.2.7", 100.0 + LONGEST_WAIT_S) == 0.0
    assert failures.wait_s("192.0.2.8", 100.0) == 0.0


def test_a_quiet_while_forgives():
    failures = Failures()
    for _ in range(FREE_FAILURES + 5):
        failures.note("192.0.2.7", 0.0)
    failures.note("192.0.2.7", 3600.0)
    assert failures.wait_s("192.0.2.7", 3600.0) == 0.0


def test_strangers_without_number_take_no_memory_without_bound():
    failures, rate = Failures(remembered=50), Rate(remembered=50)
    for n in range(1000):
        failures.note(f"2001:db8:{n:x}::/64", float(n))
        rate.take(f"address:{n}", 10, float(n))
    assert len(failures) == len(rate) == 50


@given(st.lists(st.floats(0, 30), min_size=1, max_size=200), st.integers(1, 40))
def test_no_minute_sees_more_than_twice_the_rate(gaps, per_minute):
    rate, now_s, begun = Rate(), 0.0, []
    for gap_s in gaps:
        now_s += gap_s
        wait_s = rate.take("key:a", per_minute, now_s)
        if wait_s == 0:
            begun.append(now_s)
        else:
            assert rate.take("key:a", per_minute, now_s + wait_s * 0.99) > 0, "not before"
    for start_s in begun:
        in_a_minute = [s for s in begun if start_s <= s < start_s + 60]
        assert len(in_a_minute) <= 2 * per_minute


def test_whoever_waits_as_told_may_call_again():
    rate = Rate()
    while (wait_s := rate.take("key:a", 3, 10.0)) == 0:
        pass
    assert rate.take("key:a", 3, 10.0 + wait_s + 0.001) == 0
    assert rate.take("key:b", 3, 10.0) == 0, "others are not meant"


def test_a_client_secret_is_good_until_it_expires():
    secrets = ClientSecrets(limit=5)
    config = CallConfig(language="es")
    token = secrets.make(ClientSecret("1a2b", config, {}, expires_s=60.0), now_s=0.0)
    assert token.startswith("ek_")
    assert secrets.find(token, 59.9).fixed == config
    assert secrets.find(token, 59.9) is not None, "it may begin several calls"
    assert secrets.find(token + "x", 1.0) is None
    assert secrets.find(token, 60.0) is None
    assert len(secrets) == 0


def test_client_secrets_are_bounded_and_expired_ones_make_room():
    secrets = ClientSecrets(limit=3)
    for n in range(3):
        secrets.make(ClientSecret("", CallConfig(), {}, expires_s=10.0 + n), now_s=0.0)
    try:
        secrets.make(ClientSecret("", CallConfig(), {}, expires_s=99.0), now_s=5.0)
    except TooManySecretsError:
        pass
    else:
        raise AssertionError("the fourth was made")
    assert secrets.make(ClientSecret("", CallConfig(), {}, expires_s=99.0), now_s=10.0)
    assert len(secrets) == 3


SESSION = {
    "instructions": "Sell shoes.",
    "tools": [],
    "audio": {
        "input": {"transcription": {"language": "es"}, "turn_detection": {"type": "semantic_vad"}}
    },
}


def test_what_is_fixed_is_refused_by_path_and_the_rest_is_taken():
    asked = {
        "instructions": "Be rude.",
        "tools": [],
        "output_modalities": ["text"],
        "audio": {
            "input": {
                "transcription": {"language": "en", "prompt": "x"},
                "turn_detection": {"type": "server_vad", "threshold": 0.5},
            },
            "output": {"speed": 1.0},
        },
    }
    allowed, refused = without_fixed(asked, SESSION)
    assert refused == [
        "session.instructions",
        "session.audio.input.transcription.language",
        "session.audio.input.turn_detection",
    ]
    assert allowed == {
        "output_modalities": ["text"],
        "audio": {"input": {"transcription": {"prompt": "x"}}, "output": {"speed": 1.0}},
    }


def test_a_call_begins_with_what_is_fixed_over_what_is_asked():
    asked = {"instructions": "Be rude.", "audio": {"input": {"transcription": {"prompt": "x"}}}}
    merged = with_fixed(asked, SESSION)
    assert merged["instructions"] == "Sell shoes."
    assert merged["audio"]["input"]["transcription"] == {"prompt": "x", "language": "es"}
    assert with_fixed({"audio": None}, SESSION)["audio"] == SESSION["audio"]
    assert fixable({"type": "realtime", "avatar": {"recording": True}} | SESSION) == SESSION


NAMES = st.sampled_from(["instructions", "tools", "audio", "input", "transcription", "x"])
JSON = st.recursive(
    st.none() | st.integers(0, 2), lambda inner: st.dictionaries(NAMES, inner, max_size=3)
)
SESSIONS = st.dictionaries(NAMES, JSON, max_size=4)


@given(SESSIONS, SESSIONS)
def test_nothing_that_is_fixed_gets_through_however_it_is_nested(asked, fixed):
    allowed, _ = without_fixed(asked, fixed)
    assert with_fixed(allowed, fixed) == with_fixed(asked, fixed)
    assert without_fixed(with_fixed(asked, fixed), fixed)[1] == []
