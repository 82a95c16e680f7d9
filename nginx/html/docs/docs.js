// Shows /openapi.json as a page that people read: every call with its parameters, bodies and answers. The document is in
// English. Left out on purpose: sending requests from the page, which curl does.

import { begin, element, get, newId, replaceContent, showLoaded, translator } from "/frame.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

const METHODS = ["get", "post", "put", "patch", "delete"];

// A text of the document, with `code` between backticks.
function prose(text = "") {
  return element("span", { lang: "en" }, text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part)));
}

// "1 to 100", "at most 100"; "" without a limit.
function limitsOf(least, most) {
  if (least !== undefined && most !== undefined) return t("from_to", { least, most });
  if (most !== undefined) return t("at_most", { most });
  return least === undefined ? "" : t("at_least", { least });
}

class Document {
  constructor(json) {
    this.json = json;
  }

  resolve(thing) {
    if (!thing?.$ref) return thing;
    return thing.$ref.slice(2).split("/").reduce((at, key) => at[key], this.json);
  }

  // A schema in a few words: "integer, 1 to 100, or null".
  words(schema) {
    if (schema.$ref) return schema.$ref.split("/").pop();
    if (schema.oneOf) return schema.oneOf.map((one) => this.words(one)).join(` ${t("or")} `);
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    const types = [schema.type ?? t("anything")].flat();
    const kinds = types.filter((type) => type !== "null");
    let kind = schema.format && kinds[0] === "string" ? schema.format : kinds.join(` ${t("or")} `);
    if (schema.enum) kind = schema.enum.filter((word) => word !== null).join(" | ");
    if (schema.type === "array") kind = t("list_of", { what: this.words(schema.items ?? {}) });
    return [kind, this.limits(schema, kinds[0]), types.includes("null") && t("or_null"),
      schema.default !== undefined && t("if_not_given", { value: JSON.stringify(schema.default) })].filter(Boolean).join(", ");
  }

  limits(schema, kind) {
    if (kind !== "string" && kind !== "array") return limitsOf(schema.minimum, schema.maximum);
    const limits = kind === "string" ? limitsOf(schema.minLength, schema.maxLength) : limitsOf(schema.minItems, schema.maxItems);
    return limits && t(kind === "string" ? "characters" : "items", { limits });
  }

  // An example of a value, for people.
  example(schema, depth = 0) {
    const of = this.resolve(schema);
    if (of.const !== undefined) return of.const;
    if (of.enum) return of.enum[0];
    if (of.oneOf) return this.example(of.oneOf[0], depth);
    switch ([of.type].flat()[0]) {
      case "object":
        return Object.fromEntries(Object.entries(of.properties ?? {})
          .filter(([name]) => depth < 4 && (of.required?.includes(name) || depth === 0))
          .map(([name, member]) => [name, this.example(member, depth + 1)]));
      case "array": return [this.example(of.items ?? {}, depth + 1)];
      case "integer": return Math.max(of.minimum ?? 1, 1);
      case "number": return 7.5;
      case "boolean": return true;
      case "string":
        return { "date-time": "2026-03-01T09:15:00.204113Z", date: "2026-03-01", email: "kim@example.com", binary: t("the_file") }[of.format] ?? "text";
      default: return null;
    }
  }
}

// A list of what has a name, a kind and maybe a description. Without any nothing.
function facts(rows) {
  return rows.length > 0 && element("dl", {}, rows.map(({ name, kind, description }) => [
    element("dt", {}, element("code", {}, name), " ", element("span", { class: "quiet" }, kind)), description && element("dd", {}, prose(description))]));
}

function members(doc, schema) {
  const object = doc.resolve(schema.type === "array" ? schema.items : schema);
  return facts(Object.entries(object.properties ?? {}).map(([name, member]) => ({
    name, kind: [doc.words(member), !object.required?.includes(name) && t("optional")].filter(Boolean).join(", "), description: member.description })));
}

function content(doc, of) {
  return Object.entries(of.content ?? {}).map(([type, { schema }]) => [
    element("p", { class: "body-type" }, element("code", {}, type), " ", element("span", { class: "quiet" }, doc.words(schema))),
    type.includes("json") && [members(doc, schema), element("pre", { tabindex: "0", role: "group", "aria-label": t("example") }, JSON.stringify(doc.example(schema), null, 2))]]);
}

function parameters(doc, list) {
  return facts(list.map((one) => doc.resolve(one)).map((parameter) => ({
    name: parameter.name, kind: [t(`in_${parameter.in}`), doc.words(parameter.schema), parameter.required && t("required")].filter(Boolean).join(", "), description: parameter.description })));
}

function answers(doc, responses) {
  return element("dl", {}, Object.entries(responses).map(([status, reference]) => {
    const answer = doc.resolve(reference);
    return [element("dt", {}, element("code", {}, status), " ", prose(answer.description)),
      Object.entries(answer.headers ?? {}).map(([name, header]) => element("dd", {}, element("code", {}, name), " ", prose(header.description))),
      // The forms of errors are the same everywhere.
      !reference.$ref && answer.content && element("dd", {}, content(doc, answer))];
  }));
}

function login(security) {
  const names = security.map((one) => Object.keys(one)[0]);
  if (names.length === 0) return t("no_login");
  const [bearer, basic] = [names.includes("bearer"), names.includes("basic")];
  return [t(bearer && basic ? "login_either" : bearer ? "login_bearer" : "login_basic"), names.includes(undefined) && t("login_unless_open")].filter(Boolean).join(" ");
}

function call(doc, path, method, operation) {
  const part = (title, shown) => [element("h4", {}, title), shown];
  return element("details", { id: `${method}-${operation.operationId}`, "data-words": `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase() },
    element("summary", {}, element("h3", {}, element("span", { class: `method method-${method}` }, method.toUpperCase()), " ", element("span", { class: "path" }, path)),
      element("p", {}, prose(operation.summary))),
    element("div", { class: "call" }, operation.description && element("p", {}, prose(operation.description)), element("p", {}, login(operation.security ?? [])),
      operation.parameters?.length > 0 && part(t("parameters"), parameters(doc, operation.parameters)),
      operation.requestBody && part(t("body"), content(doc, operation.requestBody)),
      part(t("answers"), answers(doc, operation.responses))));
}

// Whatever stands behind the "#": that is not always an id of ours.
function openTarget() {
  const target = document.querySelector(`details[id="${CSS.escape(location.hash.slice(1))}"]`);
  if (!target) return;
  target.open = true;
  target.scrollIntoView();
}

function filter(text, found) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const calls = [...document.querySelectorAll("#calls details")];
  for (const shown of calls) shown.hidden = !words.every((word) => shown.dataset.words.includes(word));
  for (const section of document.querySelectorAll("#calls section")) section.hidden = section.querySelector("details:not([hidden])") === null;
  replaceContent(found, words.length > 0 && t("found", { count: calls.filter((shown) => !shown.hidden).length }));
}

function navigation(tags) {
  const found = element("p", { role: "status", class: "quiet" });
  const input = element("input", { id: newId("filter"), class: "form-control", type: "search", autocomplete: "off", spellcheck: "false", "aria-controls": "calls",
    placeholder: t("filter_example"), on: { input: () => filter(input.value, found) } });
  return element("nav", { class: "calls-navigation", "aria-label": t("calls") }, element("label", { for: input.id, class: "form-label" }, t("filter")), input, found,
    element("ul", { class: "plain", lang: "en" }, tags.map((tag) => element("li", {}, element("a", { href: `#${tag.name}` }, tag.description)))));
}

function section(doc, tag) {
  const of = Object.entries(doc.json.paths).flatMap(([path, methods]) => METHODS.filter((method) => methods[method]?.tags.includes(tag.name)).map((method) => [path, method, methods[method]]));
  return element("section", { id: tag.name, "aria-labelledby": `${tag.name}-name` }, element("h2", { id: `${tag.name}-name`, lang: "en" }, tag.description), of.map((one) => call(doc, ...one)));
}

function whole(json) {
  const doc = new Document(json);
  const { info, tags } = json;
  return [element("p", { class: "about" }, element("b", { lang: "en" }, info.title), ", ", t("version", { version: info.version }), ". ", prose(info.description)),
    element("p", {}, element("a", { href: "/openapi.json" }, t("description"))),
    element("div", { class: "docs" }, navigation(tags), element("div", { id: "calls" }, tags.map((tag) => section(doc, tag))))];
}

async function show(main) {
  const box = element("div");
  replaceContent(main, element("div", { class: "page-head" }, element("h1", {}, t("api"))), box);
  await showLoaded(box, () => get("/openapi.json"), whole, { lines: 12 });
  addEventListener("hashchange", openTarget);
  openTarget();
}

begin({ title: t("api"), name: "api", show });
