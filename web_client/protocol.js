/**
 * The events of docs/protocol.md as the page reads and writes them.
 *
 * A server event is untrusted: `parse` checks the envelope, and the readers below give a field only if
 * it has the expected type. So a malformed event costs itself, never the call.
 */

/** @typedef {{type: string, [field: string]: unknown}} ServerEvent */
/** @typedef {"listening" | "thinking" | "speaking"} AvatarState */
/** @typedef {"video" | "client" | "audio"} FaceMode who draws the face: the server, this page, nobody */
/** @typedef {"chosen" | "network" | "drawing" | "busy" | "recovered"} FaceReason */

/**
 * @param {unknown} message what the data channel delivered
 * @returns {ServerEvent | null} null if it isn't an event
 */
export function parse(message) {
  if (typeof message !== "string") return null;
  try {
    const event = JSON.parse(message);
    return isObject(event) && typeof event.type === "string" ? /** @type {ServerEvent} */ (event) : null;
  } catch {
    return null;
  }
}

/**
 * @param {unknown} parent
 * @param {string} field
 * @returns {string} the field, or "" where there's no such text
 */
export function text(parent, field) {
  const value = isObject(parent) ? parent[field] : undefined;
  return typeof value === "string" ? value : "";
}

/**
 * @param {unknown} parent
 * @param {string} field
 * @returns {{[field: string]: unknown}} the field, or {} where there's no such object
 */
export function object(parent, field) {
  const value = isObject(parent) ? parent[field] : undefined;
  return isObject(value) ? value : {};
}

/**
 * @param {ServerEvent} event an `avatar.state`
 * @returns {AvatarState | null}
 */
export function avatarState(event) {
  const state = text(event, "state");
  return state === "listening" || state === "thinking" || state === "speaking" ? state : null;
}

/**
 * @param {ServerEvent} event an `avatar.face.updated`
 * @returns {{mode: FaceMode, reason: FaceReason} | null}
 */
export function faceUpdated(event) {
  const mode = text(event, "mode");
  const reason = text(event, "reason");
  if (mode !== "video" && mode !== "client" && mode !== "audio") return null;
  const isKnown = reason === "network" || reason === "drawing" || reason === "busy" || reason === "recovered";
  return { mode, reason: isKnown ? reason : "chosen" };
}

/**
 * @param {ServerEvent} event a `session.created`
 * @returns {string} where the face's files are; "" if the server gives none
 */
export function faceUrl(event) {
  const url = text(object(object(object(event, "session"), "avatar"), "face"), "url");
  return url.startsWith("/") && !url.startsWith("//") ? url : ""; // Only this server's own.
}

/**
 * @param {FaceMode} mode
 * @param {boolean} automatic whether the server may show less while it is busy
 * @param {FaceReason} reason
 */
export function faceUpdate(mode, automatic, reason) {
  return { type: "avatar.face.update", mode, automatic, reason };
}

/**
 * @param {unknown} item a conversation item
 * @returns {string} the words that a person typed, or "" for any other item
 */
export function typedText(item) {
  const content = isObject(item) ? item.content : undefined;
  if (text(item, "role") !== "user" || !Array.isArray(content)) return "";
  return content
    .filter((part) => text(part, "type") === "input_text")
    .map((part) => text(part, "text"))
    .join(" ")
    .trim();
}

/**
 * @param {ServerEvent} event a `session.created` or `session.updated`
 * @returns {boolean} whether the server records the call
 */
export function isRecorded(event) {
  return object(object(event, "session"), "avatar").recording === true;
}

/**
 * @param {ServerEvent} event a `session.created` or `session.updated`
 * @returns {{token: string, lastsMs: number} | null} what the same conversation can be gone on with; null: nothing
 */
export function resumption(event) {
  const resume = object(object(object(event, "session"), "avatar"), "resume");
  const token = text(resume, "token");
  const seconds = resume["expires_in_s"];
  return token && typeof seconds === "number" ? { token, lastsMs: 1000 * seconds } : null;
}

/**
 * @param {ServerEvent} event a `session.created`
 * @returns {boolean} whether an earlier conversation goes on
 */
export function isResumed(event) {
  return object(object(event, "session"), "avatar").resumed === true;
}

/**
 * @param {ServerEvent} event an `avatar.watched`
 * @returns {number} how many others watch the avatar in this call
 */
export function watchers({ watchers: count }) {
  return typeof count === "number" ? count : 0;
}

/**
 * @typedef {object} Wishes what a call asks for
 * @property {string} [language]
 * @property {string} [instructions] for the language model
 * @property {boolean | undefined} [mayRecord] whether the person agrees to being recorded; false takes back what was
 *     agreed to in the conversation that goes on
 * @property {object[]} [tools] as the protocol declares functions
 * @property {string} [resumeToken] the conversation that goes on
 * @property {boolean} [waits] stands in line where every place is taken
 * @property {string} [ticket] of the line
 * @property {boolean} [showsWatchers] shows the person how many watch; nobody may otherwise
 */

/** @param {Wishes} wishes */
export function session({ language, instructions, mayRecord, tools, resumeToken, waits, ticket, showsWatchers }) {
  const avatar = {
    ...(showsWatchers ? { shows_watchers: true } : {}),
    ...(mayRecord || (resumeToken && mayRecord === false) ? { recording: mayRecord } : {}),
    ...(resumeToken ? { resume_token: resumeToken } : {}),
    ...(waits ? { queue: true } : {}),
    ...(ticket ? { ticket } : {}),
  };
  return {
    type: "realtime",
    ...(language ? { audio: { input: { transcription: { language } } } } : {}),
    ...(instructions ? { instructions } : {}),
    ...(tools?.length ? { tools } : {}),
    ...(Object.keys(avatar).length ? { avatar } : {}),
  };
}

/**
 * @param {ServerEvent} event a `response.output_item.done`
 * @returns {{callId: string, name: string, json: string} | null} the function that the answer calls, if it does
 */
export function functionCall(event) {
  const item = object(event, "item");
  const callId = text(item, "call_id");
  if (text(item, "type") !== "function_call" || !callId) return null;
  return { callId, name: text(item, "name"), json: text(item, "arguments") };
}

/**
 * @param {string} callId
 * @param {string} output
 */
export function functionOutput(callId, output) {
  return { type: "conversation.item.create", item: { type: "function_call_output", call_id: callId, output } };
}

/** Takes the consent to being recorded back: the server deletes what it has. */
export function withdrawal() {
  return { type: "session.update", session: { type: "realtime", avatar: { recording: false } } };
}

/** @param {boolean} [interrupts] whether the new answer takes the place of one under way */
export function answer(interrupts = false) {
  return { type: "response.create", ...(interrupts ? { response: { avatar: { interrupt: true } } } : {}) };
}

/** @param {string} words */
export function userMessage(words) {
  return {
    type: "conversation.item.create",
    item: { type: "message", role: "user", content: [{ type: "input_text", text: words }] },
  };
}

/**
 * @param {unknown} value
 * @returns {value is {[field: string]: unknown}}
 */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
