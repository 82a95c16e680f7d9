#include "handlers/base/form.h"

#include <algorithm>

#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"
#include "handlers/base/utf8.h"

namespace syncline {
namespace {

constexpr std::size_t kBufferBytes = 16 << 10;

void CheckText(const std::string& text) {
  if (!IsStorableText(text)) throw BadInput("bad_form_text");
}

}  // namespace

FormReader::FormReader(const Request& request, FormLimits limits) : body_(request.body), limits_(limits) {
  const auto type = ParseHeaderParameters(request.Header("content-type").value_or(""));
  if (body_ != nullptr && (!type || type->value != "application/x-www-form-urlencoded"))
    throw Error(ErrorKind::kUnsupportedMedia, "not_a_form", "Content-Type is not that of a form");
}

int FormReader::NextByte() {
  if (body_ == nullptr) return -1;
  if (at_ == buffer_.size()) {
    buffer_.resize(kBufferBytes);
    buffer_.resize(body_->Read(buffer_.data(), kBufferBytes));
    at_ = 0;
    bytes_ += buffer_.size();
    if (bytes_ > limits_.total_bytes) throw TooLarge("form_too_large", "too many bytes");
    if (buffer_.empty()) return -1;
  }
  return static_cast<unsigned char>(buffer_[at_++]);
}

char FormReader::Unescaped() {
  std::string escape = "%";
  for (int i = 0; i < 2; ++i) {
    const int byte = NextByte();
    if (byte < 0) throw BadInput("bad_percent_encoding");
    escape += static_cast<char>(byte);
  }
  return PercentDecoded(escape, /*plus_is_space=*/false).front();
}

std::optional<FormField> FormReader::Next() {
  FormField field;
  bool is_name = true, is_empty = true;
  for (;;) {
    const int byte = NextByte();
    if (byte < 0 || byte == '&') {
      if (!is_empty) break;
      if (byte < 0) return std::nullopt;
      continue;
    }
    if (is_empty && ++fields_ > limits_.fields) throw TooLarge("form_too_large", "too many fields");
    is_empty = false;
    if (byte == '=' && is_name) {
      is_name = false;
      continue;
    }
    std::string& part = is_name ? field.name : field.value;
    if (part.size() == (is_name ? limits_.name_bytes : limits_.value_bytes))
      throw TooLarge("form_too_large", is_name ? "name too long" : "value too long: " + field.name);
    part += byte == '%' ? Unescaped() : byte == '+' ? ' ' : static_cast<char>(byte);
  }
  CheckText(field.name);
  CheckText(field.value);
  return field;
}

std::vector<FormField> ReadForm(const Request& request, FormLimits limits) {
  std::vector<FormField> form;
  FormReader reader(request, limits);
  while (auto field = reader.Next()) form.push_back(std::move(*field));
  return form;
}

const std::string* ValueOf(const std::vector<FormField>& form, std::string_view name) {
  const auto found =
      std::find_if(form.begin(), form.end(), [&](const FormField& field) { return field.name == name; });
  return found == form.end() ? nullptr : &found->value;
}

}  // namespace syncline
