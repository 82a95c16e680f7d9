// The history of a card: what each version changed in it, and going back to one.

import { begin, button, confirmLoss, element, notify, replaceContent, setTitle, showLoaded, succeeds, timeElement, translator } from "/frame.js";
import { cardHistory, deckOf, rollBackCard } from "./api.js";
import { TEXTS } from "./texts.js";
import { change } from "./values.js";
import { addressOf, pieces, plain, written } from "./written.js";

const t = translator(TEXTS);

const given = new URLSearchParams(location.search);
const deck = given.get("deck") ?? "";
const guid = given.get("guid") ?? "";

async function load() {
  const [known, whole] = await Promise.all([cardHistory(deck, guid), deckOf(deck)]);
  return { ...known, title: whole.title, mayEdit: whole.may_edit };
}

async function goBack(version, reload) {
  if (!await confirmLoss({ title: t("card_back_title", { version }), loss: t("card_back_loss", { version }), action: t("roll_back") })) return;
  let answer;
  if (!await succeeds(async () => { answer = await rollBackCard(deck, guid, version); })) return;
  notify(t("card_rolled_back", { version, now: answer.version }));
  await reload();
}

function entry(one, isNewest, mayEdit, reload) {
  const fields = Object.keys(one.changes);
  return element("li", { class: "suggestion" },
    element("div", { class: "suggestion-head" }, element("h3", {}, t("version_number", { version: one.version })), isNewest && element("span", { class: "tag" }, t("newest"))),
    element("p", { class: "quiet" }, timeElement(new Date(one.changed_at)), " · ", written(one.changed_by), t.has(`origin_${one.origin}`) && [" · ", t(`origin_${one.origin}`)]),
    one.is_deleted && element("p", {}, t("card_removed")),
    !one.is_deleted && !fields.length && element("p", { class: "quiet" }, t("no_field_changed")),
    fields.map((field) => element("div", {}, element("h4", {}, element("bdi", {}, pieces(field))), change(one.changes[field], one.new_values[field]))),
    mayEdit && !isNewest && !one.is_deleted && element("div", { class: "actions" },
      button(t("roll_back"), { name: "again", "aria-label": t("roll_back_to", { version: one.version }), on: { click: () => goBack(one.version, reload) } })));
}

async function show(main) {
  const box = element("div");
  replaceContent(main, box);
  const reload = () => showLoaded(box, load, ({ history, has_more: hasMore, title, mayEdit }) => {
    setTitle(t("card_history"), plain(title), t("decks"));
    return [element("p", { class: "back" }, element("a", { href: "/decks/" }, t("decks")), " › ", element("a", { href: addressOf("deck", { id: deck }) }, written(title))),
      element("h1", {}, t("card_history")), element("p", { class: "quiet" }, t("card_id"), ": ", written(guid)),
      element("section", { class: "panel", "aria-labelledby": "history" }, element("h2", { id: "history" }, t("versions")), element("ul", { class: "plain" }, history.map((one, at) => entry(one, at === 0, mayEdit, reload))),
        hasMore && element("p", { class: "quiet" }, t("older_left_out")))];
  }, { lines: 10, again: reload });
  await reload();
}

begin({ title: t("card_history"), name: "decks", needsSession: true, show });
