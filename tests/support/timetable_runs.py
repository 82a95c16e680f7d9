"""Runs of the timetable on an installation of a test's own, against the stand-in of the site.

    with Timetable(groups=12) as site, Stack(settings(site)) as stack:
        runs = Runs(stack, site)
        runs.fresh()
        assert runs.ended(runs.start(), states=("success",))["groups_updated"] == 12

Left out on purpose: the pages, which press the button in a browser.
"""

from database import Session
from promises import until
from rest_wire import ask, script_login

TABLES = ("schedule_changes, schedule_lesson_teachers, schedule_lessons, schedule_run_groups, schedule_runs, schedule_group_states,"
          " schedule_groups, schedule_institutes, schedule_teachers, schedule_subjects, schedule_rooms, schedule_profiles")


def settings(site, **more):
    """For Stack: no pauses, short ones before another try, and no runs by the clock. `more`: by their names in the configuration."""
    chosen = {"schedule_site_url": site.url, "outbound_networks": "127.0.0.0/8", "schedule_min_gap_ms": 0, "schedule_retry_ms": 50,
              "schedule_every_hours": 0, **more}
    return {f"SYNCLINE_{name.upper()}": str(value) for name, value in chosen.items()}


class Runs:
    """`admin`: the headers of the administrator, who sends all that is not said to be of somebody else."""

    def __init__(self, stack, site):
        self.stack, self.site = stack, site
        self.groups = len(site.world.groups)
        self.admin = {"authorization": script_login(stack.env["SYNCLINE_ADMIN_USER"], stack.env["SYNCLINE_ADMIN_PASSWORD"], stack.http)}

    def ask_db(self, sql):
        """Over a connection of its own: PostgreSQL may have been restarted."""
        with Session(self.stack.env["DATABASE_URL"]) as db:
            return db.ask(sql)

    def number(self, sql):
        return int(self.ask_db(sql)[0][0])

    def fresh(self, **world):
        """An empty timetable, and a new site, as soon as no run is under way."""
        self.site.open_gate()
        until(lambda: self.number("SELECT count(*) FROM schedule_runs WHERE finished_at IS NULL") == 0, 30)
        self.ask_db(f"TRUNCATE {TABLES}; UPDATE schedule_site SET next_request_at = now(), good_groups = 0, small_since = NULL,"
                    " foreign_since = NULL")
        self.site.validators = False
        self.site.delay = 0
        self.site.reset(**{"groups": self.groups, **world})

    def call(self, method, path, body=None, headers=None, login=True):
        return ask(method, path, body, headers={**(self.admin if login else {}), **(headers or {})}, base=self.stack.http)

    def start(self):
        answer = self.call("POST", "/api/schedule/updates/trigger_sync/")
        assert answer.status == 200, answer
        return answer.json["update_id"]

    def update(self, run):
        return self.call("GET", f"/api/schedule/updates/{run}/").json

    def latest(self):
        return self.update("latest")

    def ended(self, run="latest", seconds=30, states=None):
        """The run when it is over; in one of these states, if any are given."""
        seen = until(lambda: (lambda one: one if one["finished_at"] else None)(self.update(run)), seconds, pause=0.1)
        assert states is None or seen["state"] in states, seen
        return seen
