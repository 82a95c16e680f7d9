"""The worker, PostgreSQL and Redis die in the middle of an update of the timetable: no group is half written, no lesson is lost,
and nobody is locked out."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Session
from promises import keep, until
from silent_proxy import SilentProxy
from stack import ROOT, Stack
from timetable import Timetable, rows_of
from timetable_runs import Runs, settings

GROUPS = 24

stack: Stack
site: Timetable
runs: Runs


def rows():
    with Session(stack.env["DATABASE_URL"]) as db:
        return rows_of(db)


def ended(seconds=30, states=("success",)):
    return runs.ended(seconds=seconds, states=states)


def hold_after(groups):
    """The next pages wait as soon as so many have been read."""
    listed = [group for at in range(len(site.world.institutes)) for group in site.world.groups if at in group["institutes"]]
    order = list(dict.fromkeys(group["number"] for group in listed))
    site.hold("/rasp/group/(" + "|".join(map(str, order[groups:])) + ")$")
    return order


def in_the_middle(groups):
    until(lambda: site.waiting() > 0, 20)
    until(lambda: runs.number("SELECT count(*) FROM schedule_run_groups WHERE state <> 'pending'") >= groups, 20)


def end_lease():
    """As time does in half a minute."""
    runs.ask_db("UPDATE jobs SET lease_expires_at = now() - interval '1 s' WHERE state = 'running'")


def whole_groups_only():
    """Every group is as the site shows it, or not read at all."""
    truth = site.truth()
    for key, found in rows().items():
        assert found == truth[key], key


def the_clock_starts_the_first_update_and_skips_what_is_fresh():
    until(lambda: runs.number("SELECT count(*) FROM schedule_runs WHERE trigger = 'timer' AND state = 'success'") == 1, 60, pause=0.2)
    assert rows() == site.truth()
    assert runs.ask_db("SELECT kind FROM schedule_runs")[0][0] == "full"
    skipped = lambda: sum(path.read_text(errors="replace").count("event=timer_skipped") for path in (stack.dir / "log").glob("worker*"))
    before = skipped()
    runs.ask_db("DELETE FROM job_ticks WHERE kind = 'schedule.timer'")
    until(lambda: skipped() > before, 20, pause=0.2)
    runs.ask_db("UPDATE schedule_runs SET finished_at = now() - interval '2 hours'")
    hold_after(0)
    runs.start()
    until(lambda: site.waiting() > 0)
    runs.ask_db("DELETE FROM job_ticks WHERE kind = 'schedule.timer'")
    until(lambda: skipped() > before + 1, 20, pause=0.2)
    site.open_gate()
    ended()
    assert runs.number("SELECT count(*) FROM schedule_runs") == 2


def a_killed_worker_leaves_whole_groups_and_locks_nobody_out():
    runs.fresh()
    hold_after(12)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(runs.call, "POST", "/api/schedule/updates/trigger_sync_sync/")
        in_the_middle(12)
        pid = stack.kill("worker")
        begin = time.monotonic()
        whole_groups_only()
        done = runs.number("SELECT count(*) FROM schedule_run_groups WHERE state <> 'pending'")
        stack.wait_for_another("worker", pid)
        seen = ended(60, ("interrupted",))
        took = time.monotonic() - begin
        answer = waiting.result(timeout=20)
        assert answer.status == 500 and answer.json["code"] == "interrupted" and answer.json["error"], answer
    assert took < 60 and seen["groups_updated"] == done and seen["status"] == "failed" and seen["groups_skipped"] == GROUPS - done, seen
    whole_groups_only()
    site.open_gate()
    runs.start()
    assert ended()["groups_updated"] == GROUPS
    assert rows() == site.truth()
    return f"interrupted after {took:.0f} s"


def an_update_of_the_clock_goes_on_where_its_worker_was_killed():
    runs.fresh()
    hold_after(12)
    stack.admin("schedule", "sync")
    in_the_middle(12)
    pid = stack.kill("worker")
    stack.wait_for_another("worker", pid)
    end_lease()
    site.open_gate()
    assert ended(60)["groups_updated"] == GROUPS
    assert rows() == site.truth() and site.count("^/$") == 1
    twice = [path for path in {entry["path"] for entry in site.journal} if site.count(path + "$") > 1]
    assert len(twice) <= 2, twice  # those that were under way


def a_worker_that_leaves_gives_its_update_back():
    runs.fresh()
    order = hold_after(12)
    run = runs.start()
    in_the_middle(12)
    pid = stack.kill("worker", sig=signal.SIGTERM)
    stack.wait_for_another("worker", pid, seconds=30)
    site.open_gate()
    seen = ended(30)
    assert seen["id"] == run and seen["groups_updated"] == GROUPS, seen
    assert rows() == site.truth() and site.count("^/$") == 1
    assert all(site.count(f"/{one}$") == 1 for one in order[:12])


def a_worker_that_has_lost_its_update_writes_nothing_more():
    runs.fresh()
    hold_after(12)
    run = runs.start()
    in_the_middle(12)
    before = rows()
    # As another worker does that takes it over.
    runs.ask_db(f"UPDATE schedule_runs SET lease = lease + 1 WHERE run_id = {run}")
    site.open_gate()
    until(lambda: runs.number("SELECT count(*) FROM jobs WHERE kind = 'schedule.sync' AND state IN ('waiting', 'queued', 'running')") == 0, 20)
    assert rows() == before
    stack.admin("schedule", "reset")
    assert runs.latest()["state"] == "interrupted"
    runs.start()
    ended()
    assert rows() == site.truth()


@contextlib.contextmanager
def far_worker():
    """A worker that reaches PostgreSQL by a proxy only: the proxy, the process and its log. The stack's own does nothing meanwhile,
    until it gets SIGCONT."""
    own = stack.pids("worker")[1]
    sockets = re.search(r"host=([^&]+)", stack.env["DATABASE_URL"])[1]
    path = stack.dir / "log" / "far.log"
    os.kill(own, signal.SIGSTOP)
    try:
        with SilentProxy(sockets + "/.s.PGSQL.5432") as proxy, path.open("ab") as log, subprocess.Popen(
                [pathlib.Path(os.environ.get("SYNCLINE_BIN", ROOT / "build"), "syncline-worker")], stderr=log, env={
                    **os.environ, **stack.settings, "SYNCLINE_DATABASE_URL": f"postgresql://syncline@127.0.0.1:{proxy.port}/syncline",
                    "SYNCLINE_REDIS_URL": stack.env["REDIS_URL"], "SYNCLINE_SECRET_FILE": str(stack.dir / "secret"),
                    "SYNCLINE_TEMP_DIR": str(stack.dir / "tmp")}) as process:
            try:
                yield proxy, process, path, own
            finally:
                proxy.mend()
                process.terminate()
    finally:
        os.kill(own, signal.SIGCONT)


def stored():
    """All that an update writes, to the microsecond."""
    return [runs.ask_db(f"SELECT * FROM {table} ORDER BY 1, 2") for table in (
        "schedule_lessons", "schedule_groups", "schedule_group_states", "schedule_changes", "schedule_run_groups", "schedule_runs")]


def a_worker_that_is_cut_off_from_postgresql_writes_nothing_after_another_has_taken_over():
    runs.fresh()
    hold_after(12)
    with far_worker() as (proxy, process, log, own):
        stack.admin("schedule", "sync")
        in_the_middle(12)
        until(lambda: site.waiting() == 2)
        proxy.cut()
        # It still gets these two pages; a moment later they are old.
        held = [entry for entry in site.journal if entry["status"] is None]
        site.open_gate()
        until(lambda: all(entry["status"] == 200 for entry in held) and b"BEGIN" in proxy.held().upper())
        for entry in held:
            number = int(entry["path"].rpartition("/")[2])
            site.mutate("room", next(group["name"] for group in site.world.groups if group["number"] == number))
        end_lease()
        os.kill(own, signal.SIGCONT)
        seen = ended(60)
        assert seen["groups_updated"] == GROUPS and rows() == site.truth(), seen
        assert all(site.count(entry["path"] + "$") == 2 for entry in held), held
        before, requests = stored(), site.count()
        proxy.mend()
        until(lambda: re.search(r"op=schedule\.sync .*end=", log.read_text(errors="replace")), 20, "it learns that the run is not its own")
        # It lives, and takes other work.
        learnt = runs.number("SELECT extract(epoch FROM now())::int")
        until(lambda: runs.number(f"SELECT count(*) FROM workers WHERE extract(epoch FROM seen_at) > {learnt}") == 2, 60)
        assert process.poll() is None
        assert stored() == before and site.count() == requests


def a_loop_that_hangs_does_not_look_alive():
    runs.fresh()
    hold_after(12)
    runs.start()
    in_the_middle(12)
    worker = stack.pids("worker")[1]
    os.kill(worker, signal.SIGSTOP)
    try:
        runs.ask_db("UPDATE schedule_runs SET heartbeat_at = now() - interval '61 s' WHERE finished_at IS NULL;"
                    "UPDATE jobs SET lease_expires_at = now() + interval '10 minutes' WHERE state = 'running'")
        answer = runs.call("POST", "/api/schedule/updates/trigger_sync/")
        assert answer.status == 200, answer  # the dead one was ended before
    finally:
        os.kill(worker, signal.SIGCONT)
    site.open_gate()
    assert ended(40)["groups_updated"] == GROUPS
    assert rows() == site.truth()
    assert [row[0] for row in runs.ask_db("SELECT state FROM schedule_runs ORDER BY run_id")] == ["interrupted", "success"]


def postgresql_restarts_under_an_update_and_requests_are_told_to_come_again():
    runs.fresh()
    calendar = runs.call("POST", "/api/schedule/feeds/", {"kind": "own"}).json["path"]
    hold_after(12)
    run = runs.start()
    in_the_middle(12)
    with stack.without("postgres", signal.SIGINT):
        site.open_gate()
        latest = "/api/schedule/updates/latest/"
        until(lambda: runs.call("GET", latest).status == 503)
        for method, path in (("GET", latest), ("GET", "/api/schedule/updates/"), ("GET", "/api/schedule/lessons/?group=1"), ("GET", calendar),
                             ("POST", "/api/schedule/updates/trigger_sync/"), ("POST", "/api/schedule/updates/trigger_sync_sync/")):
            begin = time.monotonic()
            answer = runs.call(method, path)
            assert answer.status == 503 and answer.headers["Content-Type"].startswith("application/json"), (path, answer)
            assert answer.json["error"] and answer.json["detail"] and answer.json["code"], (path, answer)
            assert time.monotonic() - begin < 10, path
    seen = ended(90, ("success", "interrupted"))
    assert seen["id"] == run
    whole_groups_only()
    if seen["state"] == "interrupted":
        runs.start()
        ended()
    assert rows() == site.truth()
    return seen["state"]


def whoever_looks_at_an_update_that_nobody_works_on_ends_it():
    runs.fresh()
    hold_after(12)
    run = runs.start()
    in_the_middle(12)
    with stack.without("worker"):
        assert runs.update(run)["state"] == "running"
        runs.ask_db("UPDATE schedule_runs SET heartbeat_at = now() - interval '61 s'")
        seen = runs.update(run)
        assert (seen["state"], seen["status"]) == ("interrupted", "failed") and seen["error_message"] and seen["finished_at"], seen
        whole_groups_only()
        # One that waits for a worker. A script is told at once that there is none.
        runs.ask_db("TRUNCATE schedule_runs CASCADE; UPDATE workers SET seen_at = now() - interval '1 hour'")
        refused = runs.call("POST", "/api/schedule/updates/trigger_sync_sync/")
        assert (refused.status, refused.json["code"]) == (503, "no_worker") and refused.json["error"], refused
        assert runs.number("SELECT count(*) FROM schedule_runs") == 0
        run = runs.start()  # because of schedule_without_worker
        assert runs.latest()["state"] == "queued"
        runs.ask_db("UPDATE schedule_runs SET started_at = now() - interval '299 s'")
        assert runs.latest()["state"] == "queued"
        runs.ask_db("UPDATE schedule_runs SET started_at = now() - interval '301 s'")
        seen = runs.latest()
        assert (seen["id"], seen["state"], seen["error_code"]) == (run, "failed", "no_worker") and seen["error_message"], seen
        site.open_gate()
        site.clear()
        again = runs.start()
    # The worker is back: it does what was asked for last, and nothing that has ended.
    assert ended()["id"] == again
    assert runs.update(run)["state"] == "failed" and site.count("^/$") == 1 and rows() == site.truth()


def without_redis_everything_works():
    runs.fresh()
    pid = stack.pids("redis")[1]
    os.kill(pid, signal.SIGSTOP)
    try:
        answer = runs.call("POST", "/api/schedule/updates/trigger_sync_sync/")
        assert answer.status == 200 and answer.json["groups_updated"] == GROUPS, answer
        assert runs.latest()["state"] == "success"
    finally:
        os.kill(pid, signal.SIGCONT)
    assert rows() == site.truth()


def a_relay_is_asked_instead_of_the_site():
    assert site.journal and all(entry["relay"] for entry in site.journal)


if __name__ == "__main__":
    with Timetable(groups=GROUPS) as site, Stack(settings(
            site, schedule_site_url="http://site.example", schedule_relay_url=site.url + "/relay", schedule_fetch_s=60,
            schedule_every_hours=1, schedule_without_worker="queue")) as stack:
        runs = Runs(stack, site)
        sys.exit(keep(the_clock_starts_the_first_update_and_skips_what_is_fresh,
                      a_killed_worker_leaves_whole_groups_and_locks_nobody_out,
                      an_update_of_the_clock_goes_on_where_its_worker_was_killed,
                      a_worker_that_leaves_gives_its_update_back,
                      a_worker_that_has_lost_its_update_writes_nothing_more,
                      a_worker_that_is_cut_off_from_postgresql_writes_nothing_after_another_has_taken_over,
                      a_loop_that_hangs_does_not_look_alive,
                      postgresql_restarts_under_an_update_and_requests_are_told_to_come_again,
                      whoever_looks_at_an_update_that_nobody_works_on_ends_it,
                      without_redis_everything_works,
                      a_relay_is_asked_instead_of_the_site))
