#pragma once
// The page that lists the groups: bytes to a list. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/schedule/lessons/lesson_rules.h"

namespace syncline::schedule {

struct IndexPage {
  struct Institute {
    std::optional<std::int64_t> upstream_id{};
    std::string name;
  };
  struct Group {
    std::size_t institute = 0;                  ///< position in the list of institutes
    std::optional<std::int64_t> upstream_id{};  ///< none: listed without a link
    std::string name;
    std::optional<std::string_view> education_form{}, degree_type{};
  };
  std::vector<Institute> institutes;
  std::vector<Group> groups;  ///< as listed, so a group may occur in two institutes
  std::string period;         ///< "First semester 2031/2032", as written; "" if the page has none
  std::optional<std::chrono::month_day> today{};  ///< as written
  std::vector<std::string> warnings;  ///< codes with a detail, "card_without_name", "unknown_form: ..."
};

/// Throws PageRefused (html_wire.h): "layout_unknown" also if no group is listed.
IndexPage ParseIndexPage(std::string_view bytes, std::string_view content_type);

/// The site's current day: our own day if the site shows none, or the same one within a day. Otherwise the
/// site's day in the academic year of its period, because its dates without years are relative to its clock.
Day TodayOf(const IndexPage& page, Day own_today);

}  // namespace syncline::schedule
