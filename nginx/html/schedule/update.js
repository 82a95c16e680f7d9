// The update of the timetable: the green button of administrators, the progress of the update that runs, whoever started it,
// and its result. It goes on when the page is closed; a page that is opened meanwhile joins it.

import { button, element, emptyBox, failureBox, follow, icon, notify, notifyFailure, printDuration, printMoment, replaceContent, showLoaded, timeElement,
  translator, whileDisabled } from "/frame.js";
import { cancelUpdate, freshness, latestUpdate, startUpdate, update, updateEvents, updateGroups } from "./api.js";
import { TEXTS } from "./texts.js";

const t = translator(TEXTS);

const OLD_MS = 24 * 3600 * 1000;
const SENT_LATER_MS = 60 * 1000;

const isFinished = (run) => run.status !== "in_progress";

// What went wrong, in the reader's language: the server says it in Russian only.
function reason({ state, error_code: code, groups_failed: failed, groups_skipped: skipped }) {
  if (!code) return "";
  if (state === "partial" && code !== "deadline") return t("unread", { count: failed + skipped });
  if (t.has(`error_${code}`)) return t(`error_${code}`);
  return t(/^(http|upstream)_/.test(code) ? "error_index_unavailable" : "error_other");
}

// {button, box, fresh}: to be put into the page. `onDone()` is called when an update has changed what the page shows.
export function updates({ isAdmin, onDone }) {
  const label = element("span", {}, t("update"));
  const start = element("button", { type: "button", class: "btn btn-success update-button", hidden: !isAdmin }, icon("download"), icon("again"), label);
  const fresh = element("p", { class: "fresh", role: "status" });
  const box = element("div");
  let followed = null;

  function setRunning(isRunning) {
    start.disabled = isRunning;
    start.classList.toggle("is-running", isRunning);
    replaceContent(label, isRunning ? t("updating") : t("update"));
  }

  async function showFreshness() {
    try {
      // Clients may send lessons, too, without an update.
      const { last_update_at: updated, data_as_of: confirmed } = await freshness();
      const [runAt, sentAt] = [updated, confirmed].map((time) => (time ? Date.parse(time) : 0));
      const latest = Math.max(runAt, sentAt);
      const isOld = latest > 0 && Date.now() - latest > OLD_MS;
      // An update ends some time after it has read its first group.
      const isSent = sentAt - runAt > SENT_LATER_MS;
      replaceContent(fresh, isOld && icon("warning"),
        latest ? [t(isSent ? "last_sent" : "last_update"), " ", timeElement(new Date(isSent ? sentAt : latest)), isOld && `. ${t("old")}`] : t("never_updated"));
      fresh.classList.toggle("is-old", Boolean(isOld));
    } catch (failure) {
      replaceContent(fresh, failure.sentence ?? "");
    }
  }

  async function watch(id) {
    if (followed === id) return;
    followed = id;
    setRunning(true);
    const panel = progressPanel(id, isAdmin);
    replaceContent(box, panel.node);
    try {
      // Streams are for the few who wait for an update: each takes a place on the server.
      const last = await follow({ poll: () => update(id), events: isAdmin && updateEvents(id), isFinished, onState: panel.show, onTrouble: panel.showTrouble });
      replaceContent(box, result(last, isAdmin, () => replaceContent(box)));
      tell(last);
      onDone();
    } catch (failure) {
      replaceContent(box, failureBox(failure, () => watch(id)));
    }
    followed = null;
    setRunning(false);
    showFreshness();
  }

  async function join() {
    try {
      const latest = await latestUpdate();
      if (latest && !isFinished(latest)) return await watch(latest.id);
      if (!start.disabled) replaceContent(box);
    } catch (failure) {
      if (!start.disabled) replaceContent(box, failureBox(failure, join));
    }
  }

  start.addEventListener("click", async () => {
    setRunning(true);
    replaceContent(box);
    let id = null;
    try {
      id = (await startUpdate()).update_id;
    } catch (failure) {
      if (failure.status === 400) id = failure.body?.update_id;
      if (!id) {
        setRunning(false);
        notifyFailure(failure, { key: "update" });
        if (failure.status === 403) start.hidden = true;
        return;
      }
      notify(t("joining"), { kind: "info", key: "update" });
    }
    await watch(id);
  });

  showFreshness();
  join();
  return { button: start, box, fresh };
}

function progressPanel(id, isAdmin) {
  const bar = element("progress", { class: "progress-bar-native", "aria-label": t("progress") });
  const counts = element("p", { class: "update-counts" });
  const now = element("p", { class: "quiet" });
  const trouble = element("p", { class: "alert alert-warning", role: "status", hidden: true });
  const said = element("p", { class: "visually-hidden", role: "status" });
  let run = { id };
  const cancel = button(t("cancel_update"), { kind: "outline-danger btn-sm", hidden: !isAdmin, on: { click: () => whileDisabled(cancel, async () => {
    try {
      await cancelUpdate(id);
      show({ ...run, state: "cancelling" });
      node.focus();  // the button is gone
    } catch (failure) {
      if (failure.status !== 409) notifyFailure(failure);  // finished meanwhile
    }
  }) } });
  const node = element("section", { class: "panel update", "aria-labelledby": "update-title", tabindex: "-1" },
    element("h2", { id: "update-title" }, t("update_runs")), bar, counts, now, trouble, said, element("div", { class: "actions" }, cancel));

  function show(state) {
    run = state;
    if (state.groups_total > 0) {
      bar.max = state.groups_total;
      bar.value = state.groups_done;
      replaceContent(counts, t("processed", { done: state.groups_done, total: state.groups_total, failed: state.groups_failed }));
    } else {
      bar.removeAttribute("value");
      replaceContent(counts, t("preparing"));
    }
    const step = t.has(`phase_${state.state}`) ? t(`phase_${state.state}`) : t.has(`phase_${state.phase}`) ? t(`phase_${state.phase}`) : "";
    replaceContent(now, [step, state.phase === "groups" && state.current_group, state.eta_seconds > 0 && t("time_left", { time: printDuration(state.eta_seconds) })]
      .filter(Boolean).join(" · "));
    // Aloud only each step and each tenth, or nothing else could be heard.
    const aloud = `${step} ${Math.floor((state.percent ?? 0) / 10) * 10}%`;
    if (said.textContent !== aloud) replaceContent(said, aloud);
    cancel.hidden = !isAdmin || state.state === "cancelling";
  }

  function showTrouble(failure) {
    trouble.hidden = !failure;
    replaceContent(trouble, failure && `${failure.sentence ?? ""} ${t("goes_on")}`);
  }
  return { node, show, showTrouble };
}

function tell(run) {
  if (run.status === "success") {
    notify(t("update_done", { groups: run.groups_updated, added: run.lessons_added }), { key: "update" });
  } else {
    notify(reason(run) || t(`ended_${run.state}`), { kind: run.state === "cancelled" ? "info" : "danger", key: "update", staysOpen: false });
  }
}

function result(run, isAdmin, close) {
  const kind = run.state === "success" ? "good" : run.status === "success" ? "warn" : "bad";
  const counts = [["groups", run.groups_updated], ["lessons_added", run.lessons_added], ["lessons_changed", run.lessons_changed],
    ["lessons_removed", run.lessons_removed], ["groups_failed", run.groups_failed], ["warnings", run.warnings]];
  return element("section", { class: `panel update update-${kind}`, "aria-labelledby": "update-title" },
    element("div", { class: "update-head" }, element("h2", { id: "update-title" }, icon(kind === "good" ? "done" : "warning"), t(`ended_${run.state}`)),
      button(t("close"), { kind: "link", name: "close", hidesLabel: true, on: { click: close } })),
    reason(run) && element("p", {}, reason(run)),
    // Nothing has happened: there is nothing to count.
    run.groups_done > 0 && element("dl", { class: "counts" }, counts.map(([name, count]) => element("div", {}, element("dt", {}, t(`count_${name}`)), element("dd", {}, String(count ?? 0))))),
    isAdmin && details(run));
}

// What became of each group; failures come first.
function details(run) {
  const box = element("div");
  const load = () => showLoaded(box, () => updateGroups(run.id), (groups) => (groups.length ? groupTable(groups) : emptyBox(t("no_groups_changed"))));
  return element("details", { class: "more", on: { toggle: ({ target }) => target.open && load() } }, element("summary", {}, t("details")),
    element("p", { class: "quiet" }, t("ran", { number: String(run.id), from: printMoment(new Date(run.started_at)), to: printMoment(new Date(run.finished_at)) })), box);
}

const SHOWN = 50;

function groupTable(groups) {
  const outcome = (group) => (["failed", "held", "skipped"].includes(group.state) ? [t(`group_${group.state}`), group.error_detail || group.error_code].filter(Boolean).join(": ")
    : `+${group.lessons_added} ±${group.lessons_changed} −${group.lessons_removed}`);
  return [element("table", { class: "table table-sm outcomes" }, element("thead", {}, element("tr", {}, element("th", { scope: "col" }, t("group")), element("th", { scope: "col" }, t("outcome")))),
    element("tbody", {}, groups.slice(0, SHOWN).map((group) => element("tr", {}, element("td", {}, element("a", { href: `/schedule/?group=${group.group}` }, group.group_name)), element("td", {}, outcome(group)))))),
  groups.length > SHOWN && element("p", { class: "quiet" }, t("more_groups", { count: groups.length - SHOWN }))];
}
