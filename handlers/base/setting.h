#pragma once
// A setting is a row: name, limits, one line of help, and the field that holds its value. A service declares
// its rows in its settings.cpp; the field is a member of a plain struct of the service, which
// config.Of<Settings>() returns. The rows for all programs are in config.cpp.
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <variant>

#include "handlers/base/config.h"

namespace syncline {

struct Setting {
  const char* name;  ///< snake_case; unique across all services
  const char* help;  ///< one sentence, without the full stop
  std::variant<std::string& (*)(Config&), std::int64_t& (*)(Config&)> field;
  std::int64_t min, max;  ///< of numbers
  const char* choices;    ///< of texts, separated by '|'; null: any
};

/// The rows of one service, in the order in which they are printed.
struct SettingGroup {
  const char* service;
  std::span<const Setting> settings;
};

template <typename>
struct MemberOf;
template <typename Class, typename Value>
struct MemberOf<Value Class::*> {
  using Owner = Class;
};

template <auto kMember>
auto& FieldOf(Config& config) {
  using Owner = typename MemberOf<decltype(kMember)>::Owner;
  if constexpr (std::is_same_v<Owner, Config>) {
    return config.*kMember;
  } else {
    return config.template Of<Owner>().*kMember;
  }
}

/// NumberSetting<&Settings::history_days>("history_days", 0, 36500, "How many days ...")
template <auto kMember>
constexpr Setting NumberSetting(const char* name, std::int64_t min, std::int64_t max, const char* help) {
  return {name, help, &FieldOf<kMember>, min, max, nullptr};
}
template <auto kMember>
constexpr Setting TextSetting(const char* name, const char* help, const char* choices = nullptr) {
  return {name, help, &FieldOf<kMember>, 0, 0, choices};
}

}  // namespace syncline
