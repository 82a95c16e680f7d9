#include "handlers/base/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "handlers/base/utf8.h"

namespace syncline {
namespace {

std::uint32_t Hex4(std::string_view digits) {
  std::uint32_t code = 0;
  std::from_chars(digits.data(), digits.data() + 4, code, 16);
  return code;
}

// Decodes and removes the escape at the front of `raw`. The parser has already validated it.
void TakeEscape(std::string_view& raw, std::string& out) {
  constexpr std::string_view kNames = "bfnrt", kCharacters = "\b\f\n\r\t";
  const char name = raw[1];
  if (name != 'u') {
    const auto known = kNames.find(name);
    out += known == std::string_view::npos ? name : kCharacters[known];
    raw.remove_prefix(2);
    return;
  }
  std::uint32_t code = Hex4(raw.substr(2, 4));
  raw.remove_prefix(6);
  if (code >= 0xD800 && code < 0xDC00) {
    code = 0x10000 + ((code - 0xD800) << 10) + (Hex4(raw.substr(2, 4)) - 0xDC00);
    raw.remove_prefix(6);
  }
  utf8proc_uint8_t bytes[4];
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

bool NeedsEscape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void AppendEscape(std::string& json, char c) {
  constexpr std::string_view kNamed = "\"\\\b\f\n\r\t", kNames = "\"\\bfnrt", kHex = "0123456789ABCDEF";
  json += '\\';
  if (const auto known = kNamed.find(c); known != std::string_view::npos) {
    json += kNames[known];
  } else {
    const auto code = static_cast<unsigned char>(c);
    json.append("u00").append({kHex[code >> 4], kHex[code & 15]});
  }
}

}  // namespace

// Turns RapidJSON's events into spans. The events carry no positions, so the start of a value is found by
// skipping whitespace and separators from the end of the previous token.
struct SpanRecorder {
  JsonSpans& out;
  const rapidjson::MemoryStream& stream;
  int record_depth, max_depth;
  std::size_t position = 0;  // end of the last token
  int depth = 0;
  std::uint32_t key_begin = 0, key_size = 0;
  std::vector<std::uint32_t> open;  // recorded containers that have not ended
  const char* refused = nullptr;    // why; `position` is where the token begins

  std::size_t SkipToToken() {
    while (position < out.text_.size() && std::strchr(" \t\r\n,:", out.text_[position]) != nullptr)
      ++position;
    return position;
  }
  bool Refuse(const char* why) {
    refused = why;
    return false;
  }
  bool Record(JsonSpans::Kind kind, std::size_t begin, std::size_t end) {
    if (depth <= record_depth && out.values_.size() >= JsonSpans::kMaxValues)
      return Refuse("too many values");
    position = end;
    if (depth > record_depth) return true;
    const auto next = static_cast<std::uint32_t>(out.values_.size() + 1);
    out.values_.push_back({kind, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), next,
                           key_begin, key_size});
    return true;
  }
  // RapidJSON accepts "\udc00".
  bool HasLoneSurrogate(std::size_t begin, const char* text, rapidjson::SizeType size) const {
    const bool escaped = std::memchr(out.text_.data() + begin, '\\', stream.Tell() - begin) != nullptr;
    return escaped && !IsUtf8({text, size});
  }

  bool Null() { return Literal(JsonSpans::Kind::kNull, 4); }
  bool Bool(bool value) {
    return value ? Literal(JsonSpans::Kind::kTrue, 4) : Literal(JsonSpans::Kind::kFalse, 5);
  }
  bool Literal(JsonSpans::Kind kind, std::size_t size) {
    const auto begin = SkipToToken();
    return Record(kind, begin, begin + size);
  }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    SkipToToken();
    // Refuses numbers beyond a double; only an exponent or very many digits can make one.
    if (size > 300 || std::memchr(text, 'e', size) != nullptr || std::memchr(text, 'E', size) != nullptr) {
      if (std::isinf(std::strtod(std::string(text, size).c_str(), nullptr)))
        return Refuse("number out of range");
    }
    return Literal(JsonSpans::Kind::kNumber, size);
  }
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    const auto begin = SkipToToken();
    if (HasLoneSurrogate(begin, text, size)) return Refuse("lone surrogate");
    return Record(JsonSpans::Kind::kString, begin, stream.Tell());
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    const auto begin = SkipToToken();
    if (HasLoneSurrogate(begin, text, size)) return Refuse("lone surrogate");
    position = stream.Tell();
    if (depth <= record_depth) {
      key_begin = static_cast<std::uint32_t>(out.decoded_.size());
      key_size = size;
      out.decoded_.append(text, size);
    }
    return true;
  }
  bool StartObject() { return Start(JsonSpans::Kind::kObject); }
  bool StartArray() { return Start(JsonSpans::Kind::kArray); }
  bool Start(JsonSpans::Kind kind) {
    const auto begin = SkipToToken();
    if (depth >= max_depth) return Refuse("nested too deep");
    if (depth <= record_depth) open.push_back(static_cast<std::uint32_t>(out.values_.size()));
    if (!Record(kind, begin, begin + 1)) return false;
    ++depth;
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return End(); }
  bool EndArray(rapidjson::SizeType) { return End(); }
  bool End() {
    position = SkipToToken() + 1;
    if (--depth > record_depth) return true;
    auto& value = out.values_[open.back()];
    open.pop_back();
    value.end = static_cast<std::uint32_t>(position);
    value.next = static_cast<std::uint32_t>(out.values_.size());
    return true;
  }
};

JsonSpans::JsonSpans(std::string_view text, int record_depth, int max_depth) : text_(text) {
  const auto bad = [](const std::string& why, std::size_t offset) {
    return BadJson("JSON: " + why + " at byte " + std::to_string(offset), offset);
  };
  if (text.size() > kMaxBytes) throw bad("too long", kMaxBytes);
  rapidjson::MemoryStream stream(text.data(), text.size());
  SpanRecorder recorder{*this, stream, record_depth, max_depth, 0, 0, 0, 0, {}, nullptr};
  rapidjson::Reader reader;
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
  const auto result = reader.Parse<kFlags>(stream, recorder);
  if (recorder.refused != nullptr) throw bad(recorder.refused, recorder.position);
  if (!result) throw bad(rapidjson::GetParseError_En(result.Code()), result.Offset());
  // RapidJSON treats a NUL byte as the end of the text.
  if (stream.Tell() != text.size()) throw bad("bytes after the end", stream.Tell());
}

std::string JsonSpans::Text(const Value& value) const {
  std::string text;
  if (value.kind != Kind::kString) return text;
  std::string_view raw = text_.substr(value.begin + 1, value.end - value.begin - 2);
  text.reserve(raw.size());
  for (;;) {
    const std::size_t plain = std::min(raw.find('\\'), raw.size());
    text.append(raw.substr(0, plain));
    raw.remove_prefix(plain);
    if (raw.empty()) return text;
    TakeEscape(raw, text);
  }
}

const JsonSpans::Value* JsonSpans::FindDuplicateKey() const {
  // Sorted, not hashed: clearing a hash table that was once large is slow for every small object.
  std::vector<std::pair<std::string_view, const Value*>> members;
  const auto has_same_key = [](const auto& a, const auto& b) { return a.first == b.first; };
  for (const Value& parent : values_) {
    if (parent.kind != Kind::kObject) continue;
    members.clear();
    EachIn(parent, [&](const Value& member) { members.emplace_back(Key(member), &member); });
    std::sort(members.begin(), members.end());
    const auto found = std::adjacent_find(members.begin(), members.end(), has_same_key);
    if (found != members.end()) return std::next(found)->second;
  }
  return nullptr;
}

bool HasDuplicateKeys(std::string_view json) {
  return JsonSpans(json).FindDuplicateKey() != nullptr;
}

bool MayHoldMoreValuesThan(std::string_view json, std::size_t count) {
  // Every value but the root follows one of these. Without branches, so that the compiler makes vectors of it.
  std::size_t found = 1;
  for (const char c : json) found += (c == ',') + (c == '[') + (c == '{');
  return found > count;
}

std::optional<std::string_view> FindMember(std::string_view object, std::string_view key) {
  const JsonSpans spans(object, 1);
  if (spans.Root().kind != JsonSpans::Kind::kObject) return std::nullopt;
  std::optional<std::string_view> found;
  spans.EachIn(spans.Root(), [&](const JsonSpans::Value& member) {
    if (spans.Key(member) == key) found = spans.Raw(member);
  });
  return found;
}

std::optional<std::int64_t> WholeNumber(std::string_view digits) {
  if (digits == "-0") return std::nullopt;
  std::int64_t number = 0;
  const char* const last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, number);
  if (error != std::errc() || end != last) return std::nullopt;
  return number;
}

std::string QuoteJson(std::string_view text) {
  std::string json;
  AppendQuoted(json, text);
  return json;
}

void AppendQuoted(std::string& json, std::string_view text) {
  // Reserves room for the escapes of ordinary HTML, so that a text of many MB is not moved while it grows.
  constexpr std::size_t kLong = 1 << 20;
  if (text.size() > kLong) json.reserve(json.size() + text.size() + text.size() / 8);
  json += '"';
  while (!text.empty()) {
    const auto escape = std::find_if(text.begin(), text.end(), NeedsEscape);
    const auto plain = static_cast<std::size_t>(escape - text.begin());
    json.append(text.substr(0, plain));
    if (plain == text.size()) break;
    AppendEscape(json, text[plain]);
    text.remove_prefix(plain + 1);
  }
  json += '"';
}

}  // namespace syncline
