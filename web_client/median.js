/**
 * @param {readonly number[]} values
 * @returns {number | null} the middle one, the upper of two; null of nothing
 */
export function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? null;
}
