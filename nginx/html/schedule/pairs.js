// The pairs of a day with their usual times, as the answer about a week has them; a lesson may have another time.

import { translator } from "/frame.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

// [{number, begin, end, text}], with times like "09:50".
export function pairsOf({ pairs }) {
  return pairs.map(({ lesson_number: number, start_time: start, end_time: stop }) => {
    const [begin, end] = [start.slice(0, 5), stop.slice(0, 5)];
    return { number, begin, end, text: `${t("pair_number", { number })}, ${begin}–${end}` };
  });
}

// The number of the pair that is on at a time, or of the next one; the last one in the evening.
export const pairAt = (pairs, time) => (pairs.find(({ end }) => time < end) ?? pairs.at(-1)).number;
