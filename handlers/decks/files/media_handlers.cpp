#include "handlers/decks/files/media_handlers.h"

#include <sodium.h>

#include <algorithm>
#include <set>
#include <utility>

#include "handlers/base/base64.h"
#include "handlers/base/seal.h"
#include "handlers/base/sha256.h"
#include "handlers/base/timestamp.h"
#include "handlers/decks/catalogue/access_flow.h"
#include "handlers/decks/dialect/answer_wire.h"
#include "handlers/decks/dialect/body_wire.h"
#include "handlers/decks/dialect/error_wire.h"
#include "handlers/decks/files/media_flow.h"
#include "handlers/decks/files/media_rules.h"
#include "handlers/decks/settings.h"

namespace syncline::decks {
namespace {

constexpr std::size_t kBody = 50 << 20;
constexpr std::size_t kMaxFilesInline = 20;
constexpr std::size_t kMaxBytesInline = 25 << 20;
constexpr std::size_t kMaxHashes = 10'000;
constexpr std::size_t kMaxNameInput = 1000;
// An upload link is for the next minutes.
constexpr std::chrono::seconds kUploadLife{15 * 60};

enum class Action { kList, kDownload, kUpload, kCheck, kUploadUrl, kConfirm };
constexpr Word<Action> kActions[] = {
    {"list", Action::kList},   {"download", Action::kDownload},        {"upload", Action::kUpload},
    {"check", Action::kCheck}, {"get_upload_url", Action::kUploadUrl}, {"confirm_upload", Action::kConfirm}};

struct InlineFile {
  std::string name{}, bytes{};
  std::optional<std::string> sha256{};
};

struct MediaInput {
  std::string deck_id{};
  Action action = Action::kList;
  std::vector<std::string> names{}, hashes{};  ///< hashes as bytes
  std::optional<std::string> name{}, sha256{};
  std::int64_t size = 0;
  std::vector<InlineFile> files{};
};

std::string ReadHash(const JsonValue& value) {
  const auto hash = ParseSha256(value.Text(kMaxNameInput));
  if (!hash) value.Refuse("value_error", "A hash is the SHA-256 of the file, as 64 hexadecimal digits");
  return hash.value_or("");
}

// Lines may be broken.
std::string DecodeBase64(const JsonValue& value) {
  std::string text = value.Text(kBody);
  std::erase_if(text, [](char c) { return c == ' ' || c == '\r' || c == '\n'; });
  auto bytes = FromBase64(text, sodium_base64_VARIANT_ORIGINAL);
  if (!bytes) value.Refuse("value_error", "The content is not base64");
  return std::move(bytes).value_or("");
}

InlineFile ReadInlineFile(const JsonObject& in) {
  InlineFile file;
  file.name = in.Text("file_name", kMaxNameInput, 1);
  file.bytes = DecodeBase64(in["content_base64"]);
  if (const auto hash = in.Find("file_hash"); hash && !hash->IsNull()) file.sha256 = ReadHash(*hash);
  return file;
}

MediaInput ReadMediaInput(const JsonObject& in) {
  MediaInput input{.deck_id = ReadDeckId(in)};
  input.action = ReadWord(in, "action", kActions, Action::kList);
  input.name = in.Maybe("file_name").Text(kMaxNameInput);
  if (const auto hash = in.Find("file_hash"); hash && !hash->IsNull()) input.sha256 = ReadHash(*hash);
  input.size = ReadClamped(in, "size", 0, JsonValue::kMaxInt, 0);
  if (auto names =
          in.Maybe("file_names").List(kMaxHashes, [](const JsonValue& n) { return n.Text(kMaxNameInput); }))
    input.names = *std::move(names);
  if (auto hashes = in.Maybe("file_hashes").List(kMaxHashes, ReadHash)) input.hashes = *std::move(hashes);
  if (input.action != Action::kUpload) return input;
  if (in.Find("content_base64")) input.files.push_back(ReadInlineFile(in));
  if (auto files = in.Maybe("files").List(kMaxFilesInline,
                                          [](const JsonValue& f) { return ReadInlineFile(f.Object()); }))
    input.files = *std::move(files);
  return input;
}

void RequireMediaName(const std::string& name) {
  if (IsMediaName(name)) return;
  const auto proposed = ProposedName(name);
  throw Refused("bad_file_name", "Anki would change the name of this file.",
                JsonWriter().Object().Add("proposed_name", proposed).Finish());
}

void RequireSize(std::int64_t bytes, const Context& context) {
  if (bytes > context.config().Of<Settings>().max_media_mib << 20)
    throw Refused("file_too_large", "The file is larger than this server accepts.");
}

void WriteFile(JsonWriter& json, const MediaFile& file, const std::string& url, const MediaLinks& links) {
  json.Object()
      .Add("file_name", file.name)
      .Add("filename", file.name)
      .Add("file_hash", HexText(file.sha256))
      .Add("size", file.size_bytes)
      .Add("updated_at", PrintTimestamp(file.updated_at));
  if (!url.empty())
    json.Add("url", url).Add("download_url", url).Add("expires_at", PrintTimestamp(links.expires_at()));
  json.End();
}

// The deck, for whoever may read it, and all its files.
std::pair<Deck, std::vector<MediaFile>> FilesFor(const MediaInput& in, Context& context) {
  return context.Read<DeckStore, MediaStore>([&](DeckStore& decks, MediaStore& media) {
    const Deck found = OpenDeck(decks, context, in.deck_id, Need::kRead);
    return std::pair(found, media.List(found.id));
  });
}

Response ListFiles(const MediaInput& in, Context& context, const MediaLinks& links) {
  const auto files = FilesFor(in, context).second;
  std::int64_t total = 0;
  JsonWriter json;
  Success(json).Array("files");
  for (const MediaFile& file : files) {
    WriteFile(json, file, "", links);
    total += file.size_bytes;
  }
  json.End().Add("total_size", total).Add("files_downloaded", 0).Add("files_uploaded", 0);
  return Answer(json);
}

Response DownloadLinks(const MediaInput& in, Context& context, const MediaLinks& links) {
  const auto [deck, files] = FilesFor(in, context);
  std::set<std::string> names(in.names.begin(), in.names.end());
  if (in.name) names.insert(*in.name);
  const std::set<std::string> hashes(in.hashes.begin(), in.hashes.end());
  std::int64_t count = 0;
  JsonWriter json;
  Success(json).Array("files");
  for (const MediaFile& file : files) {
    const bool is_asked =
        (names.empty() && hashes.empty()) || names.contains(file.name) || hashes.contains(file.sha256);
    if (!is_asked) continue;
    WriteFile(json, file, links.Download(deck, file), links);
    ++count;
  }
  json.End().Add("files_downloaded", count).Add("files_uploaded", 0);
  return Answer(json);
}

// Which of the caller's files the deck does not have, and which of the deck's the caller does not.
Response CheckFiles(const MediaInput& in, Context& context, const MediaLinks& links) {
  const auto [deck, files] = FilesFor(in, context);
  std::set<std::string> theirs(in.hashes.begin(), in.hashes.end()), missing = theirs;
  JsonWriter json;
  Success(json).Array("files_to_download");
  for (const MediaFile& file : files) {
    missing.erase(file.sha256);
    if (!theirs.contains(file.sha256)) WriteFile(json, file, links.Download(deck, file), links);
  }
  json.End().Array("missing_files");
  for (const std::string& hash : missing) json.Add(HexText(hash));
  json.End().Add("files_downloaded", 0).Add("files_uploaded", 0);
  return Answer(json);
}

Response ShowUploaded(const MediaFile& file, const MediaLinks& links) {
  JsonWriter json;
  Success(json).Add("files_uploaded", 1).Add("files_downloaded", 0).Add("already_exists", true);
  json.Array("files");
  WriteFile(json, file, "", links);
  json.End()
      .Object("file")
      .Add("file_name", file.name)
      .Add("file_hash", HexText(file.sha256))
      .Add("size", file.size_bytes)
      .End();
  return Answer(json);
}

const std::string& Required(const std::optional<std::string>& value, const char* name) {
  if (!value) throw Refused("missing_" + std::string(name), std::string(name) + " is missing.");
  return *value;
}

// A content that the deck has under another name needs no bytes.
std::optional<MediaFile> NameAgain(DeckStore& decks, MediaStore& media, const Deck& deck,
                                   const std::string& name, const std::string& sha256) {
  const auto held = media.FindContent(deck.id, sha256);
  if (!held) return std::nullopt;
  media.Save(deck.id, held->owner, name, {held->file.blob, sha256, held->file.size_bytes});
  decks.Touch(deck.id);
  MediaFile file = held->file;
  file.name = name;
  return file;
}

Response UploadLink(const MediaInput& in, Request& request, Context& context) {
  const std::string name = Required(in.name, "file_name"), sha256 = Required(in.sha256, "file_hash");
  RequireMediaName(name);
  RequireSize(in.size, context);
  const MediaLinks links = LinksFor(request, context, kUploadLife);
  const auto [deck, known] = context.Write<DeckStore, MediaStore>([&](DeckStore& decks, MediaStore& media) {
    const Deck found = LockDeck(decks, context, in.deck_id, Need::kEdit);
    return std::pair(found, NameAgain(decks, media, found, name, sha256));
  });
  if (known) return ShowUploaded(*known, links);
  JsonWriter json;
  Success(json)
      .Add("already_exists", false)
      .Add("upload_url", links.Upload(deck, context.user(), sha256, in.size))
      .Add("method", "PUT")
      .Object("headers")
      .Add("Content-Type", MediaType(name))
      .End()
      .Add("expires_at", PrintTimestamp(links.expires_at()))
      .Add("files_uploaded", 0)
      .Add("files_downloaded", 0);
  return Answer(json);
}

Response Confirm(const MediaInput& in, Request& request, Context& context) {
  const std::string name = Required(in.name, "file_name"), sha256 = Required(in.sha256, "file_hash");
  RequireMediaName(name);
  const auto file = context.Write<DeckStore, MediaStore>([&](DeckStore& decks, MediaStore& media) {
    const Deck deck = LockDeck(decks, context, in.deck_id, Need::kEdit);
    if (const auto confirmed = media.ConfirmUpload(deck.id, deck.owner, name, sha256)) {
      decks.Touch(deck.id);
      return *confirmed;
    }
    const auto known = NameAgain(decks, media, deck, name, sha256);
    if (!known) throw NotFound("upload_not_found");
    return *known;
  });
  return ShowUploaded(file, LinksFor(request, context));
}

BlobInfo StoreInline(Context& context, const Deck& deck, const InlineFile& file) {
  std::size_t at = 0;
  const auto read = [&](char* buffer, std::size_t size) {
    const std::size_t count = std::min(size, file.bytes.size() - at);
    std::copy_n(file.bytes.data() + at, count, buffer);
    at += count;
    return count;
  };
  const MediaGrant grant{deck.id, file.sha256 ? *file.sha256 : Sha256(file.bytes),
                         static_cast<std::int64_t>(file.bytes.size())};
  return StoreBody(context, deck.owner, read, grant, [&](const BlobInfo& blob, Reservation& room) {
    context.Write<DeckStore, MediaStore, Transaction>(
        [&](DeckStore& decks, MediaStore& media, Transaction& transaction) {
          LockDeck(decks, context, deck.shown.id, Need::kEdit);
          room.Settle(transaction.tx);
          media.Save(deck.id, deck.owner, file.name, blob);
          decks.Touch(deck.id);
        });
  });
}

Response UploadInline(const MediaInput& in, Context& context) {
  const Need need = in.files.empty() ? Need::kRead : Need::kEdit;
  const Deck deck =
      context.Read<DeckStore>([&](DeckStore& decks) { return OpenDeck(decks, context, in.deck_id, need); });
  std::size_t bytes = 0;
  for (const InlineFile& file : in.files) {
    RequireMediaName(file.name);
    RequireSize(static_cast<std::int64_t>(file.bytes.size()), context);
    bytes += file.bytes.size();
  }
  if (bytes > kMaxBytesInline)
    throw Refused("too_many_bytes", "Files of one request have at most 25 MiB together.");
  JsonWriter json;
  Success(json).Array("results");
  for (const InlineFile& file : in.files) {
    const BlobInfo blob = StoreInline(context, deck, file);
    json.Object()
        .Add("file_name", file.name)
        .Add("file_hash", HexText(blob.sha256))
        .Add("success", true)
        .End();
  }
  json.End().Add("files_uploaded", in.files.size()).Add("files_downloaded", 0);
  return Answer(json);
}

}  // namespace

// POST addon-sync-media -- lists files, gives links to them, and takes files from those who may change the deck.
Response PostMedia(Request& request, Context& context) {
  const MediaInput in = ReadBody(request, context, kBody, ReadMediaInput);
  switch (in.action) {
    case Action::kDownload:
      return DownloadLinks(in, context, LinksFor(request, context));
    case Action::kUpload:
      return UploadInline(in, context);
    case Action::kCheck:
      return CheckFiles(in, context, LinksFor(request, context));
    case Action::kUploadUrl:
      return UploadLink(in, request, context);
    case Action::kConfirm:
      return Confirm(in, request, context);
    case Action::kList:
      break;
  }
  return ListFiles(in, context, LinksFor(request, context));
}

// GET /deck-media/{grant} -- a file by its link. No login; 403 for a link that has ended, 404 for a file that is gone.
//
// nginx asks twice: first for where the link leads, which is looked up each time, then for the bytes, unless it has them.
Response GetMediaFile(Request& request, Context& context) {
  const MediaGrant grant = OpenDownload(context, request.PathParam("grant"));
  const auto held = context.ReadOnce<MediaStore>(
      [&](MediaStore& media) { return media.FindContent(grant.deck, grant.sha256); });
  if (!held) throw NotFound("no_such_file");
  if (!request.Header("syncline-content"))
    return Response{200, {}, {}, std::nullopt}.With("X-Accel-Redirect", CachedPlace(grant));
  const auto write = [&context, held = *held](BodySink& sink) {
    context.WithDatabase([&](sql::Database& database) {
      ReadBlob(database, held.owner, kBlobService, held.file.blob,
               [&](std::string_view bytes) { sink.Write(bytes); });
    });
  };
  return Response{200, {}, BodyStream(write), static_cast<std::uint64_t>(held->file.size_bytes)}
      .With("Content-Type", std::string(MediaType(held->file.name)))
      .With("Cache-Control", "private, max-age=86400, immutable")
      // A picture may hold a script.
      .With("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'");
}

// The login of an upload is its link, which the authorizer checks before a byte is taken.
std::optional<Identity> AuthenticateUpload(Request& request, Context& context) {
  return Identity{OpenUpload(context, request.PathParam("grant")).user, DeviceId{}, Roles::kNone};
}

// PUT /deck-uploads/{grant} -- takes exactly the bytes that the link is for; confirm_upload then gives them their name.
Response PutUpload(Request& request, Context& context) {
  const MediaGrant grant = OpenUpload(context, request.PathParam("grant"));
  const auto deck = context.Read<DeckStore>([&](DeckStore& decks) { return decks.Find(grant.deck); });
  if (!deck || deck->is_deleted) throw NotFound("deck_not_found");
  RequireSize(static_cast<std::int64_t>(request.content_length.value_or(0)), context);
  const auto read = [&](char* buffer, std::size_t size) {
    return request.body == nullptr ? std::size_t{0} : request.body->Read(buffer, size);
  };
  StoreBody(context, deck->owner, read, grant, [&](const BlobInfo& blob, Reservation& room) {
    context.Write<DeckStore, MediaStore, Transaction>(
        [&](DeckStore& decks, MediaStore& media, Transaction& transaction) {
          // While the bytes came, the deck may have been deleted, or its maintainer removed.
          decks.Lock(deck->shown.id);
          if (!decks.AccessOf(grant.deck, grant.user).may_edit) throw Forbidden("link_gone");
          room.Settle(transaction.tx);
          media.SaveUpload(grant.deck, deck->owner, blob);
        });
  });
  return Done();
}

}  // namespace syncline::decks
