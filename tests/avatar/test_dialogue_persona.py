import itertools

import pytest

from avatar.dialogue.keeping import Keeping
from avatar.dialogue.persona import load_persona
from avatar.dialogue.prompt import beginning
from avatar.engines import keeping_of
from avatar.settings import LlmSettings, McpServer, RecordingSettings, Settings, ToolSettings
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
    system = beginning(persona, "en")[0]
    assert system.content == f"You are Max. {Keeping().fact} The shop opens at nine."


def test_the_prompt_asks_for_emotion_tags_only_where_the_persona_does(tmp_path):
    asked = load_persona(written(tmp_path, f"emotion_tags = true\n{WHOLE}"))
    assert asked.instructions["en"].startswith(f"You are Max. {Keeping().fact} The shop")
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
    assert beginning(persona, "en")[-2:] == (
        Message("user", "Open?"),
        Message("assistant", "From nine."),
    )


def test_an_example_without_an_answer_is_refused(tmp_path):
    assert "language.en.examples.0" in problem(tmp_path, WHOLE + 'examples = [["Open?"]]')


def answers(persona, language):
    told = persona.examples[language]
    return {
        asked.content: answer.content for asked, answer in zip(told[::2], told[1::2], strict=True)
    }


@pytest.mark.parametrize(
    ("settings", "keeping"),
    [
        (Settings(), Keeping()),
        (Settings(recording=RecordingSettings(enabled=True)), Keeping(can_record=True)),
        (
            Settings(llm=LlmSettings(backend="openai", base_url="http://llm")),
            Keeping(is_shared=True),
        ),
        (
            Settings(tools=ToolSettings(mcp={"city": McpServer(url="https://city")})),
            Keeping(is_shared=True),
        ),
    ],
)
def test_the_settings_decide_what_is_kept(settings, keeping):
    assert keeping_of(settings) == keeping


def test_any_persona_says_what_is_kept(tmp_path):
    def told(**keeping):
        persona = load_persona(written(tmp_path, WHOLE), keeping=Keeping(**keeping))
        return persona.instructions["en"], answers(persona, "en")

    instructions, said = told()
    assert "nothing that is said is kept" in instructions
    assert said["Are you recording me?"] == "No, nothing is recorded."
    for keeping in ({"can_record": True}, {"can_record": True, "is_shared": True}):
        instructions, said = told(**keeping)
        assert "agreed to a recording" in instructions
        assert all("agreed" in answer for answer in said.values())
    for keeping in ({"is_shared": True}, {"can_record": True, "is_shared": True}):
        instructions, said = told(**keeping)
        assert "private" not in instructions
        assert "Another service" in instructions
        assert "another service" in said["Do you keep what I say?"]


def test_what_is_kept_is_told_in_each_language_before_the_personas_own_examples():
    for recorded, shared in itertools.product((False, True), repeat=2):
        persona = load_persona("default", keeping=Keeping(recorded, shared))
        for language in persona.languages:
            kept = Keeping(recorded, shared).told(language)
            assert persona.examples[language][: len(kept)] == kept
    assert "¿Me estás grabando?" in answers(persona, "es")
