// handlers/anime: rules of titles and of entries; times as protocols print them.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "handlers/anime/entry_rules.h"
#include "handlers/anime/title_rules.h"
#include "handlers/base/input.h"
#include "handlers/base/timestamp.h"

using namespace syncline;
using namespace syncline::anime;
using namespace std::chrono_literals;
using std::chrono::days;

namespace {

const Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h;

// Whether a search for `text` finds a title of this name.
bool Finds(const std::string& text, const std::string& name) {
  const std::vector<std::string> titles{"Another", name};
  return SearchTextOf(titles).find(FoldedForSearch(text)) != std::string::npos;
}

EntryFields Of(const char* status, std::optional<std::int64_t> progress) {
  EntryFields fields;
  fields.status = status;
  fields.progress = progress;
  return fields;
}

EntryChange Progress(std::int64_t progress) {
  EntryChange change;
  change.progress = progress;
  return change;
}

EntryChange Status(const char* status) {
  EntryChange change;
  change.status = status;
  return change;
}

constexpr auto kEpisodes = 12;
const EntryCircumstances kAuto{.episodes = kEpisodes, .has_auto_rules = true, .today = "2026-03-01"};
const EntryCircumstances kPlain{.episodes = kEpisodes, .has_auto_rules = false, .today = "2026-03-01"};

}  // namespace

BOOST_AUTO_TEST_CASE(a_search_ignores_case_width_and_the_form_of_quotes) {
  for (const char* text : {"Howl's Moving", "howl\u2019s", "HOWLS", "howls moving castle", "'"})
    BOOST_TEST(Finds(text, "Howl\u2019s Moving Castle"), text);
  BOOST_TEST(Finds("naruto", "\uff2e\uff21\uff32\uff35\uff34\uff2f"));
  BOOST_TEST(Finds("\uff4e\uff41ruto", "Naruto"));
  BOOST_TEST(Finds("spy\u00d7family", "SPY\u00d7FAMILY"));
  BOOST_TEST(Finds("\u5c11\u5973", "\u6708\u520a\u5c11\u5973"));
  BOOST_TEST(Finds("stra\u00dfe", "STRASSE"));
  BOOST_TEST(!Finds("howlx", "Howl's"));
}

BOOST_AUTO_TEST_CASE(nothing_in_a_search_is_a_wildcard) {
  BOOST_TEST(PatternFor("50%_\\") == "%50\\%\\_\\\\%");
}

BOOST_AUTO_TEST_CASE(a_copy_gets_stale_sooner_while_its_title_changes) {
  const auto day = std::chrono::year_month_day(std::chrono::floor<days>(kNow));
  const auto old = std::chrono::year_month_day(std::chrono::floor<days>(kNow - days(91)));
  const auto after = [&](std::optional<AiringStatus> status,
                         std::optional<std::chrono::year_month_day> ended) {
    return std::chrono::duration_cast<std::chrono::hours>(StaleAt(status, ended, kNow, std::nullopt) - kNow)
        .count();
  };
  BOOST_TEST(after(AiringStatus::kAiring, std::nullopt) == 24);
  BOOST_TEST(after(AiringStatus::kUpcoming, std::nullopt) == 24);
  BOOST_TEST(after(AiringStatus::kFinished, day) == 72);
  BOOST_TEST(after(AiringStatus::kFinished, std::nullopt) == 72);
  BOOST_TEST(after(AiringStatus::kFinished, old) == 720);
  BOOST_TEST(after(std::nullopt, old) == 72);
  BOOST_CHECK(StaleAt(AiringStatus::kAiring, {}, kNow, kNow + 30h) == kNow + 30h);
  BOOST_CHECK(StaleAt(AiringStatus::kAiring, {}, kNow, kNow - 30h) == kNow + 24h);
  BOOST_CHECK(StaleAt(AiringStatus::kAiring, {}, kNow, kNow + days(9999)) == kNow + days(30));
}

BOOST_AUTO_TEST_CASE(failures_are_retried_after_hours_but_within_a_day) {
  BOOST_CHECK(RetryAt(1, kNow) == kNow + 1h);
  BOOST_CHECK(RetryAt(2, kNow) == kNow + 2h);
  BOOST_CHECK(RetryAt(5, kNow) == kNow + 16h);
  BOOST_CHECK(RetryAt(6, kNow) == kNow + 24h);
  BOOST_CHECK(RetryAt(1'000'000, kNow) == kNow + 24h);
}

BOOST_AUTO_TEST_CASE(without_automatic_rules_an_entry_is_what_its_owner_writes) {
  const EntryFields entry = Changed(Of("watching", 3), Progress(999), kPlain);
  BOOST_TEST(entry.progress.value() == 999);
  BOOST_TEST(entry.status == "watching");
  BOOST_TEST(!entry.started_on.has_value());
  BOOST_TEST(Changed(Of("watching", 3), Status("completed"), kPlain).progress.value() == 3);
}

BOOST_AUTO_TEST_CASE(what_a_change_does_not_name_stays_and_null_clears) {
  EntryFields before = Of("watching", 3);
  before.score = 8.5;
  before.tags = {"a"};
  EntryChange change;
  change.score.emplace();
  const EntryFields after = Changed(before, change, kPlain);
  BOOST_TEST(!after.score.has_value());
  before.score.reset();
  BOOST_CHECK(after == before);
  BOOST_TEST(EntryChange{}.IsEmpty());
  BOOST_TEST(!change.IsEmpty());
}

BOOST_AUTO_TEST_CASE(automatic_rules_complete_and_begin_a_title) {
  const EntryFields completed = Changed(Of("watching", 3), Status("completed"), kAuto);
  BOOST_TEST(completed.progress.value() == kEpisodes);
  BOOST_TEST(completed.finished_on.value() == "2026-03-01");
  const EntryFields begun = Changed(Of("plan_to_watch", std::nullopt), Progress(1), kAuto);
  BOOST_TEST(begun.status == "watching");
  BOOST_TEST(begun.started_on.value() == "2026-03-01");
  const EntryFields last = Changed(Of("watching", 11), Progress(12), kAuto);
  BOOST_TEST(last.status == "completed");
  BOOST_TEST(last.finished_on.value() == "2026-03-01");
  // A title without a number of episodes has no last one.
  const EntryCircumstances unknown{.episodes = std::nullopt, .has_auto_rules = true, .today = "2026-03-01"};
  BOOST_TEST(Changed(Of("watching", 11), Progress(12), unknown).status == "watching");
  BOOST_TEST(Changed(Of("watching", 11), Status("completed"), unknown).progress.value() == 11);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_rewatch_counts_it) {
  EntryFields before = Of("completed", 3);
  before.rewatching = true;
  before.rewatches = 2;
  const EntryFields during = Changed(before, Progress(4), kAuto);
  BOOST_TEST(during.rewatching);
  BOOST_TEST(during.status == "completed");
  BOOST_TEST(during.rewatches == 2);
  const EntryFields after = Changed(before, Progress(12), kAuto);
  BOOST_TEST(!after.rewatching);
  BOOST_TEST(after.rewatches == 3);
  BOOST_TEST(after.status == "completed");
}

BOOST_AUTO_TEST_CASE(progress_above_a_count_that_became_known_later_may_stay) {
  EntryChange score;
  score.score = 8.0;
  BOOST_TEST(Changed(Of("watching", 38), score, kAuto).progress.value() == 38);
  BOOST_CHECK_THROW(Changed(Of("watching", 38), Progress(39), kAuto), InputError);
  BOOST_TEST(Changed(Of("watching", 38), Progress(12), kAuto).status == "completed");
}

BOOST_AUTO_TEST_CASE(the_last_day_is_not_before_the_first_one) {
  EntryFields before = Of("watching", 3);
  before.started_on = "2026-02-10";
  EntryChange change;
  change.finished_on = "2026-02-09";
  BOOST_CHECK_THROW(Changed(before, change, kPlain), InputError);
  change.finished_on = "2026-02-10";
  BOOST_TEST(Changed(before, change, kPlain).finished_on.value() == "2026-02-10");
}

BOOST_AUTO_TEST_CASE(times_are_printed_as_pydantic_does) {
  const auto day = std::chrono::sys_days(std::chrono::year(2026) / 2 / 28);
  BOOST_TEST(PrintTimestamp(day) == "2026-02-28T00:00:00Z");
  BOOST_TEST(PrintTimestamp(day + 20h + 30min + 20s + 123us) == "2026-02-28T20:30:20.000123Z");
  BOOST_TEST(PrintTimestamp(std::chrono::sys_days(std::chrono::year(1969) / 12 / 31) + 1us) ==
             "1969-12-31T00:00:00.000001Z");
  BOOST_TEST(PrintDate(day + 23h) == "2026-02-28");
}
