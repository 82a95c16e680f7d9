// What the reader has suggested in all decks, what became of it, and taking it back.

import { button, element, emptyBox, newId, notify, showLoaded, succeeds, timeElement, translator, whileDisabled } from "/frame.js";
import { ownSuggestions, withdraw } from "./api.js";
import { pager, panel, reloading } from "./sections.js";
import { TEXTS } from "./texts.js";
import { proposal, subjectOf } from "./values.js";
import { addressOf, pieces, written } from "./written.js";

const t = translator(TEXTS);

function item(one, reload) {
  const id = newId("suggestion");
  const back = button(t("withdraw"), { "aria-describedby": id, on: { click: () => whileDisabled(back, async () => {
    if (await succeeds(() => withdraw(one.suggestion_id))) notify(t("withdrawn"));
    // Also where it was decided meanwhile: the list shows it.
    await reload();
  }) } });
  return element("li", { class: "suggestion", "aria-labelledby": id },
    element("h3", { id }, element("bdi", {}, pieces(subjectOf(one))), element("span", { class: `tag tag-${one.status}` }, t(`state_${one.status}`))),
    element("p", { class: "quiet" }, element("a", { href: addressOf("deck", { id: one.deck_id }) }, written(one.deck_title)), " · ", timeElement(new Date(one.created_at)),
      one.version && [" · ", t("in_version", { version: one.version })]),
    one.reason && element("p", {}, t("your_reason"), " ", written(one.reason)),
    one.note && element("p", { class: "note" }, t("note_for_you"), " ", written(one.note)),
    proposal(one),
    element("div", { class: "actions" }, one.status === "pending" && back,
      element("a", { class: "btn btn-link", href: addressOf("card", { deck: one.deck_id, guid: one.card_guid }), "aria-describedby": id }, t("card_history"))));
}

export function ownSuggestionsPart() {
  const box = element("div");
  let page = 1;
  const load = () => showLoaded(box, () => ownSuggestions(page), ({ suggestions, total_pages: pages }) => [
    suggestions.length ? element("ul", { class: "plain" }, suggestions.map((one) => item(one, reloading(box, load)))) : emptyBox(t("suggested_none")),
    pager(page, pages, (target) => { page = target; return load(); })], { lines: 6, again: load });
  return { box: panel("own-suggestions", t("own_suggestions"), [element("p", { class: "about" }, t("own_suggestions_about")), box]), loaded: load() };
}
