// The session of the reader: who has signed in, and the tokens.
//
// It is kept in local storage under the name and in the form from which users of the timetable copy their token into the
// settings of its script: {"state": {"user", "accessToken", "refreshToken", "isAuthenticated"}, "version": 0}.

import { Failure, failureOf, overNetwork, send } from "./failure.js";

const STORE = "auth-storage";
const NOBODY = { user: null, accessToken: null, refreshToken: null, isAuthenticated: false };

export function session() {
  try {
    const { state } = JSON.parse(localStorage.getItem(STORE));
    return state?.accessToken ? state : null;
  } catch {
    return null;  // nothing, or something that is not ours
  }
}

function keep(state) {
  try {
    localStorage.setItem(STORE, JSON.stringify({ state, version: 0 }));
  } catch {
    throw new Failure({ code: "no_storage" });
  }
}

export function forgetSession() {
  keep(NOBODY);
}

// Another tab may sign out, or sign in as somebody else: what this one shows would be another person's. So would be a page that
// the browser has kept and shows again when somebody goes back.
export function onOtherUser(listener) {
  const mine = session()?.user?.id;
  const check = () => session()?.user?.id !== mine && listener();
  addEventListener("storage", (event) => event.key === STORE && check());
  addEventListener("pageshow", (event) => event.persisted && check());
}

// Calls `listener` when another tab has a new token. Returns a function that ends this.
export function onNewToken(listener) {
  const before = session()?.accessToken;
  const check = (event) => event.key === STORE && session() && session().accessToken !== before && listener();
  addEventListener("storage", check);
  return () => removeEventListener("storage", check);
}

// --- The calls for tokens. Only these know how the server spells them.

// Whoever waits for a token holds up all tabs.
const LONGEST_MS = 30_000;

async function ask(method, path, { body, token }) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const answer = await send(path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(LONGEST_MS) });
  if (!answer.ok) throw await failureOf(answer);
  return JSON.parse(await overNetwork(answer.text()));
}

const askForTokens = (name, password) => ask("POST", "/api/auth/login/", { body: { email: name, password } });
const exchange = (refresh) => ask("POST", "/api/auth/token/refresh/", { body: { refresh } });
const askWhoIs = (token) => ask("GET", "/api/auth/profile/", { token });
const logOut = (token) => ask("POST", "/auth/logout", { body: {}, token });

// --- The life of a session.

// Changes of the session happen one after the other, in all tabs together: of two tabs that need a new token one asks for it,
// and a token that arrives late does not bring back a session that was left meanwhile. (Browsers have locks only over HTTPS.)
let previous = Promise.resolve();

function alone(work) {
  if (navigator.locks) return navigator.locks.request("syncline-session", work);
  const turn = previous.then(work);
  previous = turn.catch(() => {});
  return turn;
}

// `name`: of the account, or its address.
export function signIn(name, password) {
  return alone(async () => {
    const { access, refresh, user } = await askForTokens(name, password);
    keep({ user, accessToken: access, refreshToken: refresh, isAuthenticated: true });
  });
}

export function register(email, password, invitation) {
  return alone(async () => {
    const { access_token: access, refresh_token: refresh } = await ask("POST", "/auth/register", { body: { email, password, ...(invitation && { invitation }) } });
    // The account is there now, and the invitation used, whether or not the server says more about it.
    keep({ user: { email }, accessToken: access, refreshToken: refresh, isAuthenticated: true });
    keepUser(await askWhoIs(access).catch(() => ({ email })));
  });
}

// Ends the session on the server; where that cannot be reached, at least here.
export function signOut() {
  return alone(async () => {
    const state = session();
    if (state) await end(state).catch(() => {});
    forgetSession();
  });
}

async function end({ accessToken, refreshToken }) {
  try {
    await logOut(accessToken);
  } catch (failure) {
    if (failure.status !== 401 || !refreshToken) throw failure;
    // Only the access token has expired: the session goes on until it is ended with a new one.
    await logOut((await exchange(refreshToken)).access);
  }
}

let showUser = () => {};

// `shows(user)` is called when the server has said something new about the reader.
export function onUserKept(shows) {
  showUser = shows;
}

// Keeps what the server says about the reader; not where somebody else has signed in since it was asked.
export function keepUser(user) {
  const state = session();
  const isOther = user.id !== undefined && state?.user?.id !== undefined && user.id !== state.user.id;
  if (!state || isOther) return;
  keep({ ...state, user: { ...state.user, ...user } });
  showUser(session().user);
}

let refreshing = null;

// A new access token in place of `stale`, which the server has refused. False: the session has ended.
export function refreshed(stale) {
  refreshing ??= alone(() => exchangeOnce(stale)).finally(() => { refreshing = null; });
  return refreshing;
}

async function exchangeOnce(stale) {
  const state = session();
  if (!state?.refreshToken) return false;
  if (state.accessToken !== stale) return true;  // another tab was quicker
  try {
    const { access, refresh } = await exchange(state.refreshToken);
    // Without locks another tab may have left, or signed in, meanwhile.
    const now = session();
    if (now?.refreshToken !== state.refreshToken) {
      await logOut(access).catch(() => {});
      return now !== null;
    }
    // Not every server returns a new refresh token: the old one is good then.
    keep({ ...now, accessToken: access, refreshToken: refresh || state.refreshToken });
    return true;
  } catch (error) {
    if (error instanceof Failure && [400, 401, 403, 422].includes(error.status)) return false;
    throw error;
  }
}
