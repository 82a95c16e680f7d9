"""Many clients change one vault at once: what it then holds is one of the orders in which they can have done it."""

import concurrent.futures
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Session
from promises import keep
from vault_wire import DOCUMENT, LOCK, Person, encrypted, run_sql, sha256, token_of


def at_once(calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def consistent(me):
    """Counters are what they count, and every live node is in a live collection."""
    mine = f"user_id = (SELECT user_id FROM users WHERE name = '{me.name}')"
    assert run_sql(f"SELECT used_bytes - (SELECT coalesce(sum(size_bytes), 0) FROM vault_versions WHERE {mine}) FROM vaults WHERE {mine}") == "0"
    assert run_sql(f"SELECT count(*) - (SELECT coalesce(sum(holders), 0) FROM blob_refs WHERE service = 'vault' AND {mine})"
                   f" FROM vault_versions WHERE {mine}") == "0"
    assert run_sql(f"SELECT count(*) FROM vault_nodes n JOIN vault_nodes p USING (user_id, vault_id) WHERE p.node_id = n.parent_id"
                   f" AND n.deleted_at IS NULL AND p.deleted_at IS NOT NULL AND n.{mine}") == "0"


def one_of_many_makes_a_name():
    me = Person()
    for method, body in (("PUT", b"x"), ("MKCOL", b"")):
        answers = at_once([lambda method=method, body=body: me.dav(method, f"new-{method}", body, If_None_Match="*").status] * 8)
        assert answers.count(201) == 1 and set(answers) <= {201, 405, 412, 503}, answers
    locks = [answer for answer in at_once([lambda: me.dav("LOCK", "locked", LOCK)] * 8) if answer.status in (200, 201)]
    assert len(locks) == 1 and me.dav("UNLOCK", "locked", Lock_Token=f"<{token_of(locks[0])}>").status == 204
    consistent(me)


def every_acknowledged_upload_is_a_version():
    me = Person()
    contents = [encrypted() for _ in range(16)]
    kept = [content for content, status in zip(contents, at_once(
        [lambda content=content: me.dav("PUT", DOCUMENT, content).status for content in contents])) if status in (201, 204)]
    assert kept and {one["sha256"] for one in me.versions(DOCUMENT)} == {sha256(content) for content in kept}
    consistent(me)


def trees_that_move_against_each_other():
    me = Person()
    for name in ("a", "b", "c"):
        me.dav("MKCOL", name)
        me.dav("PUT", f"{name}/f", name.encode())

    def work(seed):
        chance = random.Random(seed)
        for _ in range(15):
            one, two = chance.sample(("a", "b", "c", "a/x", "b/x"), 2)
            method = chance.choice(("MOVE", "COPY", "DELETE", "PUT"))
            path = f"{one}/f" if method == "PUT" else one
            answer = me.dav(method, path, b"x" if method == "PUT" else None, Destination=me.url(two))
            assert answer.status < 500 or answer.status == 503, (method, path, two, answer)
            if answer.status in (404, 409):
                me.dav("MKCOL", one)
    at_once([lambda seed=seed: work(seed) for seed in range(6)])
    consistent(me)
    assert me.dav("PROPFIND", "", b"", Depth="1").status == 207


def a_writer_that_waited_sees_what_was_written():
    """The vault is held half-way; who waits for it compares with what is there afterwards, not with what it saw before."""
    me = Person()
    tag = me.dav("PUT", "f", b"1").headers["ETag"]
    with Session(os.environ["DATABASE_URL"]) as db:
        vault = f"user_id = (SELECT user_id FROM users WHERE name = '{me.name}')"
        db.ask(f"BEGIN; SELECT FROM vaults WHERE {vault} FOR UPDATE")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            calls = [pool.submit(lambda n=n: me.dav("PUT", "f", b"%d" % n, If_Match=tag).status) for n in (2, 3)]
            while run_sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE%'") != "2":
                assert not any(call.done() for call in calls)
            db.ask("COMMIT")
            assert sorted(call.result() for call in calls) == [204, 412]


if __name__ == "__main__":
    sys.exit(keep(one_of_many_makes_a_name, every_acknowledged_upload_is_a_version, trees_that_move_against_each_other,
                  a_writer_that_waited_sees_what_was_written))
