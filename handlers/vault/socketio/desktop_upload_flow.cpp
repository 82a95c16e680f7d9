#include "handlers/vault/socketio/desktop_upload_flow.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/rate_limit.h"
#include "handlers/vault/settings.h"
#include "handlers/vault/socketio/presence_store.h"
#include "handlers/vault/socketio/vault_device_store.h"

namespace syncline::vault {
namespace {

using namespace std::chrono_literals;

// Enough to tell a zip, which newer desktops send, from a database.
constexpr std::size_t kBeginning = 4;
constexpr std::string_view kZipFile{"PK\x03\x04", 4}, kEmptyZip{"PK\x05\x06", 4};

// Whether the error is about this content or this device, and another try would end in the same way.
bool IsRefusal(const Error& error) {
  return error.kind() != ErrorKind::kBusy && error.kind() != ErrorKind::kInternal &&
         error.kind() != ErrorKind::kUnauthenticated;
}

std::string MessageOf(const Error& error) {
  if (error.kind() == ErrorKind::kUnprocessable)
    return "The vault is encrypted, and the upload is not, or cannot be checked.";
  if (error.code() == "file_too_large") return "The upload is larger than this server accepts.";
  if (error.kind() == ErrorKind::kStorageFull) return "There is no room left for the upload.";
  if (error.kind() == ErrorKind::kTooMany) return "Too many uploads in an hour.";
  if (error.code() == "no_parent") return "The folder cordiax_sync is missing in the vault.";
  if (error.code() == "version_changed") return "The vault has a newer version than the one named.";
  return "The upload was refused: " + error.code() + ".";
}

// As the desktop's own sample server writes it; in UTC.
std::string TimestampOf(Context::Clock::time_point now) {
  const std::time_t seconds = Context::Clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof(text), "%Y%m%d_%H%M%S", &parts)};
}

}  // namespace

std::optional<Vault> VaultOfDevice(Context& context, DeviceId device) {
  return context.Read<VaultStore, VaultDeviceStore>(
      [&](VaultStore& vaults, VaultDeviceStore& devices) -> std::optional<Vault> {
        const auto place = devices.PlaceOf(device);
        return place ? vaults.Find(place->slug) : std::nullopt;
      });
}

std::string RefusedUpload(std::string_view message) {
  return JsonWriter().Object().Add("status", "error").Add("message", message).Finish();
}

DesktopUpload::DesktopUpload(Context& context, DeviceId device) : context_(context), device_(device) {
  vault_ = VaultOfDevice(context, device);
  if (!vault_) {
    Refuse("This device was removed from the vault.");
    return;
  }
  try {
    RequireRate(context.redis(),
                "vault:uploads:" + std::to_string(static_cast<std::int64_t>(context.user())) + ":" +
                    std::to_string(static_cast<std::int64_t>(device)),
                {.count = static_cast<int>(context.config().Of<Settings>().uploads_per_hour), .per = 1h},
                WithoutRedis::kRefuse);
  } catch (const Error& error) {
    if (!IsRefusal(error)) throw;
    Refuse(error);
  }
}

void DesktopUpload::Refuse(std::string message) {
  refusal_ = std::move(message);
  incoming_.reset();
  beginning_.clear();
}

void DesktopUpload::Refuse(const Error& error) {
  if (error.code() == "file_too_large") PresenceStore(context_.redis(), context_.user(), device_).Pause();
  Refuse(MessageOf(error));
}

Upload DesktopUpload::UploadOf(std::optional<std::int64_t> base_version) const {
  return {.vault = vault_->id, .source = Source::kSocketio, .device = device_, .base_version = base_version};
}

void DesktopUpload::Open() {
  const bool is_zip = beginning_.starts_with(kZipFile) || beginning_.starts_with(kEmptyZip);
  const Path path =
      PathOf(std::string_view(is_zip ? "cordiax_sync/cordiax_sync.zip" : "cordiax_sync/cordiax.db"));
  context_.WithDatabase([&](sql::Database& database) {
    incoming_.emplace(database, context_.user(), *vault_, path, std::int64_t{0});
  });
  incoming_->SetLimit(kMaxUploadBytes);
}

void DesktopUpload::Keep(std::string_view bytes) {
  try {
    context_.WithDatabase([&](sql::Database&) { incoming_->Write(bytes); });
  } catch (const Error& error) {
    if (!IsRefusal(error)) throw;
    NoteRefusal(context_, UploadOf(std::nullopt), incoming_->path(), error);
    Refuse(error);
  }
}

void DesktopUpload::Write(std::string_view bytes) {
  if (!refusal_.empty()) return;
  if (incoming_) return Keep(bytes);
  beginning_.append(bytes);
  if (beginning_.size() < kBeginning) return;
  const std::string first = std::exchange(beginning_, {});
  beginning_ = first.substr(0, kBeginning);
  Open();
  Keep(first);
}

std::string DesktopUpload::Finish(std::optional<std::int64_t> base_version) {
  if (refusal_.empty() && !incoming_) {
    Open();
    if (!beginning_.empty()) Keep(beginning_);
  }
  if (!refusal_.empty()) return RefusedUpload(refusal_);
  try {
    const Uploaded done = SaveUpload(context_, UploadOf(base_version), *incoming_);
    const auto version = done.version ? std::optional(done.version->id) : std::nullopt;
    context_.Write<VaultDeviceStore>(
        [&](VaultDeviceStore& devices) { devices.NoteUpload(device_, version); });
    PresenceStore(context_.redis(), context_.user(), device_).EndPause();
    JsonWriter json;
    json.Object().Add("status", "success").Add("timestamp", TimestampOf(context_.Now()));
    if (done.version) {
      json.Add("version", static_cast<std::int64_t>(done.version->id))
          .Add("state", NameOf(done.version->state));
      if (done.version->entries) json.Add("files_count", *done.version->entries);
    } else {
      json.Add("state", "unchanged");
    }
    return json.Finish();
  } catch (const Error& error) {
    if (!IsRefusal(error)) throw;
    Refuse(error);
    return RefusedUpload(refusal_);
  }
}

}  // namespace syncline::vault
