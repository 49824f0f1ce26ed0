/**
 * The kiosk's rules as one pure function, with the time handed in: no page, no network, no clock of its own.
 *
 *     broken <-> attract <-> welcome -> connecting -> call <-> countdown
 *                   ^                        |          |          |
 *                   +------- reload <---- goodbye <-----+----------+
 *
 * Whoever the page meets, `goodbye` wipes and the page is reloaded before the next one. `staff` is reached from
 * everywhere and is left by the same way.
 */

import { CONNECT_LIMIT_MS, GONE_MS, GOODBYE_MS, STAFF_LIMIT_MS, WIPE_LIMIT_MS } from "./rules.js";

/** @typedef {import("./rules.js").State} State */
/** @typedef {import("./rules.js").Rules} Rules */
/** @typedef {import("./rules.js").KioskEvent} KioskEvent */
/** @typedef {import("./rules.js").Effect} Effect */
/** @typedef {import("./rules.js").Screen} Screen */

/** @type {ReadonlySet<Screen>} */
const IN_CALL = new Set(/** @type {Screen[]} */ (["connecting", "call", "countdown"]));
/** @type {ReadonlySet<Screen>} */
const BEFORE_CALL = new Set(/** @type {Screen[]} */ (["attract", "welcome"]));

/**
 * What comes of an event.
 *
 * @param {State} old
 * @param {KioskEvent} event
 * @param {number} nowMs of a clock that never goes back
 * @param {Rules} rules
 * @returns {{state: State, effects: Effect[]}}
 */
export function step(old, event, nowMs, rules) {
  if (old.reloading) return { state: old, effects: [] };
  const move = new Move({ ...old }, nowMs, rules);
  move.take(event);
  return { state: move.state, effects: move.effects };
}

class Move {
  /** @type {Effect[]} */
  effects = [];

  /**
   * @param {State} state
   * @param {number} nowMs
   * @param {Rules} rules
   */
  constructor(state, nowMs, rules) {
    this.state = state;
    this.nowMs = nowMs;
    this.rules = rules;
  }

  /** @param {KioskEvent} event */
  take(event) {
    const { state } = this;
    switch (event.type) {
      case "tick":
        return this.#tick();
      case "touch":
        return this.#touch();
      case "voice":
        return this.#voice();
      case "choose":
        return this.#choose(event.language);
      case "words":
        state.words += 1;
        return state.overlong ? undefined : this.#act();
      case "answering":
        state.answering = event.on;
        if (IN_CALL.has(state.screen) && !state.overlong) state.activeMs = this.nowMs;
        return;
      case "presence":
        return this.#see(event.present);
      case "connected":
        if (state.screen === "connecting") this.#enter("call");
        return;
      case "stay":
        return this.#stay();
      case "leave":
        if (IN_CALL.has(state.screen)) this.#end();
        return;
      case "ended":
        if (IN_CALL.has(state.screen)) this.#end();
        if (event.trouble) state.trouble = event.trouble;
        return;
      case "service":
        return this.#service(event.trouble);
      case "staffOpen":
        return this.#openStaff();
      case "staffClose":
        if (state.screen === "staff") this.#end();
        return;
      case "wiped":
        state.isDirty = false;
        return;
      case "reload":
        state.reloadWhy = event.why;
        if (state.screen === "attract" || state.screen === "broken") this.#leave();
    }
  }

  // ---- Somebody does something ----

  #touch() {
    const { state, rules } = this;
    state.isWary = false;
    if (state.screen === "attract") {
      if (rules.languages.length === 1) return this.#dial(state.language, false);
      return this.#welcome();
    }
    if (state.screen === "countdown") return this.#stay();
    this.#act();
  }

  #voice() {
    const { state } = this;
    if (!BEFORE_CALL.has(state.screen) || this.nowMs < state.deafUntilMs) return;
    this.#dial(state.language, true);
  }

  /** @param {string} language */
  #choose(language) {
    const { state } = this;
    if (!this.rules.languages.includes(language)) return;
    if (BEFORE_CALL.has(state.screen)) return this.#dial(language, false);
    if (!IN_CALL.has(state.screen)) return;
    state.language = language;
    this.effects.push({ do: "switch", language });
    this.#stay();
  }

  /** @param {boolean | null} present */
  #see(present) {
    const { state } = this;
    if (present === state.present) return;
    state.present = present;
    state.presenceMs = this.nowMs;
    if (present === false) state.isWary = false;
    if (present && state.screen === "attract" && !state.isWary) this.#welcome();
  }

  /** The visitor is there. */
  #act() {
    const { state } = this;
    state.activeMs = this.nowMs;
    if (state.screen === "countdown") this.#enter("call");
  }

  /** The visitor says so by hand, which counts even in a visit that is too long. */
  #stay() {
    const { state } = this;
    if (state.overlong) {
      state.overlong = false;
      state.visitMs = this.nowMs;
    }
    this.#act();
  }

  // ---- Screens ----

  /** @param {Screen} screen */
  #enter(screen) {
    this.state.screen = screen;
    this.state.sinceMs = this.nowMs;
  }

  #attract() {
    if (this.state.reloadWhy) return this.#leave();
    this.#enter("attract");
    this.state.invitedMs = this.nowMs;
    this.effects.push({ do: "attract", language: this.state.language, aloud: false });
  }

  #welcome() {
    this.state.activeMs = this.nowMs;
    this.#enter("welcome");
  }

  /**
   * @param {string} language
   * @param {boolean} byVoice
   */
  #dial(language, byVoice) {
    const { state, nowMs } = this;
    Object.assign(state, { language, byVoice, isDirty: true, words: 0, answering: false, overlong: false, activeMs: nowMs, visitMs: nowMs });
    this.#enter("connecting");
    this.effects.push({ do: "dial", language });
  }

  /** The visit is over: nothing of it stays. */
  #end() {
    const { state } = this;
    state.answering = false;
    this.#enter("goodbye");
    this.effects.push({ do: "hangUp" }, { do: "wipe" });
  }

  #openStaff() {
    const { state } = this;
    if (state.screen === "goodbye" || state.screen === "staff") return;
    if (IN_CALL.has(state.screen)) this.effects.push({ do: "hangUp" });
    state.isDirty = true; // The PIN is typed there.
    state.activeMs = this.nowMs;
    this.#enter("staff");
  }

  #reload() {
    const { state } = this;
    const heardNothing = state.byVoice && state.words === 0;
    const why = state.reloadWhy || "visitor";
    state.reloading = true;
    this.effects.push({ do: "reload", why, deafMs: heardNothing ? state.deafMs : 0 });
  }

  /** @param {import("./rules.js").Trouble | null} trouble */
  #service(trouble) {
    const { state } = this;
    state.trouble = trouble;
    if (trouble && BEFORE_CALL.has(state.screen)) {
      this.#enter("broken");
      this.effects.push({ do: "hangUp" });
    }
    if (!trouble && state.screen === "broken") this.#attract();
  }

  // ---- Time passes ----

  #tick() {
    const { state, nowMs, rules } = this;
    const idleMs = nowMs - state.activeMs;
    const onScreenMs = nowMs - state.sinceMs;
    switch (state.screen) {
      case "attract":
        return this.#invite();
      case "welcome":
        return this.#await(idleMs, onScreenMs);
      case "connecting":
        if (onScreenMs >= CONNECT_LIMIT_MS) this.#end();
        return;
      case "call":
        return this.#keep(idleMs);
      case "countdown":
        if (onScreenMs >= rules.countdownMs) this.#end();
        return;
      case "goodbye":
        if (onScreenMs < GOODBYE_MS || (state.isDirty && onScreenMs < WIPE_LIMIT_MS)) return;
        return this.#leave();
      case "staff":
        if (idleMs >= STAFF_LIMIT_MS) this.#end();
    }
  }

  #invite() {
    const { state, nowMs, rules } = this;
    if (nowMs - state.invitedMs < rules.inviteEveryMs) return;
    const next = rules.languages.indexOf(state.language) + 1;
    state.language = rules.languages[next % rules.languages.length] ?? state.language;
    state.invitedMs = nowMs;
    if (!rules.speakEveryMs || nowMs - state.spokeMs < rules.speakEveryMs) return;
    state.spokeMs = nowMs;
    this.effects.push({ do: "attract", language: state.language, aloud: true });
  }

  /**
   * @param {number} idleMs
   * @param {number} onScreenMs
   */
  #await(idleMs, onScreenMs) {
    const { state, rules } = this;
    if (idleMs < rules.chooseMs) return;
    // Who is still looking is given more time, but not for ever: it may be a coat.
    if (state.present && onScreenMs < 3 * rules.chooseMs) return;
    state.isWary = state.present === true;
    this.#attract();
  }

  /** @param {number} idleMs */
  #keep(idleMs) {
    const { state, nowMs, rules } = this;
    if (nowMs - state.visitMs >= rules.longestVisitMs) {
      state.overlong = true;
      return this.#enter("countdown");
    }
    if (state.answering) return;
    const isGone = state.present === false && nowMs - state.presenceMs >= GONE_MS && idleMs >= GONE_MS;
    if (isGone || idleMs >= rules.idleMs) this.#enter("countdown");
  }

  /** The page goes, where a new one can be had; else it waits for the service. */
  #leave() {
    const { state } = this;
    if (state.trouble !== "offline") return this.#reload();
    state.reloadWhy ||= "visitor";
    if (state.screen !== "broken") this.#enter("broken");
  }
}

/**
 * How much of the countdown is left.
 *
 * @param {State} state
 * @param {number} nowMs
 * @param {Rules} rules
 * @returns {number} whole seconds; 0 where none runs
 */
export function secondsLeft(state, nowMs, rules) {
  if (state.screen !== "countdown") return 0;
  return Math.max(0, Math.ceil((rules.countdownMs - (nowMs - state.sinceMs)) / 1000));
}
