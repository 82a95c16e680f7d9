#include "handlers/schedule/pages/group_page_wire.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "handlers/base/utf8.h"
#include "handlers/schedule/lessons/name_rules.h"
#include "handlers/schedule/pages/html_wire.h"

namespace syncline::schedule {
namespace {

constexpr std::size_t kMaxLessons = 5'000, kMaxWarnings = 100, kMaxTeachers = 20;
// Of the days of one week.
constexpr std::chrono::days kNear{7};
// Plausible years of an exam; others are typos.
constexpr int kFirstYear = 2000, kLastYear = 2199;
constexpr std::string_view kTeacherPath = "teachers/";
constexpr std::string_view kHours = "пары";
constexpr std::string_view kNoLessons[] = {"занятий нет", "нет занятий", "расписание отсутствует",
                                           "расписания нет"};
constexpr std::string_view kWeekdays[] = {"понедельник", "вторник", "среда",      "четверг",
                                          "пятница",     "суббота", "воскресенье"};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Takes a number of at most `digits` digits off the beginning.
std::optional<int> TakeDigits(std::string_view& text, std::size_t digits) {
  std::size_t size = 0;
  while (size < std::min(digits, text.size()) && IsDigit(text[size])) ++size;
  if (size == 0) return std::nullopt;
  int number = 0;
  std::from_chars(text.data(), text.data() + size, number);
  text.remove_prefix(size);
  return number;
}

struct DayAndMonth {
  unsigned day, month;
  std::optional<int> year{};
};

// The first "dd.mm" or "dd.mm.yyyy".
std::optional<DayAndMonth> FindDate(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!IsDigit(text[at]) || (at > 0 && IsDigit(text[at - 1]))) continue;
    std::string_view rest = text.substr(at);
    const auto day = TakeDigits(rest, 2);
    if (!rest.starts_with('.')) continue;
    rest.remove_prefix(1);
    const auto month = TakeDigits(rest, 2);
    if (!month || *day < 1 || *day > 31 || *month < 1 || *month > 12) continue;
    DayAndMonth date{static_cast<unsigned>(*day), static_cast<unsigned>(*month)};
    if (rest.size() >= 5 && rest[0] == '.') {
      rest.remove_prefix(1);
      const std::string_view digits = rest;
      if (const auto year = TakeDigits(rest, 4); digits.size() - rest.size() == 4) date.year = year;
    }
    return date;
  }
  return std::nullopt;
}

// The first "hh:mm" and the next one.
std::optional<LessonTime> FindTimes(std::string_view text) {
  std::vector<int> found;
  for (std::size_t at = 0; at < text.size() && found.size() < 2; ++at) {
    if (!IsDigit(text[at]) || (at > 0 && IsDigit(text[at - 1]))) continue;
    std::string_view rest = text.substr(at);
    const auto hour = TakeDigits(rest, 2);
    if (!rest.starts_with(':') && !rest.starts_with('.')) continue;
    rest.remove_prefix(1);
    const auto minute = TakeDigits(rest, 2);
    if (!minute || *hour > 23 || *minute > 59) continue;
    found.push_back(*hour * 60 + *minute);
    at = text.size() - rest.size() - 1;
  }
  if (found.size() < 2 || found[0] >= found[1]) return std::nullopt;
  return LessonTime{found[0], found[1]};
}

// The lesson that begins nearest to a time, within half an hour.
std::optional<int> NumberAt(const LessonTime& time) {
  for (int number = 1; number <= kMaxLessonNumber; ++number) {
    const auto usual = UsualTimeOf(number);
    if (usual && std::abs(usual->begin - time.begin) <= 30) return number;
  }
  return std::nullopt;
}

std::optional<int> WeekdayIn(std::string_view key) {
  for (int day = 0; day < 7; ++day) {
    if (key.find(kWeekdays[day]) != std::string_view::npos) return day + 1;
  }
  return std::nullopt;
}

// "w06n3": week 6, lesson 3.
struct SlotTag {
  std::optional<int> week, number;
};
SlotTag TagOf(std::string_view text) {
  SlotTag tag;
  const auto after = [&](char letter) -> std::optional<int> {
    const auto at = text.find(letter);
    if (at == std::string_view::npos) return std::nullopt;
    std::string_view rest = text.substr(at + 1);
    return TakeDigits(rest, 3);
  };
  tag.week = after('w');
  tag.number = after('n');
  return tag;
}

// "Podgr. 2" or "Podgr. 2: a text", in Cyrillic.
struct SubgroupMark {
  int number;
  std::string rest;
};
std::optional<SubgroupMark> MarkOf(const std::string& text) {
  if (!NamesSubgroup(text)) return std::nullopt;
  const auto at = text.find_first_of("0123456789");
  if (at == std::string::npos) return std::nullopt;
  std::string_view rest = std::string_view(text).substr(at);
  const auto number = TakeDigits(rest, 2);
  while (!rest.empty() && (rest[0] == ':' || rest[0] == ' ')) rest.remove_prefix(1);
  return SubgroupMark{*number, std::string(rest)};
}

// Without underscores at the ends, which stand for an unknown room.
std::string RoomOf(std::string text) {
  const auto begin = text.find_first_not_of("_ ");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of("_ ") - begin + 1);
}

// The first of "(lekts) (lekts)", without the parentheses.
std::string TypeTextOf(const std::string& text) {
  const auto open = text.find('(');
  if (open == std::string::npos) return ShownText(text, 100);
  return ShownText(text.substr(open + 1, text.find(')', open) - open - 1), 100);
}

bool IsNameCharacter(std::string_view text, std::size_t at) {
  if (at >= text.size()) return false;
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || byte == '-';
}

// Whether a heading that names a group names this one: not one whose name only begins or ends the same, nor "... (x)".
bool Names(std::string_view heading, std::string_view name) {
  for (auto at = heading.find(name); at != std::string_view::npos; at = heading.find(name, at + 1)) {
    const std::string_view rest = heading.substr(at + name.size());
    const bool begins = at == 0 || !IsNameCharacter(heading, at - 1);
    if (begins && !IsNameCharacter(rest, 0) && !rest.starts_with(" (") && !rest.starts_with("(")) return true;
  }
  return false;
}

// A word such as "b-oblk-11": letters, and two hyphens or one before a number.
bool HasGroupName(std::string_view key) {
  for (std::size_t at = 0; at + 2 < key.size(); ++at) {
    if (key[at] != '-' || at == 0 || !IsNameCharacter(key, at - 1) || !IsDigit(key[at + 1]) ||
        !IsDigit(key[at + 2]))
      continue;
    const auto word = key.find_last_of(" (", at);
    const std::string_view before = key.substr(word == std::string_view::npos ? 0 : word + 1, at);
    if (before.find('-') < at - (word == std::string_view::npos ? 0 : word + 1)) return true;
  }
  return false;
}

// A cell's details besides the subject: for the whole group, or after a marker for a subgroup.
struct CellPart {
  std::optional<SubgroupMark> mark{};
  std::vector<std::string> rooms;
  std::vector<TeacherName> teachers;
};

class Reader {
 public:
  explicit Reader(const GroupPageInput& input)
      : input_(input), html_(DecodedPage(input.bytes, input.content_type)), page_(html_) {}

  ParsedGroupPage Read() {
    CheckHeading();
    const HtmlElement calendar = page_.Root().FirstOfClass("calendar");
    if (!calendar) throw PageRefused("layout_unknown", "the page has no .calendar");
    const auto weeks = calendar.Outer([](const HtmlElement& element) { return element.HasClass("week"); });
    if (weeks.empty() && !SaysThatThereIsNothing(calendar))
      throw PageRefused("layout_unknown", "the calendar has no .week");
    for (const HtmlElement& week : weeks) ReadWeek(week);
    if (!weeks.empty() && dated_days_ == 0)
      throw PageRefused("layout_unknown", "no day of the calendar has a weekday and a date");
    if (const HtmlElement list = calendar.FirstOfClass("lesson-warnings")) ReadExams(list);
    return std::move(parsed_);
  }

 private:
  void Warn(std::string text) {
    if (parsed_.warnings.size() < kMaxWarnings) parsed_.warnings.push_back(std::move(text));
  }

  void CheckHeading() {
    const std::string name = KeyOf(input_.group_name);
    std::string named;
    const auto is_heading = [](const HtmlElement& element) {
      return element.Name() == "title" || element.Name() == "h1" || element.Name() == "h2" ||
             element.Name() == "h3";
    };
    for (const HtmlElement& heading : page_.Root().Outer(is_heading)) {
      const std::string key = KeyOf(heading.Text());
      if (Names(key, name)) {
        parsed_.has_heading = true;
        return;
      }
      if (HasGroupName(key)) named = key;
    }
    if (!named.empty()) throw PageRefused("wrong_group", "the page is of " + ShownText(named, 200));
  }

  static bool SaysThatThereIsNothing(const HtmlElement& calendar) {
    const std::string key = KeyOf(calendar.Text());
    return std::any_of(std::begin(kNoLessons), std::end(kNoLessons),
                       [&](std::string_view notice) { return key.find(notice) != std::string::npos; });
  }

  // The parsed header of a day.
  struct DayHeader {
    HtmlElement element{};
    std::string text{}, key{};
    std::optional<int> weekday{};
    std::optional<DayAndMonth> printed{};
    std::optional<Day> date{};  ///< as printed, if it fits
  };

  DayHeader HeaderOf(const HtmlElement& day) const {
    DayHeader header{.element = day.FirstOfClass("day-header")};
    if (header.element) header.text = header.element.Text();
    header.key = KeyOf(header.text);
    header.weekday = WeekdayIn(header.key);
    header.printed = FindDate(header.text);
    if (header.weekday && header.printed)
      header.date = DateOf(header.printed->day, header.printed->month, *header.weekday, input_.today);
    return header;
  }

  void ReadWeek(const HtmlElement& week) {
    const auto days = week.Outer([](const HtmlElement& element) { return element.HasClass("day"); });
    std::vector<DayHeader> headers;
    std::map<Day, int> mondays;
    for (const HtmlElement& day : days) {
      headers.push_back(HeaderOf(day));
      if (headers.back().date) ++mondays[MondayOf(*headers.back().date)];
    }
    // A typo in a header would move its day by months and extend the window accordingly, so the majority of
    // the week decides.
    std::optional<Day> monday;
    for (const auto& [one, count] : mondays) {
      if (2 * count > DatedIn(headers) && count > 1) monday = one;
    }
    for (std::size_t i = 0; i < days.size(); ++i) {
      DayHeader& header = headers[i];
      if (monday && header.weekday && header.printed) {
        const Day right = *monday + std::chrono::days(*header.weekday - 1);
        const bool is_wrong =
            header.date ? std::chrono::abs(*header.date - right) > kNear : mondays.size() == 1;
        if (is_wrong) {
          Warn("date_does_not_fit: " + header.text);
          header.date = right;
        }
      }
      ReadDay(days[i], header);
    }
  }

  static int DatedIn(const std::vector<DayHeader>& headers) {
    return static_cast<int>(std::count_if(headers.begin(), headers.end(),
                                          [](const DayHeader& header) { return header.date.has_value(); }));
  }

  void ReadDay(const HtmlElement& day, const DayHeader& read) {
    const HtmlElement& header = read.element;
    const std::string& text = read.text;
    const std::string& key = read.key;
    const auto& weekday = read.weekday;
    if (!weekday) {
      const bool is_hours =
          header && (header.HasClass("day-header-hour") || key.find(kHours) != std::string::npos);
      const bool has_slots = !day.AllOfClass("lesson-name").empty();
      if (!is_hours && has_slots) Warn("day_without_weekday: " + text);
      return;
    }
    const std::optional<Day>& date = read.date;
    if (!date) Warn((read.printed ? "date_does_not_fit: " : "day_without_date: ") + text);
    if (date) {
      ++dated_days_;
      parsed_.window.first = std::min(parsed_.window.first.value_or(*date), *date);
      parsed_.window.last = std::max(parsed_.window.last.value_or(*date), *date);
    }
    const auto is_slot = [](const HtmlElement& element) {
      return element.HasClass("day-lesson") || element.HasAttribute("data-lesson");
    };
    for (const HtmlElement& slot : day.Outer(is_slot)) {
      if (!slot.HasClass("day-lesson-empty")) ReadSlot(slot, date, *weekday);
    }
  }

  void ReadSlot(const HtmlElement& slot, const std::optional<Day>& date, int weekday) {
    if (!slot.FirstOfClass("lesson-name")) {
      if (!slot.Text().empty()) Warn("slot_without_name: " + ShownText(slot.Text(), 60));
      return;
    }
    const SlotTag tag = TagOf(slot.Attribute("data-lesson"));
    std::vector<HtmlElement> cells;
    for (const HtmlElement& child : slot.Children()) {
      if (!child.HasClass("lesson-name") && child.FirstOfClass("lesson-name")) cells.push_back(child);
    }
    if (cells.empty()) cells.push_back(slot);  // without a box around what it holds
    for (const HtmlElement& cell : cells) ReadCell(cell, tag, date, weekday);
  }

  void ReadCell(const HtmlElement& cell, const SlotTag& tag, const std::optional<Day>& date, int weekday) {
    Lesson lesson{.date = date, .weekday = weekday, .week_number = tag.week};
    lesson.subject = cell.FirstOfClass("lesson-name").Text();
    if (lesson.subject.empty()) return Warn("slot_without_name");
    std::optional<LessonTime> printed;
    if (const HtmlElement hour = cell.FirstOfClass("lesson-hour")) printed = FindTimes(hour.Text());
    std::optional<int> number = tag.number;
    if (!number || *number < 1 || *number > kMaxLessonNumber) {
      if (number) Warn("unknown_number: " + std::to_string(*number));
      number = printed ? NumberAt(*printed) : std::nullopt;
    }
    if (!number) return Warn("slot_without_number: " + ShownText(lesson.subject, 60));
    const std::optional<LessonTime> time = printed ? printed : UsualTimeOf(*number);
    if (!time) return Warn("slot_without_time: " + ShownText(lesson.subject, 60));
    lesson.number = *number;
    lesson.time = *time;
    if (const HtmlElement type = cell.FirstOfClass("lesson-type")) lesson.type_text = TypeTextOf(type.Text());
    lesson.type = LessonTypeOfText(lesson.type_text);
    if (lesson.type == LessonType::kOther && !lesson.type_text.empty())
      Warn("unknown_type: " + lesson.type_text);
    AddParts(lesson, PartsOf(cell));
  }

  // First the details for the whole group, then those after each marker.
  std::vector<CellPart> PartsOf(const HtmlElement& cell) {
    std::vector<CellPart> parts(1);
    const auto is_item = [](const HtmlElement& element) {
      return element.HasClass("lesson-room") || element.HasClass("lesson-teacher");
    };
    for (const HtmlElement& item : cell.Outer(is_item)) {
      if (item.HasClass("lesson-teacher")) {
        AddTeachers(item, parts.back().teachers);
        continue;
      }
      const std::string text = item.Text();
      if (const auto mark = MarkOf(text)) {
        parts.push_back({.mark = mark, .rooms = {}, .teachers = {}});
      } else if (std::string room = RoomOf(text); !room.empty()) {
        auto& rooms = parts.back().rooms;
        if (std::find(rooms.begin(), rooms.end(), room) == rooms.end()) rooms.push_back(std::move(room));
      }
    }
    return parts;
  }

  // One lesson per subgroup; missing details are those of the whole group.
  void AddParts(const Lesson& base, const std::vector<CellPart>& parts) {
    const CellPart& all = parts.front();
    for (std::size_t i = parts.size() > 1 ? 1 : 0; i < parts.size(); ++i) {
      const CellPart& part = parts[i];
      Lesson lesson = base;
      if (part.mark) {
        lesson.subgroup = part.mark->number;
        lesson.additional_text = part.mark->rest;
      }
      for (const std::string& room : part.rooms.empty() ? all.rooms : part.rooms) {
        if (!lesson.room.empty()) lesson.room += ", ";
        lesson.room += room;
      }
      lesson.room = ShownText(lesson.room);
      lesson.teachers = part.teachers.empty() ? all.teachers : part.teachers;
      if (parsed_.lessons.size() >= kMaxLessons) throw PageRefused("layout_unknown", "too many lessons");
      parsed_.lessons.push_back(std::move(lesson));
    }
  }

  void AddTeachers(const HtmlElement& item, std::vector<TeacherName>& teachers) {
    const auto links = item.All([](const HtmlElement& element) { return element.Name() == "a"; });
    const auto add = [&](TeacherName teacher) {
      const bool is_known = std::any_of(teachers.begin(), teachers.end(), [&](const TeacherName& known) {
        return known.upstream_id == teacher.upstream_id && KeyOf(known.name) == KeyOf(teacher.name);
      });
      if (!teacher.name.empty() && !is_known && teachers.size() < kMaxTeachers)
        teachers.push_back(std::move(teacher));
    };
    for (const HtmlElement& link : links) {
      const std::string href = link.Attribute("href");
      add({.name = link.Text(),
           .upstream_id = TeacherNumber(href),
           .profile_url = ResolvedUrl(input_.url, href)});
    }
    if (links.empty()) add({.name = item.Text()});
  }

  static std::optional<std::int64_t> TeacherNumber(std::string_view href) {
    const auto at = href.find(kTeacherPath);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view rest = href.substr(at + kTeacherPath.size());
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    const bool is_number = error == std::errc() && end != rest.data() && number >= 1 && number <= kMaxId;
    return is_number ? std::optional(number) : std::nullopt;
  }

  // The list above the calendar: it only adds exams that have no cell, because a cell has more details.
  void ReadExams(const HtmlElement& list) {
    std::set<std::pair<std::string, LessonType>> in_cells;
    for (const Lesson& lesson : parsed_.lessons) in_cells.insert({KeyOf(lesson.subject), lesson.type});
    LessonType type = LessonType::kExam;
    std::string type_text;
    const auto is_line = [](const HtmlElement& element) {
      return element.HasClass("lesson-warning") || element.HasClass("lesson-warning-text");
    };
    for (const HtmlElement& line : list.All(is_line)) {
      const std::string text = line.Text();
      if (line.HasClass("lesson-warning")) {
        type = LessonTypeOfText(text);
        type_text = ShownText(text.substr(0, text.find(':')), 100);
        continue;
      }
      const auto open = text.rfind('(');
      const auto found =
          open == std::string::npos ? std::nullopt : FindDate(std::string_view(text).substr(open));
      if (!found || !found->year || *found->year < kFirstYear || *found->year > kLastYear) {
        Warn("exam_without_date: " + ShownText(text, 60));
        continue;
      }
      const std::chrono::year_month_day date(std::chrono::year(*found->year),
                                             std::chrono::month(found->month), std::chrono::day(found->day));
      Lesson exam{
          .number = 0, .subject = ShownText(text.substr(0, open)), .type = type, .type_text = type_text};
      if (!date.ok() || exam.subject.empty() || in_cells.contains({KeyOf(exam.subject), type})) continue;
      exam.date = Day(date);
      exam.weekday = WeekdayOf(*exam.date);
      // Past exams in the list are history; the window covers its own days.
      if (parsed_.window.first && *exam.date < *parsed_.window.first) continue;
      parsed_.lessons.push_back(std::move(exam));
    }
  }

  const GroupPageInput& input_;
  std::string html_;
  HtmlPage page_;
  ParsedGroupPage parsed_;
  int dated_days_ = 0;
};

}  // namespace

ParsedGroupPage ParseGroupPage(const GroupPageInput& input) {
  return Reader(input).Read();
}

std::optional<Day> DateOf(unsigned day, unsigned month, int weekday, Day today) {
  const int year = static_cast<int>(std::chrono::year_month_day(today).year());
  std::optional<Day> best;
  const auto distance = [&](Day one) { return std::chrono::abs(one - today); };
  for (const int candidate : {year - 1, year, year + 1}) {
    const std::chrono::year_month_day date{std::chrono::year(candidate), std::chrono::month(month),
                                           std::chrono::day(day)};
    if (!date.ok() || WeekdayOf(Day(date)) != weekday) continue;
    if (!best || distance(Day(date)) < distance(*best)) best = Day(date);
  }
  return best;
}

}  // namespace syncline::schedule
