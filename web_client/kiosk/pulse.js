/** The page's heartbeat: says to the service that the page lives and draws, and hears whether it should reload. */

/** So many beats without an answer are a service that is gone. */
const MISSED = 2;
/** How often it is tried whether the browser still draws: seldom, since a frame that shows nothing new costs too. */
const PROBE_EVERY_MS = 500;
/** What the page says before it knows how often it should. */
const FIRST_EVERY_MS = 2_000;

export class Pulse {
  everyMs = FIRST_EVERY_MS;

  #api;
  #self;
  #listener;
  #frames = 0;
  #errors = 0;
  #missed = 0;

  /**
   * @param {import("./api.js").KioskApi} api
   * @param {() => {screen: string, occupied: boolean, visits: number, camera: boolean, microphone: boolean}} self
   * @param {{onreload: (why: string) => void, onservice: (trouble: "offline" | "loading" | null) => Promise<void>}} listener
   */
  constructor(api, self, listener) {
    this.#api = api;
    this.#self = self;
    this.#listener = listener;
    window.addEventListener("error", () => (this.#errors += 1));
    window.addEventListener("unhandledrejection", () => (this.#errors += 1));
  }

  start() {
    window.setInterval(() => requestAnimationFrame(() => (this.#frames += 1)), PROBE_EVERY_MS);
    void this.#beat();
  }

  async #beat() {
    const frames = document.hidden ? 1 : this.#frames; // Nothing is drawn on a screen that is off.
    this.#frames = 0;
    try {
      const { reload, ready } = await this.#api.beat({ ...this.#self(), frames, errors: this.#errors, heap_mb: heapMb() });
      this.#missed = 0;
      await this.#listener.onservice(ready ? null : "loading");
      if (reload) this.#listener.onreload(reload);
    } catch {
      this.#missed += 1;
      if (this.#missed >= MISSED) await this.#listener.onservice("offline");
    }
    window.setTimeout(() => void this.#beat(), this.everyMs);
  }
}

/** @returns {number} what JavaScript holds, in MB; 0 where the browser does not say */
function heapMb() {
  const { memory } = /** @type {Performance & {memory?: {usedJSHeapSize: number}}} */ (performance);
  return memory ? Math.round(memory.usedJSHeapSize / 2 ** 20) : 0;
}
