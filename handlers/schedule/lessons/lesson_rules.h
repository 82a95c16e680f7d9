#pragma once
// Lessons of any source, and the decision which changes a page makes to a group's timetable. Pure.
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/schedule/lessons/day_rules.h"

namespace syncline::schedule {

enum class LessonType { kLecture, kPractice, kLab, kExam, kCredit, kConsultation, kCourse, kOther };

/// "lecture", ...: in the database.
std::string_view WordOf(LessonType type);
std::optional<LessonType> LessonTypeOfWord(std::string_view word);
/// By what the site or a client writes, "(lekts)" in Cyrillic: by its beginning. kOther for unknown words.
LessonType LessonTypeOfText(std::string_view text);
/// What old clients know it by, in Cyrillic: "lek", "pr", "lab", "ekz" (credits too), "kons", or "other".
std::string_view ApiCodeOf(LessonType type);
/// In Russian, for people.
std::string_view ApiNameOf(LessonType type);

struct LessonTime {
  int begin = 0, end = 0;  ///< minutes since midnight
  bool operator==(const LessonTime&) const = default;
};
/// The usual times of lesson 1 to 8; none for others.
std::optional<LessonTime> UsualTimeOf(int lesson_number);
inline constexpr int kMaxLessonNumber = 12;

struct TeacherName {
  std::string name;
  std::optional<std::int64_t> upstream_id{};
  std::string profile_url{};  ///< http or https, or ""
  bool operator==(const TeacherName&) const = default;
};

/// A lesson as the site or a client names it. Texts are shown texts (name_rules.h).
struct Lesson {
  std::optional<Day> date{};  ///< none: known by its weekday only
  int weekday = 1;            ///< Monday is 1
  int number = 1;  ///< 1 to kMaxLessonNumber; 0: an exam whose hour is not known yet, from 0:00 to 0:00
  std::string subject{};
  LessonType type = LessonType::kOther;
  std::string type_text{};
  int subgroup = 0;  ///< 0: the whole group
  std::string room{};
  LessonTime time{};
  std::optional<int> week_number{};
  std::string additional_text{};
  std::vector<TeacherName> teachers{};
};

/// The days that a source covers: it does not affect lessons of other days. It always covers undated lessons,
/// and future exams whose hour is unknown (number 0), of which a site has a list.
struct Window {
  std::optional<Day> first{}, last{};
  bool lists_exams = true;  ///< false: a source without that list takes no such exam away
  bool Has(Day day) const { return first && last && *first <= day && day <= *last; }
};

/// Of the texts of all lessons, as compared: equal pages have equal hashes. 32 bytes.
std::string HashOf(std::span<const Lesson> lessons, const Window& window);

// --- Lessons as rows

/// The identity of a lesson, besides its group and its ordinal.
struct LessonSlot {
  std::optional<Day> date{};
  int weekday = 1, number = 1;
  std::int64_t subject = 0;
  LessonType type = LessonType::kOther;
  int subgroup = 0;
  auto operator<=>(const LessonSlot&) const = default;
};

/// The details that may change without changing the identity. A new week number is not a visible change,
/// because sources count differently.
struct LessonDetails {
  std::optional<std::int64_t> room{};
  LessonTime time{};
  std::optional<int> week_number{};
  std::string additional_text{};
  std::vector<std::int64_t> teachers{};  ///< in the order of the source; compared without it
};
bool IsSame(const LessonDetails& a, const LessonDetails& b);

struct StoredLesson {
  std::int64_t id = 0;
  LessonSlot slot;
  int ordinal = 1;
  LessonDetails details;
  bool is_removed = false;
};

struct WantedLesson {
  LessonSlot slot;
  LessonDetails details;
};

/// What to do, by positions in the lists that PlanOf was given.
struct LessonPlan {
  struct Pair {
    std::size_t stored, wanted;
  };
  struct New {
    std::size_t wanted;
    int ordinal;
  };
  std::vector<New> inserted;  ///< as new rows
  std::vector<Pair> revived;  ///< removed lessons that have returned; count as added
  std::vector<Pair> changed;
  std::vector<Pair> renumbered;      ///< unchanged except for the week number
  std::vector<std::size_t> removed;  ///< positions in `stored`
  std::size_t unchanged = 0;
  bool IsEmpty() const { return inserted.empty() && revived.empty() && changed.empty() && removed.empty(); }
};

/// `stored`: all rows of the group that the window and the wanted lessons are about, removed ones too. Entries that are the same but for
/// their ordinal are matched by their details first, so that their order on the page does not matter.
LessonPlan PlanOf(std::span<const StoredLesson> stored, std::span<const WantedLesson> wanted,
                  const Window& window);

/// Whether the plan removes so many future lessons that it needs confirmation: all of them, or more than half
/// of ten or more.
bool IsSuspicious(const LessonPlan& plan, std::span<const StoredLesson> stored, std::size_t wanted,
                  const Window& window, Day today);

}  // namespace syncline::schedule
