#pragma once
// New accounts over HTTP, changes of their password and address, and their end.
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

/// Makes an account, named by its address (normalised, email_wire.h), with the quota of the settings and a first device.
/// Throws Error
///   Conflict "email_taken"
///   Forbidden "registration_closed", "invitation_required", "invitation_invalid"   by the setting account_registration
///   Busy "busy"   as LogIn
std::pair<UserId, DeviceId> Register(Context& context, const std::string& email, std::string_view password,
                                     const std::optional<std::string>& invitation, const NewDevice& device);

/// A new invitation: its code, which is never shown again.
std::string MakeInvitation(Context& context, std::int64_t uses, std::chrono::hours lifetime);

/// Checks the password of the caller's own account, as it is asked for before something that cannot be undone: do that in a
/// transaction that begins with AccountStore::LockLogin of the result. Throws as LogIn, and AccountGone.
Login CheckOwnPassword(Context& context, std::string_view password, std::string_view remote_address);

/// Sets a new password, and revokes all devices of the account but `kept`: the old password may have leaked. Returns the
/// sessions among them, whose tokens are to be denied.
std::vector<DeviceId> ChangePassword(Context& context, const Login& login, std::string_view new_password,
                                     DeviceId kept);

/// Deletes an account and everything it has in any service, in short steps; `step` is called between them. Returns how many
/// rows. An interrupted removal can simply be repeated.
std::int64_t RemoveAccount(Context& context, UserId user, const std::function<void()>& step);

}  // namespace syncline::account
