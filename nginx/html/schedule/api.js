// The calls of the timetable that the page uses, and how their answers are spelled.

import { get, patch, post, remove } from "/frame.js";

const BASE = "/api/schedule";

function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

const listOf = (answer) => (Array.isArray(answer) ? answer : answer.results);

// What is not there is null.
async function orNull(asked) {
  try {
    return await asked;
  } catch (failure) {
    if (failure.status === 404) return null;
    throw failure;
  }
}

export const profile = () => get("/api/auth/profile/");
export const saveProfile = (changes) => patch("/api/auth/profile/", changes);

export const institutes = async () => listOf(await get(`${BASE}/institutes/`));
export const groupsOf = async (institute) => listOf(await get(`${BASE}/groups/${query({ institute })}`));
export const groupById = (id) => get(`${BASE}/groups/${id}/`);
export const teacherById = (id) => get(`${BASE}/teachers/${id}/`);
// [{id, name, building, is_online}]; the building is "" where the name does not tell it.
export const rooms = async () => listOf(await get(`${BASE}/rooms/`));
// {rooms, data_as_of}: the rooms without a lesson on a day and in a pair; of one building, or of all.
export const freeRooms = ({ date, pair, building }, signal) => get(`${BASE}/rooms/free/${query({ date, lesson_number: pair, building })}`, { signal });
export const roomById = (id) => get(`${BASE}/rooms/${id}/`);
// [{kind: "group" | "teacher" | "room", id, name}]. Subjects are found, too, but have no timetable of their own.
export async function search(text, signal) {
  const found = await get(`${BASE}/search/${query({ q: text })}`, { signal });
  return ["group", "teacher", "room"].flatMap((kind) => found[`${kind}s`].map((one) => ({ kind, ...one })));
}

// What the server knows of the week of a day: {monday, today, week_index, parity}. Today is that of the university.
export const weekOf = (day) => get(`${BASE}/week/${query({ date: day })}`);

// `what`: {group: 17}, {teacher: 31} or {room: 4}. Both days are included; lessons without a date always come along.
export const lessons = async (what, first, last, signal) => listOf(await get(`${BASE}/lessons/${query({ ...what, date_from: first, date_to: last })}`, { signal }));

// The same of the reader's own group and subgroup.
export const ownLessons = async (first, last) => listOf(await get(`${BASE}/lessons/my_schedule/${query({ date_from: first, date_to: last })}`));

// All changes since a day, the oldest first. What came with the first reading of a group is no news.
export async function changes(group, since) {
  const all = [];
  for (let answer = { latest: since, has_more: true }; answer.has_more;) {
    answer = await get(`${BASE}/changes/${query({ group, since: answer.latest, limit: 500 })}`);
    all.push(...answer.changes);
  }
  return all.filter((change) => !change.is_first_import);
}

export const update = (id) => get(`${BASE}/updates/${id}/`);
export const updateEvents = (id) => `${BASE}/updates/${id}/events/`;
// [{group, group_name, state, error_code, error_detail, lessons_added, lessons_changed, lessons_removed}]; for administrators.
export const updateGroups = async (id) => (await get(`${BASE}/updates/${id}/groups/`)).groups;
export const latestUpdate = () => orNull(get(`${BASE}/updates/latest/`));
// {last_update_at, data_as_of, is_stale}
export const freshness = () => get(`${BASE}/freshness/`);
export const startUpdate = () => post(`${BASE}/updates/trigger_sync/`);
export const cancelUpdate = (id) => post(`${BASE}/updates/${id}/cancel/`);

export const feeds = async () => listOf(await get(`${BASE}/feeds/`));
export const makeFeed = (feed) => post(`${BASE}/feeds/`, feed);
export const revokeFeed = (id) => remove(`${BASE}/feeds/${id}/`);
