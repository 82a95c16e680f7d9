#pragma once
// Reads and writes collection files: SQLite databases of Anki's schema 11 or 14 to 18, which are not trusted.
//
// Reading is for uploads: the file may be hostile until Open has checked it. Writing is for downloads: every
// download is a base file (the last upload, or an empty collection) plus later changes, so that whatever we
// do not model (tag collapse state, template mtimes) stays unchanged. Left out on purpose: storage, database
// transactions, zstd. Source: reference of the protocol, sections 6, 7.1 to 7.4, 7.8.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/objects/rows_wire.h"

struct sqlite3;

namespace syncline::anki {

/// The file is not a collection we accept; what() is a message for the user, without internals.
class FileRefused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A row has more bytes than the caller accepts. It has not been read.
class RowTooLarge : public FileRefused {
 public:
  using FileRefused::FileRefused;
};

/// An uploaded file, opened read-only and defensive, with untrusted schema and the unicase collation. Accepts
/// WAL headers without creating a -wal or -shm file.
class CollectionFile {
 public:
  enum class Check { kFull, kTrusted };

  /// Opens `path`. kFull: magic, integrity_check, exactly one col row, ver in {11, 14..18}, the expected
  /// tables and no triggers, views or virtual tables; all rows and objects are read once (file_wire.cpp
  /// describes how integrity_check is replaced where it is slow). kTrusted: for a file of ours that has
  /// passed before. Throws FileRefused; kFull throws RowTooLarge for rows above twice `max_note_bytes`.
  /// `between_steps` is called many times a second during the full check, and may throw.
  static CollectionFile Open(const std::string& path, Check check, std::int64_t max_note_bytes = 450 << 20,
                             const std::function<void()>& between_steps = {});
  CollectionFile(CollectionFile&&) noexcept;
  CollectionFile& operator=(CollectionFile&&) noexcept;
  ~CollectionFile();

  int SchemaVersion() const;
  /// Values are converted as by SQL's CAST; a usn below 0 is -1.
  CollectionMeta Meta() const;
  /// Whether a client that has this file can sync: times and usn are integers, the usn from 0 to 2^31 - 1.
  bool HasReadableMeta() const;
  /// The values that were not read as stored; filled by kFull.
  const Adjustments& Adjusted() const;
  CollectionCounts Counts() const;
  /// Bytes of the notes' texts, and of card data that is longer than `long_data`. Reads every note and card.
  std::int64_t TextBytes(std::int64_t long_data) const;
  bool IsWal() const;  ///< byte 18 or 19 of the file's header is 2
  Usn MaxUsn() const;  ///< at least the highest usn of any row; 0 or more
  /// Protobuf columns of schema 15+ converted to legacy JSON, as upstream converts them (7.4 to 7.8).
  SmallObjects ReadSmallObjects() const;
  /// Rows in ascending id order, from the first id above `after`, at most `limit` (-1: all; otherwise stops
  /// early once their text reaches 4 MiB). The callback's argument is reused for the next row. Returns the
  /// last id passed to it, or `after` if there was none.
  std::int64_t EachCard(std::int64_t after, std::int64_t limit,
                        const std::function<void(const Card&)>& row) const;
  std::int64_t EachNote(std::int64_t after, std::int64_t limit,
                        const std::function<void(const Note&)>& row) const;
  std::int64_t EachReview(std::int64_t after, std::int64_t limit,
                          const std::function<void(const Review&)>& row) const;
  std::vector<Grave> ReadGraves() const;
  /// Those of `ids` that the table has.
  std::vector<std::int64_t> ExistingCards(const std::vector<std::int64_t>& ids) const;
  std::vector<std::int64_t> ExistingNotes(const std::vector<std::int64_t>& ids) const;
  /// At most `limit` ids above `after`, ascending.
  std::vector<std::int64_t> CardIds(std::int64_t after, std::int64_t limit) const;
  std::vector<std::int64_t> NoteIds(std::int64_t after, std::int64_t limit) const;
  std::vector<std::int64_t> ReviewIds(std::int64_t after, std::int64_t limit) const;

 private:
  struct Impl;
  explicit CollectionFile(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

/// Brings a private copy of a base file up to date, in one transaction, and leaves it in rollback-journal
/// mode. Call order: Unbury, graves and removals, small objects, notes, cards, reviews, SetMeta, Finish. The file may have
/// any accepted schema version, and keeps it. Throws FileRefused if the file or an object is at fault, others
/// if the machine is.
class CollectionFileWriter {
 public:
  explicit CollectionFileWriter(const std::string& path);
  CollectionFileWriter(CollectionFileWriter&&) noexcept;
  ~CollectionFileWriter();

  void Unbury();  ///< queue -2/-3 -> the queue of the card's type; mod and usn untouched
  /// Marks pending changes as sent: usn -1 -> 0. For a file whose changes no client will send.
  void ForgetPending();
  void Bury(const Grave& grave);  ///< deletes the object, records the grave with its usn; no cascade
  void PutNotetypes(
      const std::vector<Object>& notetypes);  ///< JSON -> protobuf columns when the schema has them
  void PutDecks(const std::vector<Object>& decks);
  void PutDeckConfigs(const std::vector<Object>& configs);
  void PutTags(const std::vector<Tag>& tags);    ///< adds missing tags, case-insensitively
  void PutConfig(std::string_view config_json);  ///< replaces the whole config
  void PutNote(const Note& note);                ///< computes sfld and csum; put its notetype first
  void PutCard(const Card& card);
  void PutReview(const Review& review);
  void RemoveCard(std::int64_t id);  ///< without a grave, as all Remove functions
  void RemoveNote(std::int64_t id);
  void RemoveReviews(const std::vector<std::int64_t>& ids);
  void RemoveObject(ObjectKind kind, std::int64_t id);
  void RemoveTags(const std::vector<std::string>& names);  ///< compared case-insensitively
  void RemoveGraves(Usn since);                            ///< those with this usn or a newer one
  void SetMeta(const CollectionMeta& meta);
  void Finish();  ///< commits and closes; without it the file is unchanged; make no calls after it

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes a new, valid, empty schema-18 collection: deck 1 and deck config 1 "Default", the six stock
/// notetypes (kWithoutNotetypes: none, as in a package), the initial config. `path` must not exist or must be an
/// empty file.
enum class StockContent { kAll, kWithoutNotetypes };
void CreateEmptyCollection(const std::string& path, const CollectionMeta& meta,
                           StockContent content = StockContent::kAll);

/// Rewrites a private copy of schema 14..18 as schema 11, for clients older than 2.1.57. No-op on schema 11.
void DowngradeToSchema11(const std::string& path);

}  // namespace syncline::anki
