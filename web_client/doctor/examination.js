/** All that the doctor looks at, in its order. */

import { browser, drawing, secure, speed } from "./device.js";
import { failed, skipped } from "./finding.js";
import { autoplay, echo, level, openMicrophone } from "./sound.js";
import { codecs, relay, relays, server, udp } from "./ways.js";

/** @typedef {import("./finding.js").Finding} Finding */
/** @typedef {import("./strings.js").StringKey} StringKey */

/**
 * @typedef {object} Listener
 * @property {(what: StringKey) => void} onstart
 * @property {(what: StringKey, finding: Finding) => void} onfinding
 * @property {(isAsking: boolean) => void} onask the person is to speak now
 * @property {(level: number) => void} onlevel 0 to 1
 */

/** @type {Record<"udp" | "tcp" | "tls", StringKey>} */
const RELAYS = { udp: "relayUdp", tcp: "relayTcp", tls: "relayTls" };

export class Examination {
  #listener;
  #context;
  #neededPress;

  /**
   * @param {AudioContext} context made and resumed in the press that began this
   * @param {boolean} neededPress whether sound was held back before it
   * @param {Listener} listener
   */
  constructor(context, neededPress, listener) {
    this.#context = context;
    this.#neededPress = neededPress;
    this.#listener = listener;
  }

  async run() {
    await this.#look("secure", async () => secure());
    const able = await this.#look("browser", async () => browser());
    if (able.status === "failed") return;
    /** @type {import("./sound.js").Hearing | null} */
    let hearing = null;
    await this.#look("microphone", async () => (hearing = await openMicrophone()).finding);
    const stream = /** @type {import("./sound.js").Hearing | null} */ (hearing)?.stream ?? null;
    try {
      await this.#listen(stream);
      await this.#travel(stream?.getAudioTracks()[0] ?? null);
    } finally {
      for (const track of stream?.getTracks() ?? []) track.stop();
    }
    await this.#look("drawing", async () => drawing());
    await this.#look("speed", speed);
  }

  /** @param {MediaStream | null} stream */
  async #listen(stream) {
    const sound = await this.#look("autoplay", () => autoplay(this.#context, this.#neededPress));
    if (!stream || sound.status === "failed") {
      await this.#look("volume", async () => skipped("levelNone"));
      await this.#look("echo", async () => skipped("levelNone"));
      return;
    }
    this.#listener.onask(true);
    await this.#look("volume", () => level(this.#context, stream, (now) => this.#listener.onlevel(now)));
    this.#listener.onask(false);
    await this.#look("echo", () => echo(this.#context, stream));
  }

  /** @param {MediaStreamTrack | null} microphone */
  async #travel(microphone) {
    /** @type {import("./ways.js").Server | null} */
    let found = null;
    await this.#look("server", async () => (found = await server()).finding);
    const { answers, iceServers } = /** @type {import("./ways.js").Server} */ (/** @type {unknown} */ (found));
    if (!answers) {
      for (const what of /** @type {StringKey[]} */ (["udp", "relay", "codecs"])) await this.#look(what, async () => skipped("noServer"));
      return;
    }
    /** @type {import("./trial.js").Outcome | null} */
    let seen = null;
    /** @type {RTCIceServer | null} */
    let through = null;
    const all = relays(iceServers);
    /** @type {{what: StringKey, relayServer: RTCIceServer | null}[]} */
    const ways = [{ what: "udp", relayServer: null }, ...all.map(({ way, server: one }) => ({ what: RELAYS[way], relayServer: one }))];
    for (const { what, relayServer } of ways) {
      await this.#look(what, async () => {
        const { finding, outcome } = await (relayServer ? relay(relayServer, microphone) : udp(microphone));
        if (outcome.codec && !seen) [seen, through] = [outcome, relayServer];
        return finding;
      });
    }
    if (!all.length) await this.#look("relay", async () => skipped("relayUnset"));
    await this.#look("codecs", () => codecs(seen, through));
  }

  /**
   * @param {StringKey} what
   * @param {() => Promise<Finding>} how
   */
  async #look(what, how) {
    this.#listener.onstart(what);
    const finding = await how().catch(() => failed("brokeOff", "brokeOffFix")); // As when the server goes meanwhile.
    this.#listener.onfinding(what, finding);
    return finding;
  }
}
