#include "handlers/account/login/invitation_store.h"

#include "sql/queries/account.h"

namespace syncline::account {

void InvitationStore::Add(const std::string& code_hash, std::int64_t uses, std::chrono::hours lifetime) {
  tx_.Execute(sql::account::insert_invitation, code_hash, uses, lifetime.count());
}

bool InvitationStore::IsValid(const std::string& code_hash) {
  return tx_.MaybeOne(sql::account::find_invitation, code_hash).has_value();
}

bool InvitationStore::Use(const std::string& code_hash) {
  return tx_.Execute(sql::account::use_invitation, code_hash) == 1;
}

std::int64_t InvitationStore::Sweep(std::int64_t limit) {
  return tx_.Execute(sql::account::sweep_invitations, limit);
}

}  // namespace syncline::account
