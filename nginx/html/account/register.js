// Making an account, as far as the settings of the server allow it.

import { begin, element, form, get, nextAddress, register, replaceContent, session, showLoaded, translator } from "/frame.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

function registerForm({ registration, min_password_bytes: least }) {
  const fields = [
    { name: "email", label: t("email"), type: "email", autocomplete: "username", hint: t("email_hint") },
    { name: "password", label: t("password"), type: "password", autocomplete: "new-password", minlength: least, hint: t("password_hint", { count: least }) },
    registration === "invitation" && { name: "invitation", label: t("invitation"), autocomplete: "off", spellcheck: "false", hint: t("invitation_hint") },
  ];
  return form({
    fields: fields.filter(Boolean),
    action: t("register"),
    fieldOf: { email_taken: "email", invitation_invalid: "invitation", invitation_required: "invitation" },
    submit: async ({ email, password, invitation }) => {
      await register(email.trim(), password, invitation?.trim());
      location.assign(nextAddress());
    },
  });
}

async function show(main) {
  if (session()) return location.replace(nextAddress());
  const box = element("div");
  replaceContent(main, element("div", { class: "panel narrow" }, element("h1", {}, t("register")), box,
    element("p", { class: "aside" }, t("has_account"), " ", element("a", { href: `/account/sign-in${location.search}` }, t("sign_in")))));
  await showLoaded(box, () => get("/account/registration"), (server) =>
    (server.registration === "closed" ? element("p", {}, t("registration_closed")) : registerForm(server)), { lines: 5 });
  box.querySelector("input")?.focus();
}

begin({ title: t("register"), name: "sign-in", show });
