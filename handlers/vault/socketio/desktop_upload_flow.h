#pragma once
// An upload of the desktop over Socket.IO: bytes into a version of the vault's document, with flat memory.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/base/context.h"
#include "handlers/vault/tree/vault_store.h"
#include "handlers/vault/versions/upload_flow.h"

namespace syncline::vault {

/// The largest database: 50 MiB encrypted by the desktop just fit, which makes 140 MB of hex digits.
inline constexpr std::int64_t kMaxUploadBytes = 70'000'000;

/// The vault of a live device of the context's user; none if the device was removed.
std::optional<Vault> VaultOfDevice(Context& context, DeviceId device);

/// One upload. What is wrong with the content does not throw: the desktop, which would send it all again, learns it as the
/// result. What is wrong with the server throws.
class DesktopUpload {
 public:
  /// For `device`, as the context's user.
  DesktopUpload(Context& context, DeviceId device);
  void Write(std::string_view bytes);
  /// The rest is ignored. `message`: one sentence for a person.
  void Refuse(std::string message);
  /// Saves it. `base_version`: as Upload::base_version. The JSON object that sync_complete carries.
  std::string Finish(std::optional<std::int64_t> base_version);

 private:
  void Open();
  void Keep(std::string_view bytes);
  void Refuse(const Error& error);
  Upload UploadOf(std::optional<std::int64_t> base_version) const;

  Context& context_;
  const DeviceId device_;
  std::optional<Vault> vault_;
  std::string beginning_;  // until it tells the name of the file
  std::optional<Incoming> incoming_;
  std::string refusal_;
};

/// What sync_complete carries when there is nothing to save.
std::string RefusedUpload(std::string_view message);

}  // namespace syncline::vault
