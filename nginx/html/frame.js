// The frame of every page: header, navigation, language, session, notices. A page is a module that calls begin() and fills
// <main> from the public JSON API; it imports all it needs from here.

import { onSessionEnd } from "./frame/api.js";
import { button, element, icon, replaceContent, whileDisabled } from "./frame/elements.js";
import { form, keepTyped } from "./frame/forms.js";
import { LANGUAGES, chooseLanguage, language, translator } from "./frame/language.js";
import { dialog, failureBox, noticeRegion } from "./frame/notices.js";
import { forgetSession, onNewToken, onOtherUser, onUserKept, session, signIn, signOut } from "./frame/session.js";
import { TEXTS } from "./frame/texts.js";

export * from "./frame/api.js";
export * from "./frame/device_name.js";
export * from "./frame/elements.js";
export * from "./frame/events.js";
export * from "./frame/failure.js";
export * from "./frame/forms.js";
export * from "./frame/language.js";
export * from "./frame/notices.js";
export * from "./frame/session.js";
export * from "./frame/usage.js";

const t = translator(TEXTS);

// The pages in the navigation: name, address, and whether they need a session. A service adds its row.
const PAGES = [
  { name: "decks", address: "/decks/", needsSession: true },
  { name: "schedule", address: "/schedule/", needsSession: true },
  { name: "account", address: "/account/", needsSession: true },
  { name: "api", address: "/docs", needsSession: false },
];

// Begins a page. `name`: its row in PAGES, if it has one. `show(main)` fills the page; it may be async. With `needsSession`,
// readers without one go to the sign-in page and come back afterwards.
export async function begin({ title, name = "", needsSession = false, show }) {
  document.documentElement.lang = language;
  setTitle(title);
  if (needsSession && !session()) {
    location.replace(signInAddress());
    return;
  }
  const main = document.getElementById("content");
  document.body.prepend(skipLink(), header(name));
  main.after(footer(), noticeRegion);
  onSessionEnd(askToSignIn);
  onOtherUser(() => {
    document.body.replaceChildren();  // a reload takes its time
    location.reload();
  });
  try {
    await show(main);
  } catch (failure) {
    console.error(failure);
    replaceContent(main, element("h1", {}, title), failureBox(failure, () => location.reload()));
  }
  main.removeAttribute("aria-busy");
}

// In tabs and in the history. What a page shows comes before the page's own name.
export function setTitle(...parts) {
  document.title = [...parts.filter((part) => part !== t("product")), t("product")].join(" - ");
}

function here() {
  return location.pathname + location.search + location.hash;
}

function signInAddress() {
  return `/account/sign-in?next=${encodeURIComponent(here())}`;
}

// Where to go after signing in: a page of this server, whatever the address says.
export function nextAddress() {
  try {
    const wanted = new URL(new URLSearchParams(location.search).get("next") ?? "/", location.origin);
    // The whole address: a path that begins with two slashes would by itself be that of another server.
    return wanted.origin === location.origin ? wanted.href : "/";
  } catch {
    return "/";  // no address at all
  }
}

// After the end of the session. What the page shows is not to come back with the button of the browser.
export function leave() {
  document.body.replaceChildren();
  location.assign("/");
}

function skipLink() {
  return element("a", { class: "skip", href: "#content" }, t("skip"));
}

function header(name) {
  const user = session()?.user;
  const link = (address, text, isCurrent) => element("li", {},
    element("a", { class: "nav-link", href: address, "aria-current": isCurrent && "page" }, text));
  const links = [link("/", user ? t("overview") : t("start"), location.pathname === "/"),
    ...PAGES.filter((page) => user || !page.needsSession).map((page) => link(page.address, t(page.name), page.name === name))];
  return element("header", { class: "top" },
    element("div", { class: "top-inner" },
      element("a", { class: "brand", href: "/" }, icon("mark"), t("product")),
      element("nav", { class: "pages", "aria-label": t("main_navigation") }, element("ul", {}, links)),
      element("div", { class: "top-end" },
        languageSelect({ class: "form-select form-select-sm language", "aria-label": t("language") }), user ? whoIsHere(user) : signInLinks(name))));
}

// `attributes`: those of the select, with its class and what labels it.
export function languageSelect(attributes) {
  const choose = ({ target }) => {
    keepTyped();
    chooseLanguage(target.value);
  };
  return element("select", { on: { change: choose }, ...attributes },
    Object.entries(LANGUAGES).map(([code, own]) => element("option", { value: code, lang: code, selected: code === language }, own)));
}

function signInLinks(name) {
  return name !== "sign-in" && element("a", { class: "btn btn-sm btn-primary", href: here() === "/" ? "/account/sign-in" : signInAddress() }, t("sign_in"));
}

function whoIsHere(user) {
  const name = element("span", { class: "who-name" });
  const show = ({ email, username }) => {
    const who = t("signed_in_as", { name: email || username });
    name.title = who;
    replaceContent(name, element("span", { class: "visually-hidden" }, who), element("span", { "aria-hidden": "true" }, email || username));
  };
  show(user);
  onUserKept(show);
  const out = button(t("sign_out"), { kind: "outline-secondary btn-sm", name: "leave", "aria-label": t("sign_out"), on: { click: () => whileDisabled(out, signOut).then(leave) } });
  return element("div", { class: "who" }, name, out);
}

function footer() {
  return element("footer", { class: "bottom" }, element("p", {}, t("footer")));
}

// --- The end of a session in the middle of something.

let asking = null;

function askToSignIn() {
  asking ??= signInAgain().finally(() => { asking = null; });
  return asking;
}

async function signInAgain() {
  const { accessToken: refused, user } = session() ?? {};
  let stopListening;
  const isSignedIn = await dialog(t("session_ended_title"), (close) => {
    stopListening = onNewToken(() => close(true));  // in another tab
    return [
      element("p", {}, t("session_ended")),
      signInForm(() => {
        if (session().user.id === user?.id) return close(true);
        // Somebody else: the page would show another person's things, so nothing of it goes on.
        location.reload();
        return new Promise(() => {});
      }),
    ];
  });
  stopListening();
  if (isSignedIn) return true;
  if (session() && session().accessToken !== refused) return true;
  forgetSession();
  location.assign(signInAddress());
  return false;
}

// `goOn()` is called when the reader has signed in; what it returns is waited for.
export function signInForm(goOn) {
  return form({
    fields: signInFields(),
    action: t("sign_in"),
    fieldOf: { bad_login: "password" },
    submit: async ({ name, password }) => {
      await signIn(name.trim(), password);
      return goOn();
    },
  });
}

function signInFields() {
  return [{ name: "name", label: t("name_or_email"), autocomplete: "username", autocapitalize: "none", spellcheck: "false", autofocus: true },
    { name: "password", label: t("password"), type: "password", autocomplete: "current-password" }];
}
