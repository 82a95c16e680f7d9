// handlers/schedule/error_wire: errors in the manner of Django REST framework.
#include "handlers/schedule/error_wire.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <variant>

#include "handlers/base/input.h"

using namespace syncline;
using namespace syncline::schedule;

namespace {

std::string BodyOf(const Response& response) {
  return std::get<std::string>(response.body);
}

std::string HeaderOf(const Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

Response Print(const Error& error, const char* method = "GET") {
  Request request;
  request.method = method;
  return PrintError(error, request);
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_error_has_error_detail_and_code) {
  for (const Error& error :
       {NotFound("no_such_path"), Unauthenticated("login_required"), Forbidden("role_missing"), Busy("busy"),
        Error(ErrorKind::kInternal, "internal"), BadInput("some_new_code"), TooLarge("body_too_large"),
        Error(ErrorKind::kTooMany, "too_many_requests"), BadInput("group_required")}) {
    for (const Response& answer : {Print(error), PrintLoginError(error, Request())}) {
      BOOST_TEST(HeaderOf(answer, "Content-Type") == "application/json");
      for (const char* key : {"\"error\":\"", "\"detail\":\"", "\"code\":\""})
        BOOST_TEST(BodyOf(answer).find(key) != std::string::npos, error.code());
    }
  }
}

BOOST_AUTO_TEST_CASE(texts_are_those_of_the_original) {
  BOOST_TEST(BodyOf(Print(Unauthenticated("login_required"))).find("Учетные данные не были предоставлены.") !=
             std::string::npos);
  BOOST_TEST(BodyOf(Print(Forbidden("role_missing"))) ==
             R"({"error":"У вас недостаточно прав для выполнения данного действия.",)"
             R"("detail":"У вас недостаточно прав для выполнения данного действия.","code":"role_missing"})");
  BOOST_TEST(BodyOf(Print(Error(ErrorKind::kMethodNotAllowed, "method_not_allowed"), "POST"))
                 .find(R"(Метод \"POST\" не разрешен.)") != std::string::npos);
  BOOST_TEST(BodyOf(Print(NotFound("no_group"))).find(R"("error":"User has no group assigned")") !=
             std::string::npos);
  BOOST_TEST(BodyOf(Print(NotFound("invalid_page"))).find("Неправильная страница") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(bad_tokens_have_one_code_and_a_challenge) {
  for (const char* code : {"bad_token", "token_expired", "bad_token_type", "token_revoked"}) {
    const Response answer = Print(Unauthenticated(code));
    BOOST_TEST(answer.status == 401);
    BOOST_TEST(HeaderOf(answer, "WWW-Authenticate") == "Bearer realm=\"api\"");
    BOOST_TEST(
        BodyOf(answer).find(
            R"("code":"token_not_valid","messages":[{"token_class":"AccessToken","token_type":"access")") !=
        std::string::npos);
  }
  BOOST_TEST(BodyOf(Print(Unauthenticated("bad_authorization_header")))
                 .find(R"("code":"bad_authorization_header")") != std::string::npos);
  BOOST_TEST(Print(Forbidden("account_inactive")).status == 401);
}

BOOST_AUTO_TEST_CASE(a_refused_login_is_a_400_with_non_field_errors) {
  const Response wrong = PrintLoginError(Unauthenticated("bad_login"), Request());
  BOOST_TEST(wrong.status == 400);
  BOOST_TEST(BodyOf(wrong) ==
             R"({"non_field_errors":["Неверный email или пароль"],"error":"Неверный email или пароль",)"
             R"("detail":"Неверный email или пароль","code":"bad_login"})");
  const Response blocked = PrintLoginError(Forbidden("account_inactive"), Request());
  BOOST_TEST(blocked.status == 400);
  BOOST_TEST(BodyOf(blocked).find(R"("non_field_errors":["Аккаунт заблокирован"])") != std::string::npos);
  const Response often = PrintLoginError(Error(ErrorKind::kTooMany, "too_many_logins"), Request());
  BOOST_TEST(often.status == 429);
  BOOST_TEST(BodyOf(often).find("non_field_errors") != std::string::npos);
  const Response refresh = PrintLoginError(Unauthenticated("token_expired"), Request());
  BOOST_TEST(refresh.status == 401);
  BOOST_TEST(BodyOf(refresh).find("non_field_errors") == std::string::npos);
  BOOST_TEST(BodyOf(refresh).find(R"("code":"token_not_valid")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(bad_input_is_keyed_by_its_place) {
  const Response one = Print(InputError(std::vector<InputProblem>{
      {.type = "int_parsing", .source = "query", .place = {"institute"}, .message = "x"}}));
  BOOST_TEST(one.status == 400);
  BOOST_TEST(BodyOf(one) ==
             R"({"institute":["Введите целое число."],"error":"institute: Введите целое число.",)"
             R"("detail":"institute: Введите целое число.","code":"int_parsing","pointer":"/institute"})");
  const Response deep = Print(InputError(std::vector<InputProblem>{
      {.type = "int_type", .place = {"group", "sstu_id"}}, {.type = "missing", .place = {"group", "name"}}}));
  BOOST_TEST(
      BodyOf(deep).find(R"("group.name":["Обязательное поле."],"group.sstu_id":["Введите целое число."])") !=
      std::string::npos);
  BOOST_TEST(BodyOf(deep).find(R"("pointer":"/group/sstu_id")") != std::string::npos);
  const Response json = Print(InputError(std::vector<InputProblem>{{.type = "json_invalid", .offset = 7}}));
  BOOST_TEST(BodyOf(json).find(R"("detail":"JSON parse error - byte 7")") != std::string::npos);
}
