// Devices as people know them: their names, and when each was used last.

import { translator } from "./language.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

const PROGRAMS = { "Edg/": "Edge", "OPR/": "Opera", "YaBrowser/": "Yandex Browser", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari" };
const SYSTEMS = { Windows: "Windows", Android: "Android", iPhone: "iPhone", iPad: "iPad", "Mac OS X": "macOS", Linux: "Linux" };

// Browsers name themselves at length: program and system are enough. A name that somebody gave stays as it is.
export function deviceName(name) {
  const found = (words) => Object.keys(words).find((word) => name.includes(word));
  const program = name.startsWith("Mozilla/") && found(PROGRAMS);
  if (!program) return name;
  const system = found(SYSTEMS);
  return system ? t("program_on_system", { program: PROGRAMS[program], system: SYSTEMS[system] }) : PROGRAMS[program];
}

export function lastUse(key) {
  return key.last_seen_at ?? key.created_at;
}

// For sorting: the one used last comes first.
export function byLastUse(a, b) {
  return lastUse(b).localeCompare(lastUse(a));
}
