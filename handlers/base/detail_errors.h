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

/// An error whose text names something: "{}" in it is replaced by `subject`, which is public.
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
  /// Texts of the service's codes. Those of the front have texts of their own, which may be replaced here. A code
  /// without a text is shown as the phrase of its status: "Not Found".
  std::span<const DetailText> texts{};
  /// Those of what it shares with other services, such as the login.
  std::span<const DetailText> more_texts{};
  /// Fields whose values are never shown: `input` is "**********" instead. If there are any, objects are not shown
  /// either ({}), because they may hold such a field, nor is a body that is a text.
  std::span<const std::string_view> secrets{};
};

/// The whole answer. 401 has `WWW-Authenticate: Bearer`, unless the error brings another one.
Response DetailAnswer(const Error& error, const DetailRules& rules);

}  // namespace syncline
