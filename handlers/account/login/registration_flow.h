#pragma once
// Registration over HTTP, changes of password and address, and removal of accounts.
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/account/login/account_store.h"
#include "handlers/base/context.h"

namespace syncline::account {

/// Creates an account, named by its address (normalised, email_wire.h), with the quota of the settings and a
/// first device. Throws Error
///   Conflict "email_taken"
///   Forbidden "registration_closed", "invitation_required", "invitation_invalid"   by the setting account_registration
///   Busy "busy"   as LogIn
std::pair<UserId, DeviceId> Register(Context& context, const std::string& email, std::string_view password,
                                     const std::optional<std::string>& invitation, const NewDevice& device);

/// Creates an invitation. Returns its code, which is never shown again.
std::string MakeInvitation(Context& context, std::int64_t uses, std::chrono::hours lifetime);

/// Checks the password of the caller's own account, before an action that cannot be undone. Run that action
/// in a transaction that begins with AccountStore::LockLogin of the result. Throws as LogIn, and AccountGone.
Login CheckOwnPassword(Context& context, std::string_view password, std::string_view remote_address);

/// Sets a new password, and revokes all devices of the account but `kept`: the old password may have leaked.
/// Returns the sessions among them, whose tokens the caller must deny.
std::vector<DeviceId> ChangePassword(Context& context, const Login& login, std::string_view new_password,
                                     DeviceId kept);

/// Deletes an account and everything it has in any service, in short steps; `step` is called between them. Returns how many
/// rows. An interrupted removal can simply be repeated.
std::int64_t RemoveAccount(Context& context, UserId user, const std::function<void()>& step);

}  // namespace syncline::account
