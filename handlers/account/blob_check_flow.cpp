#include "handlers/account/blob_check_flow.h"

#include <limits>

#include "handlers/account/blob_check_store.h"

namespace syncline::account {
namespace {

constexpr int kAccountsAtOnce = 100;

}  // namespace

std::vector<std::string> CheckBlobs(Context& context, JobControl& control) {
  std::vector<std::string> findings;
  std::int64_t checked = 0;
  UserId last_user{std::numeric_limits<std::int64_t>::min()};
  const auto next_users = [&] {
    return context.Read<BlobCheckStore>(
        [&](BlobCheckStore& store) { return store.AccountsAfter(last_user, kAccountsAtOnce); });
  };
  for (auto users = next_users(); !users.empty(); users = next_users()) {
    for (const UserId user : users) {
      const auto found = UpkeepStep(control, [&] {
        return context.Read<BlobCheckStore>(
            [&](BlobCheckStore& store) { return store.AccountFindings(user); });
      });
      findings.insert(findings.end(), found.begin(), found.end());
      control.Progress(++checked, 0, std::to_string(findings.size()) + " findings");
    }
    last_user = users.back();
  }
  BlobId last_blob{std::numeric_limits<std::int64_t>::min()};
  while (UpkeepStep(control, [&] {
    return context.Read<BlobCheckStore>(
        [&](BlobCheckStore& store) { return store.CheckSizes(last_blob, findings); });
  })) {
    control.Progress(checked, 0, std::to_string(findings.size()) + " findings");
  }
  return findings;
}

}  // namespace syncline::account
