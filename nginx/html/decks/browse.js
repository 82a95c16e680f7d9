// Finding decks. What is asked for is in the address (?search=rivers&category=featured&page=2).

import { button, element, emptyBox, labelled, newId, notify, showLoaded, succeeds, translator, whileDisabled } from "/frame.js";
import { browse, follow, me } from "./api.js";
import { byline, pager } from "./sections.js";
import { TEXTS } from "./texts.js";
import { addressOf, plain, written } from "./written.js";

const t = translator(TEXTS);

const CATEGORIES = ["all", "featured", "community"];

function askedNow() {
  const given = new URLSearchParams(location.search);
  return {
    search: (given.get("search") ?? "").trim(),
    category: CATEGORIES.includes(given.get("category")) ? given.get("category") : "all",
    page: Math.max(1, Number.parseInt(given.get("page") ?? "", 10) || 1),
  };
}

function followButton(deck, tag) {
  const made = button(t("follow"), { kind: "outline-secondary btn-sm", name: "plus", "aria-label": t("follow_what", { title: plain(deck.title) }), on: { click: () => whileDisabled(made, async () => {
    if (!await succeeds(() => follow(deck.id))) return;
    notify(t("now_followed", { title: plain(deck.title) }));
    made.replaceWith(tag);
    tag.tabIndex = -1;
    tag.focus();
  }) } });
  return made;
}

function row(deck, reader) {
  const isOwn = deck.creator_id === reader.id;
  const follows = element("span", { class: "tag" }, isOwn ? t("your_deck") : t("you_follow"));
  return element("li", { class: "key" }, element("div", { class: "key-what" },
    element("p", { class: "key-name" }, element("a", { href: addressOf("deck", { id: deck.id }) }, written(deck.title)), deck.is_featured && element("span", { class: "tag" }, t("featured")),
      deck.is_verified && element("span", { class: "tag" }, t("verified")), !deck.is_public && element("span", { class: "tag" }, t("private"))),
    deck.description && element("p", { class: "deck-about" }, written(deck.description)),
    element("p", { class: "quiet" }, byline(deck))),
  element("div", { class: "key-actions" }, isOwn || deck.is_subscribed ? follows : followButton(deck, follows)));
}

export function browsePart() {
  const box = element("div");
  let turn = 0;
  const go = (changed) => {
    const { search, category, page } = { ...askedNow(), page: 1, ...changed };
    const next = new URLSearchParams({ ...(search && { search }), ...(category !== "all" && { category }), ...(page > 1 && { page }) });
    history.pushState(null, "", `/decks/${next.size ? `?${next}` : ""}`);
    return load();
  };
  const fill = ([{ decks, total, page, total_pages: pages }, reader]) => [
    element("p", { class: "quiet", role: "status" }, t("decks_found", { count: total })),
    decks.length ? element("ul", { class: "keys" }, decks.map((deck) => row(deck, reader))) : emptyBox(askedNow().search ? t("none_found") : t("no_decks")),
    pager(page, pages, (target) => go({ page: target })),
  ];
  const load = () => {
    turn += 1;
    const mine = turn;
    return showLoaded(box, async () => {
      const found = await Promise.all([browse(askedNow()), me()]).catch((failure) => {
        if (mine === turn) throw failure;
      });
      // Of two quick questions the later one stays, whichever answer comes first.
      if (mine !== turn) throw new DOMException("", "AbortError");
      return found;
    }, fill, { lines: 8, again: load });
  };
  const asked = askedNow();
  const input = element("input", { id: newId("search"), name: "search", class: "form-control", type: "search", maxlength: 200, value: asked.search, autocomplete: "off" });
  const category = element("select", { id: newId("category"), class: "form-select", on: { change: () => go({ category: category.value }) } },
    CATEGORIES.map((one) => element("option", { value: one, selected: one === asked.category }, t(`category_${one}`))));
  const question = element("form", { class: "deck-question", role: "search", on: { submit: (event) => {
    event.preventDefault();
    go({ search: input.value.trim() });
  } } }, labelled(t("search_decks"), input), labelled(t("category"), category), button(t("search"), { kind: "primary", name: "search", type: "submit" }));
  addEventListener("popstate", () => {
    const now = askedNow();
    input.value = now.search;
    category.value = now.category;
    load();
  });
  return { box: element("section", { class: "panel", "aria-label": t("find") }, question, box), loaded: load() };
}
