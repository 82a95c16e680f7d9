#include "fcgi/authorization.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace syncline::front {
namespace {

// Together with the time for which the authorizer caches a key (account/login/known_keys.h) less than a
// second: the longest time that a revoked key still works.
constexpr std::chrono::milliseconds kTrustedFor{300};

template <typename T>
std::optional<T> Number(std::optional<std::string_view> text) {
  T number{};
  if (!text) return std::nullopt;
  const char* const end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

std::string_view TakeWord(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

}  // namespace

bool IsQuestion(const Request& request) {
  return request.Header("syncline-authorize").has_value();
}

Response Admission(const Request& question, const std::optional<Identity>& identity) {
  Response response = Response::Empty(204);
  if (!identity || question.Header("syncline-authorize") == "unnamed") return response;
  return std::move(response)
      .With("Syncline-User", std::to_string(static_cast<std::int64_t>(identity->user)))
      .With("Syncline-Device", std::to_string(static_cast<std::int64_t>(identity->device)))
      .With("Syncline-Roles", std::to_string(static_cast<std::uint32_t>(identity->roles)));
}

std::string RefusalText(const Error& error) {
  return std::to_string(StatusOf(error.kind())) + " " + error.code() + " " +
         std::to_string(error.retry_after().value_or(std::chrono::seconds(0)).count());
}

std::optional<Error> RefusalOf(const Request& request) {
  const auto header = request.Header("syncline-refusal");
  if (!header) return std::nullopt;
  std::string_view rest = *header;
  const auto status = Number<int>(TakeWord(rest));
  const std::string_view code = TakeWord(rest);
  const auto seconds = Number<std::int64_t>(rest);
  if (!status || code.empty() || !seconds) return Busy("busy", "refusal: " + std::string(*header));
  Error error(KindOf(*status), std::string(code), "refused by the authorizer");
  if (*seconds > 0) return std::move(error).RetryAfter(std::chrono::seconds(*seconds));
  return error;
}

std::optional<Identity> AdmittedAs(const Request& request, std::chrono::milliseconds waited) {
  const auto user = Number<std::int64_t>(request.Header("syncline-user"));
  const auto device = Number<std::int64_t>(request.Header("syncline-device"));
  const auto roles = Number<std::uint32_t>(request.Header("syncline-roles"));
  const auto age = Number<double>(request.Header("syncline-seconds"));
  if (!user || !device || !roles || !age) return std::nullopt;
  if (*user <= 0 || !(std::chrono::duration<double>(*age) + waited < kTrustedFor)) return std::nullopt;
  return Identity{UserId{*user}, DeviceId{*device}, static_cast<Roles>(*roles)};
}

}  // namespace syncline::front
