/** What a second of a call was like, from the counters of `getStats`. */

/** @typedef {{lost: number, received: number, dropped: number, decoded: number}} Counters */

const NOTHING = { lost: 0, received: 0, dropped: 0, decoded: 0 };

export class LinkStats {
  /** @type {Counters} */
  #last = NOTHING;

  /**
   * @param {RTCStatsReport} report
   * @returns {{lost: number, dropped: number}} since the report before, as `Second` has them
   */
  read(report) {
    const now = counted(report);
    const last = this.#last;
    this.#last = now;
    const lost = Math.max(0, now.lost - last.lost);
    const dropped = Math.max(0, now.dropped - last.dropped);
    return {
      lost: share(lost, lost + now.received - last.received),
      dropped: share(dropped, dropped + now.decoded - last.decoded),
    };
  }
}

/**
 * @param {RTCStatsReport} report
 * @returns {Counters}
 */
function counted(report) {
  const sum = { ...NOTHING };
  report.forEach((entry) => {
    if (entry.type !== "inbound-rtp") return;
    sum.lost += entry.packetsLost ?? 0;
    sum.received += entry.packetsReceived ?? 0;
    sum.dropped += entry.framesDropped ?? 0;
    sum.decoded += entry.framesDecoded ?? 0;
  });
  return sum;
}

/**
 * @param {number} part
 * @param {number} whole
 */
function share(part, whole) {
  return whole > 0 ? part / whole : 0;
}
