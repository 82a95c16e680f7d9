#include "handlers/account/tokens/token_store.h"

#include "sql/queries/account.h"

namespace syncline::account {

std::vector<StoredTokenKey> TokenKeyStore::List() {
  std::vector<StoredTokenKey> keys;
  for (const sql::Row row : tx_.Query(sql::account::list_token_keys)) {
    keys.push_back(
        {row["kid"].As<std::string>(), row["sealed_seed"].As<std::string>(), row["signs"].As<bool>()});
  }
  return keys;
}

void TokenKeyStore::Lock() {
  tx_.Execute(sql::account::lock_token_keys);
}

void TokenKeyStore::Add(const std::string& kid, const std::string& sealed_seed,
                        std::chrono::seconds signs_after, std::chrono::seconds keep) {
  tx_.Execute(sql::account::expire_token_keys, (signs_after + keep).count());
  tx_.Execute(sql::account::insert_token_key, kid, sealed_seed, signs_after.count());
}

void TokenKeyStore::Sweep() {
  tx_.Execute(sql::account::sweep_token_keys);
}

std::int64_t TokenKeyStore::SweepSessions(std::int64_t limit) {
  return tx_.Execute(sql::account::sweep_sessions, limit);
}

FoundSession SessionStore::Find(DeviceId session) {
  const auto row = tx_.MaybeOne(sql::account::find_session, user_, session);
  if (!row) return {};
  FoundSession found{SessionState::kLive, (*row)["is_admin"].As<bool>(), (*row)["is_stale"].As<bool>()};
  if (!(*row)["is_live"].As<bool>()) found.state = SessionState::kRevoked;
  if ((*row)["is_disabled"].As<bool>()) found.state = SessionState::kDisabled;
  return found;
}

bool SessionStore::End(DeviceId session) {
  return tx_.Execute(sql::account::end_session, user_, session) == 1;
}

std::vector<DeviceId> SessionStore::EndAll() {
  return tx_.Query(sql::account::end_sessions, user_).Column<DeviceId>("device_id");
}

Rotation SessionStore::Rotate(DeviceId session, const std::string& presented_hash,
                              const std::string& next_hash, std::chrono::seconds lifetime,
                              std::chrono::seconds grace) {
  const auto row = tx_.MaybeOne(sql::account::lock_session, user_, session, presented_hash, grace.count());
  if (!row) return Rotation::kNoSession;
  const bool is_disabled = (*row)["is_disabled"].As<bool>();
  if (is_disabled || !(*row)["is_valid"].As<bool>()) {
    tx_.Execute(sql::account::revoke_device, user_, session);
    return is_disabled ? Rotation::kDisabled : Rotation::kReused;
  }
  const bool is_kept = (*row)["is_kept"].As<bool>();
  tx_.Execute(sql::account::rotate_session, user_, session, presented_hash,
              is_kept ? presented_hash : next_hash, lifetime.count());
  return is_kept ? Rotation::kKept : Rotation::kDone;
}

}  // namespace syncline::account
