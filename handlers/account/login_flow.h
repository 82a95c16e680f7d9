#pragma once
// Who is asking: a password becomes a device with a key, a key becomes an identity. Shared by all dialects;
// how a key travels and what a refusal looks like on the wire is theirs.
#include <string>
#include <string_view>

#include "handlers/base/context.h"

namespace syncline::account {

/// Live devices of one kind an account can have. A login past it ends the one that was unused longest: a
/// client that logs in at every start must neither fill the table nor ever be refused.
inline constexpr int kLiveDevicesPerKind = 200;

/// Password checks at once in this process. Each takes 64 MiB for its time, on purpose; this bounds what a
/// flood of logins can take.
inline constexpr int kConcurrentHashes = 2;

/// The account and device of `key`, which must be live and of `kind` ("anki", "app_password", "refresh",
/// "socket"), the account enabled. One statement, one round trip. Notes that the device was seen when that is
/// minutes old (a write of its own, whose failure is ignored). Anything else is Error
/// Unauthenticated "bad_key".
Identity LookUpKey(Context& context, std::string_view key, std::string_view kind);

/// As LookUpKey, but a process that has just looked does not look again: a key that was revoked is refused
/// everywhere after kKeyMemory (known_keys.h). Does not call SetIdentity.
Identity AuthenticateKey(Context& context, std::string_view key, std::string_view kind);

/// Checks a password and makes a new device of `kind`, named `device_name` for its owner (cut to 100
/// characters). Returns its key, which is never shown again. Takes about 100 ms, mostly outside a
/// transaction. Throws Error
///   Unauthenticated "bad_login" unknown account, wrong password or disabled account; nobody can tell which,
///                               not even by the time it takes
///   TooMany "too_many_logins"   with Retry-After: too many failures of this address, or of this account from
///                               this address; the password was not looked at. Other addresses are not
///                               affected, so nobody can lock somebody else out
///   Busy "busy"                 too many password checks at once
/// `remote_address` is the client's, as text; IPv6 counts by its /64.
std::string LogIn(Context& context, std::string_view name, std::string_view password,
                  std::string_view remote_address, std::string_view kind, std::string_view device_name);

}  // namespace syncline::account
