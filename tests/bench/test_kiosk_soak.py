"""The soak of a kiosk: its report and its picture, from made-up samples."""

from xml.etree import ElementTree

from avatar.events import ReplyTimed
from avatar.telemetry.metrics import Metrics
from bench.kiosk_plot import plot
from bench.kiosk_soak import Sample, Soak, first_sounds

SVG = "{http://www.w3.org/2000/svg}"


def sample(minute, service_mb=1700.0, browser_files=300):
    return Sample(60.0 * minute, service_mb, 400.0, 60, browser_files, 40, 30, 12.0, minute)


def test_what_grows_is_told_from_what_does_not():
    grows = Soak(samples=[sample(m, service_mb=1700 + 10 * m) for m in range(60)])
    grows.latencies = [(60.0 * m, 900.0) for m in range(60)]
    report = grows.report()
    assert report["held"]["service_mb"]["growth"] > 300
    assert report["held"]["browser_files"]["growth"] == 0
    assert report["latency_ms"]["growth"] == 0


def test_the_warm_up_does_not_count():
    warm = Soak(samples=[sample(m, service_mb=500 if m < 10 else 1700) for m in range(60)])
    assert warm.report()["held"]["service_mb"]["growth"] == 0


def test_the_picture_has_every_series_and_every_answer():
    samples = [sample(m) for m in range(30)]
    latencies = [(60.0 * m, 800.0 + m) for m in range(7)]
    picture = ElementTree.fromstring(plot(samples, latencies))
    lines = [path for path in picture.iter(f"{SVG}path") if path.get("stroke")]
    assert len(lines) == 4
    assert len(list(picture.iter(f"{SVG}circle"))) == 7
    words = [text.text for text in picture.iter(f"{SVG}text")]
    assert {"Memory, MB", "service 1700", "browser 300"} <= set(words)


def test_a_run_without_an_answer_can_be_drawn():
    assert "<svg" in plot([sample(0)], [])


def test_the_first_sounds_are_read_off_the_servers_own_metrics():
    metrics = Metrics()
    for excused, ms in ((None, 300), (None, 400), ("tool", 9000)):
        rows = {"turn_ended": 200, "first_sound": ms}
        metrics.tell(ReplyTimed("r", "en", rows, rows, 0.0, excused=excused))
    seconds, count = first_sounds(metrics.exposition("")[0].decode())
    assert (round(seconds, 3), count) == (0.7, 2)
