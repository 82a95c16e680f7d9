// The routes of the vault service: WebDAV at /dav/, Socket.IO at /socket.io/, and the API for the owner at /vault/.
#include "handlers/vault/routes.h"

#include "handlers/account/api_dialect.h"
#include "handlers/vault/device_handlers.h"
#include "handlers/vault/engineio/polling_flow.h"
#include "handlers/vault/settings.h"
#include "handlers/vault/socketio/socket_handlers.h"
#include "handlers/vault/vault_handlers.h"
#include "handlers/vault/version_handlers.h"
#include "handlers/vault/webdav/error_wire.h"
#include "handlers/vault/webdav/file_handlers.h"
#include "handlers/vault/webdav/lock_handlers.h"
#include "handlers/vault/webdav/login_flow.h"
#include "handlers/vault/webdav/prop_handlers.h"
#include "handlers/vault/webdav/tree_handlers.h"

namespace syncline::vault {
namespace {

using namespace std::chrono_literals;

constexpr account::CodeText kTexts[] = {
    {"no_such_vault", "There is no such vault."},
    {"no_such_version", "There is no such version."},
    {"no_such_file", "There is no such file."},
    {"bad_slug", "A slug has up to 64 letters from a to z, digits and hyphens, and no hyphen at an end."},
    {"slug_taken", "You have a vault with this slug already."},
    {"too_many_vaults", "There are as many vaults as an account may have."},
    {"plaintext_versions", "There are versions without encryption. Destroy them first."},
    {"not_confirmed", "Repeat the slug of the vault as `confirm`."},
    {"name_taken", "Something else has the name of this file by now."},
    {"file_locked", "The file is locked."},
    {"vault_full", "The vault holds as much as it may."},
    {"over_quota", "The account holds as much as it may."},
    {"no_such_device", "The vault has no such device."},
    {"too_many_devices", "The vault has as many devices as it may have. Remove one first."},
    {"device_not_connected", "The device is not connected."},
};

Response RenderVaultError(const Error& error, const Request& request) {
  return account::RenderApiError(error, request, kTexts);
}

const Dialect kApiDialect{
    .service = "vault", .authenticate = account::AuthenticateApi, .render_error = RenderVaultError};

// With every answer: clients decide by these whether locks work here.
constexpr std::pair<std::string_view, std::string_view> kDavHeaders[] = {{"MS-Author-Via", "DAV"}};
const Dialect kDavDialect{.service = "vault",
                          .authenticate = AuthenticateDav,
                          .render_error = RenderDavError,
                          .fixed_headers = kDavHeaders};

// The session is the login: it has a device once that has joined a namespace. So polls take no turn of an account.
const Dialect kSocketDialect{.service = "vault", .render_error = RenderEngineError, .ignores_slashes = true};

constexpr auto kRead = sql::Access::kRead;
constexpr auto kWrite = sql::Access::kWrite;
constexpr auto kQuick = 20s;
constexpr auto kLong = 120s;
// The largest file at 5 Mbit/s.
constexpr auto kUpload = 900s;
constexpr std::size_t kBody = 64 << 10;
constexpr std::size_t kXml = 1 << 20;
// Of Socket.IO. Above max_payload: what lies between is refused by the handler, which then knows whose it is.
constexpr std::size_t kSocketBody = 1 << 30;
// Above the longest wait of a poll, and not above fastcgi_read_timeout.
constexpr auto kPoll = 55s;
// The desktop gives its upload 5 s, others have slower lines.
constexpr auto kPost = 110s;

std::size_t FileLimit(const Config& config) {
  return static_cast<std::size_t>(config.Of<Settings>().max_file_mib) << 20;
}

// Method, path, operation, auth, database access, body limit in bytes, deadline, handler, dialect.
const Route kRoutes[] = {
    {"OPTIONS", "/dav/", "vault.options", Auth::kPublic, kRead, kBody, kQuick, Options, &kDavDialect},
    {"PROPFIND", "/dav/", "vault.propfind_vaults", Auth::kRequired, kRead, kXml, kQuick, PropfindVaults,
     &kDavDialect},
    {"OPTIONS", "/dav/{vault}", "vault.options_vault", Auth::kPublic, kRead, kBody, kQuick, Options,
     &kDavDialect},
    {"GET", "/dav/{vault}", "vault.get_root", Auth::kRequired, kRead, kBody, kLong, GetFile, &kDavDialect},
    {"PROPFIND", "/dav/{vault}", "vault.propfind_root", Auth::kRequired, kRead, kXml, kLong, PropfindFile,
     &kDavDialect},
    {"OPTIONS", "/dav/{vault}/{path...}", "vault.options_file", Auth::kPublic, kRead, kBody, kQuick, Options,
     &kDavDialect},
    {"GET", "/dav/{vault}/{path...}", "vault.get_file", Auth::kRequired, kRead, kBody, kUpload, GetFile,
     &kDavDialect},
    {"PUT", "/dav/{vault}/{path...}", "vault.put_file", Auth::kRequired, kWrite, FileLimit, kUpload, PutFile,
     &kDavDialect},
    {"DELETE", "/dav/{vault}/{path...}", "vault.delete_file", Auth::kRequired, kWrite, kBody, kLong,
     DeleteFile, &kDavDialect},
    {"MKCOL", "/dav/{vault}/{path...}", "vault.mkcol", Auth::kRequired, kWrite, kBody, kQuick, Mkcol,
     &kDavDialect},
    {"COPY", "/dav/{vault}/{path...}", "vault.copy_file", Auth::kRequired, kWrite, kBody, kLong, CopyFile,
     &kDavDialect},
    {"MOVE", "/dav/{vault}/{path...}", "vault.move_file", Auth::kRequired, kWrite, kBody, kLong, MoveFile,
     &kDavDialect},
    {"PROPFIND", "/dav/{vault}/{path...}", "vault.propfind", Auth::kRequired, kRead, kXml, kLong,
     PropfindFile, &kDavDialect},
    {"PROPPATCH", "/dav/{vault}/{path...}", "vault.proppatch", Auth::kRequired, kWrite, kXml, kQuick,
     ProppatchFile, &kDavDialect},
    {"LOCK", "/dav/{vault}/{path...}", "vault.lock", Auth::kRequired, kWrite, kXml, kQuick, LockFile,
     &kDavDialect},
    {"UNLOCK", "/dav/{vault}/{path...}", "vault.unlock", Auth::kRequired, kWrite, kBody, kQuick, UnlockFile,
     &kDavDialect},

    {"GET", "/vault/vaults", "vault.list_vaults", Auth::kRequired, kRead, 0, kQuick, GetVaults, &kApiDialect},
    {"POST", "/vault/vaults", "vault.create_vault", Auth::kRequired, kWrite, kBody, kQuick, PostVault,
     &kApiDialect},
    {"GET", "/vault/vaults/{vault}", "vault.get_vault", Auth::kRequired, kRead, 0, kQuick, GetVault,
     &kApiDialect},
    {"PATCH", "/vault/vaults/{vault}", "vault.change_vault", Auth::kRequired, kWrite, kBody, kQuick,
     PatchVault, &kApiDialect},
    {"PUT", "/vault/vaults/{vault}/encryption", "vault.encryption", Auth::kRequired, kWrite, kBody, kQuick,
     PutEncryption, &kApiDialect},
    {"GET", "/vault/vaults/{vault}/versions", "vault.list_versions", Auth::kRequired, kRead, 0, kQuick,
     GetVersions, &kApiDialect},
    {"GET", "/vault/vaults/{vault}/versions/{version}/content", "vault.get_version", Auth::kRequired, kRead,
     0, kUpload, GetVersionContent, &kApiDialect},
    {"POST", "/vault/vaults/{vault}/versions/{version}/restore", "vault.restore_version", Auth::kRequired,
     kWrite, kBody, kQuick, PostRestore, &kApiDialect},
    {"POST", "/vault/vaults/{vault}/versions/{version}/resolve", "vault.resolve_version", Auth::kRequired,
     kWrite, kBody, kQuick, PostResolve, &kApiDialect},
    {"POST", "/vault/vaults/{vault}/purge", "vault.purge", Auth::kRequired, kWrite, kBody, kLong, PostPurge,
     &kApiDialect},
    {"GET", "/vault/vaults/{vault}/events", "vault.list_events", Auth::kRequired, kRead, 0, kQuick, GetEvents,
     &kApiDialect},
    {"GET", "/vault/vaults/{vault}/devices", "vault.list_devices", Auth::kRequired, kRead, 0, kQuick,
     GetDevices, &kApiDialect},
    {"POST", "/vault/vaults/{vault}/devices", "vault.add_device", Auth::kRequired, kWrite, kBody, kQuick,
     PostDevice, &kApiDialect},
    {"DELETE", "/vault/vaults/{vault}/devices/{device}", "vault.remove_device", Auth::kRequired, kWrite,
     kBody, kQuick, DeleteDevice, &kApiDialect},
    {"POST", "/vault/vaults/{vault}/devices/{device}/request", "vault.request_upload", Auth::kRequired, kRead,
     kBody, kQuick, PostDeviceRequest, &kApiDialect},

    {"GET", "/socket.io", "vault.poll", Auth::kPublic, kRead, 0, kPoll, GetSocket, &kSocketDialect},
    {"POST", "/socket.io", "vault.receive", Auth::kPublic, kWrite, kSocketBody, kPost, PostSocket,
     &kSocketDialect},
    {"PUT", "/socket.io", "vault.refuse_put", Auth::kPublic, kRead, 0, kQuick, PutSocket, &kSocketDialect},
};

}  // namespace

std::span<const Route> Routes() {
  return kRoutes;
}

}  // namespace syncline::vault
