// How much of its storage an account uses.

import { element } from "./elements.js";
import { printBytes, printPercent } from "./language.js";

// The share from which on the reader is warned.
const NEARLY_FULL = 0.9;

export function isNearlyFull(own) {
  return own.quota_bytes > 0 && own.used_bytes > own.quota_bytes * NEARLY_FULL;
}

// `text`: the translator of the page, which says it at its own length: `used_of` and `used_of_unlimited`.
export function usage(own, text) {
  const used = printBytes(own.used_bytes);
  if (!own.quota_bytes) return element("p", {}, text("used_of_unlimited", { used }));
  return [element("p", { id: "used" }, text("used_of", { used, quota: printBytes(own.quota_bytes), percent: printPercent(own.used_bytes / own.quota_bytes) })),
    element("meter", { class: "usage", min: 0, max: own.quota_bytes, high: own.quota_bytes * NEARLY_FULL, value: own.used_bytes, "aria-labelledby": "used" })];
}
