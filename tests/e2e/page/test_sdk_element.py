"""`<presencia-call>` in pages of another origin, from our modules or from the one-file bundle."""

import pytest
from playwright.sync_api import expect

from tests.e2e.page.kit import SILENT_MICROPHONE, eventually
from tests.e2e.page.stand_in import serving

pytestmark = pytest.mark.e2e

SCRIPTS = ["presencia.js", "dist/presencia.js"]


@pytest.fixture
def embed(open_page, server, tmp_path, bundle):
    """Opens a page of another origin with this body."""
    with serving(tmp_path) as url:

        def embed_(body, script=SCRIPTS[0], **options):
            tag = f'<script type="module" src="{server.url}{script}"></script>'
            page = f"<!doctype html><meta charset=utf-8><title>Shop</title>{tag}{body}"
            (tmp_path / "index.html").write_text(page, "utf-8")
            return open_page(url=url, **options)

        yield embed_


def dial(page, index=0):
    page.get_by_role("button", name="Call Elena").nth(index).click()


def connected(page, index=0):
    phase = f"document.querySelectorAll('presencia-call')[{index}].phase"
    eventually(page, lambda: page.evaluate(phase) == "connected")


def states(page):
    return page.evaluate("held.tracks.map((track) => track.readyState)")


@pytest.mark.parametrize("script", SCRIPTS)
def test_one_tag_puts_the_avatar_on_a_page_of_another_origin(embed, server, script):
    page = embed("<presencia-call></presencia-call>", script)
    expect(page.get_by_text("Elena", exact=True)).to_be_visible()
    expect(page.locator("#badge")).to_have_text("AI")
    dial(page)
    connected(page)
    assert page.url.rstrip("/") != server.url.rstrip("/")
    eventually(page, lambda: server.call.loudest > 1000)
    eventually(page, lambda: page.evaluate("video.videoWidth") == 512)
    server.call.say("Good morning.")
    expect(page.locator("#caption")).to_have_text("Good morning.")
    page.get_by_role("button", name="Mute").click()
    expect(page.get_by_role("button", name="Unmute")).to_be_visible()
    page.get_by_role("button", name="Hang up").click()
    eventually(page, lambda: server.call.has_hung_up)
    eventually(page, lambda: states(page) == ["ended"])


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_face_can_be_drawn_on_a_page_of_another_origin(embed, server, script):
    asked = []
    page = embed('<presencia-call picture="client"></presencia-call>', script)
    page.on("request", lambda request: asked.append(request.url))
    dial(page)
    connected(page)
    eventually(page, lambda: any("/elena/card.json" in url for url in asked))
    face = next(url for url in asked if url.endswith("/face/face.js"))
    assert face == server.url + script.replace("presencia.js", "face/face.js")


def test_removing_the_element_ends_the_call_and_lets_the_microphone_go(embed, server):
    page = embed("<presencia-call></presencia-call>")
    dial(page)
    connected(page)
    page.evaluate("document.querySelector('presencia-call').remove()")
    eventually(page, lambda: server.call.has_hung_up)
    eventually(page, lambda: states(page) == ["ended"])
    assert page.evaluate("held.connections.map((c) => c.connectionState)") == ["closed"]


def test_several_on_one_page_keep_apart(embed, server):
    page = embed("<presencia-call></presencia-call><presencia-call></presencia-call>")
    expect(page.get_by_role("button", name="Call Elena")).to_have_count(2)
    dial(page)
    connected(page, 0)
    dial(page)
    connected(page, 1)
    first, second = server.calls
    first.say("To the first.")
    second.say("To the second.")
    expect(page.locator("#caption").nth(0)).to_have_text("To the first.")
    expect(page.locator("#caption").nth(1)).to_have_text("To the second.")
    page.evaluate("document.querySelector('presencia-call').hangUp()")
    eventually(page, lambda: first.has_hung_up)
    assert not second.has_hung_up
    connected(page, 1)


def test_an_app_is_told_everything_by_events(embed, server):
    listen = """
    <script>
    globalThis.told = [];
    for (const type of ["phase", "state", "transcript", "picture", "tool"]) {
      document.addEventListener("presencia-" + type, ({detail}) =>
        told.push([type, JSON.parse(JSON.stringify(detail))]));
    }
    </script>"""
    page = embed(listen + "<presencia-call></presencia-call>")
    dial(page)
    connected(page)
    server.call.hear("Hello?", "q1")
    server.call.send("avatar.state", state="thinking")
    eventually(page, lambda: ["state", {"state": "thinking"}] in page.evaluate("told"))
    told = page.evaluate("told")
    phases = [detail["phase"] for type_, detail in told if type_ == "phase"]
    assert phases == ["connecting", "connected"]
    [line] = [detail for type_, detail in told if type_ == "transcript"]
    assert (line["line"]["text"], line["line"]["who"], line["change"]) == (
        "Hello?",
        "person",
        "added",
    )


REGISTER = """
customElements.whenDefined("presencia-call").then(() => {
  const call = document.querySelector("presencia-call");
  const city = {type: "object", properties: {city: {type: "string"}}, required: ["city"]};
  globalThis.takeBack = call.registerTool("weather", {description: "Of a city.", parameters: city},
    async ({city}) => {
      if (city === "Atlantis") throw new Error("There is no such city.");
      return {city, sky: "clear"};
    });
});
"""


def call_tool(server, city, status="completed", call_id="c1"):
    item = {"type": "function_call", "call_id": call_id, "name": "weather"}
    item["arguments"] = f'{{"city": "{city}"}}'
    server.call.send("response.output_item.done", response_id="r1", item=item)
    server.call.send("response.done", response={"id": "r1", "status": status})


def outputs(server):
    items = [event["item"] for event in server.call.received("conversation.item.create")]
    return [(item["call_id"], item["output"]) for item in items]


def test_the_avatar_calls_functions_of_the_page(embed, server):
    page = embed("<presencia-call></presencia-call>", script="presencia.js")
    page.evaluate(REGISTER)
    dial(page)
    connected(page)
    [tool] = server.session["tools"]
    assert (tool["type"], tool["name"], tool["description"]) == (
        "function",
        "weather",
        "Of a city.",
    )
    greetings = 1
    call_tool(server, "Lima")
    eventually(page, lambda: len(server.call.received("response.create")) == greetings + 1)
    assert outputs(server) == [("c1", '{"city":"Lima","sky":"clear"}')]
    call_tool(server, "Atlantis", call_id="c2")
    eventually(page, lambda: len(server.call.received("response.create")) == greetings + 2)
    assert outputs(server)[1] == ("c2", '{"error":"There is no such city."}')
    call_tool(server, "Quito", status="cancelled", call_id="c3")  # the person spoke over it
    eventually(page, lambda: len(outputs(server)) == 3)
    page.wait_for_timeout(300)
    assert len(server.call.received("response.create")) == greetings + 2
    page.evaluate("takeBack()")
    eventually(page, lambda: bool(server.call.received("session.update")))
    assert server.call.received("session.update")[-1]["session"]["tools"] == []


def test_a_client_secret_is_asked_for_and_shown_and_stays_out_of_the_address(embed, server):
    early = 'document.querySelector("presencia-call").clientSecret = async () => "ek_1";'
    page = embed(f"<presencia-call></presencia-call><script>{early}</script>")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    dial(page)
    connected(page)
    assert server.keys == ["Bearer ek_1"]
    assert not any("ek_1" in url for url in asked)


def test_a_page_themes_it_by_properties_and_parts(embed):
    style = """<style>
    presencia-call { width: 300px; --presencia-radius: 7px; --presencia-accent: rgb(1, 2, 3); }
    presencia-call::part(identity) { color: rgb(4, 5, 6); }
    p, button, section { color: red !important; }
    </style>"""
    page = embed(style + "<presencia-call></presencia-call>")
    expect(page.locator("#face")).to_have_css("border-radius", "7px")
    call = page.get_by_role("button", name="Call Elena")
    expect(call).to_have_css("background-color", "rgb(1, 2, 3)")
    expect(call).to_have_css("color", "rgb(255, 255, 255)")
    expect(page.locator(".identity")).to_have_css("color", "rgb(4, 5, 6)")
    assert page.evaluate("document.querySelector('presencia-call').offsetHeight") == 300


def test_language_and_captions_are_attributes(embed, server):
    page = embed('<presencia-call language="es" captions="off"></presencia-call>')
    page.get_by_role("button", name="Llamar a Elena").click()
    connected(page)
    assert server.call.language == "es"
    server.call.say("Buenos días.")
    eventually(page, lambda: page.evaluate("document.querySelector('presencia-call').lines.length"))
    expect(page.locator("#caption")).to_be_hidden()
    page.get_by_role("button", name="Subtítulos").click()
    server.call.say(" ¿Qué tal?")
    expect(page.locator("#caption")).to_be_visible()


def test_a_strict_page_names_the_server_and_nothing_else(embed, server):
    origin = server.url.rstrip("/")
    policy = "default-src 'none'; " + "; ".join(
        f"{kind}-src {origin}" for kind in ("script", "connect", "img")
    )
    page = embed(
        "<script>globalThis.refused = []; addEventListener('securitypolicyviolation',"
        " (event) => refused.push(event.violatedDirective));</script>"
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        "<presencia-call></presencia-call>"
    )
    dial(page)
    connected(page)
    eventually(page, lambda: page.evaluate("video.readyState > 1"))
    assert page.evaluate("face.querySelector('#poster').naturalWidth > 0")
    assert page.evaluate("getComputedStyle(face).position") == "relative"  # by its style sheet
    assert page.evaluate("refused") == []


def test_the_focus_stays_with_the_button_that_takes_the_place(embed, server):
    page = embed('<presencia-call language="es"></presencia-call>')
    page.get_by_role("button", name="Llamar a Elena").press("Enter")
    connected(page)
    expect(page.get_by_role("button", name="Colgar")).to_be_focused()
    assert page.evaluate("face.lang") == "es"
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Llamar a Elena")).to_be_focused()


def test_a_server_that_is_no_address_is_named_and_the_scripts_own_is_called(embed, server):
    said = []
    page = embed("<presencia-call></presencia-call>")
    page.on("console", lambda message: said.append(message.text))
    page.evaluate("document.querySelector('presencia-call').setAttribute('server', 'http://')")
    eventually(page, lambda: any('server="http://" is not an address' in text for text in said))
    dial(page)
    connected(page)


LONG = "Good morning. The library is on the second floor, beside the stairs, and open until six."


def test_on_a_small_face_a_notice_leaves_the_eyes_free_and_asks_for_what_is_there(embed, server):
    style = "<style>body { margin: 0 } presencia-call { width: 360px }</style>"
    page = embed(f"<script>{SILENT_MICROPHONE}</script>{style}<presencia-call></presencia-call>")
    dial(page)
    connected(page)
    notice = page.locator("#stage-notice")
    expect(notice).to_contain_text("Nothing is heard")
    assert "settings" not in notice.inner_text()
    server.call.say(LONG)
    expect(page.locator("#caption")).to_contain_text("until six")
    above, caption = notice.bounding_box(), page.locator("#caption").bounding_box()
    assert above["y"] + above["height"] <= 0.33 * 360, "above the eyes"
    assert caption["y"] >= 0.6 * 360, "below the mouth"
