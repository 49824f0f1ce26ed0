/** What the attributes of `<presencia-call>` say. */

/** @typedef {import("./picture.js").PictureChoice} PictureChoice */

/**
 * @typedef {object} CallerOptions read anew at each call
 * @property {string} server its origin; "" is the page's own
 * @property {import("./signalling.js").ClientSecret | null} clientSecret
 * @property {string} language "" is the browser's
 * @property {string} instructions for the language model; "" are the server's
 * @property {string} microphone id of the device; "" lets the browser choose
 * @property {string} speaker id of the device; "" is the system's own
 * @property {PictureChoice} picture
 * @property {() => boolean} mayRecord whether the person agrees to being recorded
 * @property {string} memory key in sessionStorage under which a call survives a reload; "" : it does not
 */

const CHOICES = ["video", "client", "audio"];
/** Where this module came from. */
const HOME = new URL(import.meta.url).origin;

/** @param {HTMLElement} element */
export function optionsOf(element) {
  const choice = element.getAttribute("picture") ?? "";
  return {
    server: originOf(element.getAttribute("server")),
    language: element.getAttribute("language") ?? "",
    instructions: element.getAttribute("instructions") ?? "",
    picture: /** @type {PictureChoice} */ (CHOICES.includes(choice) ? choice : "auto"),
    memory: element.hasAttribute("remember") ? `presencia-call ${element.id}` : "",
  };
}

/** A property that was set before its class was there hides the class's own. @param {HTMLElement} element */
export function takeEarly(element) {
  const early = Object.getOwnPropertyDescriptor(element, "clientSecret");
  if (!early || !Reflect.deleteProperty(element, "clientSecret")) return;
  Object.assign(element, { clientSecret: early.value });
}

/**
 * @param {string | null} server as the attribute has it; without one it's where this module came from
 * @returns {string} "" for the page's own origin
 */
function originOf(server) {
  const isAddress = server !== null && URL.canParse(server, location.href);
  if (server !== null && !isAddress) {
    const used = `where its script came from, ${HOME}, is called instead`;
    console.error(`<presencia-call>: server="${server}" is not an address, as "https://avatar.example" is; ${used}.`);
  }
  const origin = isAddress ? new URL(server, location.href).origin : HOME;
  return origin === location.origin || origin === "null" ? "" : origin;
}
