"""A thousand malformed requests at the doors: each has a clear answer, and nothing is left."""

import asyncio
import gc
import json
import random
import tracemalloc
from collections import Counter
from pathlib import Path

import httpx
import psutil
import pytest

from avatar.settings import RtcSettings
from tests.avatar.access_kit import key_file
from tests.e2e.loopback_server import serving
from tests.e2e.rtc_client import until
from tests.session.held_calls import settings

pytestmark = pytest.mark.e2e

OFFER_SDP = (Path(__file__).parents[1] / "data" / "chromium_offer.sdp").read_text()
REQUESTS = 1000
PLACES = 3

NASTY = (
    "", " ", "\0", "\r\n", "\u2028", "😀" * 40, "'; DROP TABLE calls; --", "../../etc/passwd",
    "%00", "%2e%2e%2f", "${jndi:ldap://x}", "<script>alert(1)</script>", "a" * 70_000, "-1",
    "9" * 400, "NaN", "null", "[]", "{}", "{" * 2000, "[" * 2000, '"' * 99, "\\u0000", "\ufeff{}",
)  # fmt: skip


def anything(rng, depth=0):
    """Some JSON value, often of a wrong kind."""
    kinds = ["null", "bool", "int", "float", "text"] + ([] if depth > 3 else ["list", "dict"])
    match rng.choice(kinds):
        case "null":
            return None
        case "bool":
            return rng.random() < 0.5
        case "int":
            return rng.choice([0, -1, 2**31, 2**63, 10**30, rng.randrange(10**6)])
        case "float":
            return rng.choice([0.5, -1e308, 1e-300])
        case "text":
            return rng.choice(NASTY)
        case "list":
            return [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
        case _:
            names = ["type", "session", "audio", "avatar", "instructions", "tools", "seconds", "x"]
            return {rng.choice(names): anything(rng, depth + 1) for _ in range(rng.randrange(5))}


def broken_sdp(rng):
    """An offer with some of its lines lost, doubled, swapped, cut or made up."""
    lines = OFFER_SDP.splitlines()
    for _ in range(rng.randrange(1, 12)):
        n = rng.randrange(len(lines))
        match rng.randrange(6):
            case 0:
                del lines[n]
            case 1:
                lines.insert(n, lines[rng.randrange(len(lines))])
            case 2:
                lines[n] = lines[n][: rng.randrange(len(lines[n]) + 1)]
            case 3:
                lines[n] = lines[n].replace(" ", rng.choice(NASTY[:12]), 1)
            case 4:
                lines[n] = rng.choice("abcmostvz") + "=" + rng.choice(NASTY)[:200]
            case _:
                lines[n] = "".join(rng.choice("0123456789 -/:=") for _ in range(20))
        if len(lines) < 3:
            break
    return rng.choice(["\r\n", "\n"]).join(lines)


def session_form(rng, sdp):
    session = rng.choice([rng.choice(NASTY), json.dumps(anything(rng))])
    if rng.random() < 0.5:
        session = json.dumps({"type": "realtime", rng.choice(["avatar", "audio"]): anything(rng)})
    fields = {"sdp": (None, sdp), "session": (None, session)}
    for name in list(fields):
        if rng.random() < 0.2:
            del fields[name]
    return fields or {"x": (None, "y")}


def requests(rng, key, wrong):
    """Malformed requests without end: (kind, method, path, options)."""
    while True:
        authorized = {"authorization": f"Bearer {key}"}
        sdp = broken_sdp(rng) if rng.random() < 0.7 else rng.choice(NASTY)
        raw = sdp.encode(errors="surrogatepass")
        if rng.random() < 0.1:
            raw = rng.randbytes(rng.randrange(3000))
        types = ["application/sdp", "text/plain", "multipart/form-data", "x/" + "y" * 500, ""]
        yield (
            "sdp",
            "POST",
            "/v1/realtime/calls",
            {
                "content": raw,
                "headers": authorized
                | {"content-type": rng.choice(types[:2] + types[:1] * 6 + types)},
            },
        )
        yield "form", "POST", "/v1/realtime/calls", {
            "files": session_form(rng, sdp), "headers": authorized
        }  # fmt: skip
        body = rng.choice([rng.choice(NASTY), json.dumps(anything(rng))])
        if rng.random() < 0.5:
            body = json.dumps({"expires_after": anything(rng), "session": anything(rng)})
        yield "secret", "POST", "/v1/realtime/client_secrets", {
            "content": body.encode(errors="replace"), "headers": authorized
        }  # fmt: skip
        token = rng.choice(["", "x", key[:-3] + "abc", "ek_" + "x" * 43, key * 40, "a b", "=" * 99])
        header = rng.choice(["authorization", "api-key", "sec-websocket-protocol"])
        shown = f"Bearer {token}" if header == "authorization" else token
        yield "token", "POST", "/v1/realtime/calls", {
            "content": OFFER_SDP, "headers": {header: shown, "x-forwarded-for": wrong()}
        }  # fmt: skip
        name = "".join(rng.choice("abc._-%~!$é") for _ in range(rng.randrange(1, 40)))
        yield "ticket", rng.choice(["GET", "DELETE"]), f"/v1/realtime/queue/{name}x", {
            "headers": authorized | {"accept": rng.choice(["*/*", "text/event-stream"])}
        }  # fmt: skip
        yield "hangup", "POST", f"/v1/realtime/calls/{name}x/hangup", {"content": raw[:500]}
        avatar = {rng.choice(["resume_token", "ticket"]): rng.choice(NASTY[6:12]) + "x"}
        form = {"sdp": (None, OFFER_SDP), "session": (None, json.dumps({"avatar": avatar}))}
        yield "resume", "POST", "/v1/realtime/calls", {"files": form, "headers": authorized}
        body = {"sdp": rng.choice(NASTY), "type": anything(rng), "pc_id": anything(rng)}
        if rng.random() < 0.3:
            body = anything(rng)
        door = rng.choice(["/api/offer", "/sessions/none/api/offer", "/v1/avatar/diagnosis/calls"])
        yield "offer", rng.choice(["POST", "PATCH"]), door, {
            "content": json.dumps(body).encode(), "headers": authorized
        }  # fmt: skip
        header = rng.choice(["host", "origin", "content-length", "prefer", "content-type"])
        yield (
            "header",
            "POST",
            "/v1/realtime/client_secrets",
            {
                "content": b"{",
                "headers": authorized
                | {header: rng.choice(["x y", "null", "a,b", "1e9", "http://["])},
            },
        )


def is_clear(response):
    """Whether an answer is an error that says what is wrong, to programs and to people."""
    error = response.json()["error"]
    return (
        400 <= response.status_code < 500
        and bool(error["code"])
        and len(error["message"]) > 10
        and set(error) == {"type", "code", "message", "param"}
    )


def counts():
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "files": psutil.Process().num_fds(),
        "bytes": tracemalloc.get_traced_memory()[0],
    }


async def ask(http, kind, method, path, options):
    """The answer; None where the HTTP library itself refuses to send such a thing."""
    try:
        return await http.request(method, path, **options)
    except (UnicodeEncodeError, httpx.LocalProtocolError, httpx.InvalidURL):
        return None
    except httpx.RemoteProtocolError as error:  # the server's HTTP library closed the connection
        raise AssertionError(f"{kind} {path[:60]}: no answer to {options}") from error


async def give_back(server, http, response):
    """End a call, or hold no ticket, that was got in spite of everything."""
    location = response.headers["location"]
    if response.status_code == 201:
        await http.post(location + "/hangup")
        await until(lambda: not server.calls._held, "the call's end")


async def besiege(http, server, stream, number):
    """Send so many requests; what was answered, by kind and status."""
    seen, unclear = Counter(), []
    while sum(seen.values()) < number:
        kind, method, path, options = next(stream)
        response = await ask(http, kind, method, path, options)
        if response is None:
            continue
        seen[kind, response.status_code] += 1
        if response.status_code == 201:
            await give_back(server, http, response)  # what was broken did not matter
        elif response.status_code == 200 and kind == "secret":
            pass  # nor did it here
        elif not is_clear(response):
            unclear.append((kind, response.status_code, response.text[:200]))
    return seen, unclear


def test_a_thousand_malformed_requests_leave_nothing_and_each_is_answered_clearly(tmp_path):
    file, (key,) = key_file(tmp_path, "shop")
    given = settings(
        max_calls=PLACES,
        keys_file=file,
        calls_per_minute=10**6,
        trusted_proxies=["127.0.0.1"],
        client_secrets=10,
    ).model_copy(update={"rtc": RtcSettings(offer_loopback=True)})
    rng = random.Random(20261128)
    addresses = (f"192.0.2.{n % 250}" for n in range(10**6))

    async def siege():
        async with (
            serving(given) as server,
            httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as http,
        ):
            stream = requests(rng, key, lambda: next(addresses))
            await besiege(http, server, stream, 150)  # so that what is made once is there
            tracemalloc.start()
            before = counts()
            seen, unclear = await besiege(http, server, stream, REQUESTS)
            after = counts()
            tracemalloc.stop()
            for (kind, status), n in sorted(seen.items()):
                print(f"{kind:8} {status} {n:4}")
            print(f"before {before}, after {after}")
            assert not unclear, unclear[:5]
            assert not [status for _, status in seen if status >= 500]
            assert len(server.calls) == 0
            assert len(server.calls._tokens) == 0
            assert after["tasks"] <= before["tasks"] + 1
            assert after["files"] <= before["files"] + 2
            assert after["bytes"] < before["bytes"] + 1_000_000
            right = {"authorization": f"Bearer {key}"}
            assert (await http.get("/v1/avatar/metrics", headers=right)).status_code == 200
            good = await http.post(
                "/v1/realtime/calls",
                content=OFFER_SDP,
                headers=right | {"content-type": "application/sdp"},
            )
            assert good.status_code == 201, "it answers as if nothing had been"

    asyncio.run(siege())
