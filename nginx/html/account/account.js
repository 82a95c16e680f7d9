// The account page: who I am, what may sync in my name, and all that can be done with the whole account.

import { begin, button, byLastUse, confirmLoss, copyField, deletionSentence, deviceName, dialog, element, emptyBox, forgetSession, form, get, icon, isNearlyFull,
  keepUser, languageSelect, leave, notify, notifyFailure, overNetwork, patch, post, printBytes, printDate, remove, replaceContent, request, showLoaded, succeeds,
  timeElement, translator, usage, whileDisabled } from "/frame.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

// A part of the page with a heading of its own.
function part(id, title, about, ...content) {
  return element("section", { class: "panel", "aria-labelledby": id }, element("h2", { id }, title), about && element("p", { class: "about" }, about), content);
}

// --- The account itself

function profilePart(own, reload) {
  const change = async () => {
    const done = await dialog(t("change_email"), (close) => [form({
      fields: [{ name: "email", label: t("new_email"), type: "email", autocomplete: "email", value: own.email ?? "" }, ownPassword()],
      action: t("change_email"),
      fieldOf: { bad_login: "password", email_taken: "email" },
      submit: async ({ email, password }) => close(await post("/account/email", { email: email.trim(), password })),
    })]);
    if (!done) return;
    keepUser({ email: done.email });
    notify(t("email_changed"));
    reload();
  };
  return part("profile", t("profile"), "",
    element("dl", { class: "facts" },
      own.name !== own.email && [element("dt", {}, t("name")), element("dd", {}, own.name)],
      element("dt", {}, t("email")), element("dd", {}, own.email ?? t("no_email"), " ", button(own.email ? t("change") : t("add"), { kind: "link btn-sm", "aria-label": t("change_email"), on: { click: change } })),
      element("dt", {}, t("since")), element("dd", {}, printDate(new Date(own.created_at))),
      own.is_admin && [element("dt", {}, t("role")), element("dd", {}, t("administrator"))]),
    languageChoice());
}

function languageChoice() {
  return element("div", { class: "field short" }, element("label", { for: "language", class: "form-label" }, t("language")),
    languageSelect({ id: "language", class: "form-select" }), element("div", { class: "form-text" }, t("language_hint")));
}

function ownPassword() {
  return { name: "password", label: t("current_password"), type: "password", autocomplete: "current-password" };
}

function storagePart(own) {
  return part("storage", t("storage"), "", usage(own, t), isNearlyFull(own) && element("p", { class: "alert alert-warning" }, t("nearly_full")));
}

function passwordPart(least) {
  const made = form({
    fields: [ownPassword(),
      { name: "new_password", label: t("new_password"), type: "password", autocomplete: "new-password", minlength: least, hint: t("password_hint", { count: least }) }],
    action: t("change_password"),
    fieldOf: { bad_login: "password" },
    submit: async (values) => {
      await post("/account/password", values);
      made.reset();
      notify(t("password_changed"));
      loadKeys();
    },
  });
  return part("password", t("change_password"), t("change_password_about"), made);
}

// --- Devices, sessions and app passwords: all keys of the account

const SYMBOLS = { anki: "cards", refresh: "device", app_password: "key", socket: "device" };

function keyRow(key) {
  const rename = async () => {
    const done = await dialog(t("rename"), (close) => [form({
      fields: [{ name: "name", label: t("new_name"), value: key.name, maxlength: 100, autocomplete: "off" }],
      action: t("rename"),
      submit: async ({ name }) => {
        await patch(`/account/devices/${key.id}`, { name });
        close(true);
      },
    })]);
    if (done) loadKeys();
  };
  const revoke = async () => {
    const loss = key.kind === "app_password" ? t("revoke_app_password_loss") : key.is_current ? t("revoke_current_loss") : t("revoke_loss");
    if (!await confirmLoss({ title: t("revoke_title", { name: key.name }), loss, action: t("revoke") })) return;
    if (!await succeeds(() => remove(`/account/devices/${key.id}`))) return;
    if (key.is_current) {
      forgetSession();
      return leave();
    }
    notify(t("revoked", { name: key.name }));
    loadKeys();
  };
  return element("li", { class: "key" }, icon(SYMBOLS[key.kind] ?? "device"),
    element("div", { class: "key-what" },
      element("p", { class: "key-name" }, deviceName(key.name), key.is_current && element("span", { class: "tag" }, t("this_browser"))),
      element("p", { class: "quiet" }, t(`kind_${key.kind}`), " · ",
        key.last_seen_at ? [t("last_seen"), " ", timeElement(new Date(key.last_seen_at))] : t("never_seen"), " · ",
        t("added", { date: printDate(new Date(key.created_at)) }))),
    element("div", { class: "key-actions" },
      button(t("rename"), { kind: "link", name: "pencil", hidesLabel: true, "aria-label": t("rename_what", { name: key.name }), on: { click: rename } }),
      button(t("revoke"), { kind: "outline-danger btn-sm", "aria-label": t("revoke_what", { name: key.name }), on: { click: revoke } })));
}

const devicesBox = element("div");
const appPasswordsBox = element("div");

function loadKeys() {
  const asked = get("/account/devices");  // once for both parts
  const list = (keys) => element("ul", { class: "keys" }, keys.map(keyRow));
  const sorted = async () => (await asked).sort((a, b) => b.is_current - a.is_current || byLastUse(a, b));
  return Promise.all([
    showLoaded(devicesBox, sorted, (keys) => list(keys.filter((key) => key.kind !== "app_password")), { again: loadKeys }),
    showLoaded(appPasswordsBox, sorted, (keys) => {
      const own = keys.filter((key) => key.kind === "app_password");
      return own.length ? list(own) : emptyBox(t("no_app_passwords"));
    }, { lines: 1, again: loadKeys }),
  ]);
}

function devicesPart() {
  const everywhere = async () => {
    if (!await confirmLoss({ title: t("sign_out_everywhere"), loss: t("sign_out_everywhere_loss"), action: t("sign_out_everywhere") })) return;
    if (!await succeeds(() => post("/auth/logout-all"))) return;
    forgetSession();
    leave();
  };
  return part("devices", t("devices"), t("devices_about"), devicesBox,
    element("div", { class: "actions" }, button(t("sign_out_everywhere"), { kind: "outline-danger", name: "leave", on: { click: everywhere } })));
}

function appPasswordsPart() {
  const create = async () => {
    const made = await dialog(t("new_app_password"), (close) => [element("p", { class: "about" }, t("new_app_password_about")), form({
      fields: [{ name: "name", label: t("app_password_name"), hint: t("app_password_name_hint"), maxlength: 100, autocomplete: "off" }, ownPassword()],
      action: t("create"),
      fieldOf: { bad_login: "password" },
      submit: async (values) => close(await post("/account/app-passwords", values)),
    })]);
    if (!made) return;
    loadKeys();
    await dialog(t("app_password_of", { name: made.name }), (close) => [
      element("p", {}, t("app_password_once")),
      copyField(made.app_password, t("app_password")),
      element("div", { class: "actions" }, button(t("done"), { kind: "primary", on: { click: () => close() } })),
    ]);
  };
  return part("app-passwords", t("app_passwords"), t("app_passwords_about"), appPasswordsBox,
    element("div", { class: "actions" }, button(t("new_app_password"), { kind: "primary", name: "plus", on: { click: create } })));
}

// --- The whole account

function exportPart() {
  const state = element("span", { role: "status" });
  const size = element("span");  // beside the status, or a screen reader would read each number
  const stop = button(t("cancel"), { hidden: true });
  const start = button(t("export"), { kind: "primary", name: "download" });
  start.addEventListener("click", () => whileDisabled(start, async () => {
    const leaving = new AbortController();
    stop.hidden = false;
    stop.onclick = () => leaving.abort();
    replaceContent(state, t("export_preparing"));
    try {
      const answer = await request("GET", "/account/export", { signal: leaving.signal, headers: { Accept: "application/zip" } });
      replaceContent(state, t("export_receiving"));
      save(await received(answer, (bytes) => replaceContent(size, printBytes(bytes))), "syncline.zip");
      replaceContent(state, t("export_done"));
    } catch (failure) {
      replaceContent(state, failure.name === "AbortError" ? t("export_cancelled") : "");
      if (failure.name !== "AbortError") notifyFailure(failure);
    }
    replaceContent(size);
    stop.hidden = true;
  }));
  return part("export", t("export"), t("export_about"), element("div", { class: "actions" }, start, stop), element("p", { class: "quiet" }, state, " ", size));
}

// The body as a blob, which browsers keep on disk when it is large.
function received(answer, onBytes) {
  let bytes = 0;
  let shownAt = 0;
  const counted = answer.body.pipeThrough(new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (Date.now() - shownAt > 500) {
        onBytes(bytes);
        shownAt = Date.now();
      }
      controller.enqueue(chunk);
    },
  }));
  return overNetwork(new Response(counted).blob());
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = element("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function deletionPart(own, days, reload) {
  if (own.deletes_at) return part("deletion", t("delete_account"), deletionSentence(own), undo(reload));
  const ask = async () => {
    const gone = await dialog(t("delete_account"), (close) => [
      element("p", {}, t("delete_loss", { name: own.email ?? own.name })),
      element("p", {}, days ? t("delete_grace", { count: days }) : t("delete_at_once")),
      form({
        fields: [ownPassword()], action: t("delete_account"), kind: "danger", fieldOf: { bad_login: "password" },
        submit: async (values) => close(await post("/account/deletion", values)),
      })]);
    if (gone) reload();
  };
  return part("deletion", t("delete_account"), t("delete_about"), element("div", { class: "actions" }, button(t("delete_account"), { kind: "outline-danger", name: "trash", on: { click: ask } })));
}

function undo(reload) {
  const keep = button(t("keep_account"), { kind: "primary", on: { click: () => whileDisabled(keep, async () => {
    if (!await succeeds(() => remove("/account/deletion"))) return;
    notify(t("kept"));
    await reload();
  }) } });
  return element("div", { class: "actions" }, keep);
}

async function show(main) {
  const profile = element("div");
  const whole = element("div");
  const warning = element("div", { class: "above" });
  const password = element("div");
  const reload = async () => {
    const asked = Promise.all([get("/account"), get("/account/registration")]);
    await Promise.all([
      showLoaded(profile, () => asked, ([own]) => [profilePart(own, reload), storagePart(own)], { lines: 8, again: reload }),
      showLoaded(whole, () => asked, ([own, server]) => [exportPart(), deletionPart(own, server.deletion_days, reload)], { again: reload }),
      password.querySelector("form") ? null : showLoaded(password, () => asked, ([, server]) => passwordPart(server.min_password_bytes), { lines: 5, again: reload }),
    ]);
    const [own] = await asked.catch(() => [null]);
    replaceContent(warning, own?.deletes_at && element("div", { class: "alert alert-warning", role: "alert" }, deletionSentence(own), undo(reload)));
  };
  replaceContent(main, element("h1", {}, t("account")), warning,
    element("div", { class: "columns" }, element("div", {}, profile, password), element("div", { class: "keys-column" }, devicesPart(), appPasswordsPart()), whole));
  await Promise.all([reload(), loadKeys()]);
}

begin({ title: t("account"), name: "account", needsSession: true, show });
