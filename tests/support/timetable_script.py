"""What the client scripts of the original do, of all their versions: log in, refresh and repeat once after a 401, bring groups one by
one or ask for an update, and repeat what failed. Our own text; the steps, limits and texts are those of the scripts.

Left out on purpose: reading the site (the groups are given), and the pauses between requests, which a test sets.
"""

import dataclasses
import json
import time
import urllib.error
import urllib.request


@dataclasses.dataclass
class Settings:
    """As in the scripts' settings file. `base`: with /api and without a slash at the end, as people are told."""
    base: str
    token: str = ""
    refresh_token: str = ""
    email: str = ""
    password: str = ""
    pause: float = 1.0  # unit of all pauses, in seconds
    timeout: float = 600.0


class Script:
    def __init__(self, settings):
        self.settings = settings
        self.token, self.refresh_token = settings.token, settings.refresh_token
        self.log = []

    def say(self, text):
        self.log.append(text)

    # --- Tokens

    def log_in(self, tries=3):
        if not self.settings.email or not self.settings.password:
            self.say("Нет данных для входа")
            return False
        for number in range(1, tries + 1):
            self.say(f"Попытка входа (попытка {number}/{tries})...")
            status, body = self.send("/auth/login/", {"email": self.settings.email, "password": self.settings.password}, token=None)
            if status == 200:
                self.token, self.refresh_token = body["access"], body["refresh"]
                return bool(self.token and self.refresh_token)
            self.say(f"Ошибка входа (код {status}): {body.get('non_field_errors', ['Неизвестная ошибка'])}")
            if number < tries:
                time.sleep(5 * self.settings.pause)
        return False

    def refresh(self):
        """The refresh token that the answer brings is not stored: none of the scripts does."""
        if not self.refresh_token:
            return self.log_in()
        status, body = self.send("/auth/token/refresh/", {"refresh": self.refresh_token}, token=None)
        if status != 200 or not body.get("access"):
            self.say(f"Ошибка обновления токена (код {status}). Пробую автоматический вход...")
            return self.log_in()
        self.token = body["access"]
        self.say("Токен доступа успешно обновлен")
        return True

    def send(self, path, body, token):
        """Status and JSON. Like the scripts, it fails on a body that is not JSON."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = b"" if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.settings.base + path, data, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self.settings.timeout) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def call(self, path, body):
        status, answer = self.send(path, body, self.token)
        if status == 401:
            self.say("Токен истек, пытаюсь обновить...")
            if self.refresh():
                status, answer = self.send(path, body, self.token)
        return status, answer

    # --- Versions 1 and 2: an update by the server

    def ask_for_update(self):
        self.say("Начинаю синхронизацию расписания...")
        status, body = self.call("/schedule/updates/trigger_sync_sync/", None)
        if status == 200:
            self.say("Синхронизация успешно завершена! Обновлено групп: {}, Добавлено занятий: {}, Удалено занятий: {}".format(
                *(body.get(key, 0) for key in ("groups_updated", "lessons_added", "lessons_removed"))))
            return True
        if status == 400:
            self.say(f"Синхронизация уже выполняется: {body.get('error')}")
        elif status == 403:
            self.say("Ошибка доступа: У вас нет прав администратора")
        else:
            self.say(f"Ошибка синхронизации (код {status}): {body.get('error', 'Неизвестная ошибка')}")
        return False

    # --- Versions 3 to 5: groups that the script has read itself

    def bring(self, bodies):
        """`bodies`: of import_group. Whether any group was taken, which version 5 counts as success."""
        if not self.token and not self.log_in():
            return False
        left = [body for body in bodies if not self.bring_one(body, 3)]
        if left:
            time.sleep(5 * self.settings.pause)
            left = [body for body in left if not self.bring_one(body, 5)]
        self.say(f"Импорт завершен. Групп: {len(bodies) - len(left)}/{len(bodies)}")
        return len(left) < len(bodies)

    def bring_one(self, body, tries):
        name = body["group"]["name"]
        for number in range(1, tries + 1):
            if number > 1:
                time.sleep(min(2 ** (number - 1), 10) * self.settings.pause)
            status, answer = self.call("/schedule/updates/import_group/", body)
            if status == 200:
                self.say("Импорт OK: {} (создано: {}, обновлено: {}, удалено: {})".format(
                    name, *(answer.get(key) for key in ("lessons_created", "lessons_updated", "lessons_removed"))))
                return True
            if status == 405:
                self.say(f"Импорт FAIL: {name} -> 405")
                return False
            self.say(f"Импорт FAIL (попытка {number}/{tries}): {name} -> {status} {answer.get('error', 'Неизвестная ошибка')}")
        return False
