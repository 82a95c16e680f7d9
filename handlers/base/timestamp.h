#pragma once
// Times in JSON (RFC 3339), in UTC.
#include <chrono>
#include <string>

#include "sql/value.h"

namespace syncline {

/// "2026-01-31T10:22:05.000120Z"; "2026-01-31T10:22:05Z" for a whole second. For the years 0 to 9999.
std::string PrintTimestamp(sql::Time time);
/// "2026-01-31".
std::string PrintDate(sql::Time time);
std::string PrintDate(std::chrono::year_month_day date);

}  // namespace syncline
