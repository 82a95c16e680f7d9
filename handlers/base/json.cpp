#include "handlers/base/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>

#include "handlers/base/errors.h"

namespace syncline {
namespace {

// ---- ParseJson: RapidJSON's reader, with a handler between it and the document that counts.

constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                            rapidjson::kParseFullPrecisionFlag;

/// Ends the parse by returning false once there is too much.
template <typename Handler>
class Counted {
 public:
  using Ch = char;
  Counted(Handler& handler, const JsonLimits& limits) : handler_(handler), limits_(limits) {}

  bool Null() { return Count() && handler_.Null(); }
  bool Bool(bool value) { return Count() && handler_.Bool(value); }
  bool Int(int value) { return Count() && handler_.Int(value); }
  bool Uint(unsigned value) { return Count() && handler_.Uint(value); }
  bool Int64(std::int64_t value) { return Count() && handler_.Int64(value); }
  bool Uint64(std::uint64_t value) { return Count() && handler_.Uint64(value); }
  bool Double(double value) { return Count() && handler_.Double(value); }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool copy) {
    return Count() && handler_.RawNumber(text, length, copy);
  }
  bool String(const char* text, rapidjson::SizeType length, bool copy) {
    return Count() && handler_.String(text, length, copy);
  }
  bool Key(const char* text, rapidjson::SizeType length, bool copy) {
    return Count() && handler_.Key(text, length, copy);
  }
  bool StartObject() { return Deeper() && handler_.StartObject(); }
  bool EndObject(rapidjson::SizeType members) {
    --depth_;
    return handler_.EndObject(members);
  }
  bool StartArray() { return Deeper() && handler_.StartArray(); }
  bool EndArray(rapidjson::SizeType elements) {
    --depth_;
    return handler_.EndArray(elements);
  }
  bool too_deep() const { return depth_ > limits_.depth; }

 private:
  bool Count() { return ++values_ <= limits_.values; }
  bool Deeper() { return ++depth_ <= limits_.depth && Count(); }

  Handler& handler_;
  const JsonLimits& limits_;
  std::size_t depth_ = 0;
  std::size_t values_ = 0;
};

// ---- The Raw functions: a scanner that knows where values begin and end and nothing else about them.

Error NotJson(const char* why) {
  return BadInput("bad_json", why);
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) { SkipBlanks(); }

  std::size_t at() const { return at_; }
  char Peek() const {
    if (at_ >= text_.size()) throw NotJson("the text ends early");
    return text_[at_];
  }
  bool Take(char c) {
    if (Peek() != c) return false;
    ++at_;
    SkipBlanks();
    return true;
  }
  void Expect(char c) {
    if (!Take(c)) throw NotJson("another character expected");
  }
  /// The text of the value that begins here; afterwards stands behind it and the blanks that follow.
  std::string_view Value() {
    const std::size_t begin = at_;
    switch (Peek()) {
      case '"':
        SkipString();
        break;
      case '{':
      case '[':
        SkipNested();
        break;
      default:
        while (at_ < text_.size() && !IsEnd(text_[at_])) ++at_;
        if (at_ == begin) throw NotJson("a value expected");
    }
    const std::string_view value = text_.substr(begin, at_ - begin);
    SkipBlanks();
    return value;
  }
  /// A string's text between its quotes, escapes as they stand.
  std::string_view Key() {
    if (Peek() != '"') throw NotJson("a key expected");
    const std::string_view quoted = Value();
    return quoted.substr(1, quoted.size() - 2);
  }
  void End() const {
    if (at_ != text_.size()) throw NotJson("text after the value");
  }

 private:
  static bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  static bool IsEnd(char c) { return c == ',' || c == ']' || c == '}' || c == ':' || IsBlank(c); }
  void SkipBlanks() {
    while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
  }
  void SkipString() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        return;
      }
      if (text_[at_] == '\\') ++at_;
    }
    at_ = text_.size();
    throw NotJson("a string without end");
  }
  // Brackets are counted, not matched by kind: the text has been through ParseJson.
  void SkipNested() {
    std::size_t depth = 0;
    do {
      const char c = Peek();
      if (c == '"') {
        SkipString();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth > 0);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// The text of a key without escapes. Keys with escapes are rare, so they may cost a parse.
std::string Decoded(std::string_view key) {
  if (key.find('\\') == std::string_view::npos) return std::string(key);
  const rapidjson::Document document = ParseJson('"' + std::string(key) + '"');
  return {document.GetString(), document.GetStringLength()};
}

bool KeyIs(std::string_view key, std::string_view wanted) {
  return key == wanted || (key.find('\\') != std::string_view::npos && Decoded(key) == wanted);
}

/// Calls `member(key as it stands, value)` for every member. Returns the offset of the closing brace.
template <typename F>
std::size_t EachMember(std::string_view object, F&& member) {
  Scanner scanner(object);
  scanner.Expect('{');
  for (bool first = true;; first = false) {
    if (scanner.Peek() == '}') {
      const std::size_t end = scanner.at();
      scanner.Expect('}');
      scanner.End();
      return end;
    }
    if (!first) scanner.Expect(',');
    const std::string_view key = scanner.Key();
    scanner.Expect(':');
    member(key, scanner.Value());
  }
}

void RefuseRepeatedKeys(std::vector<std::string> keys) {
  std::sort(keys.begin(), keys.end());
  if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) throw NotJson("a key twice in one object");
}

}  // namespace

rapidjson::Document ParseJson(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) throw TooLarge("json_too_large", "bytes");
  // Not through EncodedInputStream: a byte order mark is no JSON.
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  rapidjson::Document document;
  bool too_deep = false;
  const auto generate = [&](rapidjson::Document& into) {
    Counted<rapidjson::Document> counted(into, limits);
    const bool ok = !reader.Parse<kFlags>(stream, counted).IsError();
    too_deep = counted.too_deep();
    return ok;
  };
  document.Populate(generate);
  if (!reader.HasParseError()) {
    // The reader takes a zero byte for the end.
    if (stream.Tell() != text.size()) throw BadInput("bad_json", "a zero byte");
    return document;
  }
  const rapidjson::ParseErrorCode code = reader.GetParseErrorCode();
  if (code == rapidjson::kParseErrorTermination && !too_deep) throw TooLarge("json_too_large", "values");
  throw BadInput("bad_json", too_deep ? "nested too deeply"
                                      : rapidjson::GetParseError_En(code) + std::string(" at byte ") +
                                            std::to_string(reader.GetErrorOffset()));
}

std::optional<std::string_view> RawMember(std::string_view object, std::string_view key) {
  std::optional<std::string_view> found;
  EachMember(object, [&](std::string_view each, std::string_view value) {
    if (!KeyIs(each, key)) return;
    if (found) throw NotJson("a key twice in one object");
    found = value;
  });
  return found;
}

std::optional<std::string_view> RawAt(std::string_view object, std::initializer_list<std::string_view> keys) {
  std::optional<std::string_view> value = object;
  for (const std::string_view key : keys) {
    if (!value) break;
    value = RawMember(*value, key);
  }
  return value;
}

std::vector<std::string_view> RawElements(std::string_view array) {
  Scanner scanner(array);
  scanner.Expect('[');
  std::vector<std::string_view> elements;
  while (!scanner.Take(']')) {
    if (!elements.empty()) scanner.Expect(',');
    elements.push_back(scanner.Value());
  }
  scanner.End();
  return elements;
}

std::vector<std::pair<std::string, std::string_view>> RawMembers(std::string_view object) {
  std::vector<std::pair<std::string, std::string_view>> members;
  std::vector<std::string> keys;
  EachMember(object, [&](std::string_view key, std::string_view value) {
    members.emplace_back(Decoded(key), value);
    keys.push_back(members.back().first);
  });
  RefuseRepeatedKeys(std::move(keys));
  return members;
}

std::string SetMembers(std::string_view object, std::initializer_list<JsonMember> members) {
  std::string out;
  out.reserve(object.size() + 64);
  std::size_t copied = 0;
  std::vector<std::string> keys;
  std::vector<bool> replaced(members.size(), false);
  const std::size_t end = EachMember(object, [&](std::string_view key, std::string_view value) {
    keys.push_back(Decoded(key));
    for (std::size_t i = 0; i < members.size(); ++i) {
      const JsonMember& member = members.begin()[i];
      if (keys.back() != member.key) continue;
      const auto begin = static_cast<std::size_t>(value.data() - object.data());
      out.append(object.substr(copied, begin - copied)).append(member.json);
      copied = begin + value.size();
      replaced[i] = true;
    }
  });
  const bool empty = keys.empty();
  RefuseRepeatedKeys(std::move(keys));
  out.append(object.substr(copied, end - copied));
  bool first = empty;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (replaced[i]) continue;
    const JsonMember& member = members.begin()[i];
    if (!std::exchange(first, false)) out.push_back(',');
    out.append("\"").append(member.key).append("\":").append(member.json);
  }
  out.append(object.substr(end));
  return out;
}

std::string JsonQuoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
          out += "0123456789abcdef"[c & 15];
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

}  // namespace syncline
