"""npm @pipecat-ai/client-js with its SmallWebRTC transport, unmodified, in Chromium.

Its call is also watched, by a plain RTCPeerConnection that speaks WHEP.
"""

from collections.abc import Iterator

import pytest

from tests.e2e import scripted_llm
from tests.e2e.conftest import SPEECH, Server, running_server
from tests.e2e.page.kit import eventually
from tests.e2e.scripted_llm import Call
from tests.e2e.third_party import ClientPage

pytestmark = pytest.mark.e2e

GO_FORWARD = SPEECH / "public" / "en_ps_goforward.wav"
WEASELS = SPEECH / "cc-by-sa" / "en_tt-weasels.wav"
ENTER_NUMBER = SPEECH / "cc-by-sa" / "en_privacy-prompt.wav"
LONG = (
    "Well, that takes a while to tell, so let me begin. It was a cold morning, and nobody was in "
    "the street. A man came along with a lamp in his hand. He looked at every door, and he knocked "
    "at none of them. Then it began to snow, and he went away again, as slowly as he had come."
)


WATCH = """
async () => {
  globalThis.watching = {frames: 0, stream: null, location: ""};
  const pc = new RTCPeerConnection();
  for (const kind of ["audio", "video"]) pc.addTransceiver(kind, {direction: "recvonly"});
  const video = document.createElement("video");
  video.autoplay = true;
  document.body.append(video);
  pc.ontrack = ({streams}) => (video.srcObject = watching.stream = streams[0]);
  const count = () => { watching.frames += 1; video.requestVideoFrameCallback(count); };
  video.requestVideoFrameCallback(count);
  pc.onconnectionstatechange = () => (watching.state = pc.connectionState);
  await pc.setLocalDescription();
  const answer = await fetch("/whep/only", {
    method: "POST", headers: {"Content-Type": "application/sdp"}, body: pc.localDescription.sdp});
  watching.location = answer.headers.get("Location");
  await pc.setRemoteDescription({type: "answer", sdp: await answer.text()});
  return [answer.status, answer.headers.get("ETag") !== null];
}
"""


def script(messages: list[dict], tools: list[str]) -> str | Call:
    """Moves when it is told to go, tells of it, and answers all else at length."""
    last = messages[-1]
    if last["role"] == "tool":
        return "I have gone forward, as you wanted."
    if "forward" in last["content"].lower() and "move" in tools:
        return Call("move", '{"meters": 10}')
    return "You are welcome." if "thank" in last["content"].lower() else LONG


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server with a scripted language model; all else is real."""
    with (
        scripted_llm.serving(script) as llm,
        running_server(
            LLM__BACKEND="openai",
            LLM__MODEL="scripted",
            LLM__BASE_URL=llm.url,
            WATCHING__ENABLED="true",
        ) as running,
    ):
        yield running


def times(event: str) -> str:
    return f"person.seen.filter((e) => e === '{event}').length"


def test_it_holds_a_spoken_conversation_with_a_tool_an_interruption_and_the_face(
    client_pages, chromium, server
):
    with client_pages.opened(chromium, server.url, "pipecat.ts") as page:
        page.page.evaluate("call()")
        page.wait_for("state.ready !== null")
        assert page.page.evaluate("state.ready.version") == "2.2.0"
        page.wait_for("person.seen.includes('botStartedSpeaking')")
        page.wait_for("stream.getAudioTracks().length === 1")
        page.wait_for("person.loudness(stream, 500).then((peak) => peak > 0.01)")
        page.wait_for("state.frames > 25")
        page.wait_for(f"{times('botLlmStopped')} >= 1")
        let_it_move(page)
        interrupt_it(page)
        page.page.evaluate("client.sendText('Thank you.')")
        page.wait_for("state.answered.at(-1) === 'You are welcome.'")
        page.wait_for("state.ttfb.includes('llm_first_token')")
        assert page.page.evaluate("state.errors") == []
        assert page.faults() == []
        page.page.evaluate("client.disconnectBot()")
        page.wait_for("person.seen.includes('botDisconnected')")
        page.wait_for("client.state === 'disconnected'")


def let_it_move(page: ClientPage) -> None:
    """The person asks for something that takes a tool of the page's."""
    answers = page.page.evaluate(times("botLlmStopped"))
    page.say(GO_FORWARD)
    page.wait_for("state.tools.length === 1")
    call = page.page.evaluate("state.tools[0]")
    assert call == {"functionName": "move", "arguments": {"meters": 10}}
    page.wait_for("state.answered.some((text) => text.includes('gone forward'))")
    page.wait_for(f"{times('botLlmStopped')} >= {answers + 2}")
    assert "forward" in " ".join(page.page.evaluate("state.said")).lower()
    assert page.page.evaluate("state.interims") > 0
    seen = page.page.evaluate("person.seen")
    for event in ("userStartedSpeaking", "userStoppedSpeaking", "llmFunctionCallStopped"):
        assert event in seen


def interrupt_it(page: ClientPage) -> None:
    """The person speaks over a long answer: it is cut where it was heard, and another follows."""
    page.say(WEASELS)
    page.wait_for("state.outputs.some((o) => o.text.startsWith('It was a cold'))")
    page.say(ENTER_NUMBER)
    page.wait_for("state.outputs.some((o) => o.spoken_status === 'in-progress')")
    cut = page.page.evaluate("state.outputs.find((o) => o.spoken_status === 'in-progress')")
    assert cut["spoken_progress"]["remaining_text"]
    page.wait_for("state.said.some((text) => /phone|number|area|code/i.test(text))")


def test_another_screen_sees_and_hears_the_avatar(client_pages, chromium, server):
    with (
        client_pages.opened(chromium, server.url, "pipecat.ts") as caller,
        client_pages.opened(chromium, server.url, "pipecat.ts") as screen,
    ):
        caller.page.evaluate("call()")
        caller.wait_for("state.frames > 25")
        shown = "client.sendClientRequest('avatar.update', {shows_watchers: true})"
        caller.page.evaluate(f"{shown}.then(() => true)")
        assert screen.page.evaluate(WATCH) == [201, True]
        screen.wait_for("watching.frames > 25")
        caller.wait_for("state.ours.includes('avatar.watched')")
        caller.page.evaluate("client.sendText('Tell me a lot.')")
        screen.wait_for("person.loudness(watching.stream, 500).then((peak) => peak > 0.01)")
        caller.page.evaluate("client.sendClientRequest('avatar.watching.forbid', {})")
        screen.wait_for("['closed', 'failed', 'disconnected'].includes(watching.state)")
        leave = "fetch(watching.location, {method: 'DELETE'}).then((answer) => answer.status)"
        assert screen.page.evaluate(leave) == 404
        frames = caller.page.evaluate("state.frames")
        caller.wait_for(f"state.frames > {frames + 10}")
        assert caller.faults() == screen.faults() == []
        caller.page.evaluate("client.disconnect()")
        caller.wait_for("client.state === 'disconnected'")


def test_a_started_bot_is_still_there_on_a_new_connection(client_pages, chromium, server):
    with client_pages.opened(chromium, server.url, "pipecat.ts") as page:
        page.page.evaluate("start()")
        page.wait_for("state.ready !== null")
        page.wait_for(f"{times('botLlmStopped')} >= 1")
        page.wait_for("state.frames > 5")
        answers = page.page.evaluate(times("botLlmStopped"))
        page.page.evaluate("dialAgain()")
        page.wait_for("decoded().then((frames) => frames > 25)")
        page.page.evaluate("client.sendText('Thank you.')")
        page.wait_for("state.answered.at(-1) === 'You are welcome.'")
        page.wait_for(f"{times('botLlmStopped')} > {answers}")
        # Those that others left have their place for a while.
        eventually(page.page, lambda: server.metrics()["calls"] == 1)
        assert "disconnected" not in page.page.evaluate("state.states.slice(1)")
        page.page.evaluate("client.disconnect()")
        page.wait_for("client.state === 'disconnected'")
