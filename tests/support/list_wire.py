"""A client of an account's list of anime, with an app password as Basic login."""

import secrets

import rest_wire
from promises import until


class ListClient:
    """An account of its own. `add_user(name, password)` makes it."""

    def __init__(self, base, add_user):
        self.base, self.name, self.password = base, f"list-{secrets.token_hex(6)}", secrets.token_hex(8)
        add_user(self.name, self.password)
        self.login = {"authorization": rest_wire.script_login(self.name, self.password, base)}

    def ask(self, method, path, body=None, headers=None):
        return rest_wire.ask(method, path, body, headers={**self.login, **(headers or {})}, base=self.base)

    def list(self):
        """Entries by the ids of their titles at MAL, without what an import must change."""
        answer = self.ask("GET", "/users/me/list?fields=full")
        assert answer.status == 200, answer
        return {entry["anime"]["mal_id"]: entry for entry in answer.json}

    def export(self, form="mal-xml"):
        answer = self.ask("GET", f"/users/me/list/export?format={form}")
        assert answer.status == 200, answer
        return answer.body

    def start_import(self, file, query="", headers=None):
        answer = self.ask("POST", "/users/me/list/import" + query, file, headers)
        assert answer.status == 202, answer
        assert answer.headers["location"] == f"/users/me/list/import/{answer.json['job_id']}", answer.headers
        return answer.json["job_id"]

    def import_state(self, job):
        answer = self.ask("GET", f"/users/me/list/import/{job}")
        assert answer.status == 200, answer
        return answer.json

    def import_list(self, file, query="", seconds=60):
        """Imports and waits; returns the result."""
        job = self.start_import(file, query)
        state = until(lambda: (now := self.import_state(job))["state"] not in ("queued", "running") and now, seconds, "the import")
        assert state["state"] == "done" and state["done"] == state["total"], state
        return state["result"]


def anime(mal_id, status="Watching", title=None, **fields):
    """One `anime` of a file; fields without their prefix `my_`."""
    title = f"Title {mal_id}" if title is None else title
    lines = [f"<series_animedb_id>{mal_id}</series_animedb_id>", f"<series_title><![CDATA[{title}]]></series_title>",
             f"<my_status>{status}</my_status>"]
    lines += [f"<my_{name}>{value}</my_{name}>" for name, value in fields.items()]
    return "<anime>" + "".join(lines) + "</anime>"


def mal_file(*entries, kind=1):
    return ("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<myanimelist><myinfo><user_export_type>" + str(kind)
            + "</user_export_type></myinfo>\n" + "\n".join(entries) + "</myanimelist>").encode()
