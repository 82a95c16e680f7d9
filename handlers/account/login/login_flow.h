#pragma once
// Turns a password into a device with a key, and a key into an identity. Shared by all dialects; each defines
// how a key is transported and how a refusal looks on the wire.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "handlers/account/login/account_store.h"
#include "handlers/account/login/login_failure_store.h"
#include "handlers/base/context.h"

namespace syncline::account {

/// Live devices of one kind per account. A login past the limit revokes the least recently used one: a client
/// that logs in at every start must neither fill the table nor be refused.
inline constexpr int kLiveDevicesPerKind = 200;

/// Concurrent password checks in this process. Each takes 64 MiB by design; this bounds the memory a flood of
/// logins can take. At most half of the cores: with all of them, a flood would more than double the time of a
/// sync.
inline const int kConcurrentHashes =
    std::clamp(static_cast<int>(std::thread::hardware_concurrency()) / 2, 1, 2);
/// Password checks that may wait for one of these; further ones are refused at once. Running and waiting ones
/// together are fewer than the slots of the pool `edge`, so that a flood of logins leaves slots for the
/// authorizer.
inline constexpr int kWaitingHashes = 10;

/// How long a login, or a new password, waits for one. Long enough for a class that logs in together.
inline constexpr std::chrono::milliseconds kHashPatience{2000};

/// Resolves `key` to its account and device. The key must be live and of `kind` ("anki", "app_password",
/// "refresh", "socket"), the account enabled. One statement, one round trip. Updates last_seen_at when it is
/// minutes old (a separate write; its failure is ignored). Otherwise throws Error Unauthenticated "bad_key".
Identity LookUpKey(Context& context, std::string_view key, std::string_view kind);

/// Like LookUpKey, but caches the result: a revoked key is refused everywhere after kKeyMemory
/// (known_keys.h). Does not call SetIdentity.
Identity AuthenticateKey(Context& context, std::string_view key, std::string_view kind);

/// Sets last_seen_at. In a transaction of its own, so that a read route stays read-only; its failure is ignored.
void TouchDevice(Context& context, UserId user, DeviceId device);

/// Checks a password and counts a failure; the account if it is correct. Throws as LogIn. `context` may be that
/// of a read-only route.
Login CheckLogin(Context& context, std::string_view name, std::string_view password,
                 std::string_view remote_address);

/// Checks a password and creates a device of `kind`, named `device_name` for its owner (cut to 100
/// characters). Returns its key, which is never shown again. Takes about 100 ms, mostly outside a
/// transaction. Throws Error
///   Unauthenticated "bad_login" unknown account or wrong password; the caller cannot tell which, not even by
///                               timing, unless the account has a hash of another server (IsForeignHash),
///                               which lasts until its first login here
///   Forbidden "account_inactive" the password is correct, but the account is disabled
///   TooMany "too_many_logins"   with Retry-After: too many failures from this address, or of this account
///                               from this address; the password was not checked. Other addresses are not
///                               affected, so nobody can lock anyone else out
///   Busy "busy"                 too many concurrent password checks; with Retry-After
/// `remote_address` is the client's, as text; IPv6 is counted by /64.
std::string LogIn(Context& context, std::string_view name, std::string_view password,
                  std::string_view remote_address, std::string_view kind, std::string_view device_name);

/// Adds a device after CheckLogin, and clears the count of failures of `subjects`, if any. Throws Error Unauthenticated
/// "bad_login" if the account has changed since.
DeviceId AddDevice(Context& context, const Login& login, const NewDevice& device,
                   const std::optional<LoginSubjects>& subjects);

}  // namespace syncline::account
