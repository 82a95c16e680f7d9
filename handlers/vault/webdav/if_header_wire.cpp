#include "handlers/vault/webdav/if_header_wire.h"

#include <algorithm>
#include <charconv>

#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"

namespace syncline::vault {
namespace {

constexpr int kShortestTimeout = 60, kLongestTimeout = 3600, kUsualTimeout = 1800;

class IfReader {
 public:
  explicit IfReader(std::string_view text) : rest_(text) {}

  IfHeader Read() {
    IfHeader header;
    std::optional<std::string> uri;
    bool was_tagged = false;
    SkipBlanks();
    while (!rest_.empty()) {
      if (rest_.front() == '<') {
        // Either all lists have an address, or none has.
        if (!header.lists.empty() && !was_tagged) Refuse();
        uri = TakeTo('>');
        was_tagged = true;
        SkipBlanks();
        if (rest_.empty() || rest_.front() != '(') Refuse();
      }
      header.lists.push_back({uri, TakeList()});
      SkipBlanks();
    }
    if (header.lists.empty()) Refuse();
    return header;
  }

 private:
  [[noreturn]] static void Refuse() { throw BadInput("bad_if_header"); }
  void SkipBlanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }
  // What is between the first character, which opens, and `end`.
  std::string TakeTo(char end) {
    const std::size_t at = rest_.find(end, 1);
    if (at == std::string_view::npos || at == 1) Refuse();
    std::string inside(rest_.substr(1, at - 1));
    rest_.remove_prefix(at + 1);
    return inside;
  }
  std::vector<IfCondition> TakeList() {
    if (rest_.empty() || rest_.front() != '(') Refuse();
    rest_.remove_prefix(1);
    std::vector<IfCondition> conditions;
    for (SkipBlanks(); !rest_.empty() && rest_.front() != ')'; SkipBlanks()) {
      if (++conditions_ > IfHeader::kMaxConditions) Refuse();
      conditions.push_back(TakeCondition());
    }
    if (rest_.empty() || conditions.empty()) Refuse();
    rest_.remove_prefix(1);
    return conditions;
  }
  IfCondition TakeCondition() {
    IfCondition condition;
    if (LoweredAscii(rest_.substr(0, 3)) == "not") {
      condition.is_negated = true;
      rest_.remove_prefix(3);
      SkipBlanks();
    }
    if (rest_.empty()) Refuse();
    if (rest_.front() == '<') {
      condition.token = TakeTo('>');
    } else if (rest_.front() == '[') {
      condition.etag = ParseETag(TakeTo(']'));
    } else {
      Refuse();
    }
    return condition;
  }

  std::string_view rest_;
  std::size_t conditions_ = 0;
};

// Without user info and port.
std::string HostName(std::string_view authority) {
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  const std::size_t end = authority.starts_with('[') ? authority.find(']') : authority.find(':');
  return LoweredAscii(authority.substr(0, end));
}

}  // namespace

std::vector<std::string> IfHeader::Tokens() const {
  std::vector<std::string> tokens;
  for (const IfList& list : lists) {
    for (const IfCondition& condition : list.conditions) {
      if (!condition.token.empty()) tokens.push_back(condition.token);
    }
  }
  return tokens;
}

IfHeader ParseIfHeader(std::string_view text) {
  return IfReader(text).Read();
}

IfHeader IfHeaderOf(const Request& request) {
  const auto header = request.Header("if");
  return header ? ParseIfHeader(*header) : IfHeader{};
}

std::optional<std::vector<std::string>> OwnSegments(std::string_view uri, const Request& request) {
  uri = TrimmedBlanks(uri);
  if (!uri.starts_with('/')) {
    const std::string scheme = LoweredAscii(uri.substr(0, uri.find(':')));
    if (scheme != "http" && scheme != "https") throw BadInput("bad_destination");
    uri.remove_prefix(scheme.size());
    if (!uri.starts_with("://")) throw BadInput("bad_destination");
    uri.remove_prefix(3);
    const std::size_t path = std::min(uri.find('/'), uri.size());
    if (HostName(uri.substr(0, path)) != HostName(request.Header("host").value_or(""))) return std::nullopt;
    uri.remove_prefix(path);
  }
  if (uri.find_first_of("?#") != std::string_view::npos) throw BadInput("bad_destination");
  try {
    return PathSegments(uri);
  } catch (const Error& error) {
    throw BadInput("bad_destination", error.what());
  }
}

Depth DepthOf(const Request& request, Depth fallback) {
  const auto header = request.Header("depth");
  if (!header) return fallback;
  const std::string depth = LoweredAscii(TrimmedBlanks(*header));
  if (depth == "0") return Depth::kZero;
  if (depth == "1") return Depth::kOne;
  if (depth == "infinity") return Depth::kInfinity;
  throw BadInput("bad_depth");
}

bool OverwriteOf(const Request& request) {
  const auto header = request.Header("overwrite");
  if (!header) return true;
  const std::string overwrite = LoweredAscii(TrimmedBlanks(*header));
  if (overwrite != "t" && overwrite != "f") throw BadInput("bad_overwrite");
  return overwrite == "t";
}

int TimeoutOf(const Request& request) {
  std::string_view rest = request.Header("timeout").value_or("");
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string choice = LoweredAscii(TrimmedBlanks(rest.substr(0, end)));
    rest.remove_prefix(std::min(rest.size(), end + 1));
    if (choice == "infinite") return kLongestTimeout;
    constexpr std::string_view kSecond = "second-";
    if (!choice.starts_with(kSecond)) continue;
    std::uint64_t seconds = 0;
    const char* const last = choice.data() + choice.size();
    const auto [at, error] = std::from_chars(choice.data() + kSecond.size(), last, seconds);
    if (error == std::errc::result_out_of_range) return kLongestTimeout;
    if (error != std::errc() || at != last) continue;
    return static_cast<int>(std::clamp<std::uint64_t>(seconds, kShortestTimeout, kLongestTimeout));
  }
  return kUsualTimeout;
}

std::string LockTokenOf(const Request& request) {
  const std::string_view token = TrimmedBlanks(request.Header("lock-token").value_or(""));
  if (token.size() < 3 || token.front() != '<' || token.back() != '>') throw BadInput("bad_lock_token");
  return std::string(token.substr(1, token.size() - 2));
}

}  // namespace syncline::vault
