// Calendars: addresses that calendar programs fetch. They carry no login but a key in the address, which is why each can be
// revoked by itself.

import { button, confirmLoss, copyField, dialog, element, emptyBox, form, notify, showLoaded, succeeds, timeElement, translator } from "/frame.js";
import { feeds, makeFeed, revokeFeed } from "./api.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

const box = element("div");

function load() {
  return showLoaded(box, feeds, (list) => (list.length ? element("ul", { class: "keys" }, list.map(row)) : emptyBox(t("no_feeds"))), { lines: 2 });
}

// On the address by which the reader has reached this server.
const addressOf = (feed) => location.origin + feed.path;

function row(feed) {
  const revoke = async () => {
    if (!await confirmLoss({ title: t("revoke_feed_title", { name: feed.name }), loss: t("revoke_feed_loss"), action: t("revoke") })) return;
    if (!await succeeds(() => revokeFeed(feed.id))) return;
    notify(t("feed_revoked", { name: feed.name }));
    load();
  };
  return element("li", { class: "key" }, element("div", { class: "key-what" }, element("p", { class: "key-name" }, feed.name),
    element("p", { class: "quiet" }, t(`feed_of_${feed.kind}`), " ", feed.target_name, feed.subgroup && [", ", t("subgroup_number", { number: feed.subgroup })], " · ",
      feed.last_used_at ? [t("fetched"), " ", timeElement(new Date(feed.last_used_at))] : t("never_fetched")),
    feed.path && copyField(addressOf(feed), t("feed_address_of", { name: feed.name }))),
  element("div", { class: "key-actions" }, button(t("revoke"), { kind: "outline-danger btn-sm", "aria-label": t("revoke_feed_what", { name: feed.name }), on: { click: revoke } })));
}

// Makes a calendar of what is shown: {kind, id, name} and the subgroup, 0 for all.
export async function addFeed({ kind, id, name, subgroup }) {
  const made = await dialog(t("new_feed", { name }), (close) => [element("p", { class: "about" }, t("new_feed_about")), form({
    fields: [{ name: "name", label: t("feed_name"), value: subgroup ? `${name}, ${t("subgroup_number", { number: subgroup })}` : name, maxlength: 100, autocomplete: "off" }],
    action: t("make_feed"),
    submit: async (values) => close(await makeFeed({ kind, target: id, subgroup, name: values.name })),
  })]);
  if (!made) return;
  load();
  await dialog(t("feed_made", { name: made.name }), (close) => [
    element("p", {}, t("feed_use")),
    copyField(addressOf(made), t("feed_address")),
    element("p", {}, element("a", { href: addressOf(made).replace(/^http/, "webcal") }, t("feed_open"))),
    element("p", { class: "quiet" }, t("feed_slow")),
    element("div", { class: "actions" }, button(t("done"), { kind: "primary", on: { click: () => close() } }))]);
}

export function feedList() {
  load();
  return element("section", { class: "panel", "aria-labelledby": "feeds" }, element("h2", { id: "feeds" }, t("feeds")), element("p", { class: "about" }, t("feeds_about")), box);
}
