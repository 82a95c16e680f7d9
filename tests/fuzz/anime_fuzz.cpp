// Requests of the anime service: a line with a query, then a body. Accepted values are within their bounds; what is refused is
// shown as valid JSON; a title is found by any part of its own text.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anime/entry_wire.h"
#include "handlers/anime/title_rules.h"
#include "handlers/anime/title_wire.h"
#include "handlers/base/detail_errors.h"
#include "handlers/base/json.h"
#include "handlers/base/json_body.h"
#include "handlers/base/parameter_input.h"
#include "handlers/base/utf8.h"

using namespace syncline;
using namespace syncline::anime;

namespace {

void Require(bool is_so) {
  if (!is_so) std::abort();
}

void UseError(const Error& error) {
  for (const bool has_secrets : {false, true}) {
    constexpr std::string_view kSecrets[] = {"title"};
    DetailRules rules;
    if (has_secrets) rules.secrets = kSecrets;
    const Response response = DetailAnswer(error, rules);
    const std::string& body = std::get<std::string>(response.body);
    Require(IsUtf8(body));
    static_cast<void>(JsonSpans(body));
  }
}

template <typename F>
void Try(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    UseError(error);
  }
}

void UseQuery(const Request& request) {
  ParameterInput in(request);
  const TitleFilter filter = ReadTitleFilter(in);
  const TitlePage page = ReadTitlePage(in);
  ReadShown(in);
  in.ThrowIfAny();
  Require(!filter.min_score || (*filter.min_score >= 0 && *filter.min_score <= 10));
  Require(!filter.year || (*filter.year >= kMinYear && *filter.year <= kMaxYear));
  Require(page.limit >= 1 && page.limit <= 100 && page.offset >= 0);
  for (const auto& text : {filter.search, filter.genre, filter.type}) Require(!text || IsStorableText(*text));
}

void UseTitle(std::string_view body) {
  const NewTitle title = ReadJson(body, ReadNewTitle, kLaxJson);
  Require(title.mal_id >= 1 && title.mal_id <= kMaxId);
  Require(!title.title.empty() && IsStorableText(title.title) && CountCharacters(title.title) <= 255);
  Require(!title.score || (std::isfinite(*title.score) && *title.score >= 0 && *title.score <= 10));
  const std::vector<std::string> titles{title.title};
  const std::string text = SearchTextOf(titles);
  Require(IsUtf8(text) && text.find(FoldedForSearch(title.title)) != std::string::npos);
}

void UseEntry(std::string_view body) {
  const NewEntry entry = ReadJson(body, ReadNewEntry, kLaxJson);
  Require(entry.anime_id >= 1 && entry.fields.status.has_value());
  for (const bool has_rules : {false, true}) {
    const EntryFields fields = Changed(std::nullopt, entry.fields,
                                       {.episodes = 12, .has_auto_rules = has_rules, .today = "2026-03-01"});
    Require(!fields.started_on || fields.started_on->size() == 10);
    Require(fields.rewatches >= 0 && fields.rewatches <= kMaxRewatches && fields.tags.size() <= kMaxTags);
    Require(!has_rules || !fields.progress || *fields.progress <= 12);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(all.find('\n'), all.size());
  Request request;
  request.query = all.substr(0, line);
  const std::string_view body = all.substr(std::min(all.size(), line + 1));
  Try([&] { UseQuery(request); });
  Try([&] { UseTitle(body); });
  Try([&] { UseEntry(body); });
  return 0;
}
