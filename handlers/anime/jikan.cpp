#include "handlers/anime/jikan.h"

#include <algorithm>

#include "handlers/anime/settings.h"
#include "handlers/base/conditional.h"
#include "handlers/base/json.h"
#include "handlers/base/log.h"
#include "handlers/base/utf8.h"

namespace syncline::anime {
namespace {

constexpr const char* kGenreFilters[] = {"genres", "themes", "demographics", "explicit_genres"};
// A job that finds the upstream busy is put off for at least this long; JobPutOff does not count as an
// attempt.
constexpr std::chrono::milliseconds kPutOff{30'000};

constexpr std::chrono::days kMostExpires{365};

HttpUrl BaseUrl(const Settings& settings) {
  auto url = ParseHttpUrl(settings.anime_jikan_url);
  if (!url) throw Error(ErrorKind::kInternal, "internal", "anime_jikan_url is not a URL");
  while (url->target.ends_with('/')) url->target.pop_back();
  return *url;
}

UpstreamRules RulesOf(const Settings& settings) {
  UpstreamRules rules;
  rules.per_second = static_cast<int>(settings.anime_jikan_per_second);
  rules.per_minute = static_cast<int>(settings.anime_jikan_per_minute);
  rules.background_per_minute = static_cast<int>(settings.anime_jikan_jobs_per_minute);
  constexpr int kShare = 6;  // ten of sixty
  rules.background_reserve = rules.per_minute / kShare;
  return rules;
}

CallRules CallRulesFor(Urgency urgency) {
  CallRules rules = RulesFor(urgency);
  // A redirect would be a request outside the budget, and the API has none.
  rules.limits.redirects = 0;
  return rules;
}

std::string Paged(int page, int limit) {
  return "page=" + std::to_string(page) + "&limit=" + std::to_string(limit);
}

// The query as the upstream takes it.
std::string Cleaned(std::string text) {
  MakeText(text);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  // Refused by its text, too.
  for (auto at = text.find("%0"); at != text.npos; at = text.find("%0", at)) {
    if (at + 2 < text.size() && (text[at + 2] == 'A' || text[at + 2] == 'a')) {
      text.replace(at, 3, " ");
    } else {
      at += 2;
    }
  }
  std::size_t end = 0;
  for (std::size_t characters = 0; end < text.size(); ++end) {
    if ((text[end] & 0xC0) != 0x80 && characters++ == kMaxQueryCharacters) break;
  }
  text.resize(end);
  return text;
}

std::string TargetOf(std::int64_t mal_id) {
  return "/anime/" + std::to_string(mal_id) + "/full";
}

std::string TargetOf(const JikanTop& top) {
  return "/top/anime?" + Paged(top.page, top.limit) +
         (top.filter.empty() ? "" : "&filter=" + PercentEncoded(top.filter));
}

std::string TargetOf(const JikanSearch& search) {
  return "/anime?q=" + PercentEncoded(Cleaned(search.text)) + "&" + Paged(search.page, search.limit);
}

[[noreturn]] void ThrowMalformed(const std::string& target, const std::string& why) {
  throw Error(ErrorKind::kUpstream, "upstream_malformed", target + ": " + why);
}

}  // namespace

std::string JikanTitleKey(std::int64_t mal_id) {
  return "jikan:title:" + std::to_string(mal_id);
}

Jikan::Jikan(Context& context) : Jikan(context, nullptr) {}
Jikan::Jikan(Context& context, JobControl& control) : Jikan(context, &control) {}

Jikan::Jikan(Context& context, JobControl* control)
    : urgency_(control == nullptr ? Urgency::kInteractive : Urgency::kBackground),
      wait_(control == nullptr ? WaitingFor(context)
                               : [control](std::chrono::milliseconds time) { control->Pause(time); }),
      rules_(CallRulesFor(urgency_)),
      base_(BaseUrl(context.config().Of<Settings>())),
      client_(context.config().outbound_networks),
      upstream_(context.redis(), "jikan", RulesOf(context.config().Of<Settings>())) {}

HttpResponse Jikan::Get(const std::string& target, const JikanValidators& validators) {
  HttpRequest request{.url = base_};
  request.url.target += target;
  request.headers = {{"Accept", "application/json"}};
  if (!validators.etag.empty()) request.headers.emplace_back("If-None-Match", validators.etag);
  if (!validators.last_modified.empty())
    request.headers.emplace_back("If-Modified-Since", validators.last_modified);
  try {
    HttpResponse response = upstream_.Call(client_, request, urgency_, rules_, JudgeJikan, wait_);
    if (response.status == 400 || response.status == 405)
      throw Error(ErrorKind::kUpstream, "upstream_refused",
                  target + ": " + std::to_string(response.status) + " " + response.body.substr(0, 300));
    return response;
  } catch (const Error& error) {
    if (urgency_ == Urgency::kInteractive || error.kind() != ErrorKind::kBusy) throw;
    const std::chrono::milliseconds asked = error.retry_after().value_or(std::chrono::seconds(0));
    // Waits before the job ends. Otherwise a long queue would be claimed and put off one by one without a
    // pause.
    const std::chrono::milliseconds pause = std::min(asked, kPutOff);
    wait_(pause);
    throw JobPutOff(error.what(), std::max(asked - pause, kPutOff));
  }
}

JikanTitleAnswer Jikan::Title(std::int64_t mal_id, const JikanValidators& validators) {
  const std::string target = TargetOf(mal_id);
  const HttpResponse response = Get(target, validators);
  JikanTitleAnswer answer;
  // A date far in the future would overflow, and is never meant.
  const auto expires = ParseHttpDate(response.Header("expires"));
  if (expires &&
      *expires < std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) + kMostExpires)
    answer.expires = *expires;
  if (response.status == 404) {
    answer.kind = JikanTitleAnswer::Kind::kNotFound;
    return answer;
  }
  if (response.status == 304) {
    // Valid only as the answer to a conditional request.
    if (validators.etag.empty() && validators.last_modified.empty()) ThrowMalformed(target, "304 unasked");
    answer.kind = JikanTitleAnswer::Kind::kNotModified;
    return answer;
  }
  try {
    answer.title = ParseJikanTitle(response.body, mal_id);
  } catch (const BadJikan& error) {
    ThrowMalformed(target, error.what());
  }
  if (!answer.title.unknown_status.empty())
    LogLine(LogLevel::kWarn)
        .Add("event", "unknown_status")
        .Add("upstream", "jikan")
        .Add("mal_id", mal_id)
        .Add("status", answer.title.unknown_status)
        .Write();
  answer.validators = {std::string(response.Header("etag")), std::string(response.Header("last-modified"))};
  return answer;
}

JikanPage Jikan::Page(const std::string& target) {
  const HttpResponse response = Get(target);
  // Jikan answers this way when it has stored nothing of that kind.
  if (response.status == 404) return {};
  try {
    return ParseJikanPage(response.body);
  } catch (const BadJikan& error) {
    ThrowMalformed(target, error.what());
  }
}

JikanPage Jikan::Top(const JikanTop& top) {
  return Page(TargetOf(top));
}

JikanPage Jikan::Search(const JikanSearch& search) {
  return Page(TargetOf(search));
}

std::optional<std::string> Jikan::Raw(const std::string& target) {
  const HttpResponse response = Get(target);
  if (response.status == 404) return std::nullopt;
  try {
    const auto data = FindMember(response.body, "data");
    if (data) return std::string(*data);
    ThrowMalformed(target, "no data");
  } catch (const BadJson& error) {
    ThrowMalformed(target, error.what());
  }
}

std::optional<std::string> Jikan::RawTitle(std::int64_t mal_id) {
  return Raw(TargetOf(mal_id));
}

std::optional<std::string> Jikan::RawTop(const JikanTop& top) {
  return Raw(TargetOf(top));
}

std::optional<std::string> Jikan::RawSearch(const JikanSearch& search) {
  return Raw(TargetOf(search));
}

JikanPage Jikan::SeasonNow(int page) {
  return Page("/seasons/now?page=" + std::to_string(page));
}

JikanPage Jikan::SeasonUpcoming(int page) {
  return Page("/seasons/upcoming?page=" + std::to_string(page));
}

std::vector<JikanGenre> Jikan::Genres(GenreKind kind) {
  const std::string target = std::string("/genres/anime?filter=") + kGenreFilters[static_cast<int>(kind)];
  const HttpResponse response = Get(target);
  try {
    return ParseJikanGenres(response.body, kind);
  } catch (const BadJikan& error) {
    ThrowMalformed(target, error.what());
  }
}

}  // namespace syncline::anime
