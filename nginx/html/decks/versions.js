// The versions of a deck, and going back to one.

import { button, confirmLoss, element, emptyBox, notify, replaceContent, succeeds, timeElement, translator } from "/frame.js";
import { rollBackDeck } from "./api.js";
import { TEXTS } from "./texts.js";
import { written } from "./written.js";

const t = translator(TEXTS);

const FIRST_SHOWN = 20;

function counts({ cards_added: added, cards_modified: modified, cards_deleted: removed, card_count: all }) {
  const parts = [added && t("added_count", { count: added }), modified && t("modified_count", { count: modified }), removed && t("removed_count", { count: removed }), t("cards_count", { count: all })];
  return parts.filter(Boolean).join(" · ");
}

function row(version, goBack) {
  return element("li", { class: "key" }, element("div", { class: "key-what" },
    element("p", { class: "key-name" }, version.version, version.is_current && element("span", { class: "tag" }, t("newest"))),
    version.notes && element("p", { class: "deck-about" }, written(version.notes)),
    element("p", { class: "quiet" }, timeElement(new Date(version.released_at)), " · ", counts(version))),
  goBack && !version.is_current && element("div", { class: "key-actions" },
    button(t("roll_back"), { kind: "outline-secondary btn-sm", name: "again", "aria-label": t("roll_back_to", { version: version.version }), on: { click: () => goBack(version.version) } })));
}

// `goBack(version)`: only for editors.
export function versionList(versions, goBack) {
  if (!versions.length) return emptyBox(t("no_versions"));
  const list = element("ul", { class: "keys" }, versions.slice(0, FIRST_SHOWN).map((version) => row(version, goBack)));
  const more = versions.length > FIRST_SHOWN && button(t("all_versions", { count: versions.length }), { kind: "link", on: { click: () => {
    replaceContent(list, versions.map((version) => row(version, goBack)));
    list.children[FIRST_SHOWN].tabIndex = -1;
    list.children[FIRST_SHOWN].focus();
    more.remove();
  } } });
  return [list, more];
}

// Asks first. Calls `done()` where the deck has changed.
export async function rollBack(id, version, done) {
  if (!await confirmLoss({ title: t("roll_back_title", { version }), loss: t("roll_back_loss", { version }), action: t("roll_back") })) return;
  let answer;
  if (!await succeeds(async () => { answer = await rollBackDeck(id, version); })) return;
  notify(t("rolled_back", { version, now: answer.version }));
  await done();
}
