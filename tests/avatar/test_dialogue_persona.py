import pytest

from avatar.dialogue.persona import load_persona
from avatar.dialogue.prompt import beginning
from speech.errors import ConfigError
from speech.types import Message

WHOLE = """
name = "Max"
[language.en]
disclosure = "Max is an AI."
greeting = "Hi."
apology = "Sorry."
busy = "Later."
instructions = "You are Max."
facts = ["The shop opens at nine."]
"""


def written(folder, text):
    path = folder / "max.toml"
    path.write_text(text, "utf-8")
    return path


def problem(folder, text, **options):
    with pytest.raises(ConfigError) as failed:
        load_persona(written(folder, text), **options)
    assert "\n" not in str(failed.value)
    return str(failed.value)


def test_the_persona_that_comes_with_it_speaks_english_and_spanish():
    elena = load_persona("default", ["en", "es"])
    assert elena.name == "Elena"
    assert elena.languages == ("en", "es")
    for lines in (elena.disclosure, elena.greeting, elena.apology, elena.busy):
        assert set(lines) == {"en", "es"}
    assert "AI" in elena.disclosure["en"]
    assert "inteligencia artificial" in elena.disclosure["es"]


def test_a_file_of_ones_own_is_read(tmp_path):
    persona = load_persona(written(tmp_path, WHOLE))
    assert persona.name == "Max"
    assert persona.greeting == {"en": "Hi."}
    (system,) = beginning(persona, "en")
    assert system.content == "You are Max. The shop opens at nine."


def test_the_prompt_asks_for_emotion_tags_only_where_the_persona_does(tmp_path):
    asked = load_persona(written(tmp_path, f"emotion_tags = true\n{WHOLE}"))
    assert asked.instructions["en"].startswith("You are Max. The shop opens at nine. ")
    assert "[happy]" in asked.instructions["en"]
    assert "[happy]" not in load_persona("default").instructions["en"]


def test_an_unknown_persona_is_told_from_the_known_ones():
    with pytest.raises(ConfigError, match=r"no persona 'elenna'.*default"):
        load_persona("elenna")


def test_a_misspelt_key_is_named(tmp_path):
    assert "language.en.greting: unknown key" in problem(
        tmp_path, WHOLE.replace("greeting", "greting")
    )


def test_a_missing_or_empty_line_is_named(tmp_path):
    assert "language.en.busy: missing" in problem(tmp_path, WHOLE.replace('busy = "Later."', ""))
    assert "language.en.busy" in problem(tmp_path, WHOLE.replace("Later.", " "))


def test_a_language_that_it_must_speak_is_asked_for(tmp_path):
    message = problem(tmp_path, WHOLE, languages=["es"])
    assert "does not speak 'es'" in message
    assert "[language.es]" in message


def test_a_language_that_nothing_here_speaks_is_refused(tmp_path):
    assert "language.tlh" in problem(tmp_path, WHOLE.replace("language.en", "language.tlh"))


def test_a_persona_without_languages_is_refused(tmp_path):
    assert "language" in problem(tmp_path, 'name = "Max"\n[language]')


@pytest.mark.parametrize("text", ["name = ", "\x00"])
def test_a_file_that_is_no_toml_is_refused(tmp_path, text):
    assert "not valid TOML" in problem(tmp_path, text)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "max.toml"
    path.write_bytes(WHOLE.replace("Max", "Zoë").encode("latin-1"))
    with pytest.raises(ConfigError, match="not valid TOML"):
        load_persona(path)


def test_examples_are_turns_of_a_conversation(tmp_path):
    persona = load_persona(written(tmp_path, WHOLE + 'examples = [["Open?", "From nine."]]'))
    assert beginning(persona, "en")[1:] == (
        Message("user", "Open?"),
        Message("assistant", "From nine."),
    )


def test_an_example_without_an_answer_is_refused(tmp_path):
    assert "language.en.examples.0" in problem(tmp_path, WHOLE + 'examples = [["Open?"]]')
