from presencia.client import AvatarSaid, Failed, Joined, OtherEvent, PersonSaid, StateChanged
from presencia.client.events import read


def test_events_come_in_their_types():
    created = {"type": "session.created", "session": {"avatar": {"resumed": True}}}
    assert read(created) == Joined(True, created)
    assert read({"type": "avatar.state", "state": "thinking"}) == StateChanged("thinking")
    done = "conversation.item.input_audio_transcription.completed"
    said = read({"type": done, "item_id": "i", "transcript": "Hi."})
    assert said == PersonSaid("i", "Hi.", is_final=True)
    delta = "response.output_audio_transcript.delta"
    spoken = read({"type": delta, "response_id": "r", "item_id": "a", "delta": "Hello."})
    assert spoken == AvatarSaid("r", "a", "Hello.")
    error = {"type": "error", "error": {"code": "x", "message": "No."}}
    assert read(error) == Failed("x", "No.")


def test_unknown_and_malformed_events_come_as_they_are():
    for body in (
        {"type": "new.event", "a": 1},
        {"type": "avatar.state"},
        {"type": "error", "error": "text"},
        {"type": "session.created", "session": None},
    ):
        assert read(body) == OtherEvent(body["type"], body)
