// Free rooms: those without a lesson on a day and in a pair, by building.
//
// What is asked for is in the address (?date=2031-10-06&pair=3&building=1), so that it can be kept and sent to others.

import { begin, element, emptyBox, labelled, newId, replaceContent, setTitle, showLoaded, timeElement, translator } from "/frame.js";
import { freeRooms, rooms, weekOf } from "./api.js";
import { isDay, keepToday, mondayOf, printDay, today } from "./dates.js";
import { pairAt, pairsOf } from "./pairs.js";
import { sections } from "./sections.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

// "1/9" comes before "1/10", and building 2 before building 10.
const { compare } = new Intl.Collator("ru", { numeric: true });

const box = element("div", { class: "free-rooms" });

// Today is that of the university; the hour is that of the reader, because the server does not tell its own.
function askedNow(pairs) {
  const given = new URLSearchParams(location.search);
  const day = given.get("date") ?? "";
  const pair = Number(given.get("pair"));
  return {
    date: isDay(day) ? day : today(),
    pair: pairs.some(({ number }) => number === pair) ? pair : pairAt(pairs, new Date().toTimeString().slice(0, 5)),
    building: given.get("building") ?? "",
  };
}

let leaving = null;

async function show(asked) {
  leaving?.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  setTitle([t("free_rooms"), printDay(asked.date), t("pair_number", { number: asked.pair })].join(", "), t("schedule"));
  await showLoaded(box, () => freeRooms(asked, signal), (found) => list(asked, found), { lines: 6, again: () => show(asked) });
}

function list({ date, building }, { rooms: found, data_as_of: confirmed }) {
  const buildings = [...new Set(found.map((room) => room.building))].sort((a, b) => (a === "") - (b === "") || compare(a, b));
  const link = (room) => element("a", { href: `/schedule/?${new URLSearchParams({ room: room.id, week: mondayOf(date) })}` }, room.name);
  const of = (name) => found.filter((room) => room.building === name).sort((a, b) => compare(a.name, b.name));
  const part = (title, inside) => {
    const id = newId("building");
    return element("section", { class: "panel", "aria-labelledby": id }, element("h2", { id }, title), element("ul", { class: "rooms" }, inside.map((room) => element("li", {}, link(room)))));
  };
  return [
    element("p", { class: "quiet", role: "status" }, t("free_count", { count: found.length }),
      confirmed && [" · ", t("last_sent"), " ", timeElement(new Date(confirmed))]),
    found.length === 0 && emptyBox(building ? t("no_free_in_building") : t("no_free_rooms")),
    buildings.map((name) => part(name ? t("building_named", { name }) : t("no_building"), of(name))),
  ];
}

// What is asked for; whatever is changed is shown at once.
function question(buildings, pairs) {
  const asked = askedNow(pairs);
  const date = element("input", { id: newId("date"), class: "form-control", type: "date", required: true, value: asked.date });
  const pair = element("select", { id: newId("pair"), class: "form-select" },
    pairs.map(({ number, text }) => element("option", { value: number, selected: number === asked.pair }, text)));
  const building = element("select", { id: newId("building"), class: "form-select" }, element("option", { value: "" }, t("all_buildings")),
    buildings.map((name) => element("option", { value: name, selected: name === asked.building }, t("building_named", { name }))));
  const wanted = () => ({ date: date.value, pair: Number(pair.value), building: building.value });
  const ask = () => {
    if (!isDay(date.value)) return;  // while it is being typed
    history.replaceState(null, "", `?${new URLSearchParams(Object.entries(wanted()).filter(([, value]) => value))}`);
    show(wanted());
  };
  const fields = element("section", { class: "panel room-question", "aria-label": t("free_when"), on: { change: ask } },
    labelled(t("day"), date), labelled(t("pair"), pair), labelled(t("building"), building));
  return { fields, wanted: wanted() };
}

async function showPage(main) {
  const [about, known] = await Promise.all([weekOf(), rooms()]);
  keepToday(about.today);
  const buildings = [...new Set(known.filter((room) => !room.is_online && room.building).map((room) => room.building))].sort(compare);
  const { fields, wanted } = question(buildings, pairsOf(about));
  replaceContent(main, element("div", { class: "page-head" }, element("h1", {}, t("free_rooms"))), sections("free_rooms"), fields, box);
  await show(wanted);
}

begin({ title: t("free_rooms"), name: "schedule", needsSession: true, show: showPage });
