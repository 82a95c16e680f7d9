#include "handlers/base/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/json.h"
#include "handlers/base/utf8.h"

namespace syncline {
namespace {

// Calls in the wrong order would produce invalid JSON: a bug of ours.
void Require(bool condition, const char* rule) {
  if (!condition) throw Error(ErrorKind::kInternal, "internal", std::string("JSON writer: ") + rule);
}

}  // namespace

JsonWriter& JsonWriter::Open(char begin, char end) {
  BeginValue();
  out_ += begin;
  open_ += end;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::End() {
  Require(!open_.empty() && !has_key_, "nothing to end");
  out_ += open_.back();
  open_.pop_back();
  return EndValue();
}

JsonWriter& JsonWriter::Key(std::string_view key) {
  Require(!open_.empty() && open_.back() == '}' && !has_key_, "a member outside of an object");
  if (needs_comma_) out_ += ',';
  Print(key);
  out_ += ':';
  has_key_ = true;
  return *this;
}

void JsonWriter::BeginValue() {
  Require(!is_complete_, "a value after the end");
  Require(open_.empty() || has_key_ == (open_.back() == '}'), "a member without a key");
  if (needs_comma_ && !has_key_) out_ += ',';
  has_key_ = false;
}

JsonWriter& JsonWriter::EndValue() {
  needs_comma_ = true;
  is_complete_ = open_.empty();
  if (sink_ != nullptr && out_.size() >= kPieceBytes) {
    sink_->Write(out_);
    out_.clear();
  }
  return *this;
}

std::string JsonWriter::Finish() {
  while (!open_.empty()) End();
  Require(is_complete_, "no value");
  if (sink_ == nullptr) return std::move(out_);
  if (!out_.empty()) sink_->Write(out_);
  out_.clear();
  return {};
}

void JsonWriter::Print(double value) {
  if (!std::isfinite(value)) return Print(nullptr);
  // As Python prints it, so that clients of Python servers still see a float: 5.0, 1000000.0, 1e+16.
  const double size = std::fabs(value);
  const bool is_plain = size == 0 || (size >= 1e-4 && size < 1e16);
  std::array<char, 32> text;
  const std::string_view digits(
      text.data(), static_cast<std::size_t>(
                       std::to_chars(text.data(), text.data() + text.size(), value,
                                     is_plain ? std::chars_format::fixed : std::chars_format::scientific)
                           .ptr -
                       text.data()));
  out_ += digits;
  if (is_plain && digits.find('.') == std::string_view::npos) out_ += ".0";
}

void JsonWriter::Print(std::string_view text) {
  if (IsUtf8(text)) {
    AppendQuoted(out_, text);
  } else {
    AppendQuoted(out_, ReplacedInvalid(text));
  }
}

void JsonWriter::Print(RawJson raw) {
  Require(!raw.text.empty(), "an empty text is not JSON");
  out_ += raw.text;
}

}  // namespace syncline
