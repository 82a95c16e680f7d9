// One deck: what it is and its versions for all readers; for those who may change it, suggestions and who else may.
//
// What is shown is in the address (?id=...&view=suggestions), so that it can be kept and sent to others.

import { begin, button, dialog, element, form, labelled, newId, notify, printNumber, replaceContent, setTitle, showLoaded, succeeds, translator, whileDisabled } from "/frame.js";
import { changeDeck, changelog, deckOf, follow, me, openSuggestions } from "./api.js";
import { deliveryPart } from "./delivery.js";
import { membersPart } from "./members.js";
import { askToDelete, deckFields } from "./own.js";
import { reviewPart } from "./review.js";
import { byline, navigation, panel } from "./sections.js";
import { TEXTS } from "./texts.js";
import { rollBack, versionList } from "./versions.js";
import { addressOf, plain, written } from "./written.js";

const t = translator(TEXTS);

const given = new URLSearchParams(location.search);
const id = given.get("id") ?? "";

async function load() {
  const [deck, log, reader] = await Promise.all([deckOf(id), changelog(id), me()]);
  const mayEdit = deck.may_edit;
  const open = mayEdit ? await openSuggestions(id) : 0;
  const isOwner = deck.creator_id === reader.id;
  return { deck, log, reader, mayEdit, open, isOwner, mayOwn: isOwner || reader.is_admin };
}

async function edit(deck, reload) {
  const changed = await dialog(t("edit_deck"), (close) => [form({ fields: deckFields(deck), action: t("save"), submit: async (values) => close(await changeDeck(id, values)) })]);
  if (!changed) return;
  notify(t("deck_saved"));
  await reload();
}

function head({ deck, mayEdit, isOwner, mayOwn }, reload) {
  const title = plain(deck.title);
  const subscribe = button(t("follow"), { kind: "primary", name: "plus", on: { click: () => whileDisabled(subscribe, async () => {
    if (!await succeeds(() => follow(id))) return;
    notify(t("now_followed", { title }));
    await reload();
  }) } });
  return element("div", { class: "page-head" },
    element("div", {}, element("h1", {}, written(deck.title), !deck.is_public && element("span", { class: "tag" }, t("private"))),
      element("p", { class: "fresh" }, byline(deck))),
    element("div", { class: "shown-actions" }, !isOwner && (deck.is_subscribed ? element("a", { href: "/decks/?view=followed", class: "btn btn-outline-secondary" }, t("you_follow")) : subscribe),
      mayEdit && button(t("edit_deck"), { name: "pencil", on: { click: () => edit(deck, reload) } }),
      mayOwn && button(t("delete_deck"), { kind: "outline-danger", name: "trash", on: { click: () => askToDelete(deck, () => location.assign("/decks/?view=own")) } })));
}

function about({ log, deck, mayEdit, isOwner }, reload) {
  const goBack = mayEdit && ((version) => rollBack(id, version, reload));
  const card = element("input", { id: newId("guid"), class: "form-control", name: "guid", required: true, maxlength: 255, autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  const find = element("form", { class: "deck-question", on: { submit: (event) => {
    event.preventDefault();
    location.assign(addressOf("card", { deck: id, guid: card.value }));
  } } }, labelled(t("card_id"), card), button(t("show"), { type: "submit" }));
  return [
    deck.description && panel("about", t("description"), element("p", { class: "deck-description" }, written(deck.description))),
    !isOwner && deck.is_subscribed && deliveryPart(deck),
    panel("versions", t("versions"), [log.user_synced_version && element("p", { class: "about" }, t("version_here", { version: log.user_synced_version })), versionList(log.versions, goBack),
      element("details", { class: "more" }, element("summary", {}, t("history_of_card")), find)]),
  ];
}

async function show(main) {
  const box = element("div");
  replaceContent(main, box);
  const reload = () => showLoaded(box, load, (found) => {
    const views = [["about", addressOf("deck", { id }), t("overview")], ...(found.mayEdit
      ? [["suggestions", addressOf("deck", { id, view: "suggestions" }), t("suggestions")], ["members", addressOf("deck", { id, view: "members" }), t("members")]] : [])];
    const view = views.some(([name]) => name === given.get("view")) ? given.get("view") : "about";
    setTitle(plain(found.deck.title), t("decks"));
    const links = navigation(t("deck"), views, view);
    const link = links.querySelector("a[href$=suggestions]");
    const count = (open) => link && replaceContent(link, t("suggestions"), open > 0 && [" ", element("span", { class: "tag" }, printNumber(open))]);
    count(found.open);
    const part = { about: () => about(found, reload), suggestions: () => reviewPart(id, count).box, members: () => membersPart(id, { mayChange: found.mayOwn, reader: found.reader }).box }[view];
    return [element("p", { class: "back" }, element("a", { href: "/decks/" }, t("decks"))), head(found, reload), links, part()];
  }, { lines: 10, again: reload });
  await reload();
}

begin({ title: t("decks"), name: "decks", needsSession: true, show });
