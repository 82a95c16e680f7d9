#pragma once
// Times, sizes and counts as text for an operator. Not for protocols: those have formats of their own.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/value.h"

namespace syncline {

/// "2026-01-31 10:22 UTC"; "never" for none.
std::string TimeText(const std::optional<sql::Time>& time);
/// "0 B", "812 KiB", "1.5 GiB".
std::string SizeText(std::int64_t bytes);
/// "1 device", "3 devices".
std::string CountText(std::int64_t count, std::string_view one, std::string_view many);

}  // namespace syncline
