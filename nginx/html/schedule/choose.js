// Choosing whose timetable is shown: one box that searches groups, teachers and rooms, or institute and group from lists.

import { button, element, icon, labelled, newId, replaceContent, showLoaded, translator } from "/frame.js";
import { groupsOf, institutes, search } from "./api.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

const LEAST = 2;
const TYPING_MS = 200;
export const ICONS = { group: "people", teacher: "person", room: "room" };

// A combobox (ARIA Authoring Practices): arrows move through what was found, Enter chooses, Escape closes.
export function searchBox(choose) {
  const list = element("ul", { class: "found", id: newId("found"), role: "listbox", "aria-label": t("found"), hidden: true });
  const input = element("input", { class: "form-control", type: "search", id: newId("search"), role: "combobox", autocomplete: "off", spellcheck: "false",
    "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list", placeholder: t("search_example") });
  const said = element("div", { role: "status", class: "visually-hidden" });
  let found = [];
  let foundFor = "";
  let active = -1;
  let asked = null;
  let timer = 0;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    active = -1;
  };
  // Nothing opens the list any more.
  const stop = () => {
    clearTimeout(timer);
    asked?.abort();
    close();
  };
  const take = ({ kind, id }) => {
    input.value = "";
    stop();
    choose(kind, id);
  };
  const mark = (index) => {
    active = index;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    list.children[index]?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", list.children[index]?.id ?? "");
  };
  const show = (text) => {
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    if (!text) {
      replaceContent(list, found.map((one) => element("li", { id: newId("option"), role: "option", "aria-selected": "false",
        on: { mousedown: (event) => { event.preventDefault(); take(one); } } },
      icon(ICONS[one.kind]), element("span", { class: "found-name" }, one.name), element("span", { class: "quiet" }, t(one.kind)))));
      replaceContent(said, t("found_count", { count: found.length }));
    } else {
      replaceContent(list, element("li", { class: "found-nothing", role: "option", "aria-disabled": "true", "aria-selected": "false" }, text));
      replaceContent(said, text);
    }
  };
  const ask = async () => {
    asked?.abort();
    const text = input.value.trim();
    if (text.length < LEAST) return close();
    asked = new AbortController();
    try {
      found = await search(text, asked.signal);
      foundFor = text;
      active = -1;
      show(found.length ? "" : t("nothing_found", { text }));
    } catch (failure) {
      if (failure.name === "AbortError") return;
      found = [];
      show(failure.sentence ?? t("search_failed"));
    }
  };
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, TYPING_MS); });
  input.addEventListener("blur", stop);
  input.addEventListener("focus", () => { if (input.value.trim().length >= LEAST) ask(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return stop();
    if (list.hidden || !found.length) return;
    if (event.key === "ArrowDown") mark((active + 1) % found.length);
    else if (event.key === "ArrowUp") mark((active - 1 + found.length) % found.length);
    else if (event.key === "Enter" && foundFor === input.value.trim()) take(found[Math.max(active, 0)]);
    else if (event.key !== "Enter") return;
    event.preventDefault();
  });
  return element("div", {}, element("label", { for: input.id, class: "form-label" }, t("search")),
    element("div", { class: "search-box" }, icon("search"), input, list), said);
}

function select(label, options, attributes) {
  const box = element("select", { id: newId("select"), class: "form-select", ...attributes }, options);
  return [labelled(label, box), box];
}

// Institute, then group: {box, load}. Only the button chooses: by keyboard a select changes with each arrow key. load() reads the institutes anew, unless somebody is choosing.
export function lists(choose) {
  const box = element("form", { class: "lists" });
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    choose("group", Number(box.elements.namedItem("group").value));
  });
  const fill = (all) => {
    if (!all.length) return element("p", { class: "quiet" }, t("no_institutes"));
    const [groupField, groups] = select(t("group"), element("option", { value: "" }, t("first_institute")), { name: "group", disabled: true, on: { change: () => { show.disabled = !groups.value; } } });
    const show = button(t("show_timetable"), { kind: "primary", type: "submit", disabled: true });
    const [instituteField, chosen] = select(t("institute"), [element("option", { value: "" }, t("choose")), all.map(({ id, name }) => element("option", { value: id }, name))],
      { on: { change: async () => {
        groups.disabled = true;
        show.disabled = true;
        replaceContent(groups, element("option", { value: "" }, chosen.value ? t("loading") : t("first_institute")));
        if (!chosen.value) return;
        const asked = chosen.value;
        try {
          const of = await groupsOf(asked);
          if (asked !== chosen.value) return;
          replaceContent(groups, element("option", { value: "" }, of.length ? t("choose") : t("no_groups")), of.map(({ id, name }) => element("option", { value: id }, name)));
          groups.disabled = false;
        } catch (failure) {
          replaceContent(groups, element("option", { value: "" }, failure.sentence ?? t("search_failed")));
        }
      } } });
    return [instituteField, groupField, element("div", { class: "actions" }, show)];
  };
  const load = () => (box.querySelector("select")?.value ? null : showLoaded(box, institutes, fill, { lines: 2 }));
  load();
  return { box, load };
}
