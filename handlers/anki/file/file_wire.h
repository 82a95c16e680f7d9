#pragma once
// The collection file: an SQLite database of Anki's schema 11 or 14 to 18, read and written without trusting
// it.
//
// Reading is for uploads: the file is hostile until Open has checked it. Writing is for downloads: every
// download is a base file (what was uploaded last, or an empty collection) plus what changed since, so that
// whatever we do not model (tag collapse state, template mtimes) stays as its owner left it. Left out on
// purpose: storage, transactions, zstd. Source: reference of the protocol, sections 6, 7.1 to 7.4, 7.8.
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

/// The file is not a collection we accept; what() is a sentence for the user who uploaded it, without
/// internals.
class FileRefused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A row has more bytes than the caller wants to hold. It has not been read.
class RowTooLarge : public FileRefused {
 public:
  using FileRefused::FileRefused;
};

/// An uploaded file, opened read-only, defensive, untrusted schema, unicase registered. WAL headers are fine:
/// no -wal or -shm file is made.
class CollectionFile {
 public:
  enum class Check { kFull, kTrusted };

  /// Opens `path`. kFull: magic, integrity_check, exactly one col row, ver in {11, 14..18}, the expected
  /// tables and no triggers, views or foreign virtual tables; all rows and objects are read once. kTrusted:
  /// one of ours that passed before. Throws FileRefused.
  /// A full check throws RowTooLarge for rows that hold more than twice `max_note_bytes`.
  static CollectionFile Open(const std::string& path, Check check, std::int64_t max_note_bytes = 450 << 20);
  CollectionFile(CollectionFile&&) noexcept;
  CollectionFile& operator=(CollectionFile&&) noexcept;
  ~CollectionFile();

  int SchemaVersion() const;
  /// As SQL's CAST reads it; a usn below 0 is -1.
  CollectionMeta Meta() const;
  /// Whether a client that has this file can sync: it reads its times and its usn as integers.
  bool HasReadableMeta() const;
  /// What was not read as it is stored; known after kFull.
  const Adjustments& Adjusted() const;
  CollectionCounts Counts() const;
  bool IsWal() const;  ///< header bytes 18 and 19 were 2 in the file on disk
  Usn MaxUsn() const;  ///< at least the highest usn of any row; 0 or more
  /// Protobuf columns of schema 15+ converted to legacy JSON, as upstream converts them (7.4 to 7.8).
  SmallObjects ReadSmallObjects() const;
  /// In ascending id order, from the first id above `after`, at most `limit` rows (-1: all;
  /// else fewer once their text passes 4 MiB); the callback's
  /// argument is reused for the next row. Returns the last id passed, or `after` when none was left.
  std::int64_t EachCard(std::int64_t after, std::int64_t limit,
                        const std::function<void(const Card&)>& row) const;
  std::int64_t EachNote(std::int64_t after, std::int64_t limit,
                        const std::function<void(const Note&)>& row) const;
  std::int64_t EachReview(std::int64_t after, std::int64_t limit,
                          const std::function<void(const Review&)>& row) const;
  std::vector<Grave> ReadGraves() const;
  /// How many of `ids` the table has. For the counts of a sync that runs before the file's rows have been
  /// imported.
  std::vector<std::int64_t> ExistingCards(const std::vector<std::int64_t>& ids) const;
  std::vector<std::int64_t> ExistingNotes(const std::vector<std::int64_t>& ids) const;
  std::vector<std::int64_t> ExistingReviews(const std::vector<std::int64_t>& ids) const;

 private:
  struct Impl;
  explicit CollectionFile(std::unique_ptr<Impl>);
  std::unique_ptr<Impl> impl_;
};

/// Brings a private copy of a base file up to date, in one transaction, and leaves it in rollback-journal
/// mode. Call order: Unbury, graves, small objects, notes, cards, reviews, SetMeta, Finish. The file may be
/// of any accepted schema version; it keeps it. Throws FileRefused when the file cannot be written to.
class CollectionFileWriter {
 public:
  explicit CollectionFileWriter(const std::string& path);
  CollectionFileWriter(CollectionFileWriter&&) noexcept;
  ~CollectionFileWriter();

  void Unbury();                  ///< queue -2/-3 -> the queue of the card's type; mod and usn untouched
  void Bury(const Grave& grave);  ///< deletes the object, records the grave with its usn; no cascade
  void PutNotetypes(
      const std::vector<Object>& notetypes);  ///< JSON -> protobuf columns when the schema has them
  void PutDecks(const std::vector<Object>& decks);
  void PutDeckConfigs(const std::vector<Object>& configs);
  void PutTags(const std::vector<Tag>& tags);    ///< adds what is missing, case-insensitively
  void PutConfig(std::string_view config_json);  ///< replaces the whole config
  void PutNote(const Note& note);                ///< sfld and csum computed; needs its notetype in the file
  void PutCard(const Card& card);
  void PutReview(const Review& review);
  void SetMeta(const CollectionMeta& meta);
  void Finish();  ///< commits and closes; without it nothing is changed, after it nothing may be called

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes a new, valid, empty schema-18 collection: deck 1 and deck config 1 "Default", the six stock
/// notetypes, the initial config. `path` must not exist, or be an empty file.
void CreateEmptyCollection(const std::string& path, const CollectionMeta& meta);

/// Rewrites a private copy of schema 14..18 as schema 11, for clients older than 2.1.57. No-op on schema 11.
void DowngradeToSchema11(const std::string& path);

}  // namespace syncline::anki
