#pragma once
// Files of decks on their way: signed links, and storing what arrives.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/context.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/request.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/files/media_store.h"

namespace syncline::decks {

/// Makes the links of one answer. They need no login: the importer fetches them without one. They end with the setting
/// decks_link_hours; replacing the secret of the installation ends all of them.
class MediaLinks {
 public:
  MediaLinks(std::string base, const Secret& secret, UserId user, sql::Time expires_at)
      : base_(std::move(base)), secret_(&secret), user_(user), expires_at_(expires_at) {}
  std::string Download(const Deck& deck, const MediaFile& file) const;
  /// For exactly these bytes, in the name of `user`.
  std::string Upload(const Deck& deck, UserId user, const std::string& sha256, std::int64_t size_bytes) const;
  /// The whole deck as a file, as long as the account of this answer may read it.
  std::string Package(const Deck& deck) const;
  sql::Time expires_at() const { return expires_at_; }

 private:
  std::string base_;
  const Secret* secret_;
  UserId user_;
  sql::Time expires_at_;
};

/// Links as the client reaches this server. `lifetime`: none: as the settings say.
MediaLinks LinksFor(const Request& request, const Context& context,
                    std::optional<std::chrono::seconds> lifetime = std::nullopt);

/// The member "media_files", in all spellings.
void WriteMediaFiles(JsonWriter& json, const MediaLinks& links, const Deck& deck,
                     const std::vector<MediaFile>& files);

/// What a link is for.
struct MediaGrant {
  DeckId deck{};
  std::string sha256{};
  std::int64_t size_bytes = 0;  ///< of an upload
  UserId user{};                ///< who may upload, or has asked for a package
};
/// Throws Error Forbidden "link_gone".
MediaGrant OpenDownload(const Context& context, std::string_view token);
MediaGrant OpenUpload(const Context& context, std::string_view token);
/// Its deck and its user count.
MediaGrant OpenPackage(const Context& context, std::string_view token);

/// Where nginx keeps the content of a link: its internal location, by deck and content.
std::string CachedPlace(const MediaGrant& grant);

/// Stores a body as a blob, to be kept by the caller's transaction. Throws Error BadInput "hash_mismatch", StorageFull
/// "over_quota".
BlobInfo StoreBody(Context& context, UserId owner, const std::function<std::size_t(char*, std::size_t)>& read,
                   const MediaGrant& grant, const std::function<void(const BlobInfo&, Reservation&)>& keep);

}  // namespace syncline::decks
