#include "handlers/account/login/registration_flow.h"

#include <chrono>

#include "handlers/account/login/invitation_store.h"
#include "handlers/account/login/key_wire.h"
#include "handlers/account/login/login_flow.h"
#include "handlers/account/login/password.h"
#include "handlers/account/settings.h"
#include "handlers/base/errors.h"
#include "handlers/base/sha256.h"

namespace syncline::account {
namespace {

constexpr std::int64_t kMib = 1 << 20;
// Rows deleted in one transaction: each takes well under a second, so that locks are short.
constexpr int kRemoveBatch = 5000;

std::string HashOf(std::string_view password) {
  const HashSlot slot(kHashPatience);
  return HashPassword(slot, password);
}

// First, because a guessed invitation must neither reveal which addresses have an account nor cost a hash.
void RequireOpen(Context& context, const std::optional<std::string>& invitation) {
  const std::string& registration = context.config().Of<Settings>().registration;
  if (registration == "closed") throw Forbidden("registration_closed");
  if (registration != "invitation") return;
  if (!invitation) throw Forbidden("invitation_required");
  const std::string hash = Sha256(*invitation);
  if (!context.Read<InvitationStore>([&](InvitationStore& invitations) { return invitations.IsValid(hash); }))
    throw Forbidden("invitation_invalid");
}

}  // namespace

std::pair<UserId, DeviceId> Register(Context& context, const std::string& email, std::string_view password,
                                     const std::optional<std::string>& invitation, const NewDevice& device) {
  RequireOpen(context, invitation);
  const Settings& settings = context.config().Of<Settings>();
  // Before the hash, which costs more.
  if (context.Read<AccountStore>(
          [&](AccountStore& accounts) { return accounts.FindLogin(email).has_value(); }))
    throw Conflict("email_taken");
  NewAccount account{.name = email, .email = email, .password_hash = HashOf(password)};
  if (settings.new_quota_mib > 0) account.quota_bytes = settings.new_quota_mib * kMib;
  const bool is_by_invitation = settings.registration == "invitation";
  return context.Write<AccountStore, InvitationStore>(
      [&](AccountStore& accounts, InvitationStore& invitations) {
        if (is_by_invitation && !invitations.Use(Sha256(*invitation))) throw Forbidden("invitation_invalid");
        const UserId user = accounts.Add(account);
        return std::pair(user, accounts.Devices(user).Add(device, kLiveDevicesPerKind));
      });
}

std::string MakeInvitation(Context& context, std::int64_t uses, std::chrono::hours lifetime) {
  // A key without an account: as long and random as a real one.
  const NewKey key = MakeKey(UserId{1});
  std::string code = key.text.substr(key.text.find('.') + 1);
  const std::string hash = Sha256(code);
  context.Write<InvitationStore>(
      [&](InvitationStore& invitations) { invitations.Add(hash, uses, lifetime); });
  return code;
}

Login CheckOwnPassword(Context& context, std::string_view password, std::string_view remote_address) {
  const auto account =
      context.Read<AccountStore>([&](AccountStore& accounts) { return accounts.Of(context.user()); });
  if (!account) throw AccountGone();
  const Login login = CheckLogin(context, account->account.name, password, remote_address);
  // Another registration may have taken the name meanwhile.
  if (login.user != context.user()) throw AccountGone();
  return login;
}

std::vector<DeviceId> ChangePassword(Context& context, const Login& login, std::string_view new_password,
                                     DeviceId kept) {
  const std::string hash = HashOf(new_password);
  return context.Write<AccountStore>([&](AccountStore& accounts) {
    if (!accounts.LockLogin(login)) throw Unauthenticated("bad_login", "account changed meanwhile");
    accounts.SetPassword(login.user, hash);
    return accounts.Devices(login.user).RevokeOthers(kept);
  });
}

std::int64_t RemoveAccount(Context& context, UserId user, const std::function<void()>& step) {
  std::int64_t removed = 0;
  const auto remove_rows = [&] {
    for (std::int64_t rows = 1; rows > 0; removed += rows) {
      step();
      rows = context.Write<AccountStore>(
          [&](AccountStore& accounts) { return accounts.RemoveRows(user, kRemoveBatch); });
    }
  };
  // First lock the account out, then delete the rows. The rows once more after the account, for anything a request added
  // that was still running.
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.SetDisabled(user, true); });
  remove_rows();
  context.Write<AccountStore>([&](AccountStore& accounts) { accounts.Remove(user); });
  remove_rows();
  return removed;
}

}  // namespace syncline::account
