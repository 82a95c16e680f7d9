"""The worker is killed with -9 in every phase of a catalogue sync: while it waits for the upstream, while it stores a title,
and after the commit. The job runs again within a minute, and its effect is there once."""

import concurrent.futures
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Hold, HoldCommits, Session, wait_until_gone, writers
from jikan import Jikan
from promises import keep, until
from rest_wire import Client, ask
from stack import Stack

SECONDS = 60

stack: Stack
jikan: Jikan
client: Client


def number(sql):
    with Session(stack.env["DATABASE_URL"]) as db:
        return db.number(sql)


def sync(mal_id):
    """Starts a sync, and returns what its job looks like."""
    answer = client.post(f"/anime/sync/{mal_id}")
    assert answer.status == 202, answer
    return lambda: ask("GET", f"/anime/sync/jobs/{answer.json['job_id']}", base=stack.http).json


def end_lease():
    """As time does in half a minute; one test waits for it."""
    with Session(stack.env["DATABASE_URL"]) as db:
        db.ask("UPDATE jobs SET lease_expires_at = now() - interval '1 s' WHERE state = 'running'")


def runs_again(job, mal_id, killed_at):
    until(lambda: job()["state"] == "done", SECONDS, pause=0.2)
    took = time.monotonic() - killed_at
    assert took < SECONDS, took
    assert number(f"SELECT count(*) FROM anime_titles WHERE mal_id = {mal_id}") == 1
    links = number(f"SELECT count(*) FROM anime_title_genres JOIN anime_titles USING (anime_id) WHERE mal_id = {mal_id}")
    item = next(item for item in jikan.top({}) if item["mal_id"] == mal_id)
    wanted = {genre["mal_id"] for kind in ("genres", "themes", "demographics", "explicit_genres") for genre in item[kind] or []}
    assert links == len(wanted), (links, wanted)
    assert client.get(f"/anime/mal/{mal_id}").json["title"] == item["title"]
    return f"again after {took:.0f} s"


def titles():
    yield from (item["mal_id"] for item in jikan.top({})[:50])


def a_worker_killed_while_the_upstream_answers_has_changed_nothing():
    mal_id = next(fresh)
    jikan.rule({"match": {"path": f"^/v4/anime/{mal_id}"}, "times": 1, "action": {"kind": "slow", "delay_headers": 4}})
    job = sync(mal_id)
    until(lambda: jikan.count(f"/v4/anime/{mal_id}/full") == 1, 20)
    pid = stack.kill("worker")
    begin = time.monotonic()
    stack.wait_for_another("worker", pid)
    assert number(f"SELECT count(*) FROM anime_titles WHERE mal_id = {mal_id}") == 0
    return runs_again(job, mal_id, begin)


def a_worker_killed_while_it_stores_a_title_leaves_none_of_it():
    mal_id = next(fresh)
    with Hold(stack.env["DATABASE_URL"], writers("anime_title_genres")) as hold:
        job = sync(mal_id)
        blocked = hold.wait(1, "syncline-worker")[0]
        pid = stack.kill("worker")
        begin = time.monotonic()
    wait_until_gone(stack.env["DATABASE_URL"], blocked.backend)
    stack.wait_for_another("worker", pid)
    end_lease()
    return runs_again(job, mal_id, begin)


def a_worker_killed_after_its_commit_has_done_it_once():
    mal_id = next(fresh)
    with Hold(stack.env["DATABASE_URL"], writers("anime_title_genres")) as hold:
        job = sync(mal_id)
        hold.wait(1, "syncline-worker")
        with HoldCommits(stack.env["DATABASE_URL"]) as commits:
            hold.let_go()
            blocked = commits.wait(1, "syncline-worker")[0]
            pid = stack.kill("worker")
            begin = time.monotonic()
    wait_until_gone(stack.env["DATABASE_URL"], blocked.backend)
    stack.wait_for_another("worker", pid)
    end_lease()
    assert number(f"SELECT count(*) FROM anime_titles WHERE mal_id = {mal_id}") == 1
    return runs_again(job, mal_id, begin)


def an_outage_of_the_upstream_costs_no_stored_title():
    """Ten seconds stand for them: no bound of ours is longer than that but the rest of the breaker."""
    known = [next(fresh) for _ in range(5)]
    for mal_id in known:
        assert client.get(f"/anime/mal/{mal_id}").status == 200
    with Session(stack.env["DATABASE_URL"]) as db:
        db.ask("UPDATE anime_titles SET synced_at = now() - interval '90 days', stale_at = now() - interval '60 days'")
    jikan.stop_listening()
    end, slowest, count = time.monotonic() + 10, 0.0, 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        while time.monotonic() < end:
            begin = time.monotonic()
            answers = list(pool.map(lambda mal_id: client.get(f"/anime/mal/{mal_id}"), known))
            slowest, count = max(slowest, time.monotonic() - begin), count + len(answers)
            for answer in answers:
                assert answer.status == 200 and int(answer.headers["Age"]) > 80 * 86400, answer
                assert answer.headers["Warning"].startswith("110"), answer.headers
    assert slowest < 2, slowest
    jikan.listen()
    missing = client.get(f"/anime/mal/{next(fresh)}")
    assert missing.status in (200, 502, 503), missing
    return f"{count} reads, the slowest five {slowest * 1000:.0f} ms"


if __name__ == "__main__":
    with Jikan(per_second=50, per_minute=3000) as jikan, Stack({
            "SYNCLINE_ANIME_JIKAN_URL": jikan.url, "SYNCLINE_OUTBOUND_NETWORKS": "127.0.0.0/8",
            "SYNCLINE_ANIME_JIKAN_PER_SECOND": "50", "SYNCLINE_ANIME_JIKAN_PER_MINUTE": "3000",
            "SYNCLINE_ANIME_JIKAN_JOBS_PER_MINUTE": "3000", "SYNCLINE_ANIME_MISSES_PER_MINUTE": "10000"}) as stack:
        client = Client(base=stack.http).register()
        fresh = titles()
        sys.exit(keep(a_worker_killed_while_the_upstream_answers_has_changed_nothing,
                      a_worker_killed_while_it_stores_a_title_leaves_none_of_it,
                      a_worker_killed_after_its_commit_has_done_it_once,
                      an_outage_of_the_upstream_costs_no_stored_title))
