/** The doctor's page. `window.presenciaDoctor` is for tests and the curious: docs/doctor.md. */

import { load, save } from "../preferences.js";
import { Examination } from "./examination.js";
import { isKey, translate } from "./strings.js";

/** @typedef {import("./finding.js").Finding} Finding */
/** @typedef {import("./strings.js").StringKey} StringKey */

/** @type {Record<string, StringKey>} */
const STATUS = { good: "statusGood", warning: "statusWarning", failed: "statusFailed", skipped: "statusSkipped", running: "statusRunning" };

/** @type {{what: StringKey, finding: Finding | null}[]} null while it is being looked at */
let rows = [];
let isRunning = false;
let isDone = false;
const preferences = load();
let language = preferences.language || (navigator.languages.find((tag) => /^(en|es)\b/.test(tag)) ?? "en").slice(0, 2);
// Made before any press: where it is held back, sound needs one.
const early = typeof AudioContext === "undefined" ? null : new AudioContext();

/** @param {StringKey} key @param {{[placeholder: string]: string | number}} [values] */
const t = (key, values) => translate(language, key, values);

/** @param {string} id */
function part(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`doctor.html has no #${id}`);
  return element;
}

async function start() {
  if (isRunning) return;
  const neededPress = early?.state === "suspended";
  // iOS: sound is unlocked only by a context that is made or resumed within the press itself.
  const context = new AudioContext();
  void context.resume();
  rows = [];
  [isRunning, isDone] = [true, false];
  render();
  const examination = new Examination(context, neededPress, {
    onstart: (what) => {
      rows.push({ what, finding: null });
      render();
    },
    onfinding: (what, finding) => {
      rows = rows.map((row) => (row.what === what && !row.finding ? { what, finding } : row));
      render();
    },
    onask: (isAsking) => (part("ask").hidden = !isAsking),
    onlevel: (level) => {
      part("level").style.setProperty("--level", level.toFixed(2));
      part("level").setAttribute("aria-valuenow", String(Math.round(100 * level)));
    },
  });
  try {
    await examination.run();
    isDone = true;
  } finally {
    isRunning = false;
    part("ask").hidden = true;
    void context.close();
    render();
  }
}

function render() {
  document.documentElement.lang = language;
  document.title = `${t("title")} – Presencia`;
  for (const element of document.querySelectorAll("[data-t], [data-t-label]")) {
    const { t: key = "", tLabel = "" } = /** @type {HTMLElement} */ (element).dataset;
    if (isKey(key)) element.textContent = t(key);
    if (isKey(tLabel)) element.setAttribute("aria-label", t(tLabel));
  }
  const button = part("start");
  button.textContent = t(isDone ? "again" : "start");
  // Not `disabled`, which would take the focus from a keyboard's user.
  button.setAttribute("aria-disabled", String(isRunning));
  part("copy").hidden = !isDone;
  part("summary").textContent = isRunning ? t("running") : isDone ? summary() : "";
  part("findings").replaceChildren(...rows.map(({ what, finding }) => card(what, finding)));
}

/**
 * @param {StringKey} what
 * @param {Finding | null} finding
 */
function card(what, finding) {
  const status = finding?.status ?? "running";
  const item = document.createElement("li");
  item.className = "finding";
  item.dataset.status = status;
  item.dataset.what = what;
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("class", "icon");
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `./doctor/icons.svg#${status}`);
  icon.append(use);
  const heading = document.createElement("div");
  heading.className = "heading";
  heading.append(words("h2", t(what)), words("span", t(STATUS[status] ?? "statusSkipped"), "status"));
  item.append(icon, heading);
  if (finding) item.append(words("p", t(finding.says, finding.values)));
  if (finding?.fix) item.append(words("p", t(finding.fix, finding.values), "fix"));
  return item;
}

/**
 * @param {string} tag
 * @param {string} text
 * @param {string} [className]
 */
function words(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

/** @param {string} status */
const count = (status) => rows.filter(({ finding }) => finding?.status === status).length;

function summary() {
  const [failures, warnings] = [count("failed"), count("warning")];
  if (failures) return t(failures === 1 ? "oneFailed" : "someFailed", { count: failures });
  if (warnings) return t(warnings === 1 ? "oneWarning" : "someWarnings", { count: warnings });
  return t("allGood");
}

/** The result as text: nothing in it tells who or where the person is. */
function report() {
  const lines = rows.map(({ what, finding }) => {
    if (!finding) return "";
    const fix = finding.fix ? ` -> ${t(finding.fix, finding.values)}` : "";
    return `[${finding.status}] ${t(what)}: ${t(finding.says, finding.values)}${fix}`;
  });
  return [`Presencia: ${t("title")}`, ...lines, summary()].join("\n");
}

async function copy() {
  const button = part("copy");
  try {
    await navigator.clipboard.writeText(report());
    button.textContent = t("copied");
  } catch {
    button.textContent = t("copyFailed");
  }
}

for (const radio of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[name="language"]'))) {
  radio.checked = radio.value === language;
  radio.onchange = () => {
    language = radio.value;
    save({ ...preferences, language });
    render();
  };
}
part("start").onclick = () => void start();
part("copy").onclick = () => void copy();
Object.defineProperty(window, "presenciaDoctor", {
  value: Object.freeze({
    get isDone() {
      return isDone;
    },
    get findings() {
      return structuredClone(rows);
    },
    report,
  }),
});
render();
