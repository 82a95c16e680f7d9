#pragma once
// JSON (RFC 8259) as spans of its own text: where each value begins and ends. Strings are decoded on request,
// and nothing else is converted, so that a message of hundreds of MB is not held twice.
//
// Objects that we store for a protocol have keys that we do not know, and numbers whose spelling must survive
// (64-bit ids, 0.9 as a float). So values are converted only on request, and stored as the bytes that were
// received. RapidJSON does the parsing, iteratively. Bodies of REST requests are read with json_input.h,
// which builds on this; JSON is written with json_writer.h. Left out on purpose: comments, NaN, and any other
// extension of JSON.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace syncline {

/// Invalid JSON, or JSON beyond our limits. what() is for the log.
class BadJson : public std::runtime_error {
 public:
  /// `offset`: of the first invalid byte.
  explicit BadJson(const std::string& why, std::size_t offset = 0)
      : std::runtime_error(why), offset_(offset) {}
  std::size_t offset() const { return offset_; }

 private:
  std::size_t offset_;
};

/// One parsed document. It points into the text it was made from, which must outlive it.
class JsonSpans {
 public:
  enum class Kind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

  /// How deep arrays and objects may be nested. Anki's parser accepts 127 levels, and a value in a message to
  /// us is nested one level deeper than in ours.
  static constexpr int kMaxDepth = 128;
  /// Offsets are 32 bits wide. Messages and collection files have smaller limits of their own.
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 30;
  /// Bounds the memory: each value costs 24 bytes.
  static constexpr std::size_t kMaxValues = std::size_t{1} << 20;

  struct Value {
    Kind kind;
    std::uint32_t begin, end;           ///< of the value's text
    std::uint32_t next;                 ///< index of the value after this one and everything in it
    std::uint32_t key_begin, key_size;  ///< of the decoded key, for members of objects
  };

  /// Values nested deeper than `record_depth` are checked but not recorded (0: only the root). Throws
  /// BadJson, also for lone surrogates and for numbers beyond a double, both of which Anki's parser refuses.
  explicit JsonSpans(std::string_view text, int record_depth = kMaxDepth, int max_depth = kMaxDepth);

  const Value& Root() const { return values_.front(); }
  /// The members or elements of an array or object, in order. Empty for anything else.
  template <typename Visit>
  void EachIn(const Value& parent, Visit visit) const {
    const auto first = static_cast<std::uint32_t>(&parent - values_.data()) + 1;
    for (auto i = first; i < parent.next; i = values_[i].next) visit(values_[i]);
  }
  std::string_view Raw(const Value& value) const {
    return text_.substr(value.begin, value.end - value.begin);
  }
  std::string_view Key(const Value& value) const {
    return {decoded_.data() + value.key_begin, value.key_size};
  }
  /// A string, decoded; empty for anything else.
  std::string Text(const Value& value) const;
  /// A member whose key occurs twice in its object, at any recorded depth; null if there is none.
  const Value* FindDuplicateKey() const;

 private:
  friend struct SpanRecorder;
  std::string_view text_;
  std::string decoded_;  // keys
  std::vector<Value> values_;
};

/// Whether any object in the document, at any depth, has a duplicate key. Anki's parser refuses that in
/// messages and takes the last one in files. Throws BadJson.
bool HasDuplicateKeys(std::string_view json);

/// Whether the JSON may have more than `count` values. It counts separators, also those inside strings, so
/// only false is exact. Costs a fraction of parsing.
bool MayHoldMoreValuesThan(std::string_view json, std::size_t count);

/// The text of a member of `object`, as a view into it; of the last one if the key is duplicated. None if
/// there is no such member or `object` is not an object. Throws BadJson.
std::optional<std::string_view> FindMember(std::string_view object, std::string_view key);

/// Parses all of `digits` as an integer; none if it is not one or exceeds 64 bits. Anki's parser reads "-0"
/// as a float, so it is none here, too.
std::optional<std::int64_t> WholeNumber(std::string_view digits);

/// The text, which must be UTF-8, as a JSON string.
std::string QuoteJson(std::string_view text);
void AppendQuoted(std::string& json, std::string_view text);

}  // namespace syncline
