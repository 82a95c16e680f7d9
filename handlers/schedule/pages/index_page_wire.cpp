#include "handlers/schedule/pages/index_page_wire.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <map>
#include <utility>

#include "handlers/schedule/lessons/name_rules.h"
#include "handlers/schedule/pages/html_wire.h"

namespace syncline::schedule {
namespace {

using std::chrono::days;

constexpr std::size_t kMaxGroups = 20'000, kMaxWarnings = 100, kMaxGroupName = 300;
constexpr std::string_view kGroupPath = "/rasp/group/";
constexpr std::string_view kMonths[] = {"январ", "феврал", "март",    "апрел",  "ма",    "июн",
                                        "июл",   "август", "сентябр", "октябр", "ноябр", "декабр"};

// The digits that a text begins with, as a number of the site.
std::optional<std::int64_t> NumberAt(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() || number < 1 || number > kMaxId) return std::nullopt;
  return number;
}

std::optional<std::int64_t> NumberInLink(std::string_view href) {
  const auto at = href.find(kGroupPath);
  if (at == std::string_view::npos) return std::nullopt;
  return NumberAt(href.substr(at + kGroupPath.size()));
}

// "Today, 6 October".
std::optional<std::chrono::month_day> MonthDayOf(std::string_view text) {
  const std::string key = KeyOf(text);
  const auto at = key.find_first_of("0123456789");
  if (at == std::string::npos) return std::nullopt;
  const auto day = static_cast<unsigned>(std::atoi(key.substr(at, 2).c_str()));
  auto word = key.find_first_not_of("0123456789 ", at);
  if (word == std::string::npos) return std::nullopt;
  for (unsigned month = 1; month <= 12; ++month) {
    // "ma" is May; March has been looked at before.
    if (!std::string_view(key).substr(word).starts_with(kMonths[month - 1])) continue;
    const std::chrono::month_day date{std::chrono::month(month), std::chrono::day(day)};
    return date.ok() ? std::optional(date) : std::nullopt;
  }
  return std::nullopt;
}

// "2031/2032", also with a dash: the first of two years that follow each other.
std::optional<int> AcademicYearOf(const std::string& period) {
  const std::string key = KeyOf(period);
  for (std::size_t at = 0; at + 9 <= key.size(); ++at) {
    const int first = std::atoi(key.substr(at, 4).c_str()), second = std::atoi(key.substr(at + 5, 4).c_str());
    const char between = key[at + 4];
    if ((between == '/' || between == '-') && first >= 2000 && first < 2200 && second == first + 1)
      return first;
  }
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes, std::string_view content_type)
      : html_(DecodedPage(bytes, content_type)), page_(html_) {}

  IndexPage Read() {
    const HtmlElement structure = page_.ById("raspStructure");
    if (!structure) throw PageRefused("layout_unknown", "the index has no #raspStructure");
    if (const HtmlElement period = page_.Root().FirstOfClass("rasp-period")) index_.period = period.Text();
    if (const HtmlElement today = page_.Root().FirstOfClass("rasp-date"))
      index_.today = MonthDayOf(today.Text());
    for (const HtmlElement& card : structure.AllOfClass("card")) ReadCard(card);
    if (index_.groups.empty()) throw PageRefused("layout_unknown", "the index lists no group");
    return std::move(index_);
  }

 private:
  void Warn(std::string text) {
    if (index_.warnings.size() < kMaxWarnings) index_.warnings.push_back(std::move(text));
  }

  void ReadCard(const HtmlElement& card) {
    const HtmlElement header = card.FirstOfClass("card-header");
    const HtmlElement body = card.FirstOfClass("card-body");
    const HtmlElement name = header ? header.FirstOfClass("institute") : HtmlElement();
    const std::string text = name ? name.Text() : std::string();
    if (text.empty() || !body) return Warn("card_incomplete: " + text);
    std::string id = header.Attribute("id");
    id.erase(0, id.find_first_of("0123456789"));
    const auto number = NumberAt(id);
    // Two cards with one number, or with one name and no number, are one institute.
    const auto known = std::find_if(index_.institutes.begin(), index_.institutes.end(), [&](const auto& one) {
      return one.upstream_id == number && (number || KeyOf(one.name) == KeyOf(text));
    });
    institute_ = static_cast<std::size_t>(known - index_.institutes.begin());
    if (known == index_.institutes.end()) index_.institutes.push_back({number, text});
    form_ = "full_time";
    degree_ = "bachelor";
    const auto is_part = [](const HtmlElement& element) {
      return element.HasClass("edu-form") || element.HasClass("group-type") || element.HasClass("group");
    };
    for (const HtmlElement& part : body.All(is_part)) {
      if (part.HasClass("edu-form")) {
        form_ = EducationFormOf(part.Text());
        if (!form_) Warn("unknown_form: " + part.Text());
      } else if (part.HasClass("group-type")) {
        degree_ = DegreeTypeOf(part.Text());
        if (!degree_) Warn("unknown_degree: " + part.Text());
      } else {
        ReadGroup(part);
      }
    }
  }

  void ReadGroup(const HtmlElement& part) {
    const auto links = part.All([](const HtmlElement& element) { return element.Name() == "a"; });
    const auto number = links.empty() ? std::nullopt : NumberInLink(links.front().Attribute("href"));
    const std::string name = ShownText(part.Text(), kMaxGroupName);
    if (name.empty()) return;
    // Two groups of one name in one institute do not exist.
    const auto [seen, is_new] = seen_.emplace(std::pair(institute_, KeyOf(name)), number);
    if (!is_new) {
      if (seen->second != number) Warn("group_twice: " + name);
      return;
    }
    if (!number) Warn("group_without_link: " + name);
    if (index_.groups.size() >= kMaxGroups) throw PageRefused("layout_unknown", "too many groups");
    index_.groups.push_back({institute_, number, name, form_, degree_});
  }

  std::string html_;
  HtmlPage page_;
  IndexPage index_;
  std::size_t institute_ = 0;  // position of the card's
  std::map<std::pair<std::size_t, std::string>, std::optional<std::int64_t>>
      seen_;  // numbers, by institute and name
  std::optional<std::string_view> form_, degree_;
};

}  // namespace

IndexPage ParseIndexPage(std::string_view bytes, std::string_view content_type) {
  return Reader(bytes, content_type).Read();
}

Day TodayOf(const IndexPage& page, Day own_today) {
  if (!page.today) return own_today;
  for (const int away : {0, -1, 1}) {
    const std::chrono::year_month_day date(own_today + days(away));
    if (date.month() == page.today->month() && date.day() == page.today->day()) return own_today + days(away);
  }
  const auto year = AcademicYearOf(page.period);
  if (!year) return own_today;
  // The academic year begins in September; until August it is in its second calendar year.
  const int calendar_year = page.today->month() >= std::chrono::September ? *year : *year + 1;
  const std::chrono::year_month_day date(std::chrono::year(calendar_year), page.today->month(),
                                         page.today->day());
  return date.ok() ? Day(date) : own_today;
}

}  // namespace syncline::schedule
