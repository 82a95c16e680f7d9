// The parts of the decks pages, on each of them.

import { button, element, translator } from "/frame.js";
import { TEXTS } from "./texts.js";
import { written } from "./written.js";

const t = translator(TEXTS);

// `links`: [name, address, text].
export function navigation(label, links, current) {
  return element("nav", { class: "sections", "aria-label": label }, element("ul", {}, links.map(([name, address, text]) =>
    element("li", {}, element("a", { href: address, "aria-current": name === current && "page" }, text)))));
}

export function sections(current) {
  return navigation(t("decks"), [["find", "/decks/", t("find")], ["followed", "/decks/?view=followed", t("followed")],
    ["own", "/decks/?view=own", t("own")], ["suggestions", "/decks/?view=suggestions", t("own_suggestions")]], current);
}

// How large a deck is, and whose.
export const sizeOf = (deck) => [t("cards_count", { count: deck.card_count }), " · ", t("followers_count", { count: deck.subscriber_count })];
export const byline = (deck) => [t("by"), " ", written(deck.creator.full_name), " · ", sizeOf(deck)];

// Nothing where there is one page. `go(page)` shows another one.
export function pager(page, pages, go) {
  if (pages <= 1) return null;
  const to = (target, label, name) => button(label, { name, hidesLabel: true, disabled: target < 1 || target > pages, on: { click: () => go(target) } });
  return element("nav", { class: "pager", "aria-label": t("pages") }, to(page - 1, t("page_before"), "left"), element("span", { role: "status" }, t("page_of", { page, pages })),
    to(page + 1, t("page_after"), "right"));
}

// Loads a list again after something was decided in it. What was pressed goes, and would take the focus with it. It moves to the
// whole list: on the next button of that name, a key that is held down would decide again.
export function reloading(box, load) {
  return () => {
    box.tabIndex = -1;
    box.focus({ preventScroll: true });
    return load();
  };
}

// A panel with a heading, what belongs beside it, and a part that is loaded.
export function panel(id, title, box, ...beside) {
  return element("section", { class: "panel", "aria-labelledby": id }, element("div", { class: "panel-head" }, element("h2", { id }, title), beside), box);
}
