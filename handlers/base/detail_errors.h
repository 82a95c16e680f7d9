#pragma once
// Errors as FastAPI shows them, for dialects whose clients were written for it: `{"detail": "text"}`, and
// `{"detail": [{"type", "loc", "msg", "input", "ctx"}, ...]}` with 422 for invalid input (InputError). A dialect does
//
//   constexpr DetailText kTexts[] = {{"email_taken", "Email already registered"}, {"no_such_title", "No title {}"}};
//   Response RenderError(const Error& error, const Request&) { return DetailAnswer(error, {.texts = kTexts}); }
//
// Routes parse their bodies with json_body.h; Dialect::redirects_slashes completes the picture. Left out on purpose:
// the `url` key of Pydantic, which FastAPI removes.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "handlers/base/errors.h"
#include "handlers/base/response.h"

namespace syncline {

/// An error with a parameter: "{}" in its text is replaced by `subject`, which is public.
class ErrorAbout : public Error {
 public:
  ErrorAbout(ErrorKind kind, std::string code, std::string subject)
      : Error(kind, std::move(code), "about " + subject), subject_(std::move(subject)) {}
  ErrorAbout(ErrorKind kind, std::string code, std::int64_t subject)
      : ErrorAbout(kind, std::move(code), std::to_string(subject)) {}
  const std::string& subject() const { return subject_; }

 private:
  std::string subject_;
};

struct DetailText {
  std::string_view code;
  std::string_view text;
  int status = 0;  ///< 0: that of the error's kind
};

struct DetailRules {
  /// Texts of the service's codes. The front's codes have default texts, which may be overridden here. A code
  /// without a text is shown as the phrase of its status: "Not Found".
  std::span<const DetailText> texts{};
  /// Texts of codes shared with other services, such as those of the login.
  std::span<const DetailText> more_texts{};
  /// Fields whose values are never shown: `input` is "**********" instead. If there are any, objects are
  /// shown as {}, because they may contain such a field, and a body that is a string is not shown.
  std::span<const std::string_view> secrets{};
};

/// The whole answer. A 401 has `WWW-Authenticate: Bearer` unless the error sets another value.
Response DetailAnswer(const Error& error, const DetailRules& rules);

}  // namespace syncline
