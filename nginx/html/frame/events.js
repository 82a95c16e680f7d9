// Progress of long work: server-sent events read by fetch, because EventSource cannot carry a token and no token belongs
// into an address; and polling where events do not arrive.

import { request } from "./api.js";
import { Failure } from "./failure.js";

// The events of a stream (HTML Standard, 9.2.6) as {event, data}.
async function* readEvents(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";
  let event = { event: "message", data: [] };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (pending + value).split(/\r\n|\n|\r/);
      pending = lines.pop();
      for (const line of lines) {
        if (line === "") {
          if (event.data.length) yield { event: event.event, data: event.data.join("\n") };
          event = { event: "message", data: [] };
          continue;
        }
        const [, field, text] = /^([^:]*):? ?(.*)$/.exec(line);
        if (field === "event") event.event = text;
        if (field === "data") event.data.push(text);
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}

// Resolves as soon as somebody can see the page.
function untilVisible() {
  return new Promise((resolve) => {
    const check = () => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", check);
      resolve();
    };
    document.addEventListener("visibilitychange", check);
    check();
  });
}

// How long the first event may take: one comes at once, unless something on the way holds it back.
const FIRST_EVENT_MS = 5000;

// Reads a stream to its end, or until nobody sees the page: a stream takes a connection of the browser and a place on the server.
// Returns whether it had events. onState returns true when no more are wanted.
async function stream(address, onState) {
  const leaving = new AbortController();
  const late = setTimeout(() => leaving.abort(), FIRST_EVENT_MS);
  const leaveWhenHidden = () => document.hidden && leaving.abort();
  document.addEventListener("visibilitychange", leaveWhenHidden);
  let hasEvents = false;
  try {
    const answer = await request("GET", address, { signal: leaving.signal, headers: { Accept: "text/event-stream" } });
    for await (const { data } of readEvents(answer)) {
      clearTimeout(late);
      hasEvents = true;
      if (onState(JSON.parse(data))) break;
    }
  } catch {
    // Polling tells why.
  } finally {
    clearTimeout(late);
    document.removeEventListener("visibilitychange", leaveWhenHidden);
  }
  return hasEvents || document.hidden;
}

// Follows one piece of work until isFinished(state), and returns its last state; nothing is asked while the page is hidden.
// `poll()` asks for the state. `events`, if there is one, is the address of a stream whose events are states as JSON. onState
// gets every state; onTrouble gets a Failure while the server cannot be asked, and null when it can again. Throws what the
// server refuses for good.
export async function follow({ poll, events, isFinished, onState, onTrouble = () => {} }) {
  const began = Date.now();
  // A proxy on the way may hold events back or cut them off: then polling is enough.
  let streamsLeft = events ? 3 : 0;
  let last = null;
  const take = (state) => {
    last = state;
    onTrouble(null);
    onState(state);
    return isFinished(state);
  };
  for (;;) {
    await untilVisible();
    try {
      if (take(await poll())) return last;
    } catch (error) {
      if (isRefusal(error)) throw error;
      onTrouble(error);
    }
    const wasStreamed = streamsLeft > 0 && await stream(events, take);
    if (last && isFinished(last)) return last;
    if (!wasStreamed) streamsLeft -= 1;
    await pause(wasStreamed ? 500 : Date.now() - began < 60_000 ? 2000 : 5000);
  }
}

function isRefusal(error) {
  return !(error instanceof Failure) || (error.status >= 400 && error.status < 500 && error.status !== 429);
}
