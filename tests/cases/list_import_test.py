"""Import and export of MyAnimeList files, through nginx, with the worker and a stand-in for Jikan."""

import gzip
import pathlib
import random
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Session
from jikan import Jikan
from list_wire import ListClient, anime, mal_file
from promises import Skip, keep, until
from rest_wire import ask
from stack import Stack

STACK = JIKAN = DATABASE = None


def value(sql):
    return DATABASE.ask(sql)[0][0]


def new_client():
    return ListClient(STACK.http, STACK.add_user)


def counts(result):
    return tuple(result[name] for name in ("added", "updated", "unchanged", "kept_count", "failed_count", "warning_count"))


def a_second_import_changes_what_has_changed_and_tells_the_rest():
    client = new_client()
    first = client.import_list(mal_file(anime(90001, watched_episodes=3), anime(90002, score=7)))
    assert counts(first) == (2, 0, 0, 0, 0, 0), first
    again = mal_file(anime(90001, watched_episodes=5, update_on="0"), anime(90002, score=7), anime(90003),
                     anime(0, title="No id"), anime("abc", title="Odd id"), anime("", title=""),
                     anime(90004, watched_episodes=4), anime(90004, watched_episodes=6))
    until(lambda: value("SELECT count(*) FROM anime_titles WHERE mal_id IN (90001, 90002) AND source = 'stub'") == "0", 60, "the titles")
    before = client.list()
    for strategy, expected in (("keep", (2, 0, 1, 1, 3, 1)), ("newer", (2, 1, 1, 0, 3, 1)), ("overwrite", (2, 1, 1, 0, 3, 1))):
        dry = client.import_list(again, f"?strategy={strategy}&dry_run=true")
        assert counts(dry) == expected, (strategy, dry)
        assert client.list() == before
    assert client.import_list(again, "?strategy=keep&dry_run=1")["kept"] == [
        {"position": 1, "mal_id": 90001, "title": "Title 90001", "field": None, "reason": "exists, kept"}]
    result = client.import_list(again)
    assert counts(result) == (2, 1, 1, 0, 3, 1), result
    assert [(note["position"], note["title"]) for note in result["failed"]] == [(4, "No id"), (5, "Odd id"), (6, "")]
    assert [(note["position"], note["mal_id"]) for note in result["warnings"]] == [(8, 90004)], result
    after = client.list()
    assert (after[90001]["progress"], after[90004]["progress"]) == (5, 4), after
    assert counts(client.import_list(again)) == (0, 0, 4, 0, 3, 1)


def statuses_and_rewatches_arrive_as_they_are():
    client = new_client()
    result = client.import_list(mal_file(
        anime(90010, "Plan to Watch", watched_episodes=0), anime(90011, "Completed", watched_episodes=0),
        anime(90012, "", score=0, title="Nothing"), anime(90013, "6"),
        anime(90014, "Completed", rewatching=1, watched_episodes=3, times_watched=2),
        anime(90015, "Completed", times_watched=255), anime(90016, "Rewatching")))
    assert counts(result) == (6, 0, 0, 0, 1, 1), result
    assert result["failed"][0]["title"] == "Nothing"
    entries = client.list()
    assert [entries[mal_id]["status"] for mal_id in (90010, 90011, 90013, 90014, 90015, 90016)] == [
        "plan_to_watch", "completed", "plan_to_watch", "completed", "completed", "completed"]
    assert (entries[90011]["progress"], entries[90015]["rewatches"], entries[90016]["rewatching"]) == (0, 0, True)
    assert (entries[90014]["progress"], entries[90014]["rewatches"], entries[90014]["rewatching"]) == (3, 2, True)
    assert client.ask("PATCH", "/users/me/list/settings", {"auto_rules": True}).status == 200
    title = entries[90014]["anime_id"]
    episodes = until(lambda: ask("GET", f"/anime/{title}", base=STACK.http).json["episodes"], 30, "the title to be fetched")
    done = client.ask("PATCH", f"/users/me/list/{title}?fields=full", {"progress": episodes}).json
    assert (done["status"], done["rewatching"], done["rewatches"]) == ("completed", False, 3), done
    assert client.ask("GET", "/users/me/list/stats").json["by_status"]["completed"] == 4


def bad_dates_cost_the_date_and_a_second_import_changes_nothing():
    client = new_client()
    file = mal_file(anime(90020, start_date="2019-05-04", finish_date="2019-05-03"), anime(90021, start_date="2019-00-00"),
                    anime(90022, start_date="2019-02-30"), anime(90023, start_date="03-29-19"),
                    anime(90024, start_date="2019-12-31", finish_date="0000-00-00"))
    result = client.import_list(file)
    assert counts(result) == (5, 0, 0, 0, 0, 4), result
    entries = client.list()
    assert [entries[90020 + i]["started_on"] for i in range(5)] == ["2019-05-04", None, None, None, "2019-12-31"], entries
    assert all(entries[90020 + i]["finished_on"] is None for i in range(5))
    for strategy in ("newer", "overwrite"):
        assert counts(client.import_list(file, f"?strategy={strategy}"))[:3] == (0, 0, 5)
    assert client.list() == entries


def unknown_titles_are_named_at_once_and_fetched_later():
    client = new_client()
    # Both exist upstream by now, but one was asked for before it did.
    JIKAN.rule({"match": {"path": "^/v4/anime/90041"}, "times": 1, "action": {"kind": "status", "code": 404}})
    assert ask("GET", "/anime/mal/90041", base=STACK.http).status == 404
    result = client.import_list(mal_file(anime(90040, title="Name of the file"), anime(90041), anime(99999, title="Unknown")))
    assert (result["unknown_titles"], result["minutes_to_fetch"]) == (3, 1), result
    entries = client.list()
    assert entries[99999]["anime"]["title"] == "Unknown"
    assert ask("GET", "/anime/mal/90041", base=STACK.http).status == 200
    until(lambda: client.list()[90040]["anime"]["title"] != "Name of the file", 60, "a title to be fetched")
    until(lambda: value("SELECT sync_state FROM anime_titles WHERE mal_id = 99999") == "gone", 60, "a 404")
    assert client.list()[99999]["anime"]["title"] == "Unknown"
    assert JIKAN.violations() == []


def what_is_no_list_of_anime_is_refused_and_leaves_nothing():
    client = new_client()
    blobs = value("SELECT count(*) FROM blob_refs")
    deep = b"<myanimelist>" + b"<a>" * 1000
    bomb = b"<!DOCTYPE myanimelist [<!ENTITY a 'b'>]><myanimelist>&a;</myanimelist>"
    for file, status in ((b"", 422), (b"hello", 422), (b"<html/>", 422), (mal_file(kind=2), 422), (deep, 422), (bomb, 422),
                         (b"<myanimelist><manga/></myanimelist>", 422), (b"\x1f\x8bhello", 422),
                         (gzip.compress(b"<myanimelist>" + b" " * (21 << 20) + b"</myanimelist>"), 413),
                         (b" " * (22 << 20), 413), (mal_file(*[anime(1)] * 50_001), 413)):
        answer = client.ask("POST", "/users/me/list/import", file)
        assert answer.status == status and isinstance(answer.json["detail"], str), (file[:50], answer)
    for query in ("?strategy=newest", "?dry_run=perhaps"):
        answer = client.ask("POST", "/users/me/list/import" + query, mal_file())
        assert answer.status == 422 and answer.json["detail"][0]["loc"][0] == "query", answer
    assert value("SELECT count(*) FROM blob_refs") == blobs
    assert ask("POST", "/users/me/list/import", mal_file(), base=STACK.http).status == 401
    assert ask("GET", "/users/me/list/export", base=STACK.http).status == 401
    job = client.start_import(mal_file())
    assert new_client().ask("GET", f"/users/me/list/import/{job}").status == 404
    assert client.ask("GET", "/users/me/list/export?format=csv").status == 422


def files_come_as_they_are_packed_or_in_a_form():
    client = new_client()
    file = mal_file(anime(90050, comments="Tom & Jerry \xa0 <3"))
    form = (b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"animelist.xml.gz\"\r\n\r\n" + gzip.compress(file)
            + b"\r\n--b--\r\n")
    for body, headers in ((file, {}), (gzip.compress(file), {"content-type": "application/gzip"}),
                          (form, {"content-type": "multipart/form-data; boundary=b"}),
                          (form, {"content-type": "Multipart/Form-Data; boundary=b"})):
        job = client.start_import(body, headers=headers)
        until(lambda j=job: client.import_state(j)["state"] == "done", 30, "the import")
    assert client.list()[90050]["notes"] == "Tom & Jerry \xa0 <3"


def random_entries(rng, titles):
    texts = ["good", "a & b", "<b>", "]]>", "x, y", "  ends ", "line\nfeed", "\u65e5\u672c", "\U0001f3ef", "\x01bell", "\r\n", "&amp;"]
    for title in titles:
        body = {"anime_id": title, "status": rng.choice(["watching", "completed", "plan_to_watch", "dropped", "on_hold"])}
        optional = {
            "score": lambda: round(rng.uniform(0, 10), 1), "progress": lambda: rng.randrange(40), "rewatching": lambda: rng.random() < 0.5,
            "rewatches": lambda: rng.choice([0, 1, 254, 1000]), "priority": lambda: rng.randrange(3), "private": lambda: True,
            "notes": lambda: "".join(rng.choices(texts, k=5)), "tags": lambda: rng.choices(texts, k=3),
            "started_on": lambda: f"2020-0{rng.randrange(1, 10)}-11", "finished_on": lambda: f"2021-0{rng.randrange(1, 10)}-11"}
        for name, make in optional.items():
            if rng.random() < 0.5:
                body[name] = make()
        yield body


def random_list(rng, number):
    client = new_client()
    for mal_id in range(80_001, 80_001 + number):
        ask("POST", "/anime/", {"title": f"R {mal_id} & <co>", "mal_id": mal_id}, headers=client.login, base=STACK.http)
    titles = [int(row[0]) for row in DATABASE.ask(
        f"SELECT anime_id FROM anime_titles WHERE mal_id BETWEEN 80001 AND {80_000 + number}")]
    for body in random_entries(rng, titles):
        answer = client.ask("POST", "/users/me/list", body)
        assert answer.status == 201, (body, answer)
    return client


def an_exported_list_is_imported_without_a_change():
    seed = random.randrange(1 << 30)
    client = random_list(random.Random(seed), 120)
    before, file = client.list(), client.export()
    assert len(before) == 120
    for strategy in ("keep", "newer", "overwrite"):
        result = client.import_list(file, f"?strategy={strategy}")
        assert counts(result) == (0, 0, 120, 0, 0, 0), (seed, strategy, result)
        assert client.list() == before, seed
        assert client.export() == file, seed
    # Into another account: the same file comes out, but for the account's number.
    other = new_client()
    assert counts(other.import_list(file))[:1] == (120,), seed
    assert other.export().split(b"</user_id>")[1] == file.split(b"</user_id>")[1], seed
    whole = client.ask("GET", "/users/me/list/export?format=json").json
    assert sorted(whole["entries"], key=str) == sorted(before.values(), key=str), seed
    return f"seed {seed}"


def another_program_reads_what_we_export():
    try:
        from malexport.parse import parse_xml
    except ImportError as why:
        raise Skip(f"no malexport: {why}") from why
    client = random_list(random.Random(1), 40)
    entries = client.list()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "animelist.xml"
        path.write_bytes(client.export())
        read = parse_xml(path)
    assert read.list_type == "anime" and read.info["user_total_anime"] == 40, read.info
    shown = {"watching": "Watching", "completed": "Completed", "on_hold": "On-Hold", "dropped": "Dropped", "plan_to_watch": "Plan to Watch"}
    assert {entry.id for entry in read.entries} == set(entries)
    for entry in read.entries:
        ours = entries[entry.id]
        assert entry.status == shown[ours["status"]] and entry.title == ours["anime"]["title"]
        assert entry.score == int((ours["score"] or 0) + 0.5), (entry, ours)
        assert entry.watched_episodes == (ours["progress"] or 0) and entry.times_watched == ours["rewatches"]
        assert str(entry.start_date or None) == str(ours["started_on"]) and entry.rewatching == ours["rewatching"]
        assert entry.update_on_import


def a_worker_that_is_killed_imports_every_entry_once():
    client = new_client()
    number = 4800
    file = mal_file(*[anime(mal_id, watched_episodes=1) for mal_id in range(1, number + 1)])
    job = client.start_import(file)
    for least in (1, number // 2):
        until(lambda at=least: client.import_state(job)["done"] >= at, 90, "a batch")
        STACK.wait_for_another("worker", STACK.kill("worker"))
        DATABASE.ask("UPDATE jobs SET lease_expires_at = now() - interval '1 s' WHERE state = 'running'")  # else it takes a minute
    state = until(lambda: (now := client.import_state(job))["state"] not in ("queued", "running") and now, 180, "the import")
    assert state["state"] == "done" and counts(state["result"]) == (number, 0, 0, 0, 0, 0), state
    assert state["result"]["unknown_titles"] == number
    user = value(f"SELECT user_id FROM users WHERE name = '{client.name}'")
    assert value(f"SELECT count(*) FROM anime_entries WHERE user_id = {user}") == str(number)
    assert value(f"SELECT count(*) FROM anime_history WHERE user_id = {user}") == str(number)
    assert value(f"SELECT count(*) FROM blob_refs WHERE user_id = {user}") == "0"


def fill_list(client, first, number):
    """Titles from id `first` at MAL, as if the upstream had them, in the list of this account."""
    user = value(f"SELECT user_id FROM users WHERE name = '{client.name}'")
    DATABASE.ask(f"INSERT INTO anime_titles (mal_id, title, search_text, source, stale_at) SELECT n, 'L' || n, 'l', 'jikan', 'infinity'"
                 f" FROM generate_series({first}, {first + number - 1}) n ON CONFLICT DO NOTHING")
    DATABASE.ask(f"INSERT INTO anime_entries (user_id, anime_id, status) SELECT {user}, anime_id, 'watching' FROM anime_titles"
                 f" WHERE mal_id BETWEEN {first} AND {first + number - 1}")
    return user


def a_long_list_is_sent_whole_and_takes_no_more_than_it_may():
    client = new_client()
    fill_list(client, 1_000_000, 2500)
    for query in ("", "status=watching&", "fields=full&"):
        whole = client.ask("GET", f"/users/me/list?{query}")
        pages = [client.ask("GET", f"/users/me/list?{query}limit=1000&offset={offset}").json for offset in (0, 1000, 2000)]
        assert whole.status == 200 and whole.headers["x-total-count"] == "2500", whole.headers
        assert whole.json == sum(pages, []), query
    fill_list(client, 1_002_500, 17_499)
    result = client.import_list(mal_file(anime(90060), anime(90061, title="Too much"), anime(1_000_000, "Completed")))
    assert counts(result) == (1, 1, 0, 0, 1, 0), result
    assert result["failed"][0]["mal_id"] == 90061 and "20000" in result["failed"][0]["reason"], result
    title = ask("POST", "/anime/", {"title": "One more", "mal_id": 1_900_000}, headers=client.login, base=STACK.http).json["id"]
    for method, path in (("POST", "/users/me/list"), ("PUT", "/users/me/list/by-mal/1900000")):
        answer = client.ask(method, path, {"anime_id": title, "status": "watching"})
        assert (answer.status, answer.json) == (422, {"detail": "A list has at most 20000 entries"}), answer


def files_name_a_bounded_number_of_unknown_titles():
    client = new_client()
    user = value(f"SELECT user_id FROM users WHERE name = '{client.name}'")
    DATABASE.ask(f"INSERT INTO anime_titles (mal_id, title, search_text, source, named_by) SELECT n, 'S', 's', 'stub', {user}"
                 " FROM generate_series(2000001, 2004999) n")
    file = mal_file(anime(90070, title="Last"), anime(90071, title="Too much"), anime(2_000_001))
    for query in ("?dry_run=1", ""):
        result = client.import_list(file, query)
        assert counts(result) == (2, 0, 0, 0, 1, 0) and result["unknown_titles"] == 1, result
        assert result["failed"][0]["mal_id"] == 90071 and "5000" in result["failed"][0]["reason"], result
    assert value("SELECT user_id FROM jobs WHERE kind = 'anime.sync_title' AND args LIKE '%90070%'") == user


def searches_of_one_network_are_limited_and_pages_are_not():
    answers = [ask("GET", "/anime/?search=anything", base=STACK.http) for _ in range(100)]
    assert {answer.status for answer in answers} == {200, 429}, answers[-1]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert ask("GET", "/anime/?total=1", base=STACK.http).status == 429
    assert ask("GET", "/anime/?status=airing", base=STACK.http).status == 200


def main():
    global STACK, JIKAN, DATABASE
    with Jikan() as JIKAN, Stack({
            "SYNCLINE_ANIME_JIKAN_URL": JIKAN.url, "SYNCLINE_OUTBOUND_NETWORKS": "127.0.0.0/8",
            "SYNCLINE_ANIME_SEARCHES_PER_MINUTE": "20"}) as STACK:
        DATABASE = Session(STACK.env["DATABASE_URL"])
        return keep(
            a_second_import_changes_what_has_changed_and_tells_the_rest, statuses_and_rewatches_arrive_as_they_are,
            bad_dates_cost_the_date_and_a_second_import_changes_nothing, unknown_titles_are_named_at_once_and_fetched_later,
            what_is_no_list_of_anime_is_refused_and_leaves_nothing, files_come_as_they_are_packed_or_in_a_form,
            an_exported_list_is_imported_without_a_change, another_program_reads_what_we_export,
            a_worker_that_is_killed_imports_every_entry_once, a_long_list_is_sent_whole_and_takes_no_more_than_it_may,
            files_name_a_bounded_number_of_unknown_titles, searches_of_one_network_are_limited_and_pages_are_not)


if __name__ == "__main__":
    sys.exit(main())
