/** Microphone and loudspeaker: permission, level, clipping, whether sound may start, echo. */

import { Ear } from "./ear.js";
import { failed, good, pause, skipped, warning } from "./finding.js";

/** @typedef {import("./finding.js").Finding} Finding */

const SPEAK_WITHIN_MS = 8_000;
/** Enough speech to judge by. */
const ENOUGH_MS = 900;
/** -54 dBFS: below the noise of any microphone that works. */
const SILENCE = 0.002;
/** -32 dBFS at its loudest: the recogniser hears it, and noise as well. */
const QUIET = 0.025;
/** Samples at full scale in 43 ms: one or two are no clipping yet. */
const CLIPPED_SAMPLES = 8;
const TONE_HZ = 1_400;
const TONE_PEAK = 0.25;
/** The browser's echo canceller needs the first tones to learn the room. */
const TONES = 5;
const TONE_MS = 300;
/** -50 dBFS: what is left of the tone is loud enough for the avatar to take it for a voice. */
const ECHO = 0.003;

/**
 * @typedef {object} Hearing
 * @property {MediaStream | null} stream null: there is no microphone to listen to
 * @property {Finding} finding
 */

/** @returns {Promise<Hearing>} the microphone, opened as a call opens it */
export async function openMicrophone() {
  if (!navigator.mediaDevices?.getUserMedia) return { stream: null, finding: skipped("microphoneInsecure") };
  try {
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    const devices = await navigator.mediaDevices.enumerateDevices();
    const count = devices.filter(({ kind }) => kind === "audioinput").length;
    return { stream, finding: good("microphoneGood", { count }) };
  } catch (error) {
    return { stream: null, finding: troubleOf(error) };
  }
}

/**
 * Ask for a word, and judge how it arrives.
 *
 * @param {AudioContext} context
 * @param {MediaStream} stream
 * @param {(level: number) => void} onlevel 0 to 1
 * @returns {Promise<Finding>}
 */
export async function level(context, stream, onlevel) {
  const ear = new Ear(context, stream);
  const heard = await ear.listen(SPEAK_WITHIN_MS, (now, { loudMs }) => {
    onlevel(now);
    return loudMs >= ENOUGH_MS;
  });
  ear.close();
  const values = { db: Math.round(20 * Math.log10(Math.max(heard.peak, 1e-5))) };
  if (heard.peak < SILENCE) return failed("levelSilent", "levelSilentFix");
  if (heard.clipped > CLIPPED_SAMPLES) return warning("levelClipped", "levelClippedFix", values);
  if (heard.peak < QUIET) return warning("levelQuiet", "levelQuietFix", values);
  return good("levelGood", values);
}

/**
 * Whether sound starts now that the person has pressed something.
 *
 * @param {AudioContext} context made and resumed in the press
 * @param {boolean} neededPress whether a context made before the press was held back
 * @returns {Promise<Finding>}
 */
export async function autoplay(context, neededPress) {
  await Promise.race([context.resume(), pause(1_500)]);
  if (context.state !== "running") return failed("autoplayFailed", "autoplayFix");
  return good(neededPress ? "autoplayAfterPress" : "autoplayAtOnce");
}

/**
 * Play a few short tones and see how much of them comes back through the microphone.
 *
 * @param {AudioContext} context
 * @param {MediaStream} stream
 * @returns {Promise<Finding>}
 */
export async function echo(context, stream) {
  const ear = new Ear(context, stream);
  const quiet = Math.max(...(await tones(context, ear, 0)));
  const loud = await tones(context, ear, TONE_PEAK);
  ear.close();
  // The loudest of the last two, for the canceller has learnt by then.
  const returned = Math.max(...loud.slice(-2));
  const values = { db: Math.round(20 * Math.log10(Math.max(returned, 1e-5) / TONE_PEAK)) };
  if (returned > ECHO && returned > 4 * quiet) return warning("echoHeard", "echoFix", values);
  return good("echoGood");
}

/**
 * @param {AudioContext} context
 * @param {Ear} ear
 * @param {number} peak 0: only listen
 * @returns {Promise<number[]>} what came back during each tone, 0 to 1
 */
async function tones(context, ear, peak) {
  const returned = [];
  for (let i = 0; i < TONES; i++) {
    if (peak) beep(context, peak);
    let most = 0;
    for (let ms = 0; ms < TONE_MS + 100; ms += 20) {
      await pause(20);
      most = Math.max(most, ear.tone(TONE_HZ));
    }
    returned.push(most);
  }
  return returned;
}

/**
 * @param {AudioContext} context
 * @param {number} peak
 */
function beep(context, peak) {
  const now = context.currentTime;
  const end = now + TONE_MS / 1000;
  const tone = new OscillatorNode(context, { frequency: TONE_HZ });
  const gain = new GainNode(context, { gain: 0 });
  // Soft at both ends: a click would be heard at every frequency.
  gain.gain.setValueAtTime(0, now);
  gain.gain.linearRampToValueAtTime(peak, now + 0.02);
  gain.gain.setValueAtTime(peak, end - 0.02);
  gain.gain.linearRampToValueAtTime(0, end);
  tone.connect(gain).connect(context.destination);
  tone.start(now);
  tone.stop(end);
}

/**
 * @param {unknown} error of getUserMedia
 * @returns {Finding}
 */
function troubleOf(error) {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return failed("microphoneDenied", "microphoneDeniedFix");
  if (name === "NotReadableError" || name === "AbortError") return failed("microphoneBusy", "microphoneBusyFix");
  return failed("microphoneNone", "microphoneNoneFix");
}
