// The first page. Before signing in: what this server is, and how to point each client at it. After: an overview of what the
// reader has here.

import { begin, byLastUse, deletionSentence, deviceName, element, emptyBox, get, icon, isNearlyFull, lastUse, printNumber, replaceContent, session, showLoaded,
  timeElement, translator, usage } from "/frame.js";
import { followed } from "/decks/api.js";
import { written } from "/decks/written.js";
import { ownLessons, profile, weekOf } from "/schedule/api.js";
import { shortTime } from "/schedule/dates.js";
import { guide } from "./guide.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

function welcome(main) {
  replaceContent(main,
    element("section", { class: "hero" },
      element("h1", {}, t("welcome")),
      element("p", { class: "lead" }, t("what")),
      element("p", { class: "actions" }, element("a", { class: "btn btn-primary", href: "/account/sign-in" }, t("sign_in")),
        element("a", { class: "btn btn-outline-secondary", href: "/account/register" }, t("register")))),
    guide());
}

function tile(title, symbol, address, action) {
  const box = element("div", { class: "tile-content" });
  const id = `tile-${symbol}`;
  const made = element("section", { class: "panel tile", "aria-labelledby": id },
    element("h2", { id }, icon(symbol), title), box, element("p", { class: "tile-end" }, element("a", { href: address }, action)));
  return [made, box];
}

// --- What an account has

function devices(keys) {
  const clients = keys.filter((key) => !key.is_current);
  if (!clients.length) return emptyBox(t("no_devices"), element("a", { href: "#connect" }, t("connect_first")));
  clients.sort(byLastUse);
  return [element("p", {}, t("devices_count", { count: clients.length })),
    element("ul", { class: "plain" }, clients.slice(0, 3).map((key) => element("li", {}, element("span", { class: "cut" }, deviceName(key.name)), " ",
      element("span", { class: "quiet" }, timeElement(new Date(lastUse(key)))))))];
}

function list(stats) {
  if (!stats.total) return emptyBox(t("no_titles"), element("a", { href: "/docs" }, t("list_first")));
  return element("dl", { class: "numbers" }, [["watching", stats.by_status.watching], ["completed", stats.by_status.completed],
    ["planned", stats.by_status.plan_to_watch], ["episodes", stats.episodes_watched]]
    .map(([name, number]) => element("div", {}, element("dt", {}, t(name)), element("dd", {}, printNumber(number)))));
}

function decks(all) {
  if (!all.length) return emptyBox(t("follows_none"), element("a", { href: "/decks/" }, t("find_decks")));
  const newsFirst = [...all].sort((a, b) => b.has_update - a.has_update);
  return [element("p", {}, t("follows_count", { count: all.length })), element("ul", { class: "plain" }, newsFirst.slice(0, 3).map((deck) => element("li", {},
    element("span", { class: "cut" }, written(deck.title)), " ", element("span", { class: "quiet" }, deck.has_update ? t("new_version", { version: deck.latest_version }) : deck.latest_version))))];
}

async function askToday() {
  const [own, week] = await Promise.all([profile(), weekOf()]);
  if (!own.group) return { own, lessons: [] };
  const all = await ownLessons(week.today, week.today);
  // Lessons without a date come along for every day.
  return { own, lessons: all.filter((lesson) => lesson.weekday === week.weekday) };
}

function today({ own, lessons }) {
  if (!own.group) return emptyBox(t("no_group"), element("a", { href: "/schedule/" }, t("choose_group")));
  if (!lessons.length) return element("p", {}, t("no_lessons_today", { group: own.group_name }));
  return element("ul", { class: "plain" }, lessons.map((lesson) => element("li", {}, element("span", { class: "cut" }, `${shortTime(lesson.start_time)} ${lesson.subject_name}`),
    element("span", { class: "quiet" }, lesson.room))));
}

async function overview(main) {
  let asked = null;
  const account = () => (asked ??= get("/account").catch((failure) => {
    asked = null;  // so that it can be tried again
    throw failure;
  }));
  const warnings = element("div", { class: "above" });
  const tiles = [
    [...tile(t("today"), "calendar", "/schedule/", t("to_timetable")), askToday, today],
    [...tile(t("shared_decks"), "people", "/decks/?view=followed", t("to_decks")), followed, decks],
    [...tile(t("devices"), "device", "/account/", t("to_account")), () => get("/account/devices"), devices],
    [...tile(t("storage"), "download", "/account/", t("to_export")), account, (own) => usage(own, t)],
    [...tile(t("anime_list"), "play", "/docs", t("to_api")), () => get("/users/me/list/stats"), list],
  ];
  const user = session().user;
  replaceContent(main, element("h1", {}, t("hello", { name: user?.email || user?.username || "" })), warnings,
    element("div", { class: "tiles" }, tiles.map(([made]) => made)), guide());
  await Promise.all(tiles.map(([, box, load, fill]) => showLoaded(box, load, fill)));
  const own = await account().catch(() => null);
  replaceContent(warnings,
    own?.deletes_at && element("div", { class: "alert alert-warning" }, deletionSentence(own), " ",
      element("a", { class: "alert-link", href: "/account/" }, t("keep_account"))),
    own && isNearlyFull(own) && element("div", { class: "alert alert-warning" }, t("nearly_full")));
}

begin({ title: "Syncline", show: (main) => (session() ? overview(main) : welcome(main)) });
