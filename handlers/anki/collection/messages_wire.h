#pragma once
// The JSON messages of a normal sync: bytes <-> structs. Pure; every parser here is fuzzed.
//
// Versions 8 to 11 differ in the envelope (envelope_wire.h), not in these messages. Source: reference sections 3 to 5. All parsers throw Error BadInput "bad_json" for
// bytes that are not JSON or not a valid message; the session goes on.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/objects/rows_wire.h"

namespace syncline::anki {

inline constexpr std::string_view kBadJson = "bad_json";

struct LoginMessage {
  std::string user, password;
};
LoginMessage ParseLogin(std::string_view json);
std::string LoginReply(std::string_view key);

struct MetaMessage {
  int version;
};
MetaMessage ParseMeta(std::string_view json);

struct MetaReply {
  std::int64_t mod_ms, schema_ms;
  Usn usn;
  std::int64_t now_s;
  std::string message;
  bool may_continue = true;
  bool is_empty = false;
  Usn media_usn = 0;
};
std::string Print(const MetaReply& reply);

struct GraveIds {
  std::vector<std::int64_t> cards, notes, decks;
  bool empty() const { return cards.empty() && notes.empty() && decks.empty(); }
};
struct StartMessage {
  Usn client_usn;
  bool client_is_newer;
  GraveIds graves;  ///< sent by old clients only; numbers or strings
};
StartMessage ParseStart(std::string_view json);
GraveIds ParseGraves(std::string_view json);  ///< the body of applyGraves
std::string Print(const GraveIds& graves);    ///< the reply of start

/// The "changes" of applyChanges, in both directions.
struct Changes {
  std::vector<Object> notetypes, decks, deck_configs;
  std::vector<std::string> tags;
  std::optional<std::string> config_json;  ///< only from the newer side; so is created_s
  std::optional<std::int64_t> created_s;
};
/// Checks every object as upstream's parser would, and refuses what other clients could not read.
Changes ParseChanges(std::string_view json);
std::string Print(const Changes& changes);

/// The columns of staged rows: arrays of equal length, as the tables hold them.
struct CardColumns {
  std::vector<std::int64_t> ids, note_ids, deck_ids, ords, mods, types, queues, dues, intervals, factors,
      reps, lapses, remainings, original_dues, original_deck_ids, flags;
  std::vector<std::string> datas;
  void Add(const Card& card);
};
struct NoteColumns {
  std::vector<std::int64_t> ids, notetype_ids, mods;
  std::vector<std::string> guids, tags, fields;
  void Add(Note note);
};
struct ReviewColumns {
  std::vector<std::int64_t> ids, card_ids, eases, intervals, last_intervals, factors, taken_mss, types;
  void Add(const Review& review);
};
struct ReceivedChunk {
  CardColumns cards;
  NoteColumns notes;
  ReviewColumns revlog;
};
ReceivedChunk ParseChunk(std::string_view json);

/// Builds an outgoing chunk; rows are printed as they are added.
class ChunkPrinter {
 public:
  /// Returns the number of bytes added.
  std::size_t Add(const Card& card);
  std::size_t Add(const Note& note);
  std::size_t Add(const Review& review);
  std::string Finish(bool is_last);

 private:
  std::string cards_, notes_, revlog_;
};

struct SanityMessage {
  CollectionCounts counts;
  std::string client_json;  ///< the list as sent, for the reply
};
SanityMessage ParseSanity(std::string_view json);
std::string SanityReply(bool is_ok, std::string_view client_json, const CollectionCounts& server);

/// The number of fields in a note's text.
std::int32_t FieldCount(std::string_view joined_fields);

/// The object with these top-level members set to these JSON values. Other bytes stay unchanged; missing
/// members are added at the end.
std::string WithMembers(std::string_view object_json,
                        const std::vector<std::pair<std::string_view, std::string>>& members);

}  // namespace syncline::anki
