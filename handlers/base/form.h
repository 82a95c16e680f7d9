#pragma once
// Reads a body of the type application/x-www-form-urlencoded (URL Standard, section 5), field by field in
// constant memory. Left out on purpose: charsets other than UTF-8, and a literal '%'.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/request.h"

namespace syncline {

struct FormField {
  std::string name;
  std::string value;
};

struct FormLimits {
  std::size_t fields = 100;
  std::size_t name_bytes = 100;        ///< decoded
  std::size_t value_bytes = 64 << 10;  ///< decoded
  std::size_t total_bytes = 1 << 20;   ///< of the body as it arrives
};

class FormReader {
 public:
  /// Reads the body of `request`, which must outlive it; no body is an empty form. Throws Error
  /// UnsupportedMedia "not_a_form" on another Content-Type.
  explicit FormReader(const Request& request, FormLimits limits = {});

  /// The next field, none after the last. Names may repeat; "a" is "a="; an empty field is skipped. Throws
  /// Error TooLarge "form_too_large" past a limit; BadInput "bad_percent_encoding", or "bad_form_text" on
  /// invalid UTF-8 or a NUL.
  std::optional<FormField> Next();

 private:
  int NextByte();  // -1: the end
  char Unescaped();

  BodySource* body_;
  const FormLimits limits_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::size_t bytes_ = 0, fields_ = 0;
};

/// The whole form, for bodies of a few fields. Throws as FormReader.
std::vector<FormField> ReadForm(const Request& request, FormLimits limits = {});

/// The first value of that name; null if there is none.
const std::string* ValueOf(const std::vector<FormField>& form, std::string_view name);

}  // namespace syncline
