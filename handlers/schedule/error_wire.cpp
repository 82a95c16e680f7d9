#include "handlers/schedule/error_wire.h"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/detail_errors.h"
#include "handlers/base/input.h"
#include "handlers/base/json_writer.h"

namespace syncline::schedule {
namespace {

struct ErrorText {
  std::string_view code;
  std::string_view detail;
  std::string_view error{};        ///< if it differs: the original's, which clients may compare
  std::string_view public_code{};  ///< if it differs
  int status = 0;                  ///< 0: that of the error's kind
};

constexpr std::string_view kBadToken = "Токен недействителен или просрочен";

constexpr ErrorText kTexts[] = {
    // The front and base.
    {"login_required", "Учетные данные не были предоставлены."},
    {"bad_scheme", "Учетные данные не были предоставлены.", "", "login_required"},
    {"role_missing", "У вас недостаточно прав для выполнения данного действия."},
    {"no_such_path", "Страница не найдена."},
    {"bad_path", "Страница не найдена.", "", "", 404},
    {"bad_percent_encoding", "Страница не найдена.", "", "", 404},
    {"method_not_allowed", "Метод \"{}\" не разрешен."},
    {"body_too_large", "Запрос слишком большой."},
    {"too_large", "Запрос слишком большой."},
    {"too_many_requests", "Запрос был проигнорирован: слишком много запросов. Повторите позже."},
    {"busy", "Сервер занят. Повторите запрос через несколько секунд."},
    {"starting", "Сервер запускается. Повторите запрос через несколько секунд."},
    {"too_slow", "Сервер не успел ответить. Повторите запрос."},
    {"database_unavailable", "База данных недоступна. Повторите запрос через несколько секунд."},
    {"redis_unavailable", "Сервер занят. Повторите запрос через несколько секунд."},
    {"authorizer_away", "Сервер запускается. Повторите запрос через несколько секунд."},
    {"https_required", "Пароль принимается только по HTTPS."},
    {"body_not_utf8", "JSON parse error - текст не в кодировке UTF-8"},
    {"bad_query", "Недопустимые параметры запроса."},
    {"not_json", "Неподдерживаемый тип данных в запросе: нужен application/json."},
    // Tokens.
    {"bad_authorization_header", "Заголовок авторизации должен содержать два значения, разделенных пробелом"},
    {"bad_token", kBadToken, "", "token_not_valid"},
    {"token_expired", kBadToken, "", "token_not_valid"},
    {"bad_token_type", kBadToken, "", "token_not_valid"},
    {"token_revoked", kBadToken, "", "token_not_valid"},
    {"refresh_not_found", kBadToken, "", "token_not_valid"},
    {"refresh_reused", kBadToken, "", "token_not_valid"},
    {"user_not_found", "Пользователь не найден"},
    {"account_gone", "Пользователь не найден", "", "user_not_found"},
    {"account_inactive", "Аккаунт заблокирован", "", "user_inactive", 401},
    {"bad_key", "Пароль приложения отозван или неверен", "", "token_not_valid"},
    {"bad_credentials", "Заголовок авторизации не читается", "", "bad_authorization_header"},
    {"app_password_required", "Здесь нужен пароль приложения или токен, а не пароль аккаунта", "",
     "bad_authorization_header"},
    // Reading.
    {"no_such_row", "Страница не найдена."},
    {"invalid_page", "Неправильная страница"},
    {"no_group", "У пользователя не выбрана группа.", "User has no group assigned"},
    {"group_required", "Нужен параметр group.", "group parameter is required"},
    {"no_such_group", "Такой группы нет.", "Group not found"},
    {"no_updates", "Обновлений еще не было.", "No updates found"},
    {"not_an_id", "Недопустимое значение."},
    // Importing.
    {"missing_institute_name", "Не указано название института.", "Missing institute.name"},
    {"missing_group", "Не указаны номер или название группы.", "Missing group.sstu_id or group.name"},
    {"lessons_not_a_list", "Занятия должны быть списком.", "lessons must be a list"},
    // Feeds.
    {"no_such_feed", "Такого календаря нет, или ссылка отозвана."},
    {"too_many_feeds", "У вас слишком много календарей. Отзовите ненужные."},
};

// At the login.
constexpr ErrorText kLoginTexts[] = {
    {"bad_login", "Неверный email или пароль", "", "", 400},
    {"account_inactive", "Аккаунт заблокирован", "", "user_inactive", 400},
    {"too_many_logins", "Слишком много попыток входа. Повторите позже."},
};

// The text of a problem by its type. Other types come with their own text.
constexpr ErrorText kProblems[] = {
    {"missing", "Обязательное поле."},
    {"string_type", "Недопустимая строка."},
    {"string_too_short", "Это поле не может быть пустым."},
    {"string_too_long", "Слишком длинное значение."},
    {"value_error", "Недопустимое значение."},
    {"int_parsing", "Введите целое число."},
    {"int_type", "Введите целое число."},
    {"int_from_float", "Введите целое число."},
    {"greater_than_equal", "Значение меньше допустимого."},
    {"less_than_equal", "Значение больше допустимого."},
    {"enum", "Выберите корректный вариант. Такого варианта нет среди допустимых значений."},
    {"bool_type", "Введите true или false."},
    {"bool_parsing", "Введите true или false."},
    {"date", "Введите правильную дату."},
    {"unknown_row", "Выберите корректный вариант. Вашего варианта нет среди допустимых значений."},
    {"model_attributes_type", "Недопустимые данные. Ожидался объект."},
    {"list_type", "Недопустимые данные. Ожидался список."},
    {"too_long", "Слишком много элементов."},
    {"duplicate_key", "Поле указано дважды."},
};

std::string_view PhraseOf(int status) {
  if (status == 404) return "Страница не найдена.";
  if (status == 409) return "Состояние изменилось. Обновите страницу.";
  if (status == 503) return "Сервер занят. Повторите запрос через несколько секунд.";
  return status < 500 ? "Недопустимый запрос." : "Внутренняя ошибка сервера.";
}

const ErrorText* Find(std::span<const ErrorText> texts, std::string_view code) {
  const auto found =
      std::find_if(texts.begin(), texts.end(), [&](const auto& text) { return text.code == code; });
  return found == texts.end() ? nullptr : &*found;
}

std::string Filled(std::string_view text, const Error& error, const Request& request) {
  std::string filled(text);
  const std::size_t at = filled.find("{}");
  if (at == std::string::npos) return filled;
  const auto* about = dynamic_cast<const ErrorAbout*>(&error);
  return filled.replace(at, 2, about != nullptr ? about->subject() : request.method);
}

// "group.sstu_id" for /group/sstu_id; "non_field_errors" for the whole input.
std::string KeyOf(const InputProblem& problem) {
  std::string key = PointerOf(problem.place);
  if (key.empty()) return "non_field_errors";
  key.erase(0, 1);
  std::replace(key.begin(), key.end(), '/', '.');
  return key;
}

std::string TextOf(const InputProblem& problem) {
  const ErrorText* known = Find(kProblems, problem.type);
  return known != nullptr ? std::string(known->detail) : problem.message;
}

Response PrintInputError(const InputError& error) {
  const InputProblem& first = error.problems().front();
  JsonWriter json;
  json.Object();
  if (first.type == "json_invalid") {
    const std::string text = "JSON parse error - byte " + std::to_string(first.offset.value_or(0));
    json.Add("error", text).Add("detail", text).Add("code", first.type);
    return Response::Json(400, json.Finish());
  }
  std::map<std::string, std::vector<std::string>> by_key;
  for (const InputProblem& problem : error.problems()) by_key[KeyOf(problem)].push_back(TextOf(problem));
  for (const auto& [key, texts] : by_key) json.Add(key, texts);
  const std::string text = first.place.empty() ? TextOf(first) : KeyOf(first) + ": " + TextOf(first);
  json.Add("error", text).Add("detail", text).Add("code", first.type).Add("pointer", PointerOf(first.place));
  return Response::Json(400, json.Finish());
}

// As Simple JWT tells which of its kinds of token was tried.
void AddTokenMessages(JsonWriter& json) {
  json.Array("messages")
      .Object()
      .Add("token_class", "AccessToken")
      .Add("token_type", "access")
      .Add("message", kBadToken)
      .End()
      .End();
}

Response Print(const Error& error, const Request& request, const ErrorText* known, bool is_login) {
  const int status = known != nullptr && known->status != 0 ? known->status : StatusOf(error.kind());
  const std::string detail = Filled(known != nullptr ? known->detail : PhraseOf(status), error, request);
  const std::string code(known != nullptr && !known->public_code.empty() ? known->public_code : error.code());
  JsonWriter json;
  json.Object();
  if (is_login && status != 401) json.Add("non_field_errors", std::vector<std::string>{detail});
  json.Add("error", known != nullptr && !known->error.empty() ? known->error : std::string_view(detail));
  json.Add("detail", detail).Add("code", code);
  if (status == 401 && code == "token_not_valid" && !is_login) AddTokenMessages(json);
  Response answer = Response::Json(status, json.Finish());
  if (status == 401) answer.With("WWW-Authenticate", "Bearer realm=\"api\"");
  return answer;
}

}  // namespace

Response PrintError(const Error& error, const Request& request) {
  if (const auto* input = dynamic_cast<const InputError*>(&error)) return PrintInputError(*input);
  return Print(error, request, Find(kTexts, error.code()), /*is_login=*/false);
}

Response PrintRefreshError(const Error& error, const Request& request) {
  if (const auto* input = dynamic_cast<const InputError*>(&error)) return PrintInputError(*input);
  return Print(error, request, Find(kTexts, error.code()), /*is_login=*/true);
}

Response PrintLoginError(const Error& error, const Request& request) {
  if (const auto* input = dynamic_cast<const InputError*>(&error)) return PrintInputError(*input);
  const ErrorText* known = Find(kLoginTexts, error.code());
  return Print(error, request, known != nullptr ? known : Find(kTexts, error.code()), /*is_login=*/true);
}

}  // namespace syncline::schedule
