// Requests to the public JSON API: what a page can do, curl can do.

import { Failure, failureOf, overNetwork, send } from "./failure.js";
import { refreshed, session } from "./session.js";

// Called when a session has ended and cannot be renewed; resolves when the reader has signed in again.
let askToSignIn = async () => false;
export function onSessionEnd(asks) {
  askToSignIn = asks;
}

// An answer with a status below 400, or 304. `json` becomes the body. Without a session the request goes out without a token.
// Throws Failure. A 401 is answered by one refresh of the tokens, then by asking the reader to sign in.
export async function request(method, path, { json, headers = {}, signal } = {}) {
  const options = { method, signal, headers: { Accept: "application/json", ...headers } };
  if (json !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(json);
  }
  const owner = session()?.user?.id;
  for (let attempt = 0; ; attempt += 1) {
    const token = session()?.accessToken;
    const answer = await send(path, { ...options, headers: { ...options.headers, ...(token && { Authorization: `Bearer ${token}` }) } });
    if (answer.ok || answer.status === 304) return answer;
    const failure = await failureOf(answer);
    if (!token || !isEndOfToken(failure)) throw failure;
    const goesOn = (attempt === 0 && await refreshed(token)) || (attempt < 2 && await askToSignIn());
    // What one person asked for is not repeated in the name of another one.
    if (!goesOn || session()?.user?.id !== owner) throw new Failure({ status: 401, code: "session_ended", requestId: failure.requestId });
  }
}

// A 401 is also the answer to a wrong password, which some calls ask for.
function isEndOfToken({ status, code }) {
  return status === 401 && code !== "bad_login";
}

// The JSON of an answer; null where it has none.
export async function call(method, path, options) {
  const answer = await request(method, path, options);
  const text = await overNetwork(answer.text());
  return text ? JSON.parse(text) : null;
}

export const get = (path, options) => call("GET", path, options);
export const post = (path, json = {}, options = {}) => call("POST", path, { json, ...options });
export const patch = (path, json, options = {}) => call("PATCH", path, { json, ...options });
export const remove = (path, options) => call("DELETE", path, options);
