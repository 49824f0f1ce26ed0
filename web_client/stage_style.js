/** The look of `<presencia-call>`. What a page may change are the `--presencia-*` properties and the parts. */

const CSS = `
:host {
  display: block;
  position: relative;
  aspect-ratio: 1;
  min-width: 0;
  font: 400 1rem/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
:host([hidden]) { display: none; }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
p { margin: 0; }
button { font: inherit; color: inherit; cursor: pointer; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 3px; }
.icon { width: 24px; height: 24px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.stage {
  --radius: var(--presencia-radius, 24px);
  --accent: var(--presencia-accent, #0e6a5c);
  --on-accent: var(--presencia-on-accent, #fff);
  --danger: var(--presencia-danger, #b8322a);
  --scrim: var(--presencia-scrim, rgb(16 18 20 / 74%));
  --focus: var(--presencia-focus, #1257c0);
  --listening: #5fd6bd;
  --thinking: #f3c566;
  --speaking: #9bbcff;
  --pending: #d6d1ca;
  --ring: transparent;
  position: relative;
  isolation: isolate;
  container-type: inline-size;
  width: 100%;
  height: 100%;
  border-radius: var(--radius);
  background: var(--presencia-ground, #3b4149);
  box-shadow: var(--presencia-shadow, none);
  overflow-wrap: break-word;
}
.poster, .video, .drawn {
  position: absolute;
  inset: 0;
  width: 100%;
  height: 100%;
  border-radius: inherit;
  object-fit: cover;
  object-position: var(--presencia-face-position, 50% 12%);
}
.video { opacity: 0; transition: opacity 400ms ease; }
[data-picture="live"]:not([data-shown="audio"]) .video { opacity: 1; }
/* Drawn over the video, and faded in and out over it, so that the face never gives way to the ground. */
.drawn { opacity: 0; transition: opacity 400ms ease; pointer-events: none; }
[data-shown="client"] .drawn { opacity: 1; }
[data-phase="reconnecting"] :is(.video, .poster, .drawn) { filter: saturate(0.35) brightness(0.7); }

/* The ring tells the state by colour and by how it moves; the status says it in words. */
.stage::after {
  content: "";
  position: absolute;
  inset: -6px;
  border-radius: calc(var(--radius) + 6px);
  border: 3px solid var(--ring);
  box-shadow: 0 0 calc(14px + 26px * var(--level, 0)) -2px var(--ring);
  pointer-events: none;
  transition: border-color 250ms ease, box-shadow 120ms linear, opacity 250ms ease;
}
.stage:is([data-phase="waiting"], [data-phase="connecting"], [data-phase="reconnecting"]) { --ring: var(--presencia-ring-pending, #a39b90); }
.stage[data-state="listening"] { --ring: var(--presencia-ring-listening, #17a489); }
.stage[data-state="thinking"] { --ring: var(--presencia-ring-thinking, #d18f14); }
.stage[data-state="speaking"] { --ring: var(--presencia-ring-speaking, #4379ee); }
.stage:is([data-phase="waiting"], [data-phase="connecting"], [data-phase="reconnecting"], [data-state="thinking"])::after {
  animation: breathe 1.6s ease-in-out infinite alternate;
}
/* With sound only, the ring is all that shows that somebody speaks. */
.stage[data-shown="audio"][data-state="speaking"]::after { animation: breathe 0.9s ease-in-out infinite alternate; }
@keyframes breathe { from { opacity: 1; } to { opacity: 0.3; } }

.identity, .status, .caption { position: absolute; z-index: 2; background: var(--scrim); color: #fff; }
.identity, .status {
  top: 16px;
  display: inline-flex;
  align-items: center;
  gap: 8px;
  min-height: 34px;
  padding: 4px 14px;
  border-radius: 999px;
  font-size: 0.9375rem;
  line-height: 1.2;
}
.identity { left: 16px; }
.status { right: 16px; font-weight: 600; }
:is([data-phase="idle"]) :is(.status, .timer) { display: none; }
[data-phase="waiting"] .timer { display: none; }
.badge {
  padding: 2px 7px;
  border-radius: 6px;
  background: #fff;
  color: #1a1c1e;
  font-size: 0.75rem;
  font-weight: 700;
  letter-spacing: 0.04em;
  text-decoration: none;
  cursor: help;
}
.marks { position: absolute; z-index: 2; top: 58px; right: 16px; display: grid; justify-items: end; gap: 8px; }
.recorded, .watched {
  display: inline-flex;
  align-items: center;
  gap: 8px;
  min-height: 30px;
  padding: 3px 12px;
  border: 0;
  border-radius: 999px;
  background: #b3261e;
  color: #fff;
  font-size: 0.875rem;
  font-weight: 600;
}
.recorded:hover { background: #8c1d18; }
.watched { background: var(--scrim); }
.recorded i { width: 9px; height: 9px; border-radius: 50%; background: currentColor; }
.timer { font-variant-numeric: tabular-nums; }
.timer:empty { display: none; }

/* Three bars: level while listening, dots while thinking, a wave while speaking. */
.status-mark { display: inline-flex; align-items: center; gap: 3px; height: 16px; color: var(--pending); }
.status-mark i { width: 5px; height: 5px; border-radius: 3px; background: currentColor; }
[data-state="listening"] .status-mark { color: var(--listening); }
[data-state="listening"] .status-mark i { height: calc(5px + 11px * var(--level, 0)); transition: height 90ms linear; }
[data-state="listening"] .status-mark i:nth-child(2) { height: calc(9px + 7px * var(--level, 0)); }
[data-state="thinking"] .status-mark { color: var(--thinking); }
:is([data-phase="waiting"], [data-phase="connecting"], [data-phase="reconnecting"], [data-state="thinking"]) .status-mark i {
  animation: hop 1s ease-in-out infinite;
}
[data-state="speaking"] .status-mark { color: var(--speaking); }
[data-state="speaking"] .status-mark i { height: 14px; animation: wave 0.9s ease-in-out infinite; }
.stage .status-mark i:nth-child(2) { animation-delay: -0.3s; }
.stage .status-mark i:nth-child(3) { animation-delay: -0.15s; }
@keyframes hop { 0%, 70%, 100% { transform: none; opacity: 0.55; } 35% { transform: translateY(-4px); opacity: 1; } }
@keyframes wave { 0%, 100% { transform: scaleY(0.4); } 50% { transform: scaleY(1); } }

.picture-note { position: absolute; z-index: 2; top: 58px; left: 16px; max-width: calc(100% - 32px); font-size: 0.8125rem; line-height: 1.3; }
.picture-note span {
  display: block;
  padding: 4px 12px;
  border-radius: 14px;
  background: var(--scrim);
  color: #fff;
  animation: leave 400ms ease 10s forwards;
}
@keyframes leave { to { opacity: 0; visibility: hidden; } }

.foot { position: absolute; z-index: 3; inset: auto 18px 18px; display: grid; justify-items: center; gap: 12px; pointer-events: none; }
.foot > * { pointer-events: auto; }
.hear {
  height: 52px;
  display: flex;
  align-items: center;
  gap: 10px;
  padding: 0 26px;
  border: 0;
  border-radius: 999px;
  background: #fff;
  color: #17191b;
  font-weight: 600;
  box-shadow: 0 8px 30px rgb(0 0 0 / 40%);
}
.caption {
  position: static;
  max-width: 100%;
  padding: 8px 16px;
  border-radius: 14px;
  font-size: var(--presencia-caption-size, clamp(0.9375rem, 0.75rem + 0.8vw, 1.3125rem));
  line-height: 1.35;
  text-align: center;
  text-wrap: pretty;
}
/* The newest words stay in sight and off the mouth: it grows to so many lines, then shows its end. */
.caption-window {
  display: flex;
  flex-direction: column;
  justify-content: flex-end;
  max-height: calc(var(--caption-lines, 3) * 1lh);
  overflow: hidden;
}
.hear:not([hidden]) ~ .caption { display: none; }
.caption .who { color: var(--listening); font-weight: 600; }

.notice { max-width: 100%; padding: 10px 16px; border-radius: 14px; background: var(--scrim); color: #fff; font-size: 0.9375rem; line-height: 1.35; text-align: center; }
.notice strong { display: block; }
.controls { display: flex; gap: 12px; }
.control { position: relative; display: inline-grid; place-items: center; width: 52px; height: 52px; padding: 0; border: 0; border-radius: 50%; background: var(--scrim); color: #fff; overflow: hidden; }
.control:hover { background: rgb(16 18 20 / 90%); }
.control .icon { position: relative; }
.control[aria-pressed="true"] { background: #fff; color: #17191b; }
.control .off, .control[data-off] .on { display: none; }
.control[data-off] .off { display: block; }
.call { grid-auto-flow: column; gap: 10px; width: auto; padding: 0 26px; border-radius: 999px; background: var(--accent); color: var(--on-accent); font-weight: 600; }
.call:hover { background: var(--accent); filter: brightness(1.12); }
.call:disabled { opacity: 0.75; cursor: default; }
.hang-up { width: 76px; border-radius: 26px; background: var(--danger); }
.hang-up:hover { background: var(--danger); filter: brightness(0.9); }

@container (max-width: 599px) {
  .identity, .status { top: 10px; min-height: 30px; padding: 3px 12px; font-size: 0.875rem; }
  .identity { left: 10px; }
  .status { right: 10px; }
  .picture-note { top: 46px; left: 10px; }
  .marks { top: 46px; right: 10px; }
  .foot { inset: auto 10px 10px; gap: 8px; }
  .caption { --caption-lines: 2; padding: 6px 12px; }
  /* In a call a notice goes to the top: below it would push the caption over the eyes. */
  .stage:is([data-phase="connecting"], [data-phase="connected"], [data-phase="reconnecting"]) .foot {
    top: var(--notice-top, 46px);
    display: flex;
    flex-direction: column;
    justify-content: flex-end;
    align-items: center;
  }
  .stage:is([data-phase="connecting"], [data-phase="connected"], [data-phase="reconnecting"]) .notice { order: -1; margin-bottom: auto; padding: 5px 12px; font-size: 0.8125rem; }
  .marks:has(> :not([hidden])) ~ .foot .notice { margin-top: 38px; }
  .marks:has(> :not([hidden])) ~ .foot .notice span { display: none; }
  .marks:not(:has(> [hidden])) ~ .foot .notice { margin-top: 76px; }
  .control { width: 48px; height: 48px; }
  .call { width: auto; }
  .hang-up { width: 70px; }
}
/* On a small face the status goes under the name, and captions shrink so that the mouth stays in sight. */
@container (max-width: 300px) {
  .identity, .status { min-height: 28px; padding: 2px 10px; font-size: 0.8125rem; }
  .identity { top: 8px; left: 8px; }
  .status { top: 42px; left: 8px; right: auto; }
  .picture-note { top: 76px; left: 8px; }
  .foot { --notice-top: 76px; inset: auto 8px 8px; }
  [data-phase="connected"] .notice span { display: none; }
  .caption { padding: 4px 10px; font-size: 0.8125rem; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition-duration: 1ms !important; }
  [data-state="speaking"] .status-mark i:nth-child(odd) { height: 8px; }
}
@media (forced-colors: active) {
  .stage::after { border-color: CanvasText; }
  .icon { stroke: currentColor; }
  .control { border: 1px solid ButtonText; }
}
`;

/** @type {CSSStyleSheet | undefined} */
let sheet;

/** One for all elements of a page; a page whose policy forbids inline styles allows it. */
export function stageStyle() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
