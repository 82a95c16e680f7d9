#include "handlers/base/display.h"

#include <cstdio>
#include <ctime>
#include <iterator>

namespace syncline {

std::string TimeText(const std::optional<sql::Time>& time) {
  if (!time) return "never";
  const std::time_t seconds = std::chrono::system_clock::to_time_t(*time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
  return text;
}

std::string SizeText(std::int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < std::size(kUnits)) {
    size /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 || size >= 10 ? "%.0f %s" : "%.1f %s", size, kUnits[unit]);
  return text;
}

std::string CountText(std::int64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

}  // namespace syncline
