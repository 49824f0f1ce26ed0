# ruff: noqa: RUF001  # IPA has letters that look like others
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render import idle
from render.animator import FaceAnimator
from render.lipsync import PhonemeLipSync
from render.types import ARKIT, FEELINGS, SPEECH_CLOCK_HZ, Emotion, FaceCues, ScheduledSpeech
from render.visemes import sides
from tests.render.speaking import chunk

SECOND = SPEECH_CLOCK_HZ
BLINK, SMILE = list(sides("eyeBlink")), list(sides("mouthSmile"))
MOUTH = [
    i for n in ("jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthFunnel", "mouthPucker")
    for i in sides(n)
]  # fmt: skip


def scheduled(phonemes: str, start_s: float, cut_s: float | None = None) -> ScheduledSpeech:
    spoken = chunk(phonemes)
    start = round(start_s * SECOND)
    end = start + round(spoken.audio.duration_s * SECOND)
    if cut_s is not None:
        end = min(end, round(cut_s * SECOND))
    return ScheduledSpeech(PhonemeLipSync().animate(spoken), start, end)


def mouth(animator: FaceAnimator, at_s: float, cues: FaceCues) -> float:
    return float(animator.pose(round(at_s * SECOND), cues).weights[MOUTH].max())


SENTENCE = "h ə l ˈoʊ m aɪ n ˈeɪ m ɪ z ˈɛ l ə n ə"
STATES = ("idle", "listening", "thinking", "speaking")


@settings(max_examples=40, deadline=None)
@given(
    at=st.integers(0, 48_000 * 36_000),
    seed=st.integers(0, 2**32),
    states=st.lists(st.sampled_from(STATES), min_size=1, max_size=4),
    nod=st.integers(-48_000, 48_000),
)
def test_a_pose_depends_on_time_seed_and_cues_alone(at, seed, states, nod):
    changes = tuple((at - 7_000 * (len(states) - k), state) for k, state in enumerate(states))
    speech = (scheduled("ˈɑ p ˈu", at / SECOND - 0.2),)
    cues = FaceCues(speech, changes, (at + nod,))
    one, used = FaceAnimator(seed), FaceAnimator(seed)
    for other in (0, at + 960, 12_345):
        used.pose(other, FaceCues())
    a, b = one.pose(at, cues), used.pose(at, cues)
    assert a.weights.tobytes() == b.weights.tobytes()
    assert a.head.tobytes() == b.head.tobytes()
    assert a.gaze.tobytes() == b.gaze.tobytes()
    assert a.breath == b.breath
    assert a.weights.shape == (len(ARKIT),)
    assert 0 <= a.weights.min() <= a.weights.max() <= 1
    assert 0 <= a.breath <= 1
    assert np.abs(a.head).max() < np.radians(12)


def test_the_mouth_is_closed_200_ms_after_a_cut():
    animator = FaceAnimator(1)
    for cut_s in np.arange(1.1, 2.2, 0.037):
        cues = FaceCues((scheduled(SENTENCE, 1.0, cut_s),), ((0, "speaking"),))
        for late_s in (0.2, 0.3, 0.6):
            assert mouth(animator, cut_s + late_s, cues) < 0.02


def test_the_mouth_moves_while_speech_is_heard_and_rests_around_it():
    animator = FaceAnimator(1)
    speech = scheduled(SENTENCE, 1.0)
    cues = FaceCues((speech,), ((0, "speaking"),))
    heard = [mouth(animator, t, cues) for t in np.arange(1.1, 1.9, 0.04)]
    assert max(heard) > 0.25
    assert mouth(animator, 0.6, cues) < 0.02
    assert mouth(animator, speech.end_sample / SECOND + 0.2, cues) < 0.02


def test_a_bilabial_at_a_chunk_boundary_still_closes():
    animator = FaceAnimator(1)
    first = scheduled("ˈɑ ˈɑ ˈɑ", 1.0)
    second = scheduled("m ˈɑ", first.end_sample / SECOND)
    cues = FaceCues((first, second), ((0, "speaking"),))
    assert mouth(animator, second.start_sample / SECOND + 0.1, cues) < 0.06


def blinks(seed: int, seconds: int) -> list[float]:
    times = np.arange(0, seconds, 0.025)
    shut = np.array([idle.blink(seed, float(t), ()) for t in times]) > 0.9
    return times[1:][shut[1:] & ~shut[:-1]].tolist()


@pytest.mark.parametrize("seed", [1, 2])
def test_it_blinks_every_3_to_6_seconds_and_sometimes_twice(seed):
    gaps = np.diff(blinks(seed, 180))
    single = gaps[gaps > 1]
    assert single.min() > 2.4
    assert single.max() < 6.1
    assert 25 < len(single) < 65
    assert 1 <= (gaps < 1).sum() <= 15


def test_a_face_that_talks_blinks_as_often_as_people_do():
    ends = np.arange(2.6, 300, 1.6).tolist()
    manner = idle.Manner((0, 0, 0), 3, (0, 0, 0), 0.01, (0.12, -0.05), 0.16, 0, 0, 0)
    lids = [
        max(idle.blink(6, t, [e for e in ends if abs(e - t) < 3]), idle.gaze_blink(6, t, manner))
        for t in np.arange(0, 300, 0.05).tolist()
    ]
    shut = np.array(lids) > 0.6
    assert 18 < (shut[1:] & ~shut[:-1]).sum() / 5 < 32


def test_many_clauses_end_in_a_blink():
    ends = [10.0 * k + 3.3 for k in range(1, 60)]
    blinked = sum(max(idle.blink(5, e + d, ends) for d in (0.12, 0.16, 0.2)) > 0.9 for e in ends)
    assert 0.2 < blinked / len(ends) < 0.6


def average(state: str, seed: int = 3) -> dict[str, float]:
    poses = [
        FaceAnimator(seed).pose(round(t * SECOND), FaceCues((), ((0, state),)))
        for t in np.arange(5, 45, 0.8)
    ]
    gaze = np.array([p.gaze + p.head[:2] for p in poses])
    weights = np.array([p.weights for p in poses])
    return {
        "off_camera": float(np.abs(gaze).max(1).mean()),
        "tilt": float(np.mean([p.head[2] for p in poses])),
        "smile": float(weights[:, SMILE].mean()),
        "brow": float(weights[:, ARKIT.index("browInnerUp")].mean()),
        "sway": float(np.std([p.head[0] for p in poses])),
    }


def test_listening_looks_at_the_camera_and_thinking_looks_away():
    listening, thinking = average("listening"), average("thinking")
    assert np.degrees(listening["off_camera"]) < 1.5
    assert np.degrees(thinking["off_camera"]) > 5


def test_states_can_be_told_apart():
    seen = {state: average(state) for state in STATES}
    assert seen["listening"]["tilt"] > seen["idle"]["tilt"] + 0.02
    assert seen["listening"]["smile"] > seen["thinking"]["smile"] + 0.1
    assert seen["thinking"]["brow"] > seen["speaking"]["brow"] + 0.1
    assert seen["speaking"]["sway"] > seen["listening"]["sway"]


def test_a_change_of_state_eases_in():
    animator, change = FaceAnimator(3), 20 * SECOND
    cues = FaceCues((), ((0, "listening"), (change, "thinking")))
    heads = np.array([animator.pose(change + k * 1920, cues).head for k in range(-2, 14)])
    assert np.abs(np.diff(heads, axis=0)).max() < np.radians(2)
    assert abs(heads[-1][2] - heads[0][2]) > 0.02


def test_a_nod_dips_the_head_and_comes_back():
    animator = FaceAnimator(3)
    still, nodding = FaceCues((), ((0, "listening"),)), FaceCues((), ((0, "listening"),), (48_000,))
    dips = [
        float(animator.pose(n, still).head[1] - animator.pose(n, nodding).head[1])
        for n in range(48_000, 96_000, 1_920)
    ]
    assert max(dips) > np.radians(2)
    assert dips[0] == pytest.approx(0, abs=1e-6)
    assert dips[-1] == pytest.approx(0, abs=1e-6)


def test_stressed_words_raise_the_brows():
    cues = FaceCues((scheduled("ˈɑ t ə t ˈɑ t ə t ˈɑ t ə t ˈɑ", 1.0),), ((0, "speaking"),))
    brow = ARKIT.index("browInnerUp")
    moved = [
        [FaceAnimator(seed).pose(n, cues).weights[brow] for n in range(0, 120_000, 1_920)]
        for seed in range(4)
    ]
    assert max(np.ptp(track) for track in moved) > 0.08


QUICK = (
    "mouthClose", "mouthPress", "mouthRollLower", "mouthRollUpper", "mouthLowerDown",
    "mouthUpperUp",
    "mouthFunnel", "tongueOut", "eyeBlink", "eyeSquint", "eyeLookUp", "eyeLookDown", "eyeWide",
    "eyeLookIn", "eyeLookOut",
)  # fmt: skip
OTHERS = sorted(set(range(len(ARKIT))) - {i for name in QUICK for i in sides(name)})
PHONEMES = (
    "m", "p", "b", "f", "θ", "d", "k", "s", "l", "ɹ", "tʃ", "ˈɑ", "ə", "ˈi", "ˈu", "oʊ", "ˈɛ", "_",
)  # fmt: skip
HEAD_LIMITS = np.radians((12, 9, 10))


@settings(max_examples=30, deadline=None)
@given(
    said=st.lists(st.sampled_from(PHONEMES), min_size=2, max_size=16),
    each_ms=st.sampled_from([45, 60, 90]),
    feelings=st.lists(st.floats(0, 1), min_size=12, max_size=12),
    known_ms=st.sampled_from([0, 1000]),
    cut_ms=st.none() | st.integers(1050, 2500),
    seed=st.integers(0, 2**32),
)
def test_nothing_but_lids_and_contacts_jumps(said, each_ms, feelings, known_ms, cut_ms, seed):
    spoken = chunk(" ".join(said), each_ms)
    length = round(spoken.audio.duration_s * SECOND)
    track = PhonemeLipSync().animate(spoken)
    emotions = [Emotion.of(**dict(zip(FEELINGS, feelings[k::2], strict=True))) for k in (0, 1)]
    starts = SECOND, SECOND + length
    cut = cut_ms * 48 if cut_ms else 10 * SECOND
    speech = tuple(
        ScheduledSpeech(track, start, min(start + length, cut), known_ms * 48, emotion)
        for start, emotion in zip(starts, emotions, strict=True)
    )
    cues = FaceCues(speech, ((0, "listening"), (SECOND, "speaking"), (cut, "listening")), (cut,))
    poses = [FaceAnimator(seed).pose(n, cues) for n in range(SECOND // 2, 4 * SECOND, 1_920)]
    moved = np.abs(np.diff([p.weights for p in poses], axis=0))
    limit = 0.48 if cut_ms else 0.42 if known_ms else 0.34  # who is spoken over, or unprepared
    assert moved[:, OTHERS].max() < limit
    assert np.abs(np.diff([p.head for p in poses], axis=0)).max() < np.radians(2.5)
    assert all(np.abs(p.head[k]) <= limit for p in poses for k, limit in enumerate(HEAD_LIMITS))


def test_a_reply_that_becomes_known_as_it_starts_eases_in():
    spoken = chunk("ˈɑ ˈɑ ˈɑ", lead_in_ms=0)
    end = SECOND + round(spoken.audio.duration_s * SECOND)
    speech = ScheduledSpeech(PhonemeLipSync().animate(spoken), SECOND, end, known_sample=SECOND)
    known = FaceCues((speech,), ((0, "thinking"), (SECOND, "speaking")))
    animator = FaceAnimator(1)
    opening = [mouth(animator, 1 + k * 0.04, known) for k in range(5)]
    assert opening[0] < 0.02
    assert max(np.diff(opening)) < 0.34
    assert opening[-1] > 0.25


def test_skipped_frames_change_nothing():
    cues = FaceCues((scheduled(SENTENCE, 1.0),), ((0, "listening"), (SECOND, "speaking")))
    steady, skipping = FaceAnimator(9), FaceAnimator(9)
    every = {n: steady.pose(n, cues) for n in range(0, 3 * SECOND, 1_920)}
    for n in list(every)[::-7]:
        again = skipping.pose(n, cues)
        assert again.weights.tobytes() == every[n].weights.tobytes()
        assert again.head.tobytes() == every[n].head.tobytes()
        assert (again.vergence, again.breath) == (every[n].vergence, every[n].breath)


def test_saccades_keep_to_the_main_sequence():
    manner = idle.Manner((0, 0, 0), 3, (0, 0, 0), 0.03, (0.25, 0.1), 0.5, 0, 0, 0)
    times = np.arange(0, 90, 0.002)
    gaze = np.array([idle.gaze(4, float(t), manner)[:2] for t in times])
    speed = np.degrees(np.hypot(*np.diff(gaze, axis=0).T)) / 0.002
    moving = np.flatnonzero(speed > 30)
    saccades = [s for s in np.split(moving, np.flatnonzero(np.diff(moving) > 5) + 1) if len(s) > 3]
    assert len(saccades) > 40
    for s in saccades:
        amplitude = float(np.degrees(np.hypot(*(gaze[s[-1] + 1] - gaze[s[0]]))))
        if amplitude > 1:
            assert len(s) * 2 < 30 + 2.8 * amplitude
            assert speed[s].max() < 750


def test_large_gaze_shifts_often_bring_a_blink():
    manner = idle.Manner((0, 0, 0), 3, (0, 0, 0), 0.01, (0.25, 0.1), 0.5, 0, 0, 0)
    times = np.arange(0, 300, 0.02)
    off = np.array([idle.gaze(4, float(t), manner)[2] for t in times]) > 0.5
    shifts = times[1:][off[1:] != off[:-1]]
    lids = [max(idle.gaze_blink(4, float(t + d), manner) for d in (0.06, 0.1)) for t in shifts]
    assert 0.25 < np.mean(np.array(lids) > 0.8) < 0.6


def test_eyes_turn_in_for_the_viewer_and_less_for_what_is_far():
    cues = {s: FaceCues((), ((0, s),)) for s in ("listening", "thinking")}
    seen = {
        state: np.mean([FaceAnimator(3).pose(n, c).vergence for n in range(0, 40 * SECOND, SECOND)])
        for state, c in cues.items()
    }
    assert seen["listening"] > seen["thinking"] > 0


def test_surprise_keeps_the_eyes_open_and_sadness_blinks_more():
    times = np.arange(0, 90, 0.02)
    shut = {
        more: int((np.diff((np.array([idle.blink(2, float(t), (), more) for t in times]) > 0.5)
                           .astype(int)) > 0).sum())
        for more in (-1.0, 0.0, 0.9)
    }  # fmt: skip
    assert shut[-1.0] == 0
    assert shut[0.9] > 1.5 * shut[0.0]
