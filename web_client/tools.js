/** Functions of the page that the avatar may call: declared to the server, run here, their results sent back. */

import { answer, functionCall, functionOutput, text, object } from "./protocol.js";

/** @typedef {import("./protocol.js").ServerEvent} ServerEvent */
/** @typedef {{description?: string, parameters?: object}} ToolSchema `parameters`: JSON Schema of an object */
/** @typedef {(args: any) => unknown} ToolFunction its result, or what its promise resolves to, goes to the avatar as JSON */

/**
 * @typedef {object} ToolReport what became of a call of a tool
 * @property {string} name
 * @property {unknown} arguments
 * @property {string} output as it was sent to the avatar
 * @property {string} [error] why it failed
 */

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const NO_PARAMETERS = { type: "object", properties: {} };

export class Tools {
  /** @type {Map<string, {schema: ToolSchema, run: ToolFunction}>} */
  #tools = new Map();
  /** @type {Map<string, Promise<void>[]>} by the answer that called them */
  #running = new Map();
  #send;
  #onreport;

  /**
   * @param {(event: object) => void} send to the server
   * @param {(report: ToolReport) => void} onreport
   */
  constructor(send, onreport) {
    this.#send = send;
    this.#onreport = onreport;
  }

  /**
   * @param {string} name letters, digits, "_" and "-"
   * @param {ToolSchema} schema
   * @param {ToolFunction} run
   */
  add(name, schema, run) {
    if (!NAME.test(name)) throw new TypeError(`"${name}" can't be a tool's name: use letters, digits, _ and -.`);
    if (typeof run !== "function") throw new TypeError(`The tool "${name}" needs a function.`);
    this.#tools.set(name, { schema, run });
  }

  /** @param {string} name */
  remove(name) {
    this.#tools.delete(name);
  }

  /** Those of now, as the protocol declares them. */
  get declared() {
    return [...this.#tools].map(([name, { schema }]) => ({
      type: "function",
      name,
      description: schema.description ?? "",
      parameters: schema.parameters ?? NO_PARAMETERS,
    }));
  }

  /** @param {ServerEvent} event every event of the server */
  hear(event) {
    if (event.type === "response.output_item.done") this.#begin(event);
    if (event.type === "response.done") void this.#answer(object(event, "response"));
  }

  /** @param {ServerEvent} event */
  #begin(event) {
    const call = functionCall(event);
    if (!call || !this.#tools.has(call.name)) return; // One that the server itself runs.
    const response = text(event, "response_id");
    this.#running.set(response, [...(this.#running.get(response) ?? []), this.#run(call)]);
  }

  /** @param {{[field: string]: unknown}} response that is over: the avatar goes on with what its tools give */
  async #answer(response) {
    const id = text(response, "id");
    const running = this.#running.get(id);
    this.#running.delete(id);
    if (!running) return;
    await Promise.all(running);
    // The person has spoken over it: they want another answer by now.
    if (text(response, "status") !== "cancelled") this.#send(answer());
  }

  /** @param {{callId: string, name: string, json: string}} call */
  async #run({ callId, name, json }) {
    /** @type {unknown} */
    let args = {};
    let output, error;
    try {
      args = JSON.parse(json || "{}");
      const result = await this.#tools.get(name)?.run(args);
      output = typeof result === "string" ? result : JSON.stringify(result ?? null);
    } catch (failure) {
      error = failure instanceof Error ? failure.message : String(failure);
      output = JSON.stringify({ error });
    }
    this.#send(functionOutput(callId, output));
    this.#onreport({ name, arguments: args, output, ...(error === undefined ? {} : { error }) });
  }
}
