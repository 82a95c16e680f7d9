// The reader's own decks: making one, who sees it, what waits in it, deleting it.

import { button, confirmLoss, dialog, element, emptyBox, form, notify, replaceContent, showLoaded, succeeds, translator, whileDisabled } from "/frame.js";
import { changeDeck, createDeck, deleteDeck, openSuggestions, ownDecks } from "./api.js";
import { panel, sizeOf } from "./sections.js";
import { TEXTS } from "./texts.js";
import { addressOf, plain, written } from "./written.js";

const t = translator(TEXTS);

// One call a deck, and no more than a server takes in a minute.
const MOST_COUNTED = 60;
const AT_ONCE = 4;

export function deckFields(deck) {
  return [
    { name: "title", label: t("title"), value: deck?.title, minlength: 3, maxlength: 100, autocomplete: "off", hint: t("title_hint") },
    { name: "description", label: t("description"), type: "textarea", value: deck?.description, required: false, maxlength: 2000, rows: 4 },
  ];
}

async function create(reload) {
  const made = await dialog(t("new_deck"), (close) => [element("p", { class: "about" }, t("new_deck_about")), form({
    fields: [...deckFields(), { name: "is_public", label: t("is_public"), type: "checkbox", checked: true, hint: t("is_public_hint") }],
    action: t("create_deck"),
    submit: async (values) => close(await createDeck(values)),
  })]);
  if (!made) return;
  notify(t("deck_created", { title: plain(made.title) }));
  await reload();
}

// Asks first. Calls `done()` where the deck is gone.
export async function askToDelete(deck, done) {
  const loss = t("delete_loss", { cards: t("cards_count", { count: deck.card_count }), followers: t("followers_count", { count: deck.subscriber_count }) });
  if (!await confirmLoss({ title: t("delete_title", { title: plain(deck.title) }), loss, action: t("delete_deck") })) return;
  if (!await succeeds(() => deleteDeck(deck.id))) return;
  notify(t("deck_deleted", { title: plain(deck.title) }));
  await done();
}

function row(deck, reload) {
  const title = plain(deck.title);
  const visibility = button(deck.is_public ? t("make_private") : t("make_public"), {
    kind: "outline-secondary btn-sm", "aria-label": deck.is_public ? t("make_private_what", { title }) : t("make_public_what", { title }), on: { click: () => whileDisabled(visibility, async () => {
      if (!await succeeds(() => changeDeck(deck.id, { is_public: !deck.is_public }))) return;
      notify(deck.is_public ? t("now_private", { title }) : t("now_public", { title }));
      await reload();
    }) } });
  const waiting = element("span");
  const made = element("li", { class: "key" }, element("div", { class: "key-what" },
    element("p", { class: "key-name" }, element("a", { href: addressOf("deck", { id: deck.id }) }, written(deck.title)), element("span", { class: "tag" }, deck.is_public ? t("public") : t("private"))),
    element("p", { class: "quiet" }, sizeOf(deck), waiting)),
  element("div", { class: "key-actions" }, visibility,
    button(t("delete_deck"), { kind: "outline-danger btn-sm", name: "trash", hidesLabel: true, "aria-label": t("delete_what", { title }), on: { click: () => askToDelete(deck, reload) } })));
  const count = async () => {
    const open = await openSuggestions(deck.id);
    replaceContent(waiting, " · ", element("a", { href: addressOf("deck", { id: deck.id, view: "suggestions" }) }, t("open_count", { count: open })));
  };
  return { made, count };
}

// A number that cannot be had is left out: the list is there without it.
async function countAll(counts) {
  const next = counts[Symbol.iterator]();
  const go = async () => {
    for (const count of next) await count().catch(() => {});
  };
  await Promise.all(Array.from({ length: AT_ONCE }, go));
}

export function ownPart() {
  const box = element("div");
  const beside = element("div");
  const load = () => showLoaded(box, ownDecks, ({ decks, can_create_more: mayCreate, max_decks: most }) => {
    replaceContent(beside, mayCreate && button(t("new_deck"), { kind: "primary", name: "plus", on: { click: () => create(load) } }));
    const rows = decks.map((deck) => row(deck, load));
    countAll(rows.slice(0, MOST_COUNTED).map(({ count }) => count));
    return [!mayCreate && element("p", { class: "about" }, most ? t("plan_full", { count: most }) : t("plan_none")),
      decks.length ? element("ul", { class: "keys" }, rows.map(({ made }) => made)) : emptyBox(t("owns_none"))];
  }, { lines: 5, again: load });
  return { box: panel("own", t("own"), box, beside), loaded: load() };
}
