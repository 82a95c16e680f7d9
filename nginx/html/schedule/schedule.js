// The timetable: a week of a group, a teacher or a room; what has changed; calendars; and for administrators its update.
//
// What is shown is in the address (?group=17&week=2031-10-06&view=changes), so that it can be kept and sent to others.

import { begin, button, element, emptyBox, icon, keepUser, notify, notifyFailure, replaceContent, setTitle, showLoaded, succeeds, translator, whileDisabled } from "/frame.js";
import { changes, groupById, lessons, profile, roomById, saveProfile, teacherById, weekOf } from "./api.js";
import { changeList } from "./changes.js";
import { ICONS, lists, searchBox } from "./choose.js";
import { isDay, keepToday, mondayOf, plusDays, printWeek, today } from "./dates.js";
import { addFeed, feedList } from "./feeds.js";
import { sections } from "./sections.js";
import { TEXTS } from "./texts.js";
import { updates } from "./update.js";
import { ofSubgroup, subgroupsIn, week } from "./week.js";

const t = translator(TEXTS);

const KINDS = ["group", "teacher", "room"];
const LOOKS_UP = { group: groupById, teacher: teacherById, room: roomById };
const CHANGES_DAYS = 30;

let own = null;
const box = element("section", { class: "timetable", "aria-label": t("schedule") });
const mine = element("div", { class: "mine" });

// --- What the address says

function shownNow() {
  const given = new URLSearchParams(location.search);
  const kind = KINDS.find((one) => /^\d+$/.test(given.get(one) ?? ""));
  const day = given.get("week") ?? "";
  return {
    kind: kind ?? (own.group ? "group" : null),
    id: kind ? Number(given.get(kind)) : own.group,
    monday: mondayOf(isDay(day) ? day : today()),
    view: given.get("view") === "changes" ? "changes" : "week",
    subgroup: given.has("subgroup") ? Number(given.get("subgroup")) || 0 : null,
  };
}

function go(changed, { replaces = false } = {}) {
  const { kind, id, monday, view, subgroup } = { ...shownNow(), ...changed };
  const next = new URLSearchParams();
  if (kind) next.set(kind, id);
  if (monday !== mondayOf(today())) next.set("week", monday);
  if (view !== "week") next.set("view", view);
  if (subgroup !== null) next.set("subgroup", subgroup);
  history[replaces ? "replaceState" : "pushState"](null, "", `?${next}`);
  return show();
}

// Links to another timetable stay on the page, in the same week.
function onLink(event) {
  const link = event.target.closest("a[href^='?']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const given = new URLSearchParams(link.getAttribute("href"));
  const kind = KINDS.find((one) => given.has(one));
  go({ kind, id: Number(given.get(kind)), view: "week", subgroup: null }).then(() => document.getElementById("shown")?.focus());
}

// --- Its parts

function tabs(now) {
  const tab = (view, text) => element("li", {}, element("button", { type: "button", class: "tab", "aria-pressed": String(now.view === view), on: { click: () => go({ view }) } }, text));
  return element("ul", { class: "tabs", "aria-label": t("views") }, tab("week", t("week")), now.kind === "group" && tab("changes", t("changes")));
}

function ownGroup(now) {
  if (now.kind !== "group") return null;
  const isOwn = own.group === now.id;
  const change = button(isOwn ? t("not_my_group") : t("make_my_group"), { kind: "outline-secondary", name: "star", on: { click: () => whileDisabled(change, async () => {
    if (!await succeeds(() => keepOwn({ group: isOwn ? null : now.id, subgroup: isOwn ? 0 : now.subgroup ?? 0 }))) return;
    notify(isOwn ? t("group_left") : t("group_kept"), { key: "own" });
    await go({ kind: "group", id: now.id }, { replaces: true });
    document.getElementById("shown")?.focus();
  }) } });
  return change;
}

async function keepOwn(changed) {
  takeOwn(await saveProfile(changed));
}

function takeOwn(saved) {
  own = saved;
  keepUser(own);
  replaceContent(mine, own.group && button(t("my_group_named", { name: own.group_name }), { name: "star" }));
}

function subgroupChoice(now, found) {
  const numbers = [...new Set([...found, now.subgroup].filter(Boolean))].sort((a, b) => a - b);
  if (now.kind !== "group" || !numbers.length) return null;
  const choose = async ({ target }) => {
    const subgroup = Number(target.value);
    if (own.group === now.id) await keepOwn({ subgroup }).catch(notifyFailure);
    await go({ subgroup });
    document.getElementById("subgroup")?.focus();
  };
  return element("div", { class: "subgroup" }, element("label", { for: "subgroup", class: "visually-hidden" }, t("subgroup")),
    element("select", { id: "subgroup", class: "form-select", on: { change: choose } },
      element("option", { value: 0 }, t("all_subgroups")),
      numbers.map((number) => element("option", { value: number, selected: number === now.subgroup }, t("subgroup_number", { number })))));
}

function weekNavigation(now, { week_index: index, parity }) {
  const to = (monday, label, name) => button(label, { name, hidesLabel: true, on: { click: () => go({ monday }).then(() => document.querySelector(`[data-step=${name}]`)?.focus()) }, "data-step": name });
  const isThis = now.monday === mondayOf(today());
  return element("div", { class: "week-head" },
    element("div", { class: "week-steps" }, to(plusDays(now.monday, -7), t("week_before"), "left"), to(plusDays(now.monday, 7), t("week_after"), "right"),
      button(t("this_week"), { disabled: isThis, on: { click: () => go({ monday: mondayOf(today()) }) } })),
    element("p", { class: "week-title", role: "status" }, element("b", {}, printWeek(now.monday)), index && element("span", { class: "tag" }, t("week_number", { number: index }), ", ", t(`parity_${parity}`)),
      isThis && element("span", { class: "quiet" }, t("this_week_short"))));
}

const nameOf = (what) => what.name ?? what.full_name;

function head(now, what) {
  const name = nameOf(what);
  const more = now.kind === "group" ? what.institute?.name ?? what.institute_name : "";
  return element("div", { class: "shown-head" },
    element("div", {}, element("h2", { id: "shown", tabindex: "-1" }, icon(ICONS[now.kind]), name,
      now.kind === "group" && own.group === now.id && element("span", { class: "tag" }, t("my_group"))), more && element("p", { class: "quiet" }, more)),
    element("div", { class: "shown-actions" }, ownGroup(now),
      button(t("to_calendar"), { name: "calendar", on: { click: () => addFeed({ kind: now.kind, id: now.id, name, subgroup: now.subgroup ?? 0 }) } })));
}

// What is shown of a week, and the title that the page gets with it.
async function weekContent(now) {
  const [what, all, about] = await Promise.all([LOOKS_UP[now.kind](now.id), lessons({ [now.kind]: now.id }, now.monday, plusDays(now.monday, 6)), weekOf(now.monday)]);
  keepToday(about.today);
  const shown = ofSubgroup(all, now.subgroup);
  return {
    title: `${nameOf(what)}, ${printWeek(now.monday)}`,
    parts: [head(now, what), element("div", { class: "bar" }, tabs(now), subgroupChoice(now, subgroupsIn(all))), weekNavigation(now, about),
      shown.length ? week(about, shown, now.kind) : emptyBox(t("free_week"), button(t("next_week"), { kind: "link", on: { click: () => go({ monday: plusDays(now.monday, 7) }) } }))],
  };
}

async function changesContent(now) {
  const [what, list] = await Promise.all([groupById(now.id), changes(now.id, plusDays(today(), -CHANGES_DAYS))]);
  return {
    title: `${nameOf(what)}, ${t("changes")}`,
    parts: [head(now, what), element("div", { class: "bar" }, tabs(now)), element("p", { class: "about" }, t("changes_about", { count: CHANGES_DAYS })), changeList(list)],
  };
}

let turn = 0;
let shownAddress = null;

async function show() {
  shownAddress = location.search;
  const now = shownNow();
  if (now.kind === "group" && now.id === own.group) now.subgroup ??= own.subgroup ?? 0;
  turn += 1;
  const mine = turn;
  if (!now.kind) {
    setTitle(t("schedule"));
    replaceContent(box, emptyBox(t("nothing_chosen")));
    box.removeAttribute("aria-busy");
    return;
  }
  // Of two quick steps the later one stays, whichever answer comes first.
  await showLoaded(box, async () => {
    const asked = now.view === "changes" && now.kind === "group" ? changesContent(now) : weekContent(now);
    const content = await asked.catch((failure) => {
      if (mine === turn) throw failure;
    });
    if (mine !== turn) throw new DOMException("", "AbortError");
    setTitle(content.title, t("schedule"));
    return content.parts;
  }, (content) => content, { lines: 8 });
}

async function showPage(main) {
  const [saved, about] = await Promise.all([profile(), weekOf()]);
  takeOwn(saved);
  keepToday(about.today);
  const choose = async (kind, id) => {
    byInstitute.open = false;
    await go({ kind, id, view: "week", subgroup: null });
    document.getElementById("shown")?.focus();
  };
  mine.addEventListener("click", ({ target }) => target.closest("button") && choose("group", own.group));
  const byLists = lists(choose);
  const byInstitute = element("details", { class: "more", open: !shownNow().kind }, element("summary", {}, t("by_institute")), byLists.box);
  const update = updates({ isAdmin: own.role === "admin", onDone: () => { byLists.load(); show(); } });
  replaceContent(main,
    element("div", { class: "page-head" }, element("div", {}, element("h1", {}, t("schedule")), update.fresh), update.button),
    sections("lessons"), update.box,
    element("section", { class: "panel chooser", "aria-label": t("chooser") }, searchBox(choose), mine, byInstitute),
    box, feedList());
  box.addEventListener("click", onLink);
  // A link inside the page, such as the one to its content, changes the address, too.
  addEventListener("popstate", () => location.search !== shownAddress && show());
  await show();
}

begin({ title: t("schedule"), name: "schedule", needsSession: true, show: showPage });
