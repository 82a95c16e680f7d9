"""The anime service beside its upstream, a stand-in of Jikan: what is fetched, how often, and what many at once get.

One installation for all tests.

Runs alone: it measures who waits for whom.
"""

import collections
import concurrent.futures
import http.client
import json
import pathlib
import socket
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Session
from jikan import Jikan
from promises import keep, until
from rest_wire import script_login
from stack import Stack

PASSWORD = "a good password"
NOT_AT_MAL = "\u0410\u043d\u0438\u043c\u0435 {} \u043d\u0435 \u043d\u0430\u0439\u0434\u0435\u043d\u043e \u043d\u0430 MAL"
JIKAN_FAILED = "\u041e\u0448\u0438\u0431\u043a\u0430 Jikan API"
JIKAN_AWAY = "Jikan \u043d\u0435\u0434\u043e\u0441\u0442\u0443\u043f\u0435\u043d"

stack: Stack
jikan: Jikan
next_id = 90_010
in_top: set


def fresh_id():
    """Of an ordinary title that no test has asked for, outside of the part of the top list that one asks for."""
    global next_id
    next_id += 1
    while next_id in in_top:
        next_id += 1
    return next_id


def ask(method, path, body=None, user="kim", source="127.0.0.1"):
    base = urllib.parse.urlsplit(stack.http)
    connection = http.client.HTTPConnection(base.hostname, base.port, timeout=60, source_address=(source, 0))
    headers = {"Authorization": script_login(user, PASSWORD, stack.http)}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, answer.headers, json.loads(content) if content else None
    finally:
        connection.close()


def at_once(count, work):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def of(mal_id):
    return f"^/v4/anime/{mal_id}/full$"


def count_of(mal_id):
    return sum(1 for entry in jikan.log if entry["uri"] == f"/v4/anime/{mal_id}/full")


def fault(path, kind, times=-1, **action):
    jikan.rule({"match": {"path": path}, "times": times, "action": {"kind": kind, **action}})


def redis(command):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(urllib.parse.urlsplit(stack.env["REDIS_URL"]).path)
        connection.sendall(command.encode() + b"\r\n")
        return connection.recv(1000)


def without_faults():
    jikan.rules.clear()
    # What the upstream's failures have left behind: the breaker, and the pause after a 429.
    assert redis("DEL syncline:upstream:jikan:failures syncline:upstream:jikan:state").startswith(b":")


def sql(text):
    with Session(stack.env["DATABASE_URL"]) as session:
        return session.ask(text)


def number(text):
    with Session(stack.env["DATABASE_URL"]) as session:
        return session.number(text)


def wait_for_job(answer):
    job = answer["job_id"]

    def ended():
        state = ask("GET", f"/anime/sync/jobs/{job}")[2]
        return state if state["state"] in ("done", "dead", "cancelled") else None
    return until(ended, 60, f"job {job}", pause=0.1)


def a_title_is_fetched_on_the_first_call_and_kept():
    mal_id = fresh_id()
    status, _, title = ask("GET", f"/anime/mal/{mal_id}?genre_kinds=all")
    assert status == 200, (status, title)
    wanted = jikan.titles[mal_id]
    assert title["title"] == wanted["title"] and title["title_japanese"] == wanted["title_japanese"]
    kinds = ("genres", "explicit_genres", "themes", "demographics")
    assert {genre["name"] for genre in title["genres"]} == {genre["name"] for kind in kinds for genre in wanted[kind]}
    assert ask("GET", f"/anime/mal/{mal_id}")[0] == 200 and count_of(mal_id) == 1


def fifty_first_calls_at_once_ask_the_upstream_once():
    mal_id = fresh_id()
    answers = at_once(50, lambda _: ask("GET", f"/anime/mal/{mal_id}"))
    # More than can wait are told to come again.
    counts = collections.Counter(status for status, _, _ in answers)
    assert counts[200] >= 17 and counts[200] + counts[503] == 50, counts
    assert all(headers["Retry-After"] for status, headers, _ in answers if status == 503)
    assert count_of(mal_id) == 1
    assert number(f"SELECT count(*) FROM anime_titles WHERE mal_id = {mal_id}") == 1


def a_title_that_mal_does_not_have_is_asked_for_once():
    begin = time.monotonic()
    status, _, body = ask("GET", "/anime/mal/404404")
    assert (status, body) == (404, {"detail": NOT_AT_MAL.format(404404)}), (status, body)
    assert time.monotonic() - begin < 2
    assert ask("GET", "/anime/mal/404404")[0] == 404 and count_of(404404) == 1


def a_missing_title_that_appears_is_found_after_a_sync():
    status, _, _ = ask("GET", "/anime/mal/90500")
    assert status == 404
    jikan.titles[90_500] = {**jikan.titles[90_301 - 1], "mal_id": 90_500}
    status, _, answer = ask("POST", "/anime/sync/90500")
    assert status == 202 and wait_for_job(answer)["state"] == "done"
    assert ask("GET", "/anime/mal/90500")[0] == 200


def a_sync_of_what_mal_does_not_have_ends_at_once():
    mal_id = fresh_id()
    assert ask("GET", f"/anime/mal/{mal_id}")[0] == 200
    jikan.titles.pop(mal_id)
    fault(of(404_409), "status", code=404, type="HttpException")
    for asked, message in ((404_408, "not_at_mal"), (404_409, "not_at_mal"), (mal_id, "not_at_mal")):
        before = count_of(asked)
        status, _, answer = ask("POST", f"/anime/sync/{asked}")
        job = wait_for_job(answer)
        assert (status, job["state"], job["message"]) == (202, "done", message), job
        assert count_of(asked) == before + 1, asked
        assert sql(f"SELECT attempts, last_error IS NULL FROM jobs WHERE job_id = {answer['job_id']}") == [["1", "t"]]
    # What we have of a title that is gone stays; the others are not asked for again.
    assert ask("GET", f"/anime/mal/{mal_id}")[0] == 200
    assert ask("GET", "/anime/mal/404408")[0] == 404 and count_of(404_408) == 1
    assert number(f"SELECT count(*) FROM anime_titles WHERE mal_id = {mal_id} AND sync_state = 'gone'") == 1
    without_faults()


def relations_come_with_a_title_and_are_asked_for_when_a_list_brought_it():
    first, second = fresh_id(), fresh_id()
    entry = {"type": "anime", "url": "x"}
    jikan.relations[first] = [{"relation": "Sequel", "entry": [{**entry, "mal_id": second, "name": "Two"}]},
                              {"relation": "Adaptation", "entry": [{**entry, "type": "manga", "mal_id": 7, "name": "Book"}]}]
    title = ask("GET", f"/anime/mal/{first}")[2]["id"]
    wanted = [{"relation": "Sequel", "entry": [{"mal_id": second, "type": "anime", "name": "Two", "anime_id": None}]},
              {"relation": "Adaptation", "entry": [{"mal_id": 7, "type": "manga", "name": "Book", "anime_id": None}]}]
    assert ask("GET", f"/anime/{title}/relations")[2] == wanted
    wanted[0]["entry"][0]["anime_id"] = ask("GET", f"/anime/mal/{second}")[2]["id"]
    assert ask("GET", f"/anime/{title}/relations")[2] == wanted
    assert count_of(first) == 1
    # As if a page of a list had brought it.
    sql(f"UPDATE anime_titles SET relations_at = NULL WHERE mal_id = {first} RETURNING 1")
    jikan.relations[first] = wanted[:1]
    assert ask("GET", f"/anime/{title}/relations")[2] == wanted
    until(lambda: ask("GET", f"/anime/{title}/relations")[2] == wanted[:1], 30, "the relations", pause=0.1)
    assert count_of(first) == 2
    for path, status in (("/anime/999999999/relations", 404), ("/anime/-1/relations", 404), ("/anime/x/relations", 422)):
        assert ask("GET", path)[0] == status, path
    answer = ask("GET", f"/anime/{title}/relations/")
    assert answer[0] == 307 and answer[1]["Location"] == f"/anime/{title}/relations", answer


def unseen_sequels_can_be_left_out_of_recommendations():
    first, second = fresh_id(), fresh_id()
    for mal_id in (first, second):
        for kind in ("genres", "themes"):
            jikan.titles[mal_id][kind] = []
        jikan.titles[mal_id]["explicit_genres"] = []
        jikan.titles[mal_id]["genres"] = [{"mal_id": 977, "type": "anime", "name": "Only here", "url": "x"}]
    jikan.relations[first] = [{"relation": "Sequel", "entry": [{"type": "anime", "mal_id": second, "name": "Two", "url": "x"}]}]
    ids = [ask("GET", f"/anime/mal/{mal_id}")[2]["id"] for mal_id in (first, second)]
    seed = ask("POST", "/anime/", {"mal_id": 500_100, "title": "Seed"})[2]["id"]
    sql("INSERT INTO anime_title_genres SELECT " + str(seed) + ", genre_id FROM anime_genres WHERE mal_id = 977 RETURNING 1")
    stack.add_user("fan", PASSWORD)

    def recommended(query):
        status, _, titles = ask("GET", "/users/me/recommendations" + query, user="fan")
        assert status == 200, titles
        return {title["id"] for title in titles}
    assert ask("POST", "/users/me/list", {"anime_id": seed, "status": "completed"}, user="fan")[0] == 201
    for rank in ("score", "match"):
        assert recommended(f"?rank={rank}") == recommended(f"?rank={rank}&unseen_sequels=show") == set(ids)
        assert recommended(f"?rank={rank}&unseen_sequels=hide") == {ids[0]}
    assert ask("POST", "/users/me/list", {"anime_id": ids[0], "status": "watching"}, user="fan")[0] == 201
    for rank in ("score", "match"):
        assert recommended(f"?rank={rank}&unseen_sequels=hide") == {ids[1]}
    for query in ("?rank=best", "?rank=", "?unseen_sequels=1"):
        status, _, body = ask("GET", "/users/me/recommendations" + query, user="fan")
        assert status == 422 and body["detail"][0]["type"] == "enum", body


def four_failures_and_then_an_answer_are_an_answer():
    mal_id = fresh_id()
    fault(of(mal_id), "status", 4, code=500, type="UpstreamException")
    begin = time.monotonic()
    assert ask("GET", f"/anime/mal/{mal_id}")[0] == 200
    assert count_of(mal_id) == 5 and time.monotonic() - begin < 10
    without_faults()


def faults_of_the_upstream_are_named_and_nothing_is_stored():
    for kind, action, status, detail in (
            ("status", {"code": 504}, 502, JIKAN_FAILED), ("ok_error", {}, 502, JIKAN_FAILED),
            ("html", {"code": 502}, 502, JIKAN_FAILED), ("malformed", {"form": "truncated"}, 502, JIKAN_AWAY),
            ("hang", {}, 502, JIKAN_AWAY),
            ("reset", {}, 502, JIKAN_AWAY), ("rate_limited", {"form": "edge"}, 503, None)):
        mal_id = fresh_id()
        fault(of(mal_id), kind, **action)
        begin = time.monotonic()
        found, headers, body = ask("GET", f"/anime/mal/{mal_id}")
        assert found == status and time.monotonic() - begin < 12, (kind, found, body)
        assert detail is None or body == {"detail": detail}, (kind, body)
        assert status != 503 or headers["Retry-After"], kind
        assert number(f"SELECT count(*) FROM anime_titles WHERE mal_id = {mal_id}") == 0
        assert number("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'") == 0
        without_faults()


def one_network_does_not_hold_the_pool_while_the_upstream_hangs():
    mal_id = fresh_id()
    fault(of(mal_id), "hang")
    # nginx does not count connections from 127.0.0.1.
    answers = at_once(24, lambda _: ask("GET", f"/anime/mal/{mal_id}", source="127.0.0.2"))
    counts = collections.Counter(status for status, _, _ in answers)
    assert counts[429] == 16 and counts[502] + counts[503] == 8, counts
    assert all(body == {"detail": "Too Many Requests"} for status, _, body in answers if status == 429)
    without_faults()


def a_stale_title_is_answered_at_once_with_its_age_and_refreshed():
    mal_id = fresh_id()
    title = ask("GET", f"/anime/mal/{mal_id}")[2]
    gone = title["genres"][0]["name"] if title["genres"] else None
    for kind in ("genres", "themes"):
        jikan.titles[mal_id][kind] = [genre for genre in jikan.titles[mal_id][kind] if genre["name"] != gone]
    jikan.titles[mal_id]["titles"][0]["title"] = jikan.titles[mal_id]["title"] = "Changed"
    sql(f"UPDATE anime_titles SET stale_at = now() - interval '1 hour', synced_at = now() - interval '2 days'"
        f" WHERE mal_id = {mal_id} RETURNING 1")
    status, headers, old = ask("GET", f"/anime/mal/{mal_id}")
    assert status == 200 and old["title"] == title["title"] and int(headers["Age"]) >= 172_800, dict(headers)

    def refreshed():
        now = ask("GET", f"/anime/mal/{mal_id}")
        assert now[2]["genres"] or len(title["genres"]) < 2, "a reader saw no genres"
        return now if now[2]["title"] == "Changed" else None
    _, headers, new = until(refreshed, 30, "a refreshed title", pause=0.05)
    assert gone not in [genre["name"] for genre in new["genres"]] and headers["Age"] is None


def an_upstream_that_is_down_costs_nobody_a_stored_title():
    mal_id = fresh_id()
    assert ask("GET", f"/anime/mal/{mal_id}")[0] == 200
    sql(f"UPDATE anime_titles SET stale_at = now() - interval '1 hour' WHERE mal_id = {mal_id} RETURNING 1")
    fault("", "status", code=500, type="UpstreamException")
    begin = time.monotonic()
    for _ in range(50):
        status, headers, _ = ask("GET", f"/anime/mal/{mal_id}")
        assert status == 200 and headers["Warning"]
    took = time.monotonic() - begin
    assert took < 5, took
    # When a sync has failed, the copy is no younger for that.
    until(lambda: number(f"SELECT count(*) FROM anime_titles WHERE mal_id = {mal_id} AND sync_state = 'error'") == 1, 90, "the failure")
    sql(f"UPDATE anime_titles SET synced_at = now() - interval '2 days' WHERE mal_id = {mal_id} RETURNING 1")
    _, headers, _ = ask("GET", f"/anime/mal/{mal_id}")
    assert int(headers["Age"]) >= 172_800 and headers["Warning"].startswith("110"), dict(headers)
    assert number(f"SELECT count(*) FROM anime_titles WHERE mal_id = {mal_id} AND stale_at > now()") == 1
    without_faults()


def the_top_list_is_read_in_pages_and_each_title_stored_once():
    jikan.log.clear()
    answers = at_once(20, lambda _: ask("POST", "/anime/sync/top?limit=60"))
    assert {status for status, _, _ in answers} == {202}
    assert len({answer["job_id"] for _, _, answer in answers}) == 1
    job = wait_for_job(answers[0][2])
    assert job["state"] == "done" and (job["done"], job["total"]) == (60, 60), job
    pages = [entry["uri"] for entry in jikan.log if entry["uri"].startswith("/v4/top/anime")]
    assert len(pages) == 3 and all("limit=25" in page for page in pages), pages
    assert not [entry for entry in jikan.log if entry["uri"].startswith("/v4/anime/")]
    for item in jikan.top({})[:60]:
        assert number(f"SELECT count(*) FROM anime_titles WHERE mal_id = {item['mal_id']}") == 1


def odd_titles_are_stored_as_far_as_they_make_sense():
    for mal_id in (91_001, 91_002, 91_003):
        status, _, title = ask("GET", f"/anime/mal/{mal_id}")
        assert status == 200, (mal_id, status, title)
    assert len(ask("GET", "/anime/mal/91001")[2]["title"]) == 400
    assert ask("GET", "/anime/mal/91002")[2]["title_english"] is None
    assert ask("GET", "/anime/mal/91003")[2]["image_url"] is None


def the_proxy_answers_as_the_upstream_does_and_keeps_it():
    for path, wanted in (("/anime/jikan/top", jikan.top({})[:5]), (f"/anime/jikan/{fresh_id()}", None)):
        before = len(jikan.log)
        status, _, found = ask("GET", path)
        assert status == 200, (status, found)
        if wanted is not None:
            assert [item["mal_id"] for item in found] == [item["mal_id"] for item in wanted]
        else:
            assert found["relations"] is not None
        assert ask("GET", path)[2] == found and len(jikan.log) == before + 1
    status, _, found = ask("GET", "/anime/jikan/search?query=" + urllib.parse.quote("Fate/Apocrypha & K+1"))
    assert status == 200 and found == [], found
    assert "q=Fate%2FApocrypha%20%26%20K%2B1" in jikan.log[-1]["uri"], jikan.log[-1]["uri"]


def a_title_that_mal_does_not_have_is_not_asked_for_by_the_proxy_either():
    for path in ("/anime/jikan/404406", "/anime/jikan/404406", "/anime/mal/404406"):
        status, _, body = ask("GET", path)
        assert (status, body) == (404, {"detail": NOT_AT_MAL.format(404406)}), (status, body)
    assert sum("404406" in entry["uri"] for entry in jikan.log) == 1
    assert ask("GET", "/anime/mal/404407")[0] == ask("GET", "/anime/jikan/404407")[0] == 404
    assert sum("404407" in entry["uri"] for entry in jikan.log) == 1


def what_is_kept_of_answers_is_bounded():
    assert ask("GET", "/anime/jikan/search?query=harbour")[0] == 200
    # Has a text of 3 MB.
    for _ in range(2):
        status, _, body = ask("GET", "/anime/jikan/91015")
        assert status in (200, 503), (status, body)
    kept = redis("EVAL \"local all = redis.call('KEYS', 'syncline:anime:proxy:*') local most = 0 local longest = 0 "
                 "for _, key in ipairs(all) do most = math.max(most, redis.call('STRLEN', key)) "
                 "if string.find(key, 'search') then longest = math.max(longest, redis.call('TTL', key)) end end "
                 "return #all .. ' ' .. most .. ' ' .. longest\" 0")
    count, most, longest = map(int, kept.split(b"\r\n")[1].split())
    assert count and most < 257 << 10 and 0 < longest <= 600, kept


def an_unknown_title_is_put_into_a_list_by_its_id_at_mal():
    mal_id = fresh_id()
    status, _, entry = ask("PUT", f"/users/me/list/by-mal/{mal_id}", {"status": "watching"})
    assert status == 201 and entry["anime"]["mal_id"] == mal_id, (status, entry)
    status, _, body = ask("PUT", "/users/me/list/by-mal/404405", {"status": "watching"})
    assert status == 404, body


def ten_new_titles_of_one_id_at_once_are_one():
    answers = at_once(10, lambda n: ask("POST", "/anime/", {"mal_id": 500_000, "title": f"T{n}"}))
    assert {status for status, _, _ in answers} == {201}
    assert len({title["title"] for _, _, title in answers}) == 1
    assert sum(headers["X-Existing"] is None for _, headers, _ in answers) == 1


def of_ten_additions_of_one_title_at_once_one_succeeds():
    title = ask("POST", "/anime/", {"mal_id": 500_001, "title": "T"})[2]
    answers = at_once(10, lambda _: ask("POST", "/users/me/list", {"anime_id": title["id"], "status": "watching"}))
    counts = collections.Counter(status for status, _, _ in answers)
    # Of one account two requests run at a time; more than can wait are told to come again.
    assert counts[201] == 1 and counts[201] + counts[409] + counts[503] == 10, counts
    return str(dict(counts))


def pages_stay_whole_while_the_catalogue_grows():
    for n in range(100):
        assert ask("POST", "/anime/", {"mal_id": 600_000 + n, "title": f"Paged {n}", "score": 7})[0] == 201
    seen = []
    for offset in range(0, 125, 25):
        seen += [title["id"] for title in ask("GET", f"/anime/?search=paged&limit=25&offset={offset}")[2]]
        ask("POST", "/anime/", {"mal_id": 700_000 + offset, "title": f"Late {offset}", "score": 10})
    assert len(seen) == len(set(seen)) == 100


def the_upstream_never_saw_more_than_it_allows():
    assert jikan.violations() == [], jikan.violations()


TESTS = (a_title_is_fetched_on_the_first_call_and_kept, fifty_first_calls_at_once_ask_the_upstream_once,
         a_title_that_mal_does_not_have_is_asked_for_once, a_missing_title_that_appears_is_found_after_a_sync,
         a_sync_of_what_mal_does_not_have_ends_at_once, relations_come_with_a_title_and_are_asked_for_when_a_list_brought_it,
         unseen_sequels_can_be_left_out_of_recommendations,
         odd_titles_are_stored_as_far_as_they_make_sense, the_proxy_answers_as_the_upstream_does_and_keeps_it,
         a_title_that_mal_does_not_have_is_not_asked_for_by_the_proxy_either, what_is_kept_of_answers_is_bounded,
         an_unknown_title_is_put_into_a_list_by_its_id_at_mal, the_top_list_is_read_in_pages_and_each_title_stored_once,
         a_stale_title_is_answered_at_once_with_its_age_and_refreshed, four_failures_and_then_an_answer_are_an_answer,
         faults_of_the_upstream_are_named_and_nothing_is_stored,
         one_network_does_not_hold_the_pool_while_the_upstream_hangs, an_upstream_that_is_down_costs_nobody_a_stored_title,
         ten_new_titles_of_one_id_at_once_are_one, of_ten_additions_of_one_title_at_once_one_succeeds,
         pages_stay_whole_while_the_catalogue_grows, the_upstream_never_saw_more_than_it_allows)


if __name__ == "__main__":
    # A wide budget: how it is kept is tested with upstream.h.
    with Jikan(per_second=50, per_minute=3000) as jikan, Stack({
            "SYNCLINE_ANIME_JIKAN_URL": jikan.url, "SYNCLINE_OUTBOUND_NETWORKS": "127.0.0.0/8",
            "SYNCLINE_ANIME_JIKAN_PER_SECOND": "50", "SYNCLINE_ANIME_JIKAN_PER_MINUTE": "3000",
            "SYNCLINE_ANIME_JIKAN_JOBS_PER_MINUTE": "3000", "SYNCLINE_ANIME_MISSES_PER_MINUTE": "10000"}) as stack:
        stack.add_user("kim", PASSWORD)
        in_top = {item["mal_id"] for item in jikan.top({})[:100]}
        sys.exit(keep(*TESTS))
