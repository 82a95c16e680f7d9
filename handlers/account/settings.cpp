#include "handlers/account/settings.h"

namespace syncline::account {
namespace {

constexpr Setting kSettings[] = {
    TextSetting<&Settings::registration>(
        "account_registration",
        "Who may register over HTTP: anybody, only people with an invitation, or nobody",
        "open|invitation|closed"),
    NumberSetting<&Settings::new_quota_mib>("account_new_quota_mib", 0, 1 << 30,
                                            "Quota of an account registered over HTTP, in MiB; 0: unlimited"),
    NumberSetting<&Settings::refresh_grace_seconds>(
        "account_refresh_grace_seconds", 0, 60,
        "Seconds for which a refresh token is accepted a second time, for clients that lost the answer; 0: a "
        "second use ends the session"),
    NumberSetting<&Settings::deletion_days>(
        "account_deletion_days", 0, 365,
        "Days from the deletion of an account by its owner to the removal of its data"),
};

}  // namespace

std::span<const Setting> SettingRows() {
  return kSettings;
}

}  // namespace syncline::account
