// What people have written: titles, names, fields, notes, reasons. It is text, whatever it looks like. Signs that nobody sees, or
// that turn the direction of what follows, are shown by their numbers: a suggestion that adds one must not look like no change.

import { element } from "/frame.js";

const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

const numberOf = (sign) => `U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

// For sentences, titles of the page and names of elements, in which there is nothing but text.
export function plain(text) {
  return text.replace(UNSEEN, (sign) => `[${numberOf(sign)}]`);
}

// The text in pieces: strings, and an element for each sign that nobody would see.
export function pieces(text) {
  const signs = [...text.matchAll(UNSEEN)];
  const between = text.split(UNSEEN);
  return between.flatMap((piece, at) => [piece, at < signs.length && element("span", { class: "unseen" }, numberOf(signs[at][0]))]);
}

// `bdi`: its direction does not reach the text around it.
export function written(text) {
  return element("bdi", {}, pieces(text));
}

// The address of a page with what it shows.
export function addressOf(page, parameters) {
  return `/decks/${page}?${new URLSearchParams(parameters)}`;
}
