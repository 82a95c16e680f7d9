// The language of the pages: the reader's choice, else the first language of the browser that we have. Dates and numbers are
// printed by the browser, in that language and in its own time zone.

const CHOICE = "syncline-language";
export const LANGUAGES = { en: "English", ru: "Русский" };

// A browser may refuse to keep anything.
function kept() {
  try {
    return localStorage.getItem(CHOICE);
  } catch {
    return null;
  }
}

function chosen() {
  const wanted = [kept(), ...navigator.languages.map((tag) => tag.split("-")[0])];
  return wanted.find((code) => code in LANGUAGES) ?? "en";
}

export const language = chosen();

export function chooseLanguage(code) {
  try {
    localStorage.setItem(CHOICE, code);
  } catch {
    return;
  }
  location.reload();
}

// The reader's own variant, such as en-GB, where it is of the chosen language.
const locale = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;
const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(locale);

// From {en: {key: text}, ru: {...}} a function that gives a text by its key. "{name}" in a text stands for values.name. A text
// with plural forms is {one, few, many, other}, chosen by values.count.
export function translator(texts) {
  const own = texts[language];
  const translate = (key, values = {}) => {
    let text = own[key];
    if (text === undefined) throw new Error(`no text ${key}`);
    if (typeof text === "object") text = text[plurals.select(values.count)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? numbers.format(values[name]) : values[name]));
  };
  // For keys that come from a server.
  translate.has = (key) => key in own;
  return translate;
}

export function printNumber(value) {
  return numbers.format(value);
}

export function printPercent(share) {
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 }).format(share);
}

export function printBytes(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1024)), units.length - 1);
  const value = bytes / 1024 ** power;
  return new Intl.NumberFormat(locale, { style: "unit", unit: units[power], unitDisplay: "short", maximumFractionDigits: value < 10 && power > 0 ? 1 : 0 })
    .format(value);
}

export function printDate(date, options = { day: "numeric", month: "long", year: "numeric" }) {
  return new Intl.DateTimeFormat(locale, options).format(date);
}

// "6 - 12 October 2031"
export function printDates(first, last) {
  return new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" }).formatRange(first, last);
}

export function printMoment(date) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(date);
}

// "3 hours ago", "in 2 days"; of two units the larger that fits.
function printAgo(date) {
  const seconds = (date.getTime() - Date.now()) / 1000;
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  for (const [unit, size] of [["year", 31557600], ["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(0, "minute");
}

// "40 sec", "2 min", "1 hr 5 min": how long something is going to take.
export function printDuration(seconds) {
  const part = (value, unit) => new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" }).format(value);
  const whole = Math.max(Math.round(seconds), 1);
  if (whole < 60) return part(whole, "second");
  if (whole < 3600) return part(Math.round(whole / 60), "minute");
  return `${part(Math.floor(whole / 3600), "hour")} ${part(Math.floor((whole % 3600) / 60), "minute")}`;
}

// A moment as its distance, and in full for whoever points at it.
export function timeElement(date) {
  const made = document.createElement("time");
  made.dateTime = date.toISOString();
  made.title = printMoment(date);
  made.append(printAgo(date));
  return made;
}
