#include "handlers/decks/files/media_flow.h"

#include <array>

#include "handlers/base/json.h"
#include "handlers/base/sha256.h"
#include "handlers/base/timestamp.h"
#include "handlers/decks/dialect/tag_rules.h"
#include "handlers/decks/files/media_rules.h"
#include "handlers/decks/settings.h"

namespace syncline::decks {
namespace {

constexpr std::string_view kDownloadPurpose = "decks.download";
constexpr std::string_view kUploadPurpose = "decks.upload";
constexpr std::string_view kPackagePurpose = "decks.package";
constexpr std::size_t kPieceBytes = 64 << 10;

std::string Payload(DeckId deck, UserId user, const std::string& sha256, std::int64_t size_bytes) {
  return std::to_string(static_cast<std::int64_t>(deck)) + " " +
         std::to_string(static_cast<std::int64_t>(user)) + " " + HexText(sha256) + " " +
         std::to_string(size_bytes);
}

MediaGrant OpenGrant(const Context& context, std::string_view purpose, std::string_view token) {
  const auto payload = context.secret().ReadToken(purpose, token, context.Now());
  if (!payload) throw Forbidden("link_gone");
  std::vector<std::string> parts = SplitTags(*payload);
  parts.resize(4);
  const auto deck = WholeNumber(parts[0]), user = WholeNumber(parts[1]), size = WholeNumber(parts[3]);
  const auto sha256 = ParseSha256(parts[2]);
  if (!deck || !user || !size || !sha256) throw Forbidden("link_gone");
  return {DeckId{*deck}, *sha256, *size, UserId{*user}};
}

}  // namespace

std::string MediaLinks::Download(const Deck& deck, const MediaFile& file) const {
  return base_ + "/deck-media/" +
         secret_->MakeToken(kDownloadPurpose, Payload(deck.id, UserId{}, file.sha256, 0), expires_at_);
}

std::string MediaLinks::Upload(const Deck& deck, UserId user, const std::string& sha256,
                               std::int64_t size_bytes) const {
  return base_ + "/deck-uploads/" +
         secret_->MakeToken(kUploadPurpose, Payload(deck.id, user, sha256, size_bytes), expires_at_);
}

std::string MediaLinks::Package(const Deck& deck) const {
  return base_ + "/deck-files/" +
         secret_->MakeToken(kPackagePurpose, Payload(deck.id, user_, deck.content_hash, 0), expires_at_);
}

MediaLinks LinksFor(const Request& request, const Context& context,
                    std::optional<std::chrono::seconds> lifetime) {
  const Settings& settings = context.config().Of<Settings>();
  // Set by nginx: the scheme and the host that the client has used.
  std::string base = settings.public_url.empty()
                         ? std::string(request.Header("syncline-base").value_or("http://localhost"))
                         : settings.public_url;
  while (base.ends_with('/')) base.pop_back();
  return {std::move(base), context.secret(), context.user(),
          context.Now() + lifetime.value_or(std::chrono::hours(settings.link_hours))};
}

void WriteMediaFiles(JsonWriter& json, const MediaLinks& links, const Deck& deck,
                     const std::vector<MediaFile>& files) {
  json.Array("media_files");
  for (const MediaFile& file : files) {
    const std::string url = links.Download(deck, file);
    json.Object()
        .Add("filename", file.name)
        .Add("file_name", file.name)
        .Add("url", url)
        .Add("download_url", url)
        .Add("file_hash", HexText(file.sha256))
        .Add("size", file.size_bytes)
        .End();
  }
  json.End();
}

MediaGrant OpenDownload(const Context& context, std::string_view token) {
  return OpenGrant(context, kDownloadPurpose, token);
}

MediaGrant OpenUpload(const Context& context, std::string_view token) {
  return OpenGrant(context, kUploadPurpose, token);
}

MediaGrant OpenPackage(const Context& context, std::string_view token) {
  return OpenGrant(context, kPackagePurpose, token);
}

std::string CachedPlace(const MediaGrant& grant) {
  return "/internal/deck-media/" + std::to_string(static_cast<std::int64_t>(grant.deck)) + "-" +
         HexText(grant.sha256);
}

BlobInfo StoreBody(Context& context, UserId owner, const std::function<std::size_t(char*, std::size_t)>& read,
                   const MediaGrant& grant, const std::function<void(const BlobInfo&, Reservation&)>& keep) {
  return context.WithDatabase([&](sql::Database& database) {
    Reservation room(database, owner, grant.size_bytes);
    BlobWriter writer(database, &room);
    std::array<char, kPieceBytes> piece{};
    while (const std::size_t got = read(piece.data(), piece.size())) writer.Write({piece.data(), got});
    const BlobInfo blob = writer.Finish();
    if (blob.sha256 != grant.sha256 || blob.size_bytes == 0 ||
        (grant.size_bytes > 0 && blob.size_bytes != grant.size_bytes))
      throw BadInput("hash_mismatch");
    keep(blob, room);
    writer.Keep();
    return blob;
  });
}

}  // namespace syncline::decks
