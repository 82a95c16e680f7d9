"""Accounts of the timetable over HTTP, and groups as the client scripts send them."""

import itertools
import secrets

import timetable
from installation import admin
from rest_wire import ask

# As the scripts write them.
TIMES = {number: (f"{begin}:00", f"{end}:00") for number, (begin, end) in timetable.TIMES.items()}
_numbers = itertools.count(100_000_000 + secrets.randbelow(1_000_000_000))


def new_number():
    """A number of the site that no other group of this installation has."""
    return next(_numbers)


class Account:
    """One account and its tokens, in the manner of /api/auth/."""

    def __init__(self, is_admin=False, base=None, admin_command=None):
        self.name, self.password, self.base = f"{secrets.token_hex(6)}@example.com", secrets.token_hex(8), base
        admin("user", "add", self.name, "--password-file", "-", *(["--admin"] if is_admin else []), stdin=self.password + "\n",
              command=admin_command)
        self.log_in()

    def log_in(self):
        answer = ask("POST", "/api/auth/login/", {"email": self.name, "password": self.password}, base=self.base)
        assert answer.status == 200, answer
        self.access, self.refresh, self.user = (answer.json[key] for key in ("access", "refresh", "user"))

    def get(self, path, headers=None):
        return ask("GET", "/api" + path, token=self.access, headers=headers, base=self.base)

    def post(self, path, body=None, headers=None):
        return ask("POST", "/api" + path, body, self.access, headers, base=self.base)

    def patch(self, path, body):
        return ask("PATCH", "/api" + path, body, self.access, base=self.base)

    def delete(self, path):
        return ask("DELETE", "/api" + path, token=self.access, base=self.base)

    def json(self, path):
        answer = self.get(path)
        assert answer.status == 200, answer
        return answer.json

    def import_group(self, group, lessons, **more):
        answer = self.post("/schedule/updates/import_group/", group.body(lessons, **more))
        assert answer.status == 200, answer
        return answer.json


class Group:
    """A group as a script names it; of an institute of its own."""

    def __init__(self, name=None):
        self.number = new_number()
        self.name = name or f"б-ТСТ{self.number}-11"
        self.institute = {"name": f"Институт {self.number}", "sstu_id": new_number()}

    def body(self, lessons, **more):
        return {"institute": self.institute,
                "group": {"institute_name": self.institute["name"], "institute_sstu_id": self.institute["sstu_id"],
                          "name": self.name, "sstu_id": self.number, "education_form": "full_time", "degree_type": "bachelor",
                          "course_number": 1},
                "lessons": lessons, **more}


def lesson(day, number=1, subject="Теория тумана", **more):
    """`day`: a date."""
    begin, end = TIMES[number]
    return {"subject_name": subject, "teacher_name": "Роса В.П.", "teacher_id": 901,
            "teacher_url": "https://uni.example/teachers/901-rosa.html", "lesson_type": "лек", "room": "4/215",
            "weekday": day.isoweekday(), "lesson_number": number, "start_time": begin, "end_time": end,
            "specific_date": day.isoformat(), "week_number": 6, "additional_info": "", **more}
