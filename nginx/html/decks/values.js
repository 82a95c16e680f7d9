// Values of a field beside each other, with what differs marked, in review, in a contributor's list and in a card's history.

import { element, newId, translator } from "/frame.js";
import { TEXTS } from "./texts.js";
import { differences } from "./words.js";
import { pieces } from "./written.js";

const t = translator(TEXTS);

// Longer ones scroll, so that buttons stay near.
const LONG = 1500;

// `marked`: [{text, isChanged}]; `sign`: the element for what has changed, del or ins.
function value(label, marked, sign, ...more) {
  const id = newId("value");
  const length = marked.reduce((sum, { text }) => sum + text.length, 0);
  const isLong = length > LONG;
  return element("div", { class: "value-side" }, element("p", { class: "value-name", id }, label, more),
    element("div", { class: `value${isLong ? " is-long" : ""}`, dir: "auto", role: "group", "aria-labelledby": id, tabindex: isLong && "0" },
      length ? marked.map(({ text, isChanged }) => (isChanged ? element(sign, {}, pieces(text)) : pieces(text))) : element("span", { class: "quiet" }, t("nothing"))));
}

// Tags are a list, and none of them has a blank in it. null: there is no such field.
const textOf = (found) => (Array.isArray(found) ? found.join(" ") : found ?? "");

// What a card said and says. null: there is no such field.
export function change(before, after) {
  const sides = differences(textOf(before), textOf(after));
  return element("div", { class: "values" }, value(t("before"), sides.before, "del"), value(after === null ? t("after_no_field") : t("after"), sides.after, "ins"));
}

// What the contributor saw, what the contributor proposes, and what the card says now.
export function proposal({ kind, base_value: base, suggested_value: suggested, current_value: current, is_stale: isStale, card_exists: exists }) {
  if (kind === "delete") return element("p", {}, t("wants_removal"));
  const sides = differences(textOf(base), textOf(suggested));
  const now = exists ? differences(textOf(base), textOf(current)).after : [];
  return element("div", { class: "values" }, value(t("old_value"), sides.before, "del"), value(t("proposed"), sides.after, "ins"),
    value(exists ? t("present") : t("present_gone"), now, "ins", isStale && element("span", { class: "tag tag-warn" }, t("changed_since"))));
}

// "Back", or what else a suggestion is about.
export function subjectOf({ kind, field_name: field }) {
  return kind === "field" ? field : t(`kind_${kind}`);
}
