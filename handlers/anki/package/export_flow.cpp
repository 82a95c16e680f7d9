#include "handlers/anki/package/export_flow.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "handlers/anki/collection/messages_wire.h"
#include "handlers/anki/file/field_text_wire.h"
#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/file/full_sync_flow.h"
#include "handlers/anki/media/media_store.h"
#include "handlers/anki/objects/schema18_wire.h"
#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/anki/package/container_wire.h"
#include "handlers/anki/package/import_rules.h"
#include "handlers/anki/package/media_name_rules.h"
#include "handlers/base/blobs.h"
#include "handlers/base/disk_reserve.h"
#include "handlers/base/errors.h"
#include "handlers/base/json.h"

namespace syncline::anki {
namespace {

constexpr std::int64_t kAll = -1;
constexpr std::int64_t kBegin = std::numeric_limits<std::int64_t>::min();
// The text that clients too old for a package show.
constexpr char kStubText[] = "Please update to the latest Anki version, then import this file again.";

// The deck and its children.
std::set<std::int64_t> DecksUnder(const std::vector<Object>& decks, const std::string& name) {
  const std::string key = UnicaseKey(name), prefix = UnicaseKey(name + "::");
  std::set<std::int64_t> found;
  bool has_deck = false;
  for (const Object& deck : decks) {
    const std::string other = UnicaseKey(deck.name);
    if (other == key) has_deck = true;
    if (other == key || other.starts_with(prefix)) found.insert(deck.id);
  }
  if (!has_deck) throw NotFound("no_such_deck");
  return found;
}

// The names of the account's media files that a package may have.
std::vector<std::string> MediaNames(Context& context) {
  constexpr int kPage = 1000;
  std::vector<std::string> names;
  MediaUsn usn = 0;
  for (int rows = kPage; rows == kPage;) {
    const auto page =
        context.Read<MediaStore>([&](MediaStore& media) { return media.ChangesSince(usn, kPage); });
    rows = static_cast<int>(page.size());
    for (const ListedMedia& file : page) {
      usn = file.usn;
      if (!file.sha1.empty() && NormalMediaName(file.name) == file.name) names.push_back(file.name);
    }
  }
  return names;
}

// Which of the account's files the exported notes and notetypes refer to. Looks names up in the sorted list
// of files: references to missing files take no memory, and no choice of names takes quadratic time.
class References {
 public:
  explicit References(std::vector<std::string> media) : media_(std::move(media)) {
    std::sort(media_.begin(), media_.end());
    is_named_.resize(media_.size());
  }
  void Add(const Note& note) {
    for (std::string_view rest = note.fields;;) {
      const std::string_view field = rest.substr(0, rest.find('\x1f'));
      ReplaceMediaReferences(field, [&](const std::string& name) {
        Mark(name);
        return std::nullopt;
      });
      for (const std::string& image : LatexImages(field)) {
        Mark(image + ".png");
        Mark(image + ".svg");
      }
      if (field.size() == rest.size()) return;
      rest.remove_prefix(field.size() + 1);
    }
  }
  void Add(const Object& notetype) {
    const NotetypeRow row = NotetypeFromJson(notetype.json);
    // Protobuf holds texts as they are.
    notetypes_ += row.config;
    for (const TemplateRow& tmpl : row.templates) notetypes_ += tmpl.config;
  }
  // The files that are referred to, in ascending order. Call it once.
  std::vector<std::string> Take() {
    MarkStatic();
    std::vector<std::string> named;
    for (std::size_t i = 0; i < media_.size(); ++i) {
      if (is_named_[i]) named.push_back(std::move(media_[i]));
    }
    return named;
  }

 private:
  static constexpr std::size_t kNone = std::string::npos;

  void Mark(const std::string& name) {
    const auto found = std::lower_bound(media_.begin(), media_.end(), name);
    if (found != media_.end() && *found == name)
      is_named_[static_cast<std::size_t>(found - media_.begin())] = true;
  }

  // Templates and styles may name a static file in many ways: by its name anywhere in them. The names that a text begins
  // with are the last name that sorts before it, or names that this one begins with.
  void MarkStatic() {
    std::vector<std::size_t> shorter(media_.size(), kNone);  // the longest other name that a name begins with
    for (std::size_t i = 1; i < media_.size(); ++i) {
      std::size_t other = i - 1;
      while (other != kNone && !media_[i].starts_with(media_[other])) other = shorter[other];
      shorter[i] = other;
    }
    const std::string_view text = notetypes_;
    for (std::size_t at = text.find('_'); at != kNone; at = text.find('_', at + 1)) {
      const std::string_view rest = text.substr(at);
      const auto after = std::upper_bound(media_.begin(), media_.end(), rest);
      std::size_t name =
          after == media_.begin() ? kNone : static_cast<std::size_t>(after - media_.begin()) - 1;
      while (name != kNone && !rest.starts_with(media_[name])) name = shorter[name];
      for (; name != kNone && !is_named_[name]; name = shorter[name]) is_named_[name] = true;
    }
  }

  std::vector<std::string> media_;  // ascending
  std::vector<bool> is_named_;
  std::string notetypes_;  // texts of their templates, styles and more
};

// A new collection with the notes that have a card in the deck, and everything that belongs to them.
std::unique_ptr<TempFile> SelectDeck(Context& context, const CollectionFile& file,
                                     const ExportOptions& options, References& references) {
  SmallObjects objects = file.ReadSmallObjects();
  const auto decks = DecksUnder(objects.decks, *options.deck);
  // Sorted: see the note on hash tables in import_flow.cpp.
  std::vector<std::int64_t> notes, cards;
  std::set<std::int64_t> notetypes;
  const auto has = [](const std::vector<std::int64_t>& ids, std::int64_t id) {
    return std::binary_search(ids.begin(), ids.end(), id);
  };
  file.EachCard(kBegin, kAll, [&](const Card& card) {
    if (decks.contains(card.deck_id) || decks.contains(card.original_deck_id)) notes.push_back(card.note_id);
  });
  std::sort(notes.begin(), notes.end());
  notes.erase(std::unique(notes.begin(), notes.end()), notes.end());
  CardHomes homes;
  file.EachCard(kBegin, kAll, [&](const Card& card) {
    if (!has(notes, card.note_id)) return;
    homes.emplace(card.deck_id, card.original_deck_id);
    cards.push_back(card.id);
  });
  ImportOptions selection;
  selection.with_scheduling = options.with_scheduling;
  selection.with_deck_configs = options.with_deck_configs;
  const PackageDecks selected = SelectDecks(objects, homes, selection);

  auto out = std::make_unique<TempFile>(context.config().temp_dir);
  const std::int64_t now_ms = context.NowMs();
  CreateEmptyCollection(out->path(), {file.Meta().created_s, now_ms, now_ms, 0, 0},
                        StockContent::kWithoutNotetypes);
  const SmallObjects stock =
      CollectionFile::Open(out->path(), CollectionFile::Check::kTrusted).ReadSmallObjects();
  CollectionFileWriter writer(out->path());
  file.EachNote(kBegin, kAll, [&](const Note& note) {
    if (has(notes, note.id)) notetypes.insert(note.notetype_id);
  });
  std::erase_if(objects.notetypes, [&](const Object& notetype) { return !notetypes.contains(notetype.id); });
  for (const Object& notetype : objects.notetypes) references.Add(notetype);
  writer.PutNotetypes(objects.notetypes);
  writer.PutDecks(selected.decks);
  writer.PutDeckConfigs(selected.configs);
  if (const auto offset = FindMember(objects.config_json, "creationOffset")) {
    writer.PutConfig(WithMembers(stock.config_json, {{"creationOffset", std::string(*offset)}}));
  }
  ImportedTags tags(objects.tags);
  file.EachNote(kBegin, kAll, [&](const Note& note) {
    if (!has(notes, note.id)) return;
    if (options.with_media) references.Add(note);
    if (options.with_scheduling) return writer.PutNote(note);
    Note plain = note;
    plain.tags = tags.Canonical(note.tags, /*keeps_system_tags=*/false);
    writer.PutNote(plain);
  });
  const auto next_position = FindMember(objects.config_json, "nextPos");
  CardPreparation preparation(objects, /*upgrades=*/false, selected.keeps_filtered, selection,
                              next_position ? WholeNumber(*next_position).value_or(0) : 0);
  file.EachCard(kBegin, kAll, [&](Card card) {
    if (!has(cards, card.id)) return;
    preparation.Prepare(card);
    writer.PutCard(card);
  });
  if (options.with_scheduling) {
    file.EachReview(kBegin, kAll, [&](const Review& review) {
      if (has(cards, review.card_id)) writer.PutReview(review);
    });
  }
  writer.Finish();
  return out;
}

}  // namespace

std::unique_ptr<TempFile> MakeStub(Context& context) {
  auto file = std::make_unique<TempFile>(context.config().temp_dir);
  const std::int64_t now_ms = context.NowMs();
  const CollectionMeta meta{context.NowSeconds(), now_ms, now_ms, 0, 0};
  CreateEmptyCollection(file->path(), meta);
  std::int64_t basic = 0;
  {
    const CollectionFile created = CollectionFile::Open(file->path(), CollectionFile::Check::kTrusted);
    for (const Object& notetype : created.ReadSmallObjects().notetypes) {
      if (notetype.field_count == 2 && notetype.template_count == 1 && basic == 0) basic = notetype.id;
    }
  }
  CollectionFileWriter writer(file->path());
  writer.PutNote(
      {now_ms, "syncline-stub", basic, context.NowSeconds(), 0, "", std::string(kStubText) + '\x1f'});
  Card card{};
  card.id = card.note_id = now_ms;
  card.deck_id = 1;
  card.mod = context.NowSeconds();
  card.due = 1;
  writer.PutCard(card);
  writer.Finish();
  DowngradeToSchema11(file->path());
  return file;
}

struct Export::Content {
  Context& context;
  ExportOptions options;
  PackageVersion version;
  BlobId verbatim{};               // if `file` is null: a zstd frame
  std::unique_ptr<TempFile> file;  // else: uncompressed
  std::unique_ptr<TempFile> stub;
  std::vector<std::string> media{};  // names

  void WriteMedia(PackageWriter& package) const;
};

// A file that a device has deleted meanwhile is left out.
void Export::Content::WriteMedia(PackageWriter& package) const {
  constexpr std::size_t kNamesAtOnce = 200;
  constexpr std::int64_t kBatchBytes = std::int64_t{4} << 20;
  struct Found {
    std::string name;
    StoredMedia stored;
  };
  std::vector<Found> batch;
  std::int64_t bytes = 0;
  const auto write = [&] {
    std::vector<std::int64_t> ids;
    for (const Found& file : batch) ids.push_back(static_cast<std::int64_t>(file.stored.blob));
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    std::map<BlobId, std::string> contents;
    if (!ids.empty()) {
      context.Read<Transaction>([&](Transaction& transaction) {
        contents.clear();
        ReadContents(transaction.tx, context.user(), kMediaService, ids,
                     [&](BlobId blob, std::string_view content) { contents[blob] = content; });
      });
    }
    for (const Found& file : batch) {
      const auto content = contents.find(file.stored.blob);
      if (content == contents.end()) continue;
      package.Media(file.name, file.stored.content.sha1, content->second.size(),
                    [&](BodySink& out) { out.Write(content->second); });
    }
    batch.clear();
    bytes = 0;
  };
  for (std::size_t begin = 0; begin < media.size(); begin += kNamesAtOnce) {
    const std::vector<std::string> names(
        media.begin() + static_cast<std::ptrdiff_t>(begin),
        media.begin() + static_cast<std::ptrdiff_t>(std::min(begin + kNamesAtOnce, media.size())));
    const auto found = context.Read<MediaStore>([&](MediaStore& store) { return store.Find(names); });
    for (const auto& [name, stored] : found) {
      if (stored.content.size_bytes > static_cast<std::int64_t>(kBlobChunkBytes)) {
        package.Media(name, stored.content.sha1, static_cast<std::uint64_t>(stored.content.size_bytes),
                      [&, blob = stored.blob](BodySink& out) {
                        context.WithDatabase([&](sql::Database& database) {
                          ReadBlob(database, context.user(), kMediaService, blob,
                                   [&](std::string_view piece) { out.Write(piece); });
                        });
                      });
        continue;
      }
      if (bytes + stored.content.size_bytes > kBatchBytes) write();
      bytes += stored.content.size_bytes;
      batch.push_back({name, stored});
    }
    write();
  }
}

Export::Export(Context& context, const ExportOptions& options)
    : content_(std::make_unique<Content>(
          Content{context, options, options.legacy ? PackageVersion::kLegacy2 : PackageVersion::kLatest,
                  BlobId{}, nullptr, nullptr})) {
  DiskReserve(context).Require();
  EnsureCollection(context);
  if (options.with_media) content_->media = MediaNames(context);
  if (options.deck) {
    References references(std::move(content_->media));
    const auto current = CurrentFile(context);
    const CollectionFile file = CollectionFile::Open(current->path(), CollectionFile::Check::kTrusted);
    DiskReserve(context).Require(static_cast<std::int64_t>(current->Size()));
    content_->file = SelectDeck(context, file, options, references);
    content_->media = references.Take();
  } else if (options.legacy) {
    content_->file = CurrentFile(context);
  } else {
    Download download = PrepareDownload(context);
    content_->verbatim = download.verbatim;
    content_->file = std::move(download.file);
  }
  if (options.legacy) DowngradeToSchema11(content_->file->path());
  content_->stub = MakeStub(context);
}

Export::~Export() = default;

std::string Export::FileName() const {
  if (!content_->options.deck) return "collection.colpkg";
  std::string name = *content_->options.deck;
  // What every system takes as a file name.
  std::replace_if(
      name.begin(), name.end(),
      [](char c) { return !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')); },
      '_');
  return name.substr(0, 60) + ".apkg";
}

void Export::Write(BodySink& sink) const {
  PackageWriter package(sink, content_->version);
  if (content_->file != nullptr) {
    package.Collection([&](BodySink& out) { content_->file->ReadAll(out); });
  } else {
    package.CompressedCollection([&](BodySink& out) {
      content_->context.WithDatabase([&](sql::Database& database) {
        ReadBlob(database, content_->context.user(), kService, content_->verbatim,
                 [&](std::string_view bytes) { out.Write(bytes); });
      });
    });
  }
  package.Stub(*content_->stub);
  content_->WriteMedia(package);
  package.Finish();
}

}  // namespace syncline::anki
