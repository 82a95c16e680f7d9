"""The process that serves a PUT, a COPY, a MOVE or a DELETE of a vault is killed with -9 in each phase: all of it is there, or nothing."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Session, writers
from killed_request import killed_at
from promises import keep
from stack import Stack
from vault_wire import DOCUMENT, Person, encrypted

stack: Stack
person: Person

TABLES = ("vault_nodes", "vault_versions", "vault_props", "vault_events")


def state():
    """All that the vaults consist of, but for times."""
    with Session(stack.env["DATABASE_URL"]) as db:
        return [db.ask(f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t") for table in TABLES] + [
            db.ask("SELECT user_id, next_node, next_version, used_bytes, row_bytes FROM vaults ORDER BY user_id")]


def kill_in(table, call, pool="transfer", committed=False):
    killed_at(stack, writers(table), pool, committed)(lambda: (call().status,))


def a_put_is_there_whole_or_not_at_all():
    person.dav("PUT", DOCUMENT, encrypted())
    before = state()
    content = encrypted(10_000)
    for table in ("vault_versions", "vault_nodes", "vault_events"):
        kill_in(table, lambda: person.dav("PUT", DOCUMENT, content))
        assert state() == before, table
    assert person.dav("PUT", DOCUMENT, content).status == 204 and person.dav("GET", DOCUMENT).body == content


def a_put_killed_after_its_commit_is_there_once():
    content = encrypted()
    kill_in("vault_events", lambda: person.dav("PUT", DOCUMENT, content), committed=True)
    count = len(person.versions(DOCUMENT))
    assert person.dav("PUT", DOCUMENT, content).status == 204 and len(person.versions(DOCUMENT)) == count


def a_tree_is_copied_and_moved_whole_or_not_at_all():
    person.dav("MKCOL", "tree")
    for name in "abc":
        person.dav("PUT", f"tree/{name}", name.encode())
        person.dav("PROPPATCH", f"tree/{name}", b'<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">v</x></prop></set>'
                                                b'</propertyupdate>')
    person.dav("COPY", "tree", Destination=person.url("onto"))
    before = state()
    for method in ("COPY", "MOVE"):
        for table in ("vault_nodes", "vault_versions", "vault_props"):
            kill_in(table, lambda method=method: person.dav(method, "tree", Destination=person.url("onto")))
            assert state() == before, (method, table)
    kill_in("vault_nodes", lambda: person.dav("DELETE", "tree"), pool="api")
    assert state() == before
    assert person.dav("MOVE", "tree", Destination=person.url("onto")).status == 204
    assert person.dav("GET", "onto/c").body == b"c" and person.dav("GET", "tree").status == 404


if __name__ == "__main__":
    with Stack() as stack:
        os.environ.setdefault("SYNCLINE_HTTP", stack.http)
        person = Person(stack=stack)
        sys.exit(keep(a_put_is_there_whole_or_not_at_all, a_put_killed_after_its_commit_is_there_once,
                      a_tree_is_copied_and_moved_whole_or_not_at_all))
