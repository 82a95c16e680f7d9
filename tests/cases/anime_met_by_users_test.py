"""Faults that users of other anime trackers have reported, reproduced against this one: nginx, the worker and a
stand-in for Jikan.

The server's own time zone is one in which it is another day than in UTC: dates in lists are never instants of the
server. Parts that are pure functions are also covered by unit tests: jikan_wire_test, anime_rules_test,
list_import_test.
"""

import datetime
import pathlib
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from jikan import Jikan
from list_wire import ListClient, anime, mal_file
from promises import keep, until
from rest_wire import ask
from stack import Stack

NOW = datetime.datetime.now(datetime.timezone.utc)
ZONE = "Pacific/Kiritimati" if NOW.hour >= 10 else "Etc/GMT+12"

stack: Stack
jikan: Jikan
client: ListClient


def get(path):
    return ask("GET", path, base=stack.http)


def done(answer):
    """The job that the answer names, when it has ended."""
    assert answer.status == 202, answer
    job = answer.json["job_id"]
    return until(lambda: (state := get(f"/anime/sync/jobs/{job}").json)["state"] in ("done", "dead") and state, 60, f"job {job}")


def sync(mal_id):
    job = done(client.ask("POST", f"/anime/sync/{mal_id}"))
    assert job["state"] == "done", job


def details_of(mal_id):
    return jikan.count(f"/v4/anime/{mal_id}/full")


def found(query):
    return {title["mal_id"] for title in get("/anime/?limit=100&" + query).json}


def aired(year, month, day):
    return {"from": f"{year}-{month:02}-{day:02}T00:00:00+00:00", "to": None,
            "prop": {"from": {"day": day, "month": month, "year": year}, "to": {"day": None, "month": None, "year": None}}, "string": "?"}


def m02_a_remembered_404_ends_when_the_title_appears():
    best = max(item["score"] or 0 for item in jikan.titles.values())
    rounds = {90_250: lambda mal_id: done(client.ask("POST", "/anime/sync/top?limit=25")), 90_251: sync,
              90_252: lambda mal_id: client.import_list(mal_file(anime(mal_id)))}
    for mal_id, appear in rounds.items():
        assert [get(f"/anime/mal/{mal_id}").status for _ in range(2)] == [404, 404]
        assert details_of(mal_id) == 1, jikan.requests(f"/v4/anime/{mal_id}")
        jikan.patch({mal_id: {"score": best if mal_id == 90_250 else 1}})
        appear(mal_id)
        assert get(f"/anime/mal/{mal_id}").status == 200, mal_id
    assert details_of(90_250) == 1


def m04_paging_that_does_not_end_is_ended():
    for action, expected, pages in (({"from": 3}, 50, 3), ({"from": 2, "repeat": True}, 25, 2)):
        before = len(jikan.requests("/v4/top/anime"))
        jikan.rule({"match": {"path": "^/v4/top/anime"}, "action": {"kind": "endless", **action}})
        job = done(client.ask("POST", "/anime/sync/top?limit=100"))
        assert (job["state"], job["done"]) == ("done", expected) and "page" in job["message"], job
        assert len(jikan.requests("/v4/top/anime")) - before == pages
        jikan.clear()


def m05_a_season_is_what_the_title_says():
    # D stands on this season's page, and has been taken from there when the worker began.
    until(lambda: 90_263 in found("season=fall&year=1999"), 30, "the season's titles")
    assert details_of(90_263) == 0
    for mal_id in (91_016, 90_261, 90_262):
        assert get(f"/anime/mal/{mal_id}").status == 200
    a, b, c, d = 91_016, 90_261, 90_262, 90_263
    assert found("season=winter&year=2025") & {a, b, c, d} == {a}
    assert found("season=winter&year=2024") & {a, b, c, d} == set()
    assert found("year=2024") & {a, b, c, d} == {b}
    assert found("season=spring&year=2021") & {a, b, c, d} == {c}
    assert found("season=fall&year=1999") & {a, b, c, d} == {d}


def m08_days_are_those_of_utc_or_of_the_file():
    file = mal_file(anime(90_270, start_date="2019-05-04", finish_date="2019-05-05"), anime(90_271, start_date="2024-12-31"))
    client.import_list(file)
    entries = client.list()
    assert [(entries[n]["started_on"], entries[n]["finished_on"]) for n in (90_270, 90_271)] == [
        ("2019-05-04", "2019-05-05"), ("2024-12-31", None)], entries
    again = client.import_list(file, "?strategy=overwrite")
    assert (again["unchanged"], again["updated"]) == (2, 0), again
    assert b"<my_start_date>2019-05-04</my_start_date>" in client.export()
    client.ask("PATCH", "/users/me/list/settings", {"auto_rules": True})
    day = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    title = entries[90_271]["anime_id"]
    ended = client.ask("PATCH", f"/users/me/list/{title}?fields=full", {"status": "completed"}).json
    assert ended["finished_on"] in (day, datetime.datetime.now(datetime.timezone.utc).date().isoformat()), ended
    client.ask("PATCH", "/users/me/list/settings", {"auto_rules": False})
    return f"the server's zone: {ZONE}"


def m10_progress_above_a_count_that_became_known_later():
    mal_id, path = 90_280, "/users/me/list/{}?fields=full"
    entry = client.ask("PUT", f"/users/me/list/by-mal/{mal_id}", {"status": "watching", "progress": 38})
    assert entry.status == 201, entry
    path = path.format(entry.json["anime_id"])
    watched = client.ask("GET", "/users/me/list/stats").json["episodes_watched"]
    jikan.patch({mal_id: {"episodes": 24, "status": "Finished Airing"}})
    sync(mal_id)
    assert get(f"/anime/mal/{mal_id}").json["episodes"] == 24
    assert client.list()[mal_id]["progress"] == 38
    counted = client.ask("GET", "/users/me/list/stats").json["episodes_watched"]
    assert counted == watched - 38 + 24, (counted, watched)
    assert b"<my_watched_episodes>38</my_watched_episodes>" in client.export()
    result = client.import_list(client.export(), "?strategy=overwrite")
    assert (result["updated"], result["added"], result["failed_count"]) == (0, 0, 0), result
    client.ask("PATCH", "/users/me/list/settings", {"auto_rules": True})
    scored = client.ask("PATCH", path, {"score": 8})
    assert (scored.status, scored.json["score"], scored.json["progress"]) == (200, 8, 38), scored
    assert client.ask("PATCH", path, {"progress": 39}).status == 422
    assert client.ask("PATCH", path, {"progress": 38}).status == 200
    client.ask("PATCH", "/users/me/list/settings", {"auto_rules": False})
    assert client.ask("PATCH", path, {"progress": 39}).status == 200
    client.ask("PATCH", "/users/me/list/settings", {"auto_rules": True})
    ended = client.ask("PATCH", path, {"progress": 24})
    assert (ended.status, ended.json["status"], ended.json["progress"]) == (200, "completed", 24), ended
    client.ask("PATCH", "/users/me/list/settings", {"auto_rules": False})


def m12_characters_of_a_search_are_no_operators():
    names = ["Howl's Moving Castle", "Howl\u2019s Moving Castle", "Fate/Apocrypha", "K", "Rosario + Vampire", "SPY\u00d7FAMILY",
             "\u6708\u520a\u5c11\u5973", "\uff2e\uff21\uff32\uff35\uff34\uff2f"]
    ids = {}
    for n, name in enumerate(names):
        answer = client.ask("POST", "/anime/", {"mal_id": 800_000 + n, "title": name})
        assert answer.status == 201, answer
        ids[name] = 800_000 + n
    ours = set(ids.values())

    def search(text):
        answer = get("/anime/?limit=100&search=" + urllib.parse.quote(text, safe=""))
        assert answer.status == 200, (text, answer)
        return {title["mal_id"] for title in answer.json} & ours, answer.headers["x-search"]
    for name in names:
        assert ids[name] in search(name)[0] and ids[name] in search(name.upper())[0], name
    castles = {ids[names[0]], ids[names[1]]}
    for text in ("howls", "howl's", "HOWL\u2019S MOVING"):
        assert search(text)[0] == castles, text
    assert ids["K"] in search("k")[0]
    assert search("+ vampire")[0] == {ids["Rosario + Vampire"]}
    assert search("naruto")[0] == {ids[names[-1]]}
    assert search("/")[0] == {ids["Fate/Apocrypha"]} and search("+")[0] == {ids["Rosario + Vampire"]}
    for text in ("!", "\"", "-k", "&", "%", "_", "\\", "*", "k:*", "|", "(", "'); --"):
        assert search(text) == (set(), None), (text, search(text))
    # A plus that is not encoded is a blank, as everywhere.
    assert {title["mal_id"] for title in get("/anime/?search=+moving+castle").json} & ours == castles
    before = len(jikan.log)
    assert get("/anime/jikan/search?query=" + urllib.parse.quote("Fate/Apocrypha & K+1!", safe="")).status == 200
    assert "?q=Fate%2FApocrypha%20%26%20K%2B1%21&" in jikan.log[before]["uri"], jikan.log[before]["uri"]


def nothing_of_this_was_too_much_for_the_upstream():
    assert jikan.violations() == [] and list(jikan.complaints()) == []


if __name__ == "__main__":
    with Jikan(per_second=50, per_minute=3000) as jikan:
        jikan.patch({
            90_250: None, 90_251: None, 90_252: None,
            90_280: {"episodes": None, "status": "Currently Airing"},
            90_261: {"type": "Movie", "season": None, "year": None, "aired": aired(2024, 12, 31)},
            90_262: {"season": "spring", "year": 2021, "aired": aired(2021, 3, 27)},
            90_263: {"season": "fall", "year": 1999, "status": "Currently Airing", "aired": aired(1999, 10, 2),
                     "title": "Of the wrong page", "titles": [{"type": "Default", "title": "Of the wrong page"}]}})
        with Stack({"SYNCLINE_ANIME_JIKAN_URL": jikan.url, "SYNCLINE_OUTBOUND_NETWORKS": "127.0.0.0/8", "TZ": ZONE,
                    "SYNCLINE_ANIME_JIKAN_PER_SECOND": "50", "SYNCLINE_ANIME_JIKAN_PER_MINUTE": "3000",
                    "SYNCLINE_ANIME_JIKAN_JOBS_PER_MINUTE": "3000", "SYNCLINE_ANIME_WARM_UP": "on"}) as stack:
            client = ListClient(stack.http, stack.add_user)
            sys.exit(keep(
                m02_a_remembered_404_ends_when_the_title_appears, m04_paging_that_does_not_end_is_ended,
                m05_a_season_is_what_the_title_says, m08_days_are_those_of_utc_or_of_the_file,
                m10_progress_above_a_count_that_became_known_later, m12_characters_of_a_search_are_no_operators,
                nothing_of_this_was_too_much_for_the_upstream))
