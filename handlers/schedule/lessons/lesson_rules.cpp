#include "handlers/schedule/lessons/lesson_rules.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "handlers/base/sha256.h"
#include "handlers/schedule/lessons/name_rules.h"

namespace syncline::schedule {
namespace {

struct TypeRow {
  LessonType type;
  std::string_view word, api_code, api_name;
};

constexpr TypeRow kTypes[] = {
    {LessonType::kLecture, "lecture", "лек", "Лекция"},
    {LessonType::kPractice, "practice", "пр", "Практика"},
    {LessonType::kLab, "lab", "лаб", "Лабораторная"},
    {LessonType::kExam, "exam", "экз", "Экзамен"},
    // Old clients know no credits; the original shows them as exams.
    {LessonType::kCredit, "credit", "экз", "Зачет"},
    {LessonType::kConsultation, "consultation", "конс", "Консультация"},
    {LessonType::kCourse, "course", "other", "Курсовая работа"},
    {LessonType::kOther, "other", "other", "Другое"},
};

const TypeRow& RowOf(LessonType type) {
  return *std::find_if(std::begin(kTypes), std::end(kTypes),
                       [&](const TypeRow& row) { return row.type == type; });
}

// The first that a text begins with. After them those that it contains, for "introductory lecture" and the like.
constexpr std::pair<std::string_view, LessonType> kBeginnings[] = {
    {"лек", LessonType::kLecture}, {"лаб", LessonType::kLab},           {"экз", LessonType::kExam},
    {"зач", LessonType::kCredit},  {"конс", LessonType::kConsultation}, {"курс", LessonType::kCourse},
    {"пр", LessonType::kPractice},
};
constexpr std::pair<std::string_view, LessonType> kParts[] = {
    {"лекц", LessonType::kLecture},          {"практ", LessonType::kPractice},
    {"лаборат", LessonType::kLab},           {"экзам", LessonType::kExam},
    {"зачет", LessonType::kCredit},          {"зачёт", LessonType::kCredit},
    {"консульт", LessonType::kConsultation},
};

constexpr LessonTime kTimes[] = {{480, 570},  {585, 675},   {690, 780},   {820, 910},
                                 {920, 1010}, {1020, 1110}, {1120, 1210}, {1220, 1310}};

constexpr std::size_t kManyLessons = 10;
constexpr int kMaxOrdinal = 999;

std::string NumberText(const std::optional<Day>& day) {
  return day ? std::to_string(day->time_since_epoch().count()) : "-";
}

// A line that is equal for lessons that look the same.
std::string LineOf(const Lesson& lesson) {
  std::vector<std::string> teachers;
  for (const TeacherName& teacher : lesson.teachers) {
    teachers.push_back(teacher.upstream_id
                           ? "#" + std::to_string(*teacher.upstream_id) + "=" + KeyOf(teacher.name)
                           : "=" + KeyOf(teacher.name));
  }
  std::sort(teachers.begin(), teachers.end());
  std::string line = NumberText(lesson.date) + ' ' + std::to_string(lesson.weekday) + ' ' +
                     std::to_string(lesson.number) + ' ' + std::to_string(lesson.subgroup) + ' ' +
                     std::string(WordOf(lesson.type)) + ' ' + std::to_string(lesson.time.begin) + ' ' +
                     std::to_string(lesson.time.end) + ' ' + std::to_string(lesson.week_number.value_or(-1));
  for (const std::string& text : {KeyOf(lesson.subject), KeyOf(lesson.room), KeyOf(lesson.additional_text)})
    line.append("\t").append(text);
  for (const std::string& teacher : teachers) line.append("\t").append(teacher);
  return line;
}

// What a source has to say about.
bool IsWithin(const LessonSlot& slot, const Window& window) {
  if (slot.number == 0 && !window.lists_exams) return false;
  if (!slot.date || window.Has(*slot.date)) return true;
  return slot.number == 0 && window.first && *slot.date >= *window.first;
}

// Entries of one slot: positions in the lists of PlanOf.
struct Bucket {
  std::vector<std::size_t> wanted, active, removed;
};

// Pairs entries with equal details first, then the rest in order. What is left stays in the lists.
template <typename Pair>
void Match(std::vector<std::size_t>& wanted, std::vector<std::size_t>& stored, const Pair& is_same,
           const std::function<void(std::size_t stored, std::size_t wanted, bool is_same)>& matched) {
  for (auto want = wanted.begin(); want != wanted.end();) {
    const auto found =
        std::find_if(stored.begin(), stored.end(), [&](std::size_t s) { return is_same(s, *want); });
    if (found == stored.end()) {
      ++want;
      continue;
    }
    matched(*found, *want, true);
    stored.erase(found);
    want = wanted.erase(want);
  }
  while (!wanted.empty() && !stored.empty()) {
    matched(stored.front(), wanted.front(), false);
    stored.erase(stored.begin());
    wanted.erase(wanted.begin());
  }
}

}  // namespace

std::string_view WordOf(LessonType type) {
  return RowOf(type).word;
}

std::optional<LessonType> LessonTypeOfWord(std::string_view word) {
  for (const TypeRow& row : kTypes) {
    if (row.word == word) return row.type;
  }
  return std::nullopt;
}

LessonType LessonTypeOfText(std::string_view text) {
  std::string key = KeyOf(text);
  key.erase(0, key.find_first_not_of(" ("));
  for (const auto& [beginning, type] : kBeginnings) {
    if (key.starts_with(beginning)) return type;
  }
  for (const auto& [part, type] : kParts) {
    if (key.find(part) != std::string::npos) return type;
  }
  return LessonType::kOther;
}

std::string_view ApiCodeOf(LessonType type) {
  return RowOf(type).api_code;
}

std::string_view ApiNameOf(LessonType type) {
  return RowOf(type).api_name;
}

std::optional<LessonTime> UsualTimeOf(int lesson_number) {
  if (lesson_number < 1 || lesson_number > static_cast<int>(std::size(kTimes))) return std::nullopt;
  return kTimes[lesson_number - 1];
}

std::string HashOf(std::span<const Lesson> lessons, const Window& window) {
  std::vector<std::string> lines;
  lines.reserve(lessons.size());
  for (const Lesson& lesson : lessons) lines.push_back(LineOf(lesson));
  std::sort(lines.begin(), lines.end());
  std::string all = NumberText(window.first) + ' ' + NumberText(window.last);
  for (const std::string& line : lines) all.append("\n").append(line);
  return Sha256(all);
}

bool IsSame(const LessonDetails& a, const LessonDetails& b) {
  const auto sorted = [](std::vector<std::int64_t> ids) {
    std::sort(ids.begin(), ids.end());
    return ids;
  };
  return a.room == b.room && a.time == b.time && KeyOf(a.additional_text) == KeyOf(b.additional_text) &&
         sorted(a.teachers) == sorted(b.teachers);
}

LessonPlan PlanOf(std::span<const StoredLesson> stored, std::span<const WantedLesson> wanted,
                  const Window& window) {
  std::map<LessonSlot, Bucket> buckets;
  std::map<LessonSlot, std::set<int>> ordinals;
  std::vector<std::size_t> by_ordinal(stored.size());
  for (std::size_t i = 0; i < stored.size(); ++i) by_ordinal[i] = i;
  std::sort(by_ordinal.begin(), by_ordinal.end(),
            [&](std::size_t a, std::size_t b) { return stored[a].ordinal < stored[b].ordinal; });
  for (const std::size_t i : by_ordinal) {
    Bucket& bucket = buckets[stored[i].slot];
    (stored[i].is_removed ? bucket.removed : bucket.active).push_back(i);
    ordinals[stored[i].slot].insert(stored[i].ordinal);
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) buckets[wanted[i].slot].wanted.push_back(i);

  LessonPlan plan;
  const auto is_same = [&](std::size_t s, std::size_t w) {
    return IsSame(stored[s].details, wanted[w].details);
  };
  for (auto& [slot, bucket] : buckets) {
    Match(bucket.wanted, bucket.active, is_same, [&](std::size_t s, std::size_t w, bool same) {
      if (!same) {
        plan.changed.push_back({s, w});
        return;
      }
      ++plan.unchanged;
      const auto& week = wanted[w].details.week_number;
      if (week && week != stored[s].details.week_number) plan.renumbered.push_back({s, w});
    });
    Match(bucket.wanted, bucket.removed, is_same, [&](std::size_t s, std::size_t w, bool) {
      plan.revived.push_back({s, w});
    });
    std::set<int>& taken = ordinals[slot];
    int ordinal = 1;
    for (const std::size_t w : bucket.wanted) {
      while (taken.contains(ordinal)) ++ordinal;
      if (ordinal > kMaxOrdinal) break;  // nobody has a thousand equal lessons at one time
      taken.insert(ordinal);
      plan.inserted.push_back({w, ordinal});
    }
    if (!IsWithin(slot, window)) continue;
    plan.removed.insert(plan.removed.end(), bucket.active.begin(), bucket.active.end());
  }
  return plan;
}

bool IsSuspicious(const LessonPlan& plan, std::span<const StoredLesson> stored, std::size_t wanted,
                  const Window& window, Day today) {
  const auto is_coming = [&](const StoredLesson& lesson) {
    return !lesson.slot.date || *lesson.slot.date >= today;
  };
  const auto before =
      static_cast<std::size_t>(std::count_if(stored.begin(), stored.end(), [&](const StoredLesson& lesson) {
        return !lesson.is_removed && IsWithin(lesson.slot, window) && is_coming(lesson);
      }));
  const auto gone = static_cast<std::size_t>(std::count_if(
      plan.removed.begin(), plan.removed.end(), [&](std::size_t i) { return is_coming(stored[i]); }));
  if (wanted == 0) return gone > 0;
  return before >= kManyLessons && 2 * gone > before;
}

}  // namespace syncline::schedule
