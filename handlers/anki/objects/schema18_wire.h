#pragma once
// Notetypes, decks and deck configs: the legacy JSON of schema 11, which every sync version carries, from and
// to the rows with protobuf columns that files of schema 15 and above hold.
//
// FromJson accepts exactly what upstream's parser accepts and turns it into what upstream would store; ToJson
// prints what upstream would send. So FromJson is also the check that other clients will be able to read an
// object. Where we differ on purpose:
//  - duplicate keys: the last one wins, as upstream does it for files; it refuses them in messages;
//  - a float that is NaN becomes 0, a list that contains one becomes empty. Upstream prints null, which its
//    own parser then refuses, so that one such value would end the user's syncing;
//  - unknown keys keep the spelling of their numbers.
// Left out on purpose: SQLite, merging, name clashes. Source: reference of the protocol, sections 7.4 to 7.8.
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/objects/rows_wire.h"

namespace syncline::anki {

/// JSON or a row that clients could not read. what() is for the log.
class BadObject : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct FieldRow {
  std::string name, config;
};

struct TemplateRow {
  std::string name;
  std::int64_t mod = 0;  ///< seconds; 0 after any trip through JSON
  Usn usn = 0;           ///< likewise
  std::string config;
};

struct NotetypeRow {
  std::int64_t id = 0;
  std::string name;
  std::int64_t mod = 0;  ///< seconds
  Usn usn = 0;
  std::string config;
  std::vector<FieldRow> fields;        ///< position is ord
  std::vector<TemplateRow> templates;  ///< position is ord
};

struct DeckRow {
  std::int64_t id = 0;
  std::string name;      ///< components joined by U+001F
  std::int64_t mod = 0;  ///< seconds
  Usn usn = 0;
  std::string common, kind;
};

struct DeckConfigRow {
  std::int64_t id = 0;
  std::string name;
  std::int64_t mod = 0;  ///< seconds
  Usn usn = 0;
  std::string config;
};

/// Throw BadObject. The configs inside are always protobuf that parses.
NotetypeRow NotetypeFromJson(std::string_view json);
DeckRow DeckFromJson(std::string_view json);
DeckConfigRow DeckConfigFromJson(std::string_view json);

/// Throw BadObject when a protobuf column does not parse or a deck has no kind. Values that upstream takes
/// for damage in a deck config come out as the defaults that upstream uses instead.
std::string NotetypeToJson(const NotetypeRow& row);
std::string DeckToJson(const DeckRow& row);
std::string DeckConfigToJson(const DeckConfigRow& row);

/// Schema 15 stored the initial ease times 100; this makes it a row of schema 16, resetting eases that the
/// bug of that version left at the minimum.
void UpgradeDeckConfigFromSchema15(DeckConfigRow& row);
void DowngradeDeckConfigToSchema15(DeckConfigRow& row);

/// Which field, counted from 0, sorts the notes of a notetype in the browser. Not checked against the field
/// count.
std::uint32_t SortField(const NotetypeRow& row);

/// "A::B" -> "A" U+001F "B", each component in NFC, without control characters, trimmed, "blank" when empty.
std::string NativeDeckName(std::string_view name);
std::string HumanDeckName(std::string_view native_name);

}  // namespace syncline::anki
