#pragma once
// The objects of an Anki collection, as structs that the sync protocol (messages_wire), the collection file
// (file_wire) and the tables (collection_store) share.
//
// Integers hold the full range of Anki's own types, so that every client gets what another one sent. Unsigned
// 32-bit values are in int64. Times named mod are seconds, except those of the collection, which are
// milliseconds. JSON is kept as received rather than reprinted: unknown keys, the order of keys and the
// spelling of numbers survive.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace syncline::anki {

using Usn = std::int32_t;  ///< update sequence number; -1 (pending) exists on clients only

struct Card {
  std::int64_t id, note_id, deck_id;
  std::int32_t ord;  ///< template index, or cloze number - 1; 0..65535
  std::int64_t mod;
  Usn usn;
  std::int32_t type;   ///< 0..3
  std::int32_t queue;  ///< -3..4
  std::int32_t due;
  std::int64_t interval;  ///< days, uint32
  std::int32_t factor;    ///< ease x 1000, uint16
  std::int64_t reps, lapses, left;
  std::int32_t original_due;
  std::int64_t original_deck_id;
  std::int32_t flags;  ///< uint8
  std::string data;    ///< JSON text, verbatim
};

struct Note {
  std::int64_t id;
  std::string guid;
  std::int64_t notetype_id;
  std::int64_t mod;
  Usn usn;
  std::string tags;    ///< " a b " or ""
  std::string fields;  ///< joined by U+001F
};

struct Review {
  std::int64_t id;  ///< review time in ms
  std::int64_t card_id;
  Usn usn;
  std::int32_t ease;
  std::int32_t interval, last_interval;  ///< positive: days, negative: seconds
  std::int64_t factor;                   ///< uint32
  std::int64_t taken_ms;                 ///< uint32
  std::int32_t type;                     ///< 0..5
};

/// Kind of a deleted object; the numbers are those of Anki's graves.type.
enum class GraveKind : std::int16_t { kCard = 0, kNote = 1, kDeck = 2 };

struct Grave {
  GraveKind kind;
  std::int64_t id;
  Usn usn;
};

/// anki_objects.kind
enum class ObjectKind : std::int16_t { kNotetype = 0, kDeck = 1, kDeckConfig = 2 };

/// A notetype, deck or deck config in the legacy (schema 11) JSON that all sync versions carry.
struct Object {
  std::int64_t id;
  std::string name;  ///< decks: components joined by "::"
  std::int64_t mod;
  Usn usn;
  std::string json;
  std::int32_t field_count = 0;     ///< notetypes only
  std::int32_t template_count = 0;  ///< notetypes only
  Usn name_usn = 0;                 ///< usn of the sync that set the name
};

struct Tag {
  std::string name;
  Usn usn;
};

/// Limit for creation times, before and after 1970: Anki's calendar cannot convert times beyond it.
inline constexpr std::int64_t kMaxCreatedSeconds = 8'210'266'876'799;

/// The one row of the col table.
struct CollectionMeta {
  std::int64_t created_s;  ///< crt, seconds
  std::int64_t mod_ms, schema_ms, last_sync_ms;
  Usn usn;
};

/// Number of objects by kind; the sanity check compares these.
struct CollectionCounts {
  std::int64_t cards, notes, revlog, notetypes, decks, deck_configs;
  bool operator==(const CollectionCounts&) const = default;
};

/// Everything of a collection except cards, notes, revlog and graves: small enough to hold in memory.
struct SmallObjects {
  std::vector<Object> notetypes, decks, deck_configs;
  std::vector<Tag> tags;
  std::string config_json;  ///< one JSON object, key -> value
};

/// Values of one column for which another value than the stored one was read.
struct AdjustedColumn {
  std::int64_t count = 0;
  std::vector<std::int64_t> ids;  ///< of the first few rows, where rows have ids
};
using Adjustments = std::map<std::string, AdjustedColumn>;  ///< by "table.column"

}  // namespace syncline::anki
