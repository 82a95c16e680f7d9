// How to point each client at this server, with the addresses of this very host.

import { copyField, element, icon, translator } from "/frame.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);
const BASE = location.origin;

function way(symbol, name, where, text, ...more) {
  return element("li", { class: "way" }, element("h4", {}, icon(symbol), name), element("p", { class: "way-where" }, where), copyField(text, t("address_for", { name })), more);
}

function service(id, symbol, title, about, ...content) {
  return element("section", { class: "panel", "aria-labelledby": id }, element("h3", { id }, icon(symbol), title), element("p", { class: "about" }, about), content);
}

function anki() {
  return service("connect-anki", "cards", "Anki", t("anki_about"), element("ul", { class: "ways" },
    way("device", t("anki_desktop"), t("anki_desktop_where"), `${BASE}/`),
    way("phone", "AnkiDroid", t("ankidroid_where"), `${BASE}/`),
    way("phone", "AnkiMobile", t("ankimobile_where"), `${BASE}/`)),
  element("p", { class: "quiet" }, t("anki_then")),
  element("details", { class: "more" }, element("summary", {}, t("anki_old")),
    copyField(`SYNC_ENDPOINT=${BASE}/sync/`, t("variable", { name: "SYNC_ENDPOINT" })),
    copyField(`SYNC_ENDPOINT_MEDIA=${BASE}/msync/`, t("variable", { name: "SYNC_ENDPOINT_MEDIA" }))));
}

function decks() {
  return service("connect-decks", "people", t("decks_in_anki"), t("shared_decks_about"), element("ul", { class: "ways" },
    way("device", t("deck_addon"), t("deck_addon_where"), `${BASE}/functions/v1`)),
  element("p", {}, element("a", { href: "/decks/" }, t("decks_open"))));
}

function anime() {
  return service("connect-anime", "play", t("anime"), t("anime_about"), element("ul", { class: "ways" },
    way("star", t("rest_clients"), t("rest_clients_where"), BASE)),
  element("p", {}, element("a", { href: "/docs" }, t("anime_docs"))));
}

function timetable() {
  return service("connect-timetable", "calendar", t("timetable"), t("timetable_about"), element("ul", { class: "ways" },
    way("device", t("timetable_script"), t("timetable_script_where"), `API_BASE_URL=${BASE}/api`)),
  element("details", { class: "more" }, element("summary", {}, t("timetable_token")), element("p", { class: "way-where" }, t("timetable_token_where")),
    copyField("JSON.parse(localStorage.getItem('auth-storage')).state.accessToken", t("timetable_token"))),
  element("p", {}, element("a", { href: "/schedule/" }, t("timetable_open"))));
}

export function guide() {
  return element("section", { class: "guide", "aria-labelledby": "connect" }, element("h2", { id: "connect", tabindex: "-1" }, t("connect")),
    element("p", { class: "about" }, t("connect_about")),
    element("div", { class: "services" }, anki(), decks(), timetable(), anime()));
}
