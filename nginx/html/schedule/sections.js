// The pages of the timetable, on each of them.

import { element, translator } from "/frame.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

const ADDRESSES = { lessons: "/schedule/", free_rooms: "/schedule/rooms" };

export function sections(current) {
  return element("nav", { class: "sections", "aria-label": t("schedule") }, element("ul", {}, Object.entries(ADDRESSES).map(([name, address]) =>
    element("li", {}, element("a", { href: address, "aria-current": name === current && "page" }, t(name))))));
}
