#include "sql/plan.h"

namespace syncline::sql {
namespace {

struct Switch {
  const char* name;
  const char* by_key;
  const char* free;
};

// kByKey: planning every execution costs more than it saves. A generic plan uses statistics over all tenants,
// which make joins and scans that read all rows of one tenant look cheap, so these are off. kFree:
// PostgreSQL's defaults.
constexpr Switch kSwitches[] = {
    {"plan_cache_mode", "force_generic_plan", "auto"},
    {"enable_hashjoin", "off", "on"},
    {"enable_mergejoin", "off", "on"},
    {"enable_seqscan", "off", "on"},
};

std::string SwitchText(Plan plan) {
  std::string text;
  for (const Switch& one : kSwitches) {
    text += text.empty() ? "SELECT " : ", ";
    text += std::string("set_config('") + one.name + "', '" + (plan == Plan::kByKey ? one.by_key : one.free) +
            "', true)";
  }
  return text;
}

}  // namespace

std::string StartupPlan() {
  std::string options;
  for (const Switch& one : kSwitches) {
    if (!options.empty()) options += ' ';
    options += std::string("-c ") + one.name + "=" + one.by_key;
  }
  return options;
}

const Statement& SwitchTo(Plan plan) {
  static const std::string by_key = SwitchText(Plan::kByKey), free = SwitchText(Plan::kFree);
  static const Statement to_by_key{"plan_by_key", by_key.c_str()}, to_free{"plan_free", free.c_str()};
  return plan == Plan::kByKey ? to_by_key : to_free;
}

}  // namespace syncline::sql
