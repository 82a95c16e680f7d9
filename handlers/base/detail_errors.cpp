#include "handlers/base/detail_errors.h"

#include <algorithm>
#include <string>

#include "handlers/base/input.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/status_phrases.h"

namespace syncline {
namespace {

constexpr std::string_view kHidden = "\"**********\"";

// Codes of the front and of base.
constexpr DetailText kOwnTexts[] = {
    {"login_required", "Not authenticated"},
    {"role_missing", "Not enough permissions"},
    {"body_not_utf8", "There was an error parsing the body"},
    // A path that cannot be decoded matches no route.
    {"bad_path", "Not Found", 404},
    {"bad_percent_encoding", "Not Found", 404},
};

// FastAPI's phrases where they differ from the registry.
std::string_view PhraseOf(int status) {
  switch (status) {
    case 401:
      return "Not authenticated";
    case 413:
      return "Request Entity Too Large";
    case 422:
      return "Unprocessable Entity";
    default:
      return StatusPhrase(status);
  }
}

const DetailText* FindText(std::string_view code, const DetailRules& rules) {
  for (const std::span<const DetailText> texts :
       {rules.texts, rules.more_texts, std::span<const DetailText>(kOwnTexts)}) {
    const auto found =
        std::find_if(texts.begin(), texts.end(), [&](const auto& text) { return text.code == code; });
    if (found != texts.end()) return &*found;
  }
  return nullptr;
}

std::string Filled(std::string_view text, const Error& error) {
  std::string filled(text);
  const auto* about = dynamic_cast<const ErrorAbout*>(&error);
  if (const std::size_t at = filled.find("{}"); about != nullptr && at != std::string::npos)
    filled.replace(at, 2, about->subject());
  return filled;
}

// The shown input of a problem: one JSON value.
std::string_view Shown(const InputProblem& problem, std::span<const std::string_view> secrets) {
  if (problem.type == "json_invalid") return "{}";
  if (problem.input.empty()) return "null";
  if (secrets.empty()) return problem.input;
  const bool is_null = problem.input == "null";
  if (problem.place.empty() || problem.type == "missing") return is_null ? "null" : "{}";
  const bool is_secret = std::any_of(problem.place.begin(), problem.place.end(), [&](const auto& step) {
    const auto* name = std::get_if<std::string>(&step);
    return name != nullptr && std::find(secrets.begin(), secrets.end(), *name) != secrets.end();
  });
  if (is_secret) return kHidden;
  return problem.input.starts_with('{') || problem.input.starts_with('[') ? "{}"
                                                                          : std::string_view(problem.input);
}

void AddProblem(JsonWriter& json, const InputProblem& problem, std::span<const std::string_view> secrets) {
  json.Object().Add("type", problem.type).Array("loc").Add(problem.source);
  if (problem.type == "json_invalid") json.Add(problem.offset.value_or(0));
  for (const auto& step : problem.place) std::visit([&](const auto& value) { json.Add(value); }, step);
  json.End().Add("msg", problem.message).Add("input", RawJson{Shown(problem, secrets)});
  if (!problem.context.empty()) json.Add("ctx", RawJson{problem.context});
  json.End();
}

}  // namespace

Response DetailAnswer(const Error& error, const DetailRules& rules) {
  JsonWriter json;
  json.Object();
  if (const auto* input = dynamic_cast<const InputError*>(&error)) {
    json.Array("detail");
    for (const InputProblem& problem : input->problems()) AddProblem(json, problem, rules.secrets);
    return Response::Json(422, json.Finish());
  }
  const DetailText* known = FindText(error.code(), rules);
  const int status = known != nullptr && known->status != 0 ? known->status : StatusOf(error.kind());
  json.Add("detail", Filled(known != nullptr ? known->text : PhraseOf(status), error));
  Response answer = Response::Json(status, json.Finish());
  const bool has_challenge =
      std::any_of(error.headers().begin(), error.headers().end(),
                  [](const auto& header) { return header.first == "WWW-Authenticate"; });
  if (status == 401 && !has_challenge) answer.With("WWW-Authenticate", "Bearer");
  return answer;
}

}  // namespace syncline
