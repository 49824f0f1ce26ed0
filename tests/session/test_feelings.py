"""What a reply feels like reaches the face; how the model said so reaches nobody."""

from avatar.dialogue.feelings import feeling
from tests.session.scripted_call import APOLOGY, Respond, ScriptedCall


def emotions(call):
    return [speech.emotion for speech in call.conversation.playout.speech]


def test_tags_are_not_heard_shown_or_remembered_but_felt():
    call = ScriptedCall(["[Amused] Well <sad/>hello there. [cough] Bye."])
    call.says("hi", 0.5, 1.0).run(4.5)
    assert call.heard == ["Well hello there. Bye."]
    assert "".join(call.clauses) == "Well hello there. Bye."
    assert call.history.messages[-1].content == "Well hello there. Bye."
    assert emotions(call)[-1]["sad"] == 0.8


def test_an_answer_of_nothing_but_a_tag_is_apologised_for():
    call = ScriptedCall(["[happy]", "[happy]"]).says("hi", 0.5, 1.0).run(4)
    assert call.statuses == ["failed"]
    assert call.heard == [APOLOGY]
    assert call.states[-1] == "listening"


def test_without_tags_the_words_decide():
    call = ScriptedCall(["Oh no, I'm so sorry."]).says("my dog died", 0.5, 1.5).run(4.5)
    assert max(e["concerned"] for e in emotions(call)) > 0.5


def test_the_greeting_smiles():
    call = ScriptedCall().presses(Respond(), 0.2).run(2)
    assert emotions(call)[0]["happy"] > 0.3


def test_sad_words_worry_the_listening_face():
    call = ScriptedCall(["Oh."]).says("my dog died yesterday", 0.5, 1.5).run(3)
    assert feeling("my dog died yesterday", "en")["sad"] > 0.3
    (_, mood), *_ = call.conversation.cues().moods
    assert mood["concerned"] > 0.2
