#include "handlers/base/conditional.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "handlers/base/errors.h"
#include "handlers/base/header_values.h"

namespace syncline {
namespace {

using std::chrono::sys_seconds;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

// Parses an entity tag and removes it from the front of `rest`.
std::optional<ETag> TakeETag(std::string_view& rest) {
  ETag tag;
  if (rest.starts_with("W/")) {
    tag.is_weak = true;
    rest.remove_prefix(2);
  }
  if (!rest.starts_with('"')) return std::nullopt;
  const std::size_t end = rest.find('"', 1);
  if (end == rest.npos) return std::nullopt;
  tag.opaque = rest.substr(1, end - 1);
  // RFC 9110 forbids spaces in an entity tag, but some servers copy file names into theirs.
  const auto is_bad = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  if (std::any_of(tag.opaque.begin(), tag.opaque.end(), is_bad)) return std::nullopt;
  rest.remove_prefix(end + 1);
  return tag;
}

std::optional<ETagList> ParseList(std::string_view text) {
  ETagList list;
  std::string_view rest = TrimmedBlanks(text);
  if (rest == "*") {
    list.is_any = true;
    return list;
  }
  while (!rest.empty()) {
    if (!rest.starts_with(',')) {
      auto tag = TakeETag(rest);
      if (!tag || list.tags.size() == Conditions::kMaxTags) return std::nullopt;
      list.tags.push_back(std::move(*tag));
      rest = TrimmedBlanks(rest);
      if (!rest.empty() && !rest.starts_with(',')) return std::nullopt;
    }
    if (!rest.empty()) rest = TrimmedBlanks(rest.substr(1));
  }
  if (list.tags.empty()) return std::nullopt;
  return list;
}

template <typename Same>
bool Matches(const ETagList& list, const Current& current, Same same) {
  if (list.is_any) return current.exists;
  if (!current.exists || !current.etag) return false;
  return std::any_of(list.tags.begin(), list.tags.end(),
                     [&](const ETag& tag) { return same(tag, *current.etag); });
}

sys_seconds Seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

// Parses a date from left to right; after the first mismatch, it is bad.
class DateText {
 public:
  explicit DateText(std::string_view text) : rest_(text) {}
  bool Is(std::string_view word) {
    if (is_bad_ || !rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void Need(std::string_view word) { is_bad_ = !Is(word) || is_bad_; }
  template <std::size_t N>
  unsigned OneOf(const std::array<std::string_view, N>& words) {
    for (unsigned i = 0; i < N; ++i) {
      if (Is(words[i])) return i;
    }
    is_bad_ = true;
    return 0;
  }
  int Digits(std::size_t count) {
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= rest_.size() || rest_[i] < '0' || rest_[i] > '9') {
        is_bad_ = true;
        return 0;
      }
      number = number * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return number;
  }
  bool IsOver() const { return !is_bad_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool is_bad_ = false;
};

}  // namespace

ETag ETag::Of(std::string opaque) {
  const auto is_bad = [](char c) { return c <= ' ' || c > '~' || c == '"'; };
  if (std::any_of(opaque.begin(), opaque.end(), is_bad))
    throw Error(ErrorKind::kInternal, "internal", "not an entity tag: " + opaque);
  return {std::move(opaque), false};
}

std::string ETag::Print() const {
  return (is_weak ? "W/\"" : "\"") + opaque + '"';
}

bool IsSameStrongly(const ETag& a, const ETag& b) {
  return !a.is_weak && !b.is_weak && a.opaque == b.opaque;
}

bool IsSameWeakly(const ETag& a, const ETag& b) {
  return a.opaque == b.opaque;
}

std::optional<ETag> ParseETag(std::string_view text) {
  std::string_view rest = TrimmedBlanks(text);
  auto tag = TakeETag(rest);
  if (!rest.empty()) return std::nullopt;
  return tag;
}

std::optional<sys_seconds> ParseHttpDate(std::string_view text, std::chrono::system_clock::time_point now) {
  using namespace std::chrono;
  const std::string_view trimmed = TrimmedBlanks(text);
  DateText date(trimmed);
  int year_number = 0, day_number = 0, hour = 0, minute = 0, second = 0;
  unsigned month_index = 0;
  const auto read_time = [&] {
    hour = date.Digits(2);
    date.Need(":");
    minute = date.Digits(2);
    date.Need(":");
    second = date.Digits(2);
  };
  const std::size_t comma = trimmed.find(',');
  if (comma == trimmed.npos) {  // Sun Nov  6 08:49:37 1994
    date.OneOf(kDays);
    date.Need(" ");
    month_index = date.OneOf(kMonths);
    date.Need(" ");
    day_number = date.Is(" ") ? date.Digits(1) : date.Digits(2);
    date.Need(" ");
    read_time();
    date.Need(" ");
    year_number = date.Digits(4);
  } else if (comma == 3) {  // Sun, 06 Nov 1994 08:49:37 GMT
    date.OneOf(kDays);
    date.Need(", ");
    day_number = date.Digits(2);
    date.Need(" ");
    month_index = date.OneOf(kMonths);
    date.Need(" ");
    year_number = date.Digits(4);
    date.Need(" ");
    read_time();
    date.Need(" GMT");
  } else {  // Sunday, 06-Nov-94 08:49:37 GMT
    date.OneOf(kLongDays);
    date.Need(", ");
    day_number = date.Digits(2);
    date.Need("-");
    month_index = date.OneOf(kMonths);
    date.Need("-");
    const int this_year = static_cast<int>(year_month_day(floor<days>(now)).year());
    year_number = this_year - this_year % 100 + date.Digits(2);
    if (year_number > this_year + 50) year_number -= 100;
    date.Need(" ");
    read_time();
    date.Need(" GMT");
  }
  const year_month_day day = year(year_number) / static_cast<int>(month_index + 1) / day_number;
  if (!date.IsOver() || !day.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return sys_days(day) + hours(hour) + minutes(minute) + seconds(std::min(second, 59));
}

std::string PrintHttpDate(sys_seconds time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  std::array<char, 64> text;
  const int size =
      std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                    kDays[weekday(day).c_encoding()].data(), static_cast<unsigned>(date.day()),
                    kMonths[static_cast<unsigned>(date.month()) - 1].data(), static_cast<int>(date.year()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

Conditions::Conditions(const Request& request)
    : is_read(request.method == "GET" || request.method == "HEAD") {
  if (const auto header = request.Header("if-match")) {
    if_match = ParseList(*header);
    if (!if_match) throw BadInput("bad_etag", "If-Match is malformed");
  }
  if (const auto header = request.Header("if-none-match"))
    if_none_match = ParseList(*header).value_or(ETagList{});
  if (const auto header = request.Header("if-modified-since")) if_modified_since = ParseHttpDate(*header);
  if (const auto header = request.Header("if-unmodified-since")) if_unmodified_since = ParseHttpDate(*header);
}

Outcome Evaluate(const Conditions& conditions, const Current& current) {
  const auto failed = [](const char* header) {
    return Error(ErrorKind::kPreconditionFailed, "precondition_failed", header);
  };
  const bool has_date = current.exists && current.modified_at;
  if (conditions.if_match) {
    if (!Matches(*conditions.if_match, current, IsSameStrongly)) throw failed("If-Match");
  } else if (conditions.if_unmodified_since && has_date) {
    if (Seconds(*current.modified_at) > *conditions.if_unmodified_since) throw failed("If-Unmodified-Since");
  }
  if (conditions.if_none_match) {
    if (Matches(*conditions.if_none_match, current, IsSameWeakly)) {
      if (conditions.is_read) return Outcome::kNotModified;
      throw failed("If-None-Match");
    }
  } else if (conditions.is_read && conditions.if_modified_since && has_date) {
    if (Seconds(*current.modified_at) <= *conditions.if_modified_since) return Outcome::kNotModified;
  }
  return Outcome::kProceed;
}

void Check(const Conditions& conditions, const Current& current) {
  static_cast<void>(Evaluate(conditions, current));
}

Response NotModified(const Current& current) {
  Response response = Response::Empty(304);
  if (current.etag) response.With("ETag", current.etag->Print());
  if (current.modified_at) response.With("Last-Modified", PrintHttpDate(*current.modified_at));
  return response;
}

void RequireCondition(const Conditions& conditions, const Current& current) {
  if (conditions.if_match || (conditions.if_none_match && conditions.if_none_match->is_any)) return;
  if (conditions.if_unmodified_since && current.modified_at) return;
  throw Error(ErrorKind::kPreconditionRequired, "precondition_required");
}

}  // namespace syncline
