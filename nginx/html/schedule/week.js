// A week of lessons: a column a day and a row a pair where there is room, a list of days where there is not.

import { element, icon, translator } from "/frame.js";
import { plusDays, printDay, shortTime, weekdayOf } from "./dates.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

// Names tell more than codes: for old clients a credit test has the code of an exam.
const TYPES = { Лекция: "lecture", Практика: "practice", Лабораторная: "lab", Экзамен: "exam", Зачет: "credit", Консультация: "consultation", "Курсовая работа": "course" };

const typeOf = (lesson) => TYPES[lesson.lesson_type_display] ?? "other";

// The lessons of one subgroup; 0: all.
export function ofSubgroup(lessons, subgroup) {
  return subgroup ? lessons.filter((lesson) => !lesson.subgroup || lesson.subgroup === subgroup) : lessons;
}

export function subgroupsIn(lessons) {
  return [...new Set(lessons.map((lesson) => lesson.subgroup).filter(Boolean))].sort((a, b) => a - b);
}

function link(parameter, id, name) {
  return id ? element("a", { href: `?${parameter}=${id}` }, name) : name;
}

function teachersOf(lesson) {
  return lesson.teachers.flatMap((teacher, index) => [index > 0 && ", ", link("teacher", teacher.id, teacher.full_name)]);
}

function card(lesson, shows) {
  const room = lesson.room && element("span", { class: "lesson-room" }, icon("room"), element("span", { class: "visually-hidden" }, t("room")), " ",
    link("room", lesson.room_id, lesson.room));
  const teachers = teachersOf(lesson);
  // It begins with the subgroup, for old clients.
  const more = lesson.additional_info.replace(/^Подгр\. \d+(; )?/, "");
  return element("div", { class: `lesson lesson-${typeOf(lesson)}` },
    element("p", { class: "lesson-subject" }, lesson.subject_name),
    element("p", { class: "lesson-kind" }, t(`type_${typeOf(lesson)}`), lesson.subgroup > 0 && [" · ", t("subgroup_number", { number: lesson.subgroup })],
      !lesson.specific_date && [" · ", t("no_date")]),
    shows !== "room" && room && element("p", {}, room),
    shows !== "teacher" && teachers.length > 0 && element("p", {}, teachers),
    shows !== "group" && element("p", {}, link("group", lesson.group, lesson.group_name)),
    more && element("p", { class: "quiet" }, more));
}

const timeOf = (lesson) => `${shortTime(lesson.start_time)}–${shortTime(lesson.end_time)}`;

// The lessons of one number, by their time. Where there is room the time stands beside the week, once for all days: in the slot
// it is seen if it is another one (`usual`: that beside the week).
function slot(number, lessons, { row, usual }, shows) {
  const times = [...new Set(lessons.map(timeOf))].sort();
  const made = element("li", { class: "slot" }, times.map((time) => [
    element("p", { class: `slot-time${time === usual ? "" : " is-own"}` }, element("b", {}, t("pair_number", { number })), " ", time),
    lessons.filter((lesson) => timeOf(lesson) === time).map((lesson) => card(lesson, shows))]));
  made.style.gridRow = row;
  return made;
}

function byNumber(lessons) {
  const slots = new Map();
  for (const lesson of lessons) slots.set(lesson.lesson_number, [...(slots.get(lesson.lesson_number) ?? []), lesson]);
  return [...slots].sort(([a], [b]) => a - b);
}

function day(date, now, lessons, rows, shows) {
  const id = `day-${date}`;
  const state = date === now ? "today" : date < now ? "past" : "";
  const numbered = byNumber(lessons);
  return element("div", { class: `day ${state}`, role: "group", "aria-labelledby": id },
    element("h3", { id, class: "day-name" }, printDay(date, { weekday: "long" }), " ",
      element("span", { class: "day-date" }, printDay(date, { day: "numeric", month: "short" })), date === now && element("span", { class: "tag" }, t("today"))),
    numbered.length ? element("ol", { class: "slots" }, numbered.map(([number, of]) => slot(number, of, rows.get(number), shows)))
      : element("p", { class: "day-free" }, t("free_day")));
}

// The time of most of the lessons.
function usualTime(lessons) {
  const counts = new Map();
  for (const time of lessons.map(timeOf)) counts.set(time, (counts.get(time) ?? 0) + 1);
  return [...counts].sort(([a, times], [b, others]) => others - times || a.localeCompare(b))[0][0];
}

function times(rows) {
  return element("ol", { class: "pair-times", "aria-hidden": "true" }, [...rows].map(([number, { row, usual }]) => {
    const made = element("li", {}, element("b", {}, String(number)), usual.split("–").map((one) => element("span", {}, one)));
    made.style.gridRow = row + 1;  // below the names of the days
    return made;
  }));
}

// The days from `monday` on. Sunday only if it has lessons. `shows`: whose timetable it is, which each lesson need not repeat.
export function week({ monday, today }, lessons, shows) {
  const dates = Array.from({ length: 7 }, (_, index) => plusDays(monday, index));
  const of = (date) => lessons.filter((lesson) => (lesson.specific_date ? lesson.specific_date === date : lesson.weekday === weekdayOf(date)));
  const shown = dates.filter((date, index) => index < 6 || of(date).length);
  const rows = new Map(byNumber(lessons).map(([number, of], index) => [number, { row: index + 1, usual: usualTime(of) }]));
  const made = element("div", { class: "week" }, times(rows), shown.map((date) => day(date, today, of(date), rows, shows)));
  made.style.setProperty("--days", shown.length);
  made.style.setProperty("--pairs", Math.max(rows.size, 1));
  return made;
}
