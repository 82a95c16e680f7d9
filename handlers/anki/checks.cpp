#include "handlers/anki/checks.h"

#include "handlers/anki/settings.h"
#include "handlers/anki/sweep_store.h"
#include "handlers/base/display.h"

namespace syncline::anki {
namespace {

using namespace std::chrono_literals;

constexpr const char* kSweep = "anki.sweep_sessions";
// Four periods of the sweep.
constexpr auto kSweepPatience = 20min;
constexpr int kMaxExpired = 1000;

// Without the sweep, staged rows of clients that never returned accumulate. Expired sessions alone are
// normal: the next sweep removes them.
std::vector<Finding> CheckSessions(Context& context, sql::Time now) {
  const auto [expired, swept_at] = context.Read<SweepStore>([](SweepStore& store) {
    return std::pair(store.AccountsWithExpiredSessions(kMaxExpired).size(), store.LastDone(kSweep));
  });
  const std::string text =
      CountText(static_cast<std::int64_t>(expired), "expired session", "expired sessions") +
      " of Anki, last swept: " + TimeText(swept_at);
  if (expired == 0 || (swept_at && now - *swept_at <= kSweepPatience)) return {Finding::Ok(text)};
  return {Finding::Problem(
      text, std::string("start syncline-worker, or look for the cause: syncline-admin jobs list --kind ") +
                kSweep)};
}

std::vector<Finding> CheckTempDir(Context& context, sql::Time) {
  return {DiskFinding(context.config().temp_dir, context.config().Of<Settings>().max_collection_mib << 20,
                      "one collection file must fit")};
}

constexpr DoctorCheck kChecks[] = {
    {"sessions", /*needs_database=*/true, CheckSessions},
    {"disk", /*needs_database=*/false, CheckTempDir},
};

}  // namespace

std::span<const DoctorCheck> Checks() {
  return kChecks;
}

}  // namespace syncline::anki
