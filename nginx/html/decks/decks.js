// Shared decks: finding them, those that the reader follows, the reader's own, and what the reader has suggested.

import { begin, element, replaceContent, setTitle, translator } from "/frame.js";
import { browsePart } from "./browse.js";
import { followedPart } from "./followed.js";
import { invitationsPart } from "./invitations.js";
import { ownPart } from "./own.js";
import { ownSuggestionsPart } from "./own_suggestions.js";
import { sections } from "./sections.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

const VIEWS = {
  find: [t("find"), browsePart],
  followed: [t("followed"), followedPart],
  own: [t("own"), ownPart],
  suggestions: [t("own_suggestions"), ownSuggestionsPart],
};

async function show(main) {
  const given = new URLSearchParams(location.search).get("view");
  const view = Object.hasOwn(VIEWS, given) ? given : "find";
  const [name, part] = VIEWS[view];
  setTitle(name, t("decks"));
  const { box, loaded } = part();
  const invited = invitationsPart();
  replaceContent(main, element("div", { class: "page-head" }, element("h1", {}, t("decks"))), sections(view), invited.box, box);
  await Promise.all([loaded, invited.loaded]);
}

begin({ title: t("decks"), name: "decks", needsSession: true, show });
