// What went wrong with a request, in one form for all the forms of errors that our services have: {"code", "message",
// "request_id", "problems"}, {"detail"} in the manner of FastAPI, {"error", "detail", "code"} of the timetable, and {"code",
// "message", "errors"} of the decks.

import { language, translator } from "./language.js";
import { TEXTS } from "./failure_texts.js";

const text = translator(TEXTS);

// Errors in the manner of FastAPI have no code but a fixed sentence.
const CODES_OF_SENTENCES = {
  "Email already registered": "email_taken",
  "Invalid email or password": "bad_login",
  "Registration is closed": "registration_closed",
  "Registration needs an invitation": "invitation_required",
  "The invitation is used up, expired or wrong": "invitation_invalid",
  "Account is inactive": "account_inactive",
};

export class Failure extends Error {
  // `fields`: what is wrong with which member of the body, by name. `body`: the answer, where it was JSON.
  constructor({ status = 0, code = "", message = "", requestId = "", fields = {}, retryAfter = 0, body = null }) {
    super(message);
    Object.assign(this, { status, code, requestId, fields, retryAfter, body });
  }

  // One or two sentences for the reader: what happened and what to do.
  get sentence() {
    if (this.code in TEXTS.en) return text(this.code, { seconds: this.retryAfter || 10 });
    // What nginx and libraries say is a phrase in English, for no reader in particular.
    if (this.status in TEXTS.en) return text(String(this.status), { seconds: this.retryAfter || 10 });
    if (Object.keys(this.fields).length) return text("422");
    if (this.message) return this.message;
    return text(this.status >= 500 ? "500" : "refused", { status: this.status });
  }
}

// What is wrong with a field. The server says it in one language.
function textOfProblem(code, message, languageOfServer = "en") {
  if (`field_${code}` in TEXTS.en) return text(`field_${code}`);
  return language === languageOfServer ? message : text("field_other");
}

function fieldsOf(body) {
  const fields = {};
  for (const problem of body?.problems ?? []) fields[problem.at.split("/")[1] ?? ""] ??= textOfProblem(problem.code, problem.message);
  if (Array.isArray(body?.detail)) {
    for (const problem of body.detail) fields[problem.loc?.[1] ?? ""] ??= textOfProblem(problem.type, problem.msg);
  }
  // Of the decks service: {"errors": [{"field", "message"}]}.
  for (const problem of Array.isArray(body?.errors) ? body.errors : []) {
    if (problem.field) fields[problem.field] ??= textOfProblem("", problem.message);
  }
  // In the manner of Django: {"name": ["...", ...]}, with the code of the one at "pointer".
  for (const [name, problems] of Object.entries(body ?? {})) {
    if (!Array.isArray(problems) || typeof problems[0] !== "string" || name === "non_field_errors") continue;
    fields[name] ??= textOfProblem(body.pointer === `/${name}` ? body.code : "", problems.join(" "), "ru");
  }
  return fields;
}

// The failure that an answer tells of.
export async function failureOf(answer) {
  const json = answer.headers.get("content-type")?.includes("json");
  const body = json ? await answer.json().catch(() => null) : null;
  const list = body?.non_field_errors;
  const sentences = [body?.message, body?.error, Array.isArray(list) ? list.join(" ") : undefined, body?.detail];
  const message = sentences.find((sentence) => typeof sentence === "string") ?? "";
  return new Failure({
    status: answer.status,
    // The decks service has the codes of its add-on, in capitals.
    code: String(body?.code ?? CODES_OF_SENTENCES[message] ?? "").toLowerCase(),
    message,
    requestId: body?.request_id ?? answer.headers.get("x-request-id") ?? "",
    fields: fieldsOf(body),
    retryAfter: Number(answer.headers.get("retry-after")) || 0,
    body,
  });
}

// What comes over the network: if the connection ends meanwhile, that is a Failure, too.
export async function overNetwork(asked) {
  try {
    return await asked;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure({ code: "unreachable", message: error.message });
  }
}

// fetch without cookies, and without a dialog of the browser for a 401. What the browser has kept is checked with the
// server each time, which answers 304 where nothing has changed.
export function send(path, options = {}) {
  return overNetwork(fetch(path, { credentials: "omit", cache: "no-cache", redirect: "follow", ...options }));
}
