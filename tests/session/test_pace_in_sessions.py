"""How answers are given follows what those in their own language took."""

from avatar.events import ReplyTimed
from tests.session.scripted_call import Configure, ScriptedCall

LONG = "We shall see that boat come home again before the night is over."
SLOW_S, QUICK_S = 0.2, 0.01


def test_a_slow_language_shortens_no_first_clause_of_the_other():
    call = ScriptedCall([LONG] * 7)
    call.model.word_s = SLOW_S
    call.presses(Configure(language="es"), 0.1)
    for turn in range(4):
        call.says("hola", 1 + 9 * turn, 2 + 9 * turn)
    call.presses(lambda: setattr(call.model, "word_s", QUICK_S), 36.0)
    call.presses(Configure(language="en"), 36.0).says("hello", 37, 38)
    call.presses(Configure(language="es"), 46.0).says("hola", 47, 48)
    call.run(56)
    timed = [timed for _, timed in call.of(ReplyTimed)]
    is_short = [(t.language, "short_first_clause" in t.actions) for t in timed]
    assert is_short == [*[("es", False)] * 3, ("es", True), ("en", False), ("es", True)]
