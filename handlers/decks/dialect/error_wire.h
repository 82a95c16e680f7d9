#pragma once
// Errors as the add-on reads them: {"success":false,"code","message","error","details"}, where `message` and `error` are the same
// text, because its screens read one or the other.
//
// While it imports a deck, the add-on takes an error for a login that has ended, and stops, if its text contains one of
// kTrapWords. So no text here has one, and texts never repeat what a client sent: a field may be called "Author". Pure.
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/input.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::decks {

/// In any case (ui/settings_dialog.py of the add-on, builds of December 2025).
inline constexpr std::string_view kTrapWords[] = {"expired",      "invalid", "token",
                                                  "unauthorized", "401",     "auth"};

/// An error with a text of its own.
class Refusal : public Error {
 public:
  /// `text`: public, a sentence with its full stop. `details`: a JSON object.
  Refusal(ErrorKind kind, std::string code, std::string text, std::string details = "{}")
      : Error(kind, std::move(code)), text_(std::move(text)), details_(std::move(details)) {}
  const std::string& text() const { return text_; }
  const std::string& details() const { return details_; }

 private:
  std::string text_, details_;
};

/// 400.
inline Refusal Refused(std::string code, std::string text, std::string details = "{}") {
  return {ErrorKind::kBadInput, std::move(code), std::move(text), std::move(details)};
}

/// Codes as errors have them, in lower case, and their texts.
using CodeText = std::pair<std::string_view, std::string_view>;
std::span<const CodeText> ErrorTexts();

/// The whole answer (Dialect::render_error). 403 only where the add-on shall forget its login.
Response RenderError(const Error& error, const Request& request);
/// Its body. `details`: a JSON object.
std::string PrintError(std::string_view code, std::string_view text, std::string_view details = "{}");

}  // namespace syncline::decks
