/** What the page says when something is wrong: a title, what to do, and perhaps a button. */

/** @typedef {import("./problem.js").Problem} Problem */
/** @typedef {import("./microphone.js").MicrophoneTrouble} MicrophoneTrouble */
/** @typedef {import("./strings.js").StringKey} StringKey */

/** @typedef {"microphone" | "settings"} NoticeAction ask for the microphone again, open the settings */

/**
 * @typedef {object} Notice
 * @property {string} kind names the notice in the page, for style and tests
 * @property {"error" | "warning" | "wait"} tone
 * @property {string} icon
 * @property {StringKey} title
 * @property {StringKey} text
 * @property {StringKey} [alone] in place of `text` where there is only the face: nowhere to type, no settings
 * @property {string} [detail] the server's own sentence, in place of `text`
 * @property {NoticeAction} [action]
 * @property {StringKey} [label] of the action
 * @property {{[placeholder: string]: string | number}} [values] of title and text
 */

/** @type {Record<import("./problem.js").ProblemCode, Notice>} */
const OF_PROBLEM = {
  insecure: { kind: "insecure", tone: "error", icon: "lock", title: "insecureTitle", text: "insecureText" },
  unsupported: { kind: "unsupported", tone: "error", icon: "alert", title: "unsupportedTitle", text: "unsupportedText" },
  unreachable: { kind: "unreachable", tone: "error", icon: "offline", title: "unreachableTitle", text: "unreachableText" },
  not_ready: { kind: "waiting", tone: "wait", icon: "clock", title: "waitingTitle", text: "waitingText" },
  server_full: { kind: "full", tone: "warning", icon: "clock", title: "fullTitle", text: "fullText" },
  unauthorized: { kind: "unauthorized", tone: "error", icon: "lock", title: "unauthorizedTitle", text: "unauthorizedText" },
  queued: { kind: "queued", tone: "wait", icon: "clock", title: "queueTitle", text: "queueText" },
  ticket_expired: { kind: "full", tone: "warning", icon: "clock", title: "fullTitle", text: "fullText" },
  refused: { kind: "refused", tone: "error", icon: "alert", title: "refusedTitle", text: "refusedText" },
  resume_expired: { kind: "gone", tone: "error", icon: "offline", title: "goneTitle", text: "goneText" },
  no_route: { kind: "no-route", tone: "error", icon: "offline", title: "noRouteTitle", text: "noRouteText" },
  lost: { kind: "lost", tone: "wait", icon: "offline", title: "lostTitle", text: "lostText" },
};

/** @type {Record<MicrophoneTrouble, Notice>} */
const OF_MICROPHONE = {
  denied: { kind: "mic-denied", tone: "warning", icon: "mic-off", title: "deniedTitle", text: "deniedText", alone: "deniedAlone", action: "microphone", label: "tryAgain" },
  none: { kind: "mic-none", tone: "warning", icon: "mic-off", title: "noneTitle", text: "noneText", alone: "noneAlone", action: "microphone", label: "tryAgain" },
  busy: { kind: "mic-busy", tone: "warning", icon: "mic-off", title: "busyTitle", text: "busyText", alone: "busyAlone", action: "microphone", label: "tryAgain" },
  silent: { kind: "mic-silent", tone: "warning", icon: "mic-off", title: "silentTitle", text: "silentText", alone: "silentAlone", action: "settings", label: "chooseMicrophone" },
  unplugged: { kind: "mic-unplugged", tone: "warning", icon: "mic-off", title: "unpluggedTitle", text: "unpluggedText", alone: "unpluggedAlone", action: "microphone", label: "useMicrophone" },
};

/**
 * @param {Problem} problem
 * @param {boolean} wasConnected a call that ran and could not be brought back
 * @returns {Notice}
 */
export function noticeOf(problem, wasConnected) {
  const notice = { ...OF_PROBLEM[problem.code], detail: problem.detail };
  if (!wasConnected || problem.code === "lost") return notice;
  return { ...notice, kind: "gone", tone: "error", icon: "offline", title: "goneTitle", text: "goneText" };
}

/**
 * @param {import("./problem.js").Standing} standing in line
 * @returns {Notice}
 */
export function queueNotice({ place, waitS }) {
  const minutes = Math.round(waitS / 60);
  const text = waitS < 45 ? "queueSoonText" : minutes <= 1 ? "queueMinuteText" : "queueText";
  return { ...OF_PROBLEM.queued, text, values: { place, minutes } };
}

/** @param {MicrophoneTrouble} trouble */
export function microphoneNotice(trouble) {
  return OF_MICROPHONE[trouble];
}
