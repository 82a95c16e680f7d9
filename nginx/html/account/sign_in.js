// Signing in with the password of the account.

import { begin, element, nextAddress, replaceContent, session, signInForm, translator } from "/frame.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

function show(main) {
  if (session()) return location.replace(nextAddress());
  replaceContent(main, element("div", { class: "panel narrow" },
    element("h1", {}, t("sign_in")),
    signInForm(() => location.assign(nextAddress())),
    element("p", { class: "aside" }, t("no_account"), " ", element("a", { href: `/account/register${location.search}` }, t("register")))));
  main.querySelector("input").focus();
}

begin({ title: t("sign_in"), name: "sign-in", show });
