/** The few icons of `<presencia-call>`; drawn into it, for a page elsewhere can't use our icons.svg. */

const SVG = "http://www.w3.org/2000/svg";
const PHONE = "M5 4h3.5l1.7 4.3-2.2 1.5a11.5 11.5 0 0 0 6.2 6.2l1.5-2.2L20 15.5V19a1.5 1.5 0 0 1-1.6 1.5C10.6 20 4 13.4 3.5 5.6A1.5 1.5 0 0 1 5 4z";

/** @type {Record<string, Record<string, string>[]>} paths of an icon of 24 by 24 */
const PATHS = {
  mic: [{ d: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" }],
  "mic-off": [{ d: "M15 9.5V6a3 3 0 0 0-5.7-1.3M9 9v2a3 3 0 0 0 4.6 2.5M5.5 11.5a6.5 6.5 0 0 0 10.7 4.9M18.5 11.5a6.4 6.4 0 0 1-.4 2.2M12 18v3M4 4l16 16" }],
  captions: [{ d: "M6 5h12a3 3 0 0 1 3 3v8a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3V8a3 3 0 0 1 3-3zM6.5 11h5M14.5 11h3M6.5 15h3M12.5 15h5" }],
  phone: [{ d: PHONE }],
  "hang-up": [{ d: PHONE, transform: "rotate(135 12 12.4)" }],
  speaker: [{ d: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11" }],
};

/**
 * @param {string} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const attributes of PATHS[name] ?? []) {
    const path = document.createElementNS(SVG, "path");
    for (const [key, value] of Object.entries(attributes)) path.setAttribute(key, value);
    svg.append(path);
  }
  return svg;
}
