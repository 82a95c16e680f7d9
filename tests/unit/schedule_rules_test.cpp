// handlers/schedule: names, which rows an index means, what a page changes, how runs end. Pure rules.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "handlers/schedule/lessons/group_rules.h"
#include "handlers/schedule/lessons/lesson_rules.h"
#include "handlers/schedule/lessons/name_rules.h"
#include "handlers/schedule/runs/run_rules.h"

using namespace syncline::schedule;
using namespace std::chrono_literals;

namespace {

constexpr Day kToday = Day(2031y / 10 / 6);
const Window kWindow{.first = kToday, .last = kToday + std::chrono::days(13)};

LessonSlot SlotOn(int day, int number, std::int64_t subject = 1, int subgroup = 0) {
  return {.date = kToday + std::chrono::days(day),
          .weekday = day % 7 + 1,
          .number = number,
          .subject = subject,
          .type = LessonType::kLecture,
          .subgroup = subgroup};
}
StoredLesson Stored(std::int64_t id, LessonSlot slot, std::int64_t room, int ordinal = 1,
                    bool is_removed = false) {
  return {.id = id, .slot = slot, .ordinal = ordinal, .details = {.room = room}, .is_removed = is_removed};
}
WantedLesson Wanted(LessonSlot slot, std::int64_t room) {
  return {.slot = slot, .details = {.room = room}};
}
std::string Sizes(const LessonPlan& plan) {
  return std::to_string(plan.inserted.size()) + "+" + std::to_string(plan.revived.size()) + " " +
         std::to_string(plan.changed.size()) + " " + std::to_string(plan.removed.size());
}

std::vector<StoredLesson> Many(int count) {
  std::vector<StoredLesson> stored;
  for (int i = 0; i < count; ++i) stored.push_back(Stored(i + 1, SlotOn(i % 12, i / 12 + 1), 1));
  return stored;
}
bool IsSuspiciousWith(const std::vector<StoredLesson>& stored, int kept, Day today = kToday) {
  std::vector<WantedLesson> wanted;
  for (int i = 0; i < kept; ++i) wanted.push_back(Wanted(stored[static_cast<std::size_t>(i)].slot, 1));
  return IsSuspicious(PlanOf(stored, wanted, kWindow), stored, wanted.size(), kWindow, today);
}

}  // namespace

BOOST_AUTO_TEST_CASE(names_are_compared_by_what_one_sees) {
  BOOST_TEST(ShownText("  б\u2011ОБЛК \u00a0 11\u00ad \n") == "б\u2011ОБЛК 11");
  BOOST_TEST(KeyOf("б\u2011ОБЛК\u00a0\u00a011") == KeyOf("Б-облк 11"));
  BOOST_TEST(KeyOf("и\u0306") == KeyOf("й"));
  BOOST_TEST(KeyOf("Ёлка") != KeyOf("Елка"));
  BOOST_TEST(KeyOf("б-OБЛК-11") != KeyOf("б-ОБЛК-11"));  // a Latin O
  BOOST_TEST(KeyOf("a\u200bb") == "ab");
}

BOOST_AUTO_TEST_CASE(searches_fold_what_people_interchange) {
  BOOST_TEST(SearchFolded("Ёлка") == SearchFolded("елка"));
  BOOST_TEST(SearchFolded("б-OБЛК") == SearchFolded("б-облк"));
  BOOST_TEST(SearchFolded("C++") == SearchFolded("c++"));
  BOOST_TEST(SearchFolded("%") == "%");
}

BOOST_AUTO_TEST_CASE(the_name_of_a_group_says_its_course_and_parallel) {
  BOOST_TEST(NumbersOf("б-ОБЛК-31").course.value() == 3);
  BOOST_TEST(NumbersOf("б-ОБЛК-32").parallel.value() == 2);
  BOOST_TEST(NumbersOf("м2-ТУМНоз-12 (ин.)").course.value() == 1);
  for (const char* name : {"б-ОБЛК", "ОБЛК-31", "б-ОБЛК-x1", "б-ОБЛК-3"})
    BOOST_TEST(!NumbersOf(name).course.has_value());
}

BOOST_AUTO_TEST_CASE(captions_of_forms_are_read_in_the_right_order) {
  BOOST_TEST(EducationFormOf("Очно-заочная").value() == "evening");
  BOOST_TEST(EducationFormOf("Заочная (сокращенная)").value() == "part_time");
  BOOST_TEST(EducationFormOf("Очная").value() == "full_time");
  BOOST_TEST(!EducationFormOf("Дневная").has_value());
  BOOST_TEST(!DegreeTypeOf("Колледж").has_value());
}

BOOST_AUTO_TEST_CASE(online_rooms_are_known_by_words) {
  for (const char* room : {"Дистанционно", "ОНЛАЙН", "https://x.example/y", "ЭИОС"})
    BOOST_TEST(IsOnlineRoom(room, ""));
  BOOST_TEST(!IsOnlineRoom("4/215", ""));
  BOOST_TEST(IsOnlineRoom("Кабинет Zeta", "zeta"));
}

BOOST_AUTO_TEST_CASE(a_changed_room_is_a_change_and_not_another_lesson) {
  const std::vector<StoredLesson> stored{Stored(1, SlotOn(0, 1), 1), Stored(2, SlotOn(1, 1), 1)};
  const std::vector<WantedLesson> wanted{Wanted(SlotOn(0, 1), 2), Wanted(SlotOn(1, 1), 1),
                                         Wanted(SlotOn(2, 1), 1)};
  const LessonPlan plan = PlanOf(stored, wanted, kWindow);
  BOOST_TEST(Sizes(plan) == "1+0 1 0");
  BOOST_TEST(plan.unchanged == 1U);
}

BOOST_AUTO_TEST_CASE(lessons_outside_the_window_are_none_of_its_business) {
  const std::vector<StoredLesson> stored{Stored(1, SlotOn(-7, 1), 1), Stored(2, SlotOn(30, 1), 1),
                                         Stored(3, SlotOn(5, 1), 1)};
  const LessonPlan plan = PlanOf(stored, {}, kWindow);
  BOOST_REQUIRE_EQUAL(plan.removed.size(), 1U);
  BOOST_TEST(stored[plan.removed[0]].id == 3);
  BOOST_TEST(PlanOf(stored, {}, Window{}).IsEmpty());
}

BOOST_AUTO_TEST_CASE(undated_lessons_and_exams_to_come_are_always_within) {
  LessonSlot undated = SlotOn(0, 1), exam = SlotOn(40, 0);
  undated.date.reset();
  const std::vector<StoredLesson> stored{Stored(1, undated, 1), Stored(2, exam, 1),
                                         Stored(3, SlotOn(-40, 0), 1)};
  BOOST_TEST(PlanOf(stored, {}, kWindow).removed.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_lesson_that_returns_is_the_same_row) {
  const std::vector<StoredLesson> stored{Stored(1, SlotOn(0, 1), 1, 1, /*is_removed=*/true)};
  BOOST_TEST(Sizes(PlanOf(stored, std::vector{Wanted(SlotOn(0, 1), 5)}, kWindow)) == "0+1 0 0");
  BOOST_TEST(PlanOf(stored, {}, kWindow).IsEmpty());
}

BOOST_AUTO_TEST_CASE(the_order_of_equal_entries_does_not_matter) {
  const std::vector<StoredLesson> stored{Stored(1, SlotOn(0, 1), 1, 1), Stored(2, SlotOn(0, 1), 2, 2)};
  BOOST_TEST(
      PlanOf(stored, std::vector{Wanted(SlotOn(0, 1), 2), Wanted(SlotOn(0, 1), 1)}, kWindow).IsEmpty());
  // One of them is gone: the other one is not touched.
  const LessonPlan plan = PlanOf(stored, std::vector{Wanted(SlotOn(0, 1), 2)}, kWindow);
  BOOST_TEST(Sizes(plan) == "0+0 0 1");
  BOOST_TEST(stored[plan.removed[0]].id == 1);
  // A third one gets the next ordinal.
  const LessonPlan more =
      PlanOf(stored, std::vector{Wanted(SlotOn(0, 1), 1), Wanted(SlotOn(0, 1), 2), Wanted(SlotOn(0, 1), 3)},
             kWindow);
  BOOST_REQUIRE_EQUAL(more.inserted.size(), 1U);
  BOOST_TEST(more.inserted[0].ordinal == 3);
}

BOOST_AUTO_TEST_CASE(the_order_of_teachers_does_not_matter) {
  LessonDetails one{.teachers = {1, 2}}, other{.teachers = {2, 1}}, less{.teachers = {1}};
  BOOST_TEST(IsSame(one, other));
  BOOST_TEST(!IsSame(one, less));
}

BOOST_AUTO_TEST_CASE(another_count_of_weeks_and_another_spelling_are_no_change) {
  StoredLesson stored = Stored(1, SlotOn(0, 1), 1);
  stored.details.week_number = 6;
  stored.details.additional_text = "с\u2011собой";
  WantedLesson wanted = Wanted(SlotOn(0, 1), 1);
  wanted.details.week_number = 40;
  wanted.details.additional_text = "С-собой";
  LessonPlan plan = PlanOf(std::vector{stored}, std::vector{wanted}, kWindow);
  BOOST_TEST(plan.IsEmpty());
  BOOST_TEST(plan.renumbered.size() == 1U);
  wanted.details.week_number.reset();  // a source that counts none
  plan = PlanOf(std::vector{stored}, std::vector{wanted}, kWindow);
  BOOST_TEST((plan.IsEmpty() && plan.renumbered.empty()));
  wanted.details.additional_text = "другое";
  BOOST_TEST(Sizes(PlanOf(std::vector{stored}, std::vector{wanted}, kWindow)) == "0+0 1 0");
}

BOOST_AUTO_TEST_CASE(a_thousand_equal_lessons_are_999) {
  const std::vector<WantedLesson> wanted(1500, Wanted(SlotOn(0, 1), 1));
  const LessonPlan plan = PlanOf({}, wanted, kWindow);
  BOOST_REQUIRE_EQUAL(plan.inserted.size(), 999U);
  BOOST_TEST(plan.inserted.back().ordinal == 999);
}

BOOST_AUTO_TEST_CASE(a_page_that_takes_too_much_away_is_suspicious) {
  BOOST_TEST(IsSuspiciousWith(Many(30), 0));
  BOOST_TEST(IsSuspiciousWith(Many(1), 0));
  BOOST_TEST(IsSuspiciousWith(Many(10), 4));
  BOOST_TEST(!IsSuspiciousWith(Many(10), 5));
  BOOST_TEST(!IsSuspiciousWith(Many(9), 1));
  // What is over may go.
  BOOST_TEST(!IsSuspiciousWith(Many(30), 0, kToday + std::chrono::days(14)));
}

BOOST_AUTO_TEST_CASE(equal_pages_have_equal_hashes_whatever_their_spelling_and_order) {
  Lesson a{.date = kToday, .subject = "Теория\u00a0тумана", .teachers = {{"А"}, {"Б"}}};
  Lesson b = a;
  b.subject = "теория тумана";
  std::swap(b.teachers[0], b.teachers[1]);
  Lesson c = a;
  c.room = "1";
  const auto hash = [](std::vector<Lesson> lessons) { return HashOf(lessons, kWindow); };
  BOOST_TEST((hash({a, c}) == hash({c, b})));
  BOOST_TEST((hash({a}) != hash({c})));
  BOOST_TEST((hash({a}) != hash({a, a})));
}

BOOST_AUTO_TEST_CASE(groups_are_found_by_name_and_their_numbers_rebound) {
  const std::vector<KnownGroup> known{{1, 41, 7001, "a"}, {2, 41, 7002, "b"}, {3, 42, 7003, "c"}};
  const auto ids = [&](const std::vector<GroupEntry>& entries) {
    std::string all;
    for (const GroupMatch& match : MatchGroups(known, entries, Listing::kIndex))
      all += (match.known ? std::to_string(known[*match.known].id) : "new") + " ";
    return all;
  };
  BOOST_TEST(ids({{{41}, 7002, "a"}, {{41}, 7001, "b"}, {{42}, 9003, "c"}}) ==
             "1 2 3 ");                                                 // swapped, and one renewed
  BOOST_TEST(ids({{{41}, 7001, "x"}, {{41}, 7002, "b"}}) == "1 2 ");    // renamed
  BOOST_TEST(ids({{{41}, 7001, "x"}, {{41}, 7009, "a"}}) == "new 1 ");  // its name is still there
  BOOST_TEST(ids({{{42}, 7001, "a"}}) == "1 ");                         // moved
  BOOST_TEST(ids({{{41}, 7001, "a"}, {{42}, 7050, "a"}}) == "1 new ");  // one name, two institutes
}

BOOST_AUTO_TEST_CASE(numbers_that_are_given_anew_rename_nobody) {
  const std::vector<KnownGroup> known{
      {1, 41, 7001, "a"}, {2, 41, 7002, "b"}, {3, 41, 7003, "c"}, {4, 41, 7004, "d"}};
  const auto ids = [&](const std::vector<GroupEntry>& entries) {
    std::string all;
    for (const GroupMatch& match : MatchGroups(known, entries, Listing::kIndex))
      all += (match.known ? std::to_string(known[*match.known].id) : "new") + " ";
    return all;
  };
  // One of the last year has gone, a new one has its number, and others have moved: who is who is told by names only.
  BOOST_TEST(ids({{{41}, 7001, "n"}, {{41}, 7002, "c"}, {{41}, 7003, "b"}, {{41}, 7004, "d"}}) ==
             "new 3 2 4 ");
  BOOST_TEST(ids({{{41}, 7001, "n"}, {{41}, 7002, "m"}, {{41}, 7003, "c"}, {{41}, 7004, "d"}}) ==
             "new new 3 4 ");
  BOOST_TEST(ids({{{41}, 7001, "n"}, {{41}, 7002, "b"}, {{41}, 7003, "c"}, {{41}, 7004, "d"}}) == "1 2 3 4 ");
}

BOOST_AUTO_TEST_CASE(a_client_that_names_one_group_says_nothing_of_the_others) {
  const std::vector<KnownGroup> known{{1, 41, 7001, "a"}, {2, 41, 7002, "b"}, {3, 0, std::nullopt, "c"}};
  const auto id = [&](const GroupEntry& entry) {
    const GroupMatch match = MatchGroups(known, std::vector{entry}, Listing::kOneGroup).at(0);
    return (match.known ? std::to_string(known[*match.known].id) : "new") + " of " +
           std::to_string(match.institute);
  };
  BOOST_TEST(id({{41}, 7001, "n"}) ==
             "new of 41");  // the number of a group that is not named: it may have another one now
  BOOST_TEST(id({{41}, 7002, "a"}) == "1 of 41");    // rebound
  BOOST_TEST(id({{42}, 7009, "a"}) == "new of 42");  // one name in two institutes
  BOOST_TEST(id({{0}, 7009, "a"}) == "new of 0");    // in a new institute, too
  BOOST_TEST(id({{42}, 7001, "a"}) == "1 of 42");    // the same number, too: it has moved
  BOOST_TEST(id({{0}, 7009, "a", 41}) == "1 of 0");  // its institute has another number now
  BOOST_TEST(id({{41}, 7009, "c"}) == "3 of 41");    // of no institute so far
}

BOOST_AUTO_TEST_CASE(a_client_renumbers_no_institute) {
  const std::vector<KnownInstitute> known{{1, 41, "x"}, {2, std::nullopt, "z"}};
  const auto at = [&](const InstituteEntry& entry) {
    const auto match = MatchInstitutes(known, std::vector{entry}, Listing::kOneGroup).at(0);
    return match ? std::to_string(known[*match].id) : "new";
  };
  BOOST_TEST(at({41, "x"}) == "1");
  BOOST_TEST(at({42, "x"}) == "new");  // two institutes of one name
  BOOST_TEST(at({60, "z"}) == "2");    // its first number
}

BOOST_AUTO_TEST_CASE(an_index_whose_names_nobody_knows_is_foreign) {
  std::vector<KnownGroup> known;
  std::vector<GroupEntry> same, garbled, half, shifted;
  for (int i = 0; i < 20; ++i) {
    const std::string key = "g" + std::to_string(i);
    known.push_back({i + 1, 41, 7000 + i, key});
    same.push_back({{41}, 7000 + i, key});
    garbled.push_back({{41}, 7000 + i, "?" + key});
    half.push_back({{41}, 7000 + i, i % 2 == 0 ? key : "?" + key});
    shifted.push_back({{41}, 7000 + i, "g" + std::to_string((i + 1) % 20)});
  }
  BOOST_TEST(!IsForeign(known, same));
  BOOST_TEST(IsForeign(known, garbled));
  BOOST_TEST(!IsForeign(known, half));
  BOOST_TEST(!IsForeign(known, shifted));
  BOOST_TEST(!IsForeign({}, garbled));
  BOOST_TEST(!IsForeign(known, std::span(garbled).first(9)));
}

BOOST_AUTO_TEST_CASE(a_group_in_two_institutes_stays_in_its_own) {
  const std::vector<KnownGroup> known{{1, 42, 7001, "a"}};
  const auto matches = MatchGroups(known, std::vector<GroupEntry>{{{41, 42}, 7001, "a"}}, Listing::kIndex);
  BOOST_TEST(matches[0].institute == 42);
}

BOOST_AUTO_TEST_CASE(institutes_of_one_name_are_told_apart_by_their_numbers) {
  const std::vector<KnownInstitute> known{{1, 41, "x"}, {2, 42, "y"}, {3, 43, "y"}, {4, std::nullopt, "z"}};
  const auto at = [&](const std::vector<InstituteEntry>& entries) {
    std::string all;
    for (const auto& match : MatchInstitutes(known, entries, Listing::kIndex))
      all += (match ? std::to_string(known[*match].id) : "new") + " ";
    return all;
  };
  BOOST_TEST(at({{41, "x"}, {42, "y"}, {43, "y"}, {std::nullopt, "z"}}) == "1 2 3 4 ");
  BOOST_TEST(at({{51, "x"}}) == "1 ");    // another number
  BOOST_TEST(at({{50, "y"}}) == "new ");  // which of two?
  BOOST_TEST(at({{60, "z"}}) == "4 ");    // its first number
  BOOST_TEST(at({{std::nullopt, "x"}}) == "new ");
}

BOOST_AUTO_TEST_CASE(a_run_ends_by_how_many_pages_it_has_read) {
  const auto state = [](std::int64_t total, std::int64_t failed, std::int64_t skipped,
                        RunStop stop = RunStop::kNone) {
    return ResultOf(
               {.total = total, .updated = total - failed - skipped, .failed = failed, .skipped = skipped},
               stop)
        .state;
  };
  BOOST_TEST(state(40, 0, 0) == "success");
  BOOST_TEST(state(40, 5, 0) == "partial");
  BOOST_TEST(state(40, 8, 0) == "partial");
  BOOST_TEST(state(40, 9, 0) == "failed");
  BOOST_TEST(state(40, 10, 30, RunStop::kBreaker) == "failed");
  BOOST_TEST(state(40, 0, 30, RunStop::kDeadline) == "partial");
  BOOST_TEST(state(40, 0, 30, RunStop::kCancelled) == "cancelled");
  BOOST_TEST(
      ResultOf({.total = 4, .failed = 4, .only_code = "layout_unknown"}, RunStop::kBreaker).code.value() ==
      "layout_unknown");
}

BOOST_AUTO_TEST_CASE(pauses_grow_and_heed_the_site) {
  BOOST_TEST((PauseBefore(2, 1s, 0, std::nullopt) == 1s));
  BOOST_TEST((PauseBefore(3, 1s, 0, std::nullopt) == 4s));
  BOOST_TEST((PauseBefore(3, 1s, 1, std::nullopt) == 5s));
  BOOST_TEST((PauseBefore(2, 1s, 0, 30s) == 30s));
  BOOST_TEST((PauseBefore(2, 1s, 0, 24h) == 5min));
}

BOOST_AUTO_TEST_CASE(the_breaker_opens_on_failures_in_a_row_or_a_bad_start) {
  Breaker row(10, 3);
  for (int i = 0; i < 9; ++i) row.CountGroup(false);
  BOOST_TEST(!row.IsOpen());
  row.CountGroup(false);
  BOOST_TEST(row.IsOpen());
  Breaker start(10, 3);
  for (int i = 0; i < 45 && !start.IsOpen(); ++i) start.CountGroup(i % 3 != 0);
  BOOST_TEST(!start.IsOpen());  // 15 of 45
  start.CountGroup(false);
  BOOST_TEST(start.IsOpen());
  // Tries of many groups that fail before any has had its last one.
  Breaker tries(10, 3);
  for (int i = 0; i < 29; ++i) tries.CountTry(false);
  tries.CountTry(true);
  for (int i = 0; i < 29; ++i) tries.CountTry(false);
  BOOST_TEST(!tries.IsOpen());
  tries.CountTry(false);
  BOOST_TEST(tries.IsOpen());
}

BOOST_AUTO_TEST_CASE(a_run_is_silent_after_its_last_sign_of_life) {
  const auto now = std::chrono::system_clock::time_point(std::chrono::hours(500'000));
  Run run;
  run.state = "running";
  run.started_at = now - 1h;
  run.heartbeat_at = now - 61s;
  BOOST_TEST(IsSilent(run, now, 60s));
  run.heartbeat_at = now - 60s;
  BOOST_TEST(!IsSilent(run, now, 60s));
  run.finished_at = now;
  BOOST_TEST(!IsSilent(run, now, 1s));
  // One that waits for a worker has longer, and no sign of life yet.
  Run waiting;
  waiting.state = "queued";
  waiting.started_at = now - 300s;
  BOOST_TEST(!IsSilent(waiting, now, 60s));
  waiting.started_at = now - 301s;
  BOOST_TEST(IsSilent(waiting, now, 60s));
}

BOOST_AUTO_TEST_CASE(the_clock_starts_a_full_run_once_a_day_and_never_beside_another) {
  const std::chrono::local_days day{2031y / 10 / 6};
  const auto now = std::chrono::system_clock::now();
  const auto kind = [&](int hour, std::optional<int> full_hours_ago, TimerState state = {}) {
    const std::chrono::local_seconds local = day + std::chrono::hours(hour);
    const auto full =
        full_hours_ago ? std::optional(local - std::chrono::hours(*full_hours_ago)) : std::nullopt;
    return std::string(TimerKind(state, local, full, now, 3, 3).value_or("none"));
  };
  BOOST_TEST(kind(3, std::nullopt) == "full");
  BOOST_TEST(kind(6, 3) == "incremental");
  BOOST_TEST(kind(3, 24) == "full");
  BOOST_TEST(kind(0, 21) == "incremental");
  BOOST_TEST(kind(4, 24) == "none");
  BOOST_TEST(kind(6, 3, {.is_active = true}) == "none");
  BOOST_TEST(kind(6, 3, {.good_at = now - 30min}) == "none");
  BOOST_TEST(!TimerKind({}, day + 3h, std::nullopt, now, 0, 3).has_value());
  // Of every hour: the last one has ended some minutes after its hour.
  BOOST_TEST(TimerKind({.good_at = now - 50min}, day + 5h, day + 3h, now, 1, 3).value_or("none") ==
             "incremental");
  BOOST_TEST(!TimerKind({.good_at = now - 20min}, day + 5h, day + 3h, now, 1, 3).has_value());
}
