// handlers/base/detail_errors, parameter_input, json_body: requests and errors in the manner of FastAPI.
#include "handlers/base/detail_errors.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

#include "handlers/base/input.h"
#include "handlers/base/json_input.h"
#include "handlers/base/parameter_input.h"

using namespace syncline;

namespace {

std::string BodyOf(const Response& response) {
  return std::get<std::string>(response.body);
}

std::string HeaderOf(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

constexpr std::string_view kSecrets[] = {"password"};
constexpr JsonRules kLax{.numbers_in_strings = true, .takes_last_key = true};

// What is answered when a body is read as {"name": text, "password": text of 8, "n": 1 to 9}.
std::string AnswerTo(std::string_view body, bool has_secrets = false) {
  try {
    ReadJson(
        body,
        [](const JsonObject& in) {
          in.Text("name", 5);
          in.Text("password", 20, 8);
          return in.Int("n", 1, 9);
        },
        kLax);
  } catch (const Error& error) {
    DetailRules rules;
    if (has_secrets) rules.secrets = kSecrets;
    const Response response = DetailAnswer(error, rules);
    BOOST_TEST(response.status == 422);
    return BodyOf(response);
  }
  return "fine";
}

Request Asking(std::string query) {
  Request request;
  request.query = std::move(query);
  return request;
}

// The problem of one parameter "p", as "type", or "".
template <typename Read>
std::string Found(std::string query, Read read) {
  const Request request = Asking(std::move(query));
  ParameterInput in(request);
  read(in.Query("p"));
  try {
    in.ThrowIfAny();
  } catch (const InputError& error) {
    BOOST_TEST(error.problems().size() == 1U);
    return error.problems().front().type;
  }
  return "";
}

std::string IntOf(std::string text) {
  std::optional<std::int64_t> number;
  const std::string problem =
      Found("p=" + std::move(text), [&](const Parameter& p) { number = p.Int(-5, 9); });
  return problem.empty() ? std::to_string(number.value()) : problem;
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_problems_are_told_with_their_places) {
  BOOST_TEST(
      AnswerTo(R"({"name":"abcdef","n":"x"})") ==
      R"({"detail":[{"type":"string_too_long","loc":["body","name"],"msg":"String should have at most 5 )"
      R"(characters","input":"abcdef","ctx":{"max_length":5}},{"type":"missing","loc":["body","password"],)"
      R"("msg":"Field required","input":{"name":"abcdef","n":"x"}},{"type":"int_parsing","loc":["body","n"],)"
      R"("msg":"Input should be a valid integer, unable to parse string as an integer","input":"x"}]})");
  BOOST_TEST(AnswerTo(R"({"name":1,"name":"a","password":"12345678","n":2,"n":3})") == "fine");
}

BOOST_AUTO_TEST_CASE(a_body_that_is_none_is_missing_or_no_object) {
  BOOST_TEST(AnswerTo("") ==
             R"({"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]})");
  BOOST_TEST(AnswerTo("[1]") ==
             R"({"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid )"
             R"(dictionary or object to extract fields from","input":[1]}]})");
  const std::string broken = AnswerTo("{\"a\":}");
  BOOST_TEST(broken.starts_with(
      R"({"detail":[{"type":"json_invalid","loc":["body",5],"msg":"JSON decode error","input":{},"ctx":{"error":)"));
}

BOOST_AUTO_TEST_CASE(secrets_are_never_shown) {
  for (const char* body : {R"({"name":"a","password":"Hidden","n":1})",
                           R"({"name":{"password":"Hidden"},"n":1})", R"({"password":"Hidden"})",
                           R"({"password":["Hidden"],"name":"a","n":1})", R"("Hidden")", R"(["Hidden"])"}) {
    const std::string answer = AnswerTo(body, true);
    BOOST_TEST(answer.find("Hidden") == std::string::npos, answer);
  }
  BOOST_TEST(AnswerTo(R"({"name":"a","password":"short","n":1})", true).find(R"("input":"**********")") !=
             std::string::npos);
  BOOST_TEST(
      AnswerTo(R"({"name":"abcdef","password":"long enough","n":1})", true).find(R"("input":"abcdef")") !=
      std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_code_has_a_text_and_perhaps_a_status_of_its_own) {
  constexpr DetailText kTexts[] = {{"no_such_title", "No title {}"}, {"odd", "Odd", 418}};
  const DetailRules rules{.texts = kTexts};
  const auto answer = [&](const Error& error) {
    const Response response = DetailAnswer(error, rules);
    return std::to_string(response.status) + BodyOf(response);
  };
  BOOST_TEST(answer(ErrorAbout(ErrorKind::kNotFound, "no_such_title", 7)) == R"(404{"detail":"No title 7"})");
  BOOST_TEST(answer(Conflict("odd")) == R"(418{"detail":"Odd"})");
  BOOST_TEST(answer(NotFound("anything")) == R"(404{"detail":"Not Found"})");
  BOOST_TEST(answer(BadInput("bad_path")) == R"(404{"detail":"Not Found"})");
  BOOST_TEST(answer(Error(ErrorKind::kInternal, "internal", "private")) ==
             R"(500{"detail":"Internal Server Error"})");
}

BOOST_AUTO_TEST_CASE(a_refused_login_names_the_scheme) {
  BOOST_TEST(HeaderOf(DetailAnswer(Unauthenticated("login_required"), {}), "WWW-Authenticate") == "Bearer");
  BOOST_TEST(BodyOf(DetailAnswer(Unauthenticated("login_required"), {})) ==
             R"({"detail":"Not authenticated"})");
  // The front adds the error's own.
  const Error own = Unauthenticated("x").With("WWW-Authenticate", "Basic");
  BOOST_TEST(HeaderOf(DetailAnswer(own, {}), "WWW-Authenticate").empty());
}

BOOST_AUTO_TEST_CASE(parameters_are_numbers_in_all_spellings_of_pydantic) {
  for (const char* five : {"5", "%2B5", "+5+", "005", "5.0", "5.00"}) BOOST_TEST(IntOf(five) == "5", five);
  BOOST_TEST(IntOf("-5") == "-5");
  for (const char* none : {"", "5.", "5.5", "1e3", "0x1", "1__0", "%D9%A5", "--5", "%2B-5", "nan", "-", "."})
    BOOST_TEST(IntOf(none) == "int_parsing", none);
  BOOST_TEST(IntOf("10") == "less_than_equal");
  BOOST_TEST(IntOf("-6") == "greater_than_equal");
  BOOST_TEST(IntOf(std::string(5000, '9')) == "less_than_equal");
  const auto number = [](const Parameter& p) { p.Double(0, 10); };
  for (const char* good : {"1e1", ".5", "5.", "%2B7"})
    BOOST_TEST(Found("p=" + std::string(good), number) == "", good);
  for (const char* none : {"", "0x1", "7,5"})
    BOOST_TEST(Found("p=" + std::string(none), number) == "float_parsing", none);
  BOOST_TEST(Found("p=nan", number) == "greater_than_equal");
  BOOST_TEST(Found("p=inf", number) == "less_than_equal");
}

BOOST_AUTO_TEST_CASE(the_last_of_repeated_parameters_counts) {
  const Request request = Asking("a=1&b=x&a=2&c=%zz&d=a%20b+c&&e");
  ParameterInput in(request);
  BOOST_TEST(in.Query("a").Int(0, 9).value() == 2);
  BOOST_TEST(in.Query("c").Text(9).value() == "%zz");
  BOOST_TEST(in.Query("d").Text(9).value() == "a b c");
  BOOST_TEST(in.Query("e").Text(9).value() == "");
  BOOST_TEST(!in.Query("f").Text(9).has_value());
  BOOST_TEST(in.Queries("a", 5).size() == 2U);
  in.ThrowIfAny();
  BOOST_TEST(in.Queries("a", 1).empty());
  BOOST_CHECK_THROW(in.ThrowIfAny(), InputError);
}

BOOST_AUTO_TEST_CASE(a_parameter_is_storable_text) {
  const auto text = [](const Parameter& p) { p.Text(3); };
  BOOST_TEST(Found("p=%C3%A9%C3%A9%C3%A9", text) == "");
  BOOST_TEST(Found("p=abcd", text) == "string_too_long");
  BOOST_TEST(Found("p=%00", text) == "value_error");
  BOOST_TEST(Found("p=%ff", text) == "value_error");
  BOOST_TEST(Found("q=1", [](const Parameter& p) { p.Required().Text(3); }) == "missing");
}

BOOST_AUTO_TEST_CASE(problems_of_parameters_come_before_those_of_the_body) {
  const Request request = Asking("limit=0");
  ParameterInput in(request);
  in.Query("limit").Int(1, 9);
  try {
    ReadJson(
        "{}", [](const JsonObject& body) { return body.Int("n"); }, kLax, in.TakeProblems());
    BOOST_ERROR("accepted");
  } catch (const InputError& error) {
    BOOST_TEST(
        BodyOf(DetailAnswer(error, {})) ==
        R"({"detail":[{"type":"greater_than_equal","loc":["query","limit"],"msg":"Input should be greater )"
        R"(than or equal to 1","input":"0","ctx":{"ge":1}},{"type":"missing","loc":["body","n"],"msg":)"
        R"("Field required","input":{}}]})");
  }
}
