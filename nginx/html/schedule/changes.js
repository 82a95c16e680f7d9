// What has changed in the timetable of a group: by the day on which it changed, the newest first.

import { element, emptyBox, printDate, translator } from "/frame.js";
import { printDay, shortTime } from "./dates.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

const SIGNS = { added: "+", changed: "±", removed: "−" };
const MEMBERS = {
  date: (lesson) => lesson.date && printDay(lesson.date, { weekday: "short", day: "numeric", month: "long" }),
  number: (lesson) => String(lesson.lesson_number),
  time: (lesson) => `${shortTime(lesson.start_time)}–${shortTime(lesson.end_time)}`,
  subject: (lesson) => lesson.subject,
  type: (lesson) => t(`type_${lesson.type}`),
  room: (lesson) => lesson.room,
  teachers: (lesson) => lesson.teachers.join(", "),
  subgroup: (lesson) => (lesson.subgroup ? String(lesson.subgroup) : ""),
  more: (lesson) => lesson.additional_info,
};

// What was and what is, told apart by words and strokes, not by colour alone.
function difference(before, after) {
  const changed = Object.keys(MEMBERS).filter((member) => MEMBERS[member](before) !== MEMBERS[member](after));
  const side = (name, word, text) => element(name, {}, element("span", { class: "visually-hidden" }, `${word} `), text || t("nothing"));
  return element("ul", { class: "differences" }, changed.map((member) => element("li", {}, `${t(`member_${member}`)}: `,
    side("del", t("was"), MEMBERS[member](before)), " → ", side("ins", t("is"), MEMBERS[member](after)))));
}

function item(change) {
  const lesson = change.after ?? change.before;
  const isChanged = change.kind === "changed";
  const where = [MEMBERS.date(lesson) ?? t("no_date"), t("pair_number", { number: lesson.lesson_number }), !isChanged && lesson.room].filter(Boolean);
  return element("li", { class: `change change-${change.kind}` }, element("span", { class: "change-sign", "aria-hidden": "true" }, SIGNS[change.kind]),
    element("div", {}, element("p", { class: "change-head" }, element("b", {}, t(`change_${change.kind}`)), " ", lesson.subject),
      element("p", { class: "quiet" }, where.join(" · ")), isChanged && difference(change.before, change.after)));
}

export function changeList(changes) {
  if (!changes.length) return emptyBox(t("no_changes"));
  const days = new Map();
  for (const change of [...changes].reverse()) {
    const day = printDate(new Date(change.changed_at), { weekday: "long", day: "numeric", month: "long" });
    days.set(day, [...(days.get(day) ?? []), change]);
  }
  return [...days].map(([day, of]) => element("section", { class: "change-day" }, element("h3", {}, day), element("ul", { class: "plain" }, of.map(item))));
}
