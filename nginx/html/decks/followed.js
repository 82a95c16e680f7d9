// The decks that the reader follows: which version the reader's Anki has, what is new since, and unsubscribing.

import { button, confirmLoss, element, emptyBox, notify, showLoaded, succeeds, translator } from "/frame.js";
import { changelog, followed, unfollow } from "./api.js";
import { panel } from "./sections.js";
import { TEXTS } from "./texts.js";
import { versionList } from "./versions.js";
import { addressOf, plain, written } from "./written.js";

const t = translator(TEXTS);

// Loaded when it is opened.
function news(deck) {
  const box = element("div");
  const load = ({ target }) => target.open && showLoaded(box, () => changelog(deck.deck_id, deck.synced_version), ({ versions }) => versionList(versions), { lines: 2 });
  return element("details", { class: "more", on: { toggle: load } }, element("summary", {}, t("whats_new"), element("span", { class: "visually-hidden" }, ": ", written(deck.title))), box);
}

function row(deck, reload) {
  const leave = async () => {
    if (!await confirmLoss({ title: t("unfollow_title", { title: plain(deck.title) }), loss: t("unfollow_loss"), action: t("unfollow") })) return;
    if (!await succeeds(() => unfollow(deck.deck_id))) return;
    notify(t("unfollowed", { title: plain(deck.title) }));
    await reload();
  };
  return element("li", { class: "key" }, element("div", { class: "key-what" },
    element("p", { class: "key-name" }, element("a", { href: addressOf("deck", { id: deck.deck_id }) }, written(deck.title)), deck.has_update && element("span", { class: "tag" }, t("new_version", { version: deck.latest_version }))),
    element("p", { class: "quiet" }, deck.synced_version ? t("version_here", { version: deck.synced_version }) : t("no_version_here")),
    deck.has_update && news(deck)),
  // The reader's settings of this deck, each a control of its own.
  element("div", { class: "key-actions" },
    button(t("unfollow"), { kind: "outline-danger btn-sm", "aria-label": t("unfollow_what", { title: plain(deck.title) }), on: { click: leave } })));
}

export function followedPart() {
  const box = element("div");
  const load = () => showLoaded(box, followed, (decks) => (decks.length
    ? element("ul", { class: "keys" }, decks.map((deck) => row(deck, load)))
    : emptyBox(t("follows_none"), element("a", { href: "/decks/" }, t("find")))), { lines: 5, again: load });
  return { box: panel("followed", t("followed"), [element("p", { class: "about" }, t("followed_about")), box]), loaded: load() };
}
