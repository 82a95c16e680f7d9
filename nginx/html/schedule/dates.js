// Days without a time of day, as "2031-10-06". Never made by way of UTC, in which the evening of one day is another day.
// And times of day without a day, as the server says them.

import { printDate, printDates } from "/frame.js";

function of(year, month, day) {
  return [year, month + 1, day].map((number) => String(number).padStart(2, "0")).join("-");
}

function noon(day) {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date, 12);
}

export function isDay(text) {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(noon(text).getTime()) && plusDays(text, 0) === text;
}

// The day at the university, as the server said last: the reader may be in another time zone.
let known = null;

export function keepToday(day) {
  known = day;
}

export function today() {
  return known;
}

export function plusDays(day, count) {
  const date = noon(day);
  date.setDate(date.getDate() + count);
  return of(date.getFullYear(), date.getMonth(), date.getDate());
}

// 1 is Monday.
export function weekdayOf(day) {
  return noon(day).getDay() || 7;
}

export function mondayOf(day) {
  return plusDays(day, 1 - weekdayOf(day));
}

export function printDay(day, options) {
  return printDate(noon(day), options);
}

// "09:45" of "09:45:00".
export function shortTime(time) {
  return time.slice(0, 5);
}

export function printWeek(monday) {
  return printDates(noon(monday), noon(plusDays(monday, 6)));
}
