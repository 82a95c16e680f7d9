#include "handlers/anime/mal_xml_wire.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "handlers/anime/xml_repair_wire.h"
#include "handlers/base/detail_errors.h"
#include "handlers/base/errors.h"
#include "handlers/base/gzip.h"
#include "handlers/base/header_values.h"
#include "handlers/base/input_values.h"
#include "handlers/base/json.h"
#include "handlers/base/utf8.h"

namespace syncline::anime {
namespace {

// myanimelist, anime, a field. A file with more levels is not a list; content below a field is skipped.
constexpr int kFieldDepth = 3, kMaxDepth = 16;
constexpr std::size_t kMaxFieldBytes = 64 << 10;
constexpr std::size_t kMaxNameBytes = 40;
constexpr std::size_t kMaxNotes = 5000, kMaxTags = 32, kMaxTag = 50, kMaxTitle = 1000, kMaxType = 40;
constexpr std::int64_t kMaxInt = 2'147'483'647;
constexpr std::int64_t kMaxRewatches = 1000;
// As for entries that come as JSON.
constexpr int kFirstYear = 1900;

Error Refused(const char* code) {
  return {ErrorKind::kUnprocessable, code};
}

// --- Values

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// At most `characters`, which is cut at the end of one.
std::string Cut(std::string_view text, std::size_t characters) {
  std::size_t at = 0;
  while (at < text.size() && characters > 0) {
    ++at;
    while (at < text.size() && (text[at] & 0xC0) == 0x80) ++at;
    --characters;
  }
  return std::string(Trimmed(text.substr(0, at)));
}

std::string Squeezed(std::string_view text) {
  std::string letters;
  for (const char c : LoweredAscii(text)) {
    if (c != ' ' && c != '-' && c != '_') letters += c;
  }
  return letters;
}

struct MalStatus {
  std::string_view ours, shown, squeezed, number;
};
constexpr MalStatus kStatuses[] = {{"watching", "Watching", "watching", "1"},
                                   {"completed", "Completed", "completed", "2"},
                                   {"on_hold", "On-Hold", "onhold", "3"},
                                   {"dropped", "Dropped", "dropped", "4"},
                                   {"plan_to_watch", "Plan to Watch", "plantowatch", "6"}};
constexpr std::string_view kPriorities[] = {"LOW", "MEDIUM", "HIGH"};
// All that is read of an `anime`.
constexpr std::string_view kFields[] = {
    "series_animedb_id", "series_title",   "series_type",   "series_episodes", "my_watched_episodes",
    "my_start_date",     "my_finish_date", "my_score",      "my_status",       "my_comments",
    "my_times_watched",  "my_priority",    "my_rewatching", "my_tags"};

std::vector<std::string> SplitTags(std::string_view text) {
  std::vector<std::string> tags;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string tag(Trimmed(text.substr(0, end)));
    if (!tag.empty() && std::find(tags.begin(), tags.end(), tag) == tags.end())
      tags.push_back(std::move(tag));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return tags;
}

std::string JoinedTags(const std::vector<std::string>& tags) {
  std::string text;
  for (const std::string& tag : tags) text += (text.empty() ? "" : ", ") + tag;
  return text;
}

// The fields of one `anime`, read into an entry in the order of the members.
class EntryReader {
 public:
  EntryReader(std::int64_t position, std::map<std::string, std::string> fields) : fields_(std::move(fields)) {
    entry_.position = position;
  }

  MalEntry Read() {
    entry_.title = Cut(Field("series_title"), kMaxTitle);
    ReadId();
    ReadTitleFacts();
    ReadStatus();
    ReadScore();
    entry_.progress = Number("my_watched_episodes", kMaxInt);
    entry_.started_on = Date("my_start_date");
    entry_.finished_on = Date("my_finish_date");
    if (HasDay(entry_.started_on) && HasDay(entry_.finished_on) && *entry_.finished_on < *entry_.started_on) {
      Report("my_finish_date", "before the start date");
      entry_.finished_on.reset();
    }
    entry_.rewatches = Number("my_times_watched", kMaxRewatches);
    ReadRewatching();
    ReadNotes();
    ReadPriority();
    ReadTags();
    return std::move(entry_);
  }

 private:
  static bool HasDay(const std::optional<std::string>& date) { return date && !date->empty(); }

  bool Has(const char* name) const { return fields_.contains(name); }
  std::string_view Field(const char* name) const {
    const auto found = fields_.find(name);
    return found == fields_.end() ? std::string_view() : std::string_view(found->second);
  }
  void Report(const char* field, const char* reason) { entry_.problems.push_back({field, reason}); }

  void ReadId() {
    const std::string_view text = Field("series_animedb_id");
    const auto id = WholeNumber(text);
    if (id && *id > 0 && *id <= kMaxInt) {
      entry_.mal_id = *id;
    } else {
      entry_.failure = text.empty() ? "it has no id" : "its id is none of MyAnimeList";
    }
  }

  void ReadTitleFacts() {
    std::string type = Cut(Field("series_type"), kMaxType);
    if (!type.empty() && LoweredAscii(type) != "unknown") entry_.type = std::move(type);
    const auto episodes = WholeNumber(Field("series_episodes"));
    if (episodes && *episodes > 0 && *episodes <= kMaxInt) entry_.episodes = episodes;
  }

  void ReadStatus() {
    const std::string_view text = Field("my_status");
    const std::string squeezed = Squeezed(text);
    for (const MalStatus& status : kStatuses) {
      if (squeezed == status.squeezed || squeezed == status.number) entry_.status = status.ours;
    }
    if (squeezed == "rewatching") {
      entry_.status = "completed";
      entry_.rewatching = true;
    }
    if (entry_.status || entry_.failure) return;
    entry_.failure = text.empty() ? "it has no status" : "its status is unknown";
  }

  void ReadScore() {
    const std::string_view text = Field("my_score");
    if (text.empty()) return;
    double score = 0;
    if (ReadDouble(text, NumberForm::kText, 0, 10, score)) {
      Report("my_score", "not a number from 0 to 10");
    } else {
      entry_.score = score;
    }
  }

  std::optional<std::int64_t> Number(const char* name, std::int64_t max) {
    const std::string_view text = Field(name);
    if (text.empty()) return std::nullopt;
    const auto number = WholeNumber(text);
    if (number && *number >= 0 && *number <= max) return number;
    Report(name, "not a number in its range");
    return std::nullopt;
  }

  std::optional<std::string> Date(const char* name) {
    if (!Has(name)) return std::nullopt;
    const std::string_view text = Field(name);
    if (text.empty() || text == "0000-00-00") return "";
    int year = 0;
    unsigned month = 0, day = 0;
    const auto read = [&](std::size_t at, std::size_t length, auto& number) {
      const char* end = text.data() + at + length;
      const auto result = std::from_chars(text.data() + at, end, number);
      return result.ec == std::errc() && result.ptr == end;
    };
    if (text.size() != 10 || text[4] != '-' || text[7] != '-' || !read(0, 4, year) || !read(5, 2, month) ||
        !read(8, 2, day)) {
      Report(name, "not a date");
    } else if (month == 0 || day == 0) {
      Report(name, "an incomplete date");
    } else if (year < kFirstYear ||
               !(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)).ok()) {
      Report(name, "no day of the calendar");
    } else {
      return std::string(text);
    }
    return std::nullopt;
  }

  void ReadRewatching() {
    const std::string text = LoweredAscii(Field("my_rewatching"));
    if (text.empty() || entry_.rewatching) return;
    if (text == "1" || text == "yes" || text == "true") {
      entry_.rewatching = true;
    } else if (text == "0" || text == "no" || text == "false") {
      entry_.rewatching = false;
    } else {
      Report("my_rewatching", "neither 0 nor 1");
    }
  }

  void ReadNotes() {
    if (!Has("my_comments")) return;
    const std::string_view text = Field("my_comments");
    entry_.notes = Cut(text, kMaxNotes);
    if (entry_.notes->size() < text.size()) Report("my_comments", "cut after 5000 characters");
  }

  void ReadPriority() {
    const std::string text = Squeezed(Field("my_priority"));
    if (text.empty()) return;
    for (std::size_t i = 0; i < std::size(kPriorities); ++i) {
      if (text == LoweredAscii(kPriorities[i]) || text == std::to_string(i)) {
        entry_.priority = static_cast<std::int64_t>(i);
        return;
      }
    }
    Report("my_priority", "neither low, medium nor high");
  }

  void ReadTags() {
    if (!Has("my_tags")) return;
    std::vector<std::string> tags = SplitTags(Field("my_tags"));
    const bool is_cut = tags.size() > kMaxTags ||
                        std::any_of(tags.begin(), tags.end(),
                                    [](const std::string& tag) { return CountCharacters(tag) > kMaxTag; });
    if (is_cut) {
      Report("my_tags", "cut after 32 tags, and a tag after 50 characters");
      tags.resize(std::min(tags.size(), kMaxTags));
      for (std::string& tag : tags) tag = Cut(tag, kMaxTag);
      tags = SplitTags(JoinedTags(tags));
    }
    entry_.tags = std::move(tags);
  }

  MalEntry entry_;
  std::map<std::string, std::string> fields_;
};

// --- The parser

// libxml2's callbacks. Exceptions must not pass through its C code, so an error is stored and the parser
// stopped.
class Handler {
 public:
  explicit Handler(const MalLimits& limits) : limits_(limits) {}

  void SetParser(xmlParserCtxtPtr parser) { parser_ = parser; }
  const std::optional<Error>& error() const { return error_; }
  std::vector<MalEntry> TakeEntries() { return std::exchange(entries_, {}); }
  std::int64_t count() const { return count_; }
  bool HasList() const { return has_list_; }

  static xmlSAXHandler Callbacks() {
    xmlSAXHandler callbacks{};
    callbacks.initialized = XML_SAX2_MAGIC;
    callbacks.startElementNs = [](void* self, const xmlChar* name, const xmlChar*, const xmlChar*, int,
                                  const xmlChar**, int, int, const xmlChar**) noexcept {
      static_cast<Handler*>(self)->Start(reinterpret_cast<const char*>(name));
    };
    callbacks.endElementNs = [](void* self, const xmlChar*, const xmlChar*, const xmlChar*) noexcept {
      static_cast<Handler*>(self)->End();
    };
    callbacks.characters = callbacks.cdataBlock =
        callbacks.ignorableWhitespace = [](void* self, const xmlChar* text, int length) noexcept {
          static_cast<Handler*>(self)->Text(
              {reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)});
        };
    callbacks.internalSubset = [](void* self, const xmlChar*, const xmlChar*, const xmlChar*) noexcept {
      static_cast<Handler*>(self)->Stop(Refused("list_has_dtd"));
    };
    callbacks.serror = [](void*, xmlErrorPtr) noexcept {};
    return callbacks;
  }

 private:
  void Stop(Error error) {
    if (!error_) error_ = std::move(error);
    xmlStopParser(parser_);
  }

  void Start(std::string_view name) {
    if (error_) return;
    ++depth_;
    if (depth_ > kMaxDepth) return Stop(Refused("list_too_deep"));
    if (depth_ == 1) {
      if (name != "myanimelist") return Stop(Refused("not_an_anime_list"));
      has_list_ = true;
    } else if (depth_ == 2) {
      if (name == "manga") return Stop(Refused("manga_list"));
      is_entry_ = name == "anime";
      is_info_ = name == "myinfo";
    } else if (depth_ == kFieldDepth) {
      field_ = name.substr(0, kMaxNameBytes);
      text_.clear();
    }
  }

  void Text(std::string_view text) {
    if (error_ || depth_ != kFieldDepth) return;
    text_ += text.substr(0, kMaxFieldBytes - std::min(kMaxFieldBytes, text_.size()));
  }

  void End() {
    if (error_) return;
    if (depth_ == kFieldDepth) EndField();
    if (depth_ == 2 && is_entry_) EndEntry();
    --depth_;
  }

  void EndField() {
    // The end of a text that was cut may be half a character.
    const std::string text = ReplacedInvalid(Trimmed(text_));
    // MyAnimeList: 1 anime, 2 manga.
    if (is_info_ && field_ == "user_export_type" && text == "2") return Stop(Refused("manga_list"));
    if (is_entry_ && std::find(std::begin(kFields), std::end(kFields), field_) != std::end(kFields)) {
      fields_[field_] = text;
    }
  }

  void EndEntry() {
    if (++count_ > limits_.entries) return Stop(TooLarge("list_too_long"));
    entries_.push_back(EntryReader(count_, std::exchange(fields_, {})).Read());
    is_entry_ = false;
  }

  const MalLimits& limits_;
  xmlParserCtxtPtr parser_ = nullptr;
  std::optional<Error> error_;
  int depth_ = 0;
  bool has_list_ = false, is_entry_ = false, is_info_ = false;
  std::string field_, text_;
  std::map<std::string, std::string> fields_;
  std::vector<MalEntry> entries_;
  std::int64_t count_ = 0;
};

class Parser {
 public:
  explicit Parser(const MalLimits& limits)
      : handler_(limits),
        callbacks_(Handler::Callbacks()),
        context_(xmlCreatePushParserCtxt(&callbacks_, &handler_, nullptr, 0, nullptr)) {
    if (!context_) throw std::bad_alloc();
    handler_.SetParser(context_.get());
    // The text is UTF-8 by now, whatever encoding it declares.
    xmlCtxtUseOptions(context_.get(), XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
  }

  void Feed(const std::string& text, bool is_last, const std::function<void(MalEntry&&)>& entry) {
    const int code =
        xmlParseChunk(context_.get(), text.data(), static_cast<int>(text.size()), is_last ? 1 : 0);
    for (MalEntry& one : handler_.TakeEntries()) entry(std::move(one));
    if (handler_.error()) throw *handler_.error();
    if (code != XML_ERR_OK && context_->wellFormed == 0) {
      throw ErrorAbout(ErrorKind::kUnprocessable, "list_not_xml", xmlSAX2GetLineNumber(context_.get()));
    }
  }

  std::int64_t Finish() {
    if (!handler_.HasList()) throw Refused("not_an_anime_list");
    return handler_.count();
  }

 private:
  struct Free {
    void operator()(xmlParserCtxtPtr context) const { xmlFreeParserCtxt(context); }
  };
  Handler handler_;
  xmlSAXHandler callbacks_;
  std::unique_ptr<xmlParserCtxt, Free> context_;
};

// A source of which some bytes were read already.
class Begun : public BodySource {
 public:
  Begun(std::string begin, BodySource& rest) : begin_(std::move(begin)), rest_(rest) {}
  std::size_t Read(char* buffer, std::size_t size) override {
    if (at_ == begin_.size()) return rest_.Read(buffer, size);
    const std::size_t length = begin_.copy(buffer, size, at_);
    at_ += length;
    return length;
  }

 private:
  std::string begin_;
  std::size_t at_ = 0;
  BodySource& rest_;
};

std::int64_t ReadPlain(BodySource& source, const std::function<void(MalEntry&&)>& entry,
                       const MalLimits& limits) {
  Parser parser(limits);
  XmlRepair repair;
  std::vector<char> piece(64 << 10);
  std::uint64_t bytes = 0;
  while (const std::size_t got = source.Read(piece.data(), piece.size())) {
    bytes += got;
    if (bytes > limits.bytes) throw TooLarge("list_too_large");
    parser.Feed(repair.Take({piece.data(), got}), false, entry);
  }
  parser.Feed(repair.Finish(), true, entry);
  return parser.Finish();
}

// --- Writing

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// MyAnimeList reads these as CDATA only.
std::string Cdata(std::string_view text) {
  std::string out = "<![CDATA[";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find("]]>", at);
    if (end == std::string_view::npos) {
      out += text.substr(at);
      break;
    }
    out.append(text.substr(at, end + 2 - at)).append("]]><![CDATA[");
    at = end + 2;
  }
  return out + "]]>";
}

void Line(std::string& out, const char* name, std::string_view content) {
  out.append("\t\t<").append(name).append(">").append(content).append("</").append(name).append(">\n");
}

void Line(std::string& out, const char* name, std::int64_t number) {
  Line(out, name, std::to_string(number));
}

std::string_view ShownStatus(std::string_view ours) {
  for (const MalStatus& status : kStatuses) {
    if (status.ours == ours) return status.shown;
  }
  return {};
}

std::string DateOf(const std::optional<std::string>& date) {
  return date && !date->empty() ? *date : "0000-00-00";
}

}  // namespace

std::int64_t ReadMalXml(BodySource& source, const std::function<void(MalEntry&&)>& entry, MalLimits limits) {
  constexpr std::string_view kGzip = "\x1f\x8b";
  std::string begin(kGzip.size(), '\0');
  std::size_t got = 0;
  while (got < begin.size()) {
    const std::size_t more = source.Read(begin.data() + got, begin.size() - got);
    if (more == 0) break;
    got += more;
  }
  begin.resize(got);
  const bool is_packed = begin == kGzip;
  Begun whole(std::move(begin), source);
  if (!is_packed) return ReadPlain(whole, entry, limits);
  // One byte more than allowed, which ReadPlain then refuses.
  GzipReader plain(whole, limits.bytes + 1);
  try {
    return ReadPlain(plain, entry, limits);
  } catch (const Error& e) {
    if (e.code() == "bad_gzip") throw Refused("bad_gzip");
    if (e.code() == "too_large") throw TooLarge("list_too_large");
    throw;
  }
}

std::string MalText(std::string_view text) {
  const std::string valid = ReplacedInvalid(text);
  std::string out;
  for (std::size_t at = 0; at < valid.size();) {
    utf8proc_int32_t character = 0;
    const auto length = static_cast<std::size_t>(
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(valid.data() + at),
                         static_cast<utf8proc_ssize_t>(valid.size() - at), &character));
    if (character == '\r') {
      if (at + 1 == valid.size() || valid[at + 1] != '\n') out += '\n';
    } else if (IsXmlCharacter(static_cast<char32_t>(character))) {
      out.append(valid, at, length);
    }
    at += length;
  }
  return std::string(Trimmed(out));
}

std::vector<std::string> MalTags(const std::vector<std::string>& tags) {
  std::vector<std::string> said = SplitTags(MalText(JoinedTags(tags)));
  said.resize(std::min(said.size(), kMaxTags));
  return said;
}

double MalScore(std::optional<double> score) {
  return score ? std::floor(*score + 0.5) : 0;
}

std::string MalXmlHead(std::int64_t user_id, const MalTotals& totals) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<myanimelist>\n\t<myinfo>\n";
  Line(out, "user_id", user_id);
  // Without the account's name, because users share this file.
  Line(out, "user_name", "");
  Line(out, "user_export_type", 1);
  Line(out, "user_total_anime", totals.total);
  Line(out, "user_total_watching", totals.watching);
  Line(out, "user_total_completed", totals.completed);
  Line(out, "user_total_onhold", totals.on_hold);
  Line(out, "user_total_dropped", totals.dropped);
  Line(out, "user_total_plantowatch", totals.plan_to_watch);
  return out + "\t</myinfo>\n";
}

std::string MalXmlEntry(const MalEntry& entry) {
  std::string out = "\t<anime>\n";
  Line(out, "series_animedb_id", entry.mal_id.value_or(0));
  Line(out, "series_title", Cdata(entry.title));
  Line(out, "series_type", Escaped(entry.type.value_or("")));
  Line(out, "series_episodes", entry.episodes.value_or(0));
  Line(out, "my_id", 0);
  Line(out, "my_watched_episodes", entry.progress.value_or(0));
  Line(out, "my_start_date", DateOf(entry.started_on));
  Line(out, "my_finish_date", DateOf(entry.finished_on));
  Line(out, "my_rated", "");
  Line(out, "my_score", static_cast<std::int64_t>(entry.score.value_or(0)));
  Line(out, "my_storage", "");
  Line(out, "my_storage_value", "0.00");
  Line(out, "my_status", ShownStatus(entry.status.value_or("")));
  Line(out, "my_comments", Cdata(entry.notes.value_or("")));
  Line(out, "my_times_watched", entry.rewatches.value_or(0));
  Line(out, "my_rewatch_value", "");
  Line(out, "my_priority", kPriorities[entry.priority.value_or(0)]);
  Line(out, "my_tags", Cdata(entry.tags ? JoinedTags(*entry.tags) : ""));
  Line(out, "my_rewatching", entry.rewatching.value_or(false) ? 1 : 0);
  Line(out, "my_rewatching_ep", 0);
  Line(out, "my_discuss", 1);
  Line(out, "my_sns", "default");
  // MyAnimeList changes existing entries only with this flag.
  Line(out, "update_on_import", 1);
  return out + "\t</anime>\n";
}

}  // namespace syncline::anime
