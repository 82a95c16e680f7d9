#include "handlers/schedule/reading/answer_wire.h"

#include <algorithm>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/json.h"
#include "handlers/base/sha256.h"
#include "handlers/base/timestamp.h"
#include "handlers/schedule/lessons/name_rules.h"

namespace syncline::schedule {
namespace {

// Version of the answers' format: raise it when a release prints the same rows differently.
constexpr std::string_view kForm = "1";
constexpr std::size_t kTagBytes = 12;
constexpr std::int64_t kMaxPage = 1'000'000;
constexpr std::size_t kMaxOrdering = 200;

Response Private(Response answer) {
  return std::move(answer).With("Cache-Control", "private, no-cache");
}

Response WithFreshness(Response answer, const TimetableState& state) {
  if (state.data_as_of) answer.With("X-Data-As-Of", PrintTimestamp(*state.data_as_of));
  return Private(std::move(answer));
}

Response Tagged(const Request& request, ETag tag, std::string json) {
  const Current current{.exists = true, .etag = std::move(tag)};
  if (Evaluate(Conditions(request), current) == Outcome::kNotModified) return Private(NotModified(current));
  return Private(Response::Json(200, std::move(json)).With("ETag", current.etag->Print()));
}

bool IsHost(std::string_view host) {
  return !host.empty() && host.size() < 300 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':' || c == '[' || c == ']';
  });
}

}  // namespace

std::string ShortHash(std::string_view text) {
  return HexText(Sha256(text).substr(0, kTagBytes));
}

Response TaggedAnswer(const Request& request, std::string json) {
  const ETag tag = ETag::Of(ShortHash(json));
  return Tagged(request, tag, std::move(json));
}

Response TaggedAnswer(const Request& request, std::string_view stamp, std::string json) {
  return Tagged(request, ETag::Of(ShortHash(stamp)), std::move(json));
}

Current ValidatorsOf(const Request& request, const TimetableState& state, std::string_view more) {
  std::string text(kForm);
  text.append("\n").append(request.path).append("\n").append(request.query).append("\n").append(more);
  return {.exists = true,
          .etag = ETag::Of(std::to_string(state.revision) + "-" + ShortHash(text)),
          .modified_at = std::nullopt};
}

Response LessonAnswer(std::string json, const Current& current, const TimetableState& state) {
  return WithFreshness(Response::Json(200, std::move(json)).With("ETag", current.etag->Print()), state);
}

Response UnchangedLessons(const Current& current, const TimetableState& state) {
  return WithFreshness(NotModified(current), state);
}

std::int64_t PathId(const Request& request, std::string_view name) {
  const auto id = WholeNumber(request.PathParam(name));
  if (!id || *id < 1 || *id > kMaxId) throw NotFound("no_such_row");
  return *id;
}

std::string OrderOf(ParameterInput& in, std::span<const std::string_view> names) {
  const std::string asked = in.Query("ordering").Text(kMaxOrdering).value_or("");
  std::string_view rest = asked;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    const std::string_view name = word.starts_with('-') ? word.substr(1) : word;
    if (std::find(names.begin(), names.end(), name) != names.end()) return std::string(word);
  }
  return std::string(names.front());
}

std::int64_t PageOf(ParameterInput& in) {
  const std::string text = in.Query("page").Text(20).value_or("1");
  const auto page = WholeNumber(text);
  if (!page || *page < 1 || *page > kMaxPage) throw NotFound("invalid_page");
  return *page;
}

std::string OriginOf(const Request& request) {
  const auto host = request.Header("host");
  const auto scheme = request.Header("syncline-scheme");
  if (!host || !IsHost(*host)) return {};
  return std::string(scheme.value_or("http")) + "://" + std::string(*host);
}

std::string LinkToPage(const Request& request, std::int64_t page) {
  std::string query;
  std::string_view rest = request.query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.empty() || pair.substr(0, pair.find('=')) == "page") continue;
    query.append(pair).append("&");
  }
  return OriginOf(request) + request.path + "?" + query + "page=" + std::to_string(page);
}

}  // namespace syncline::schedule
