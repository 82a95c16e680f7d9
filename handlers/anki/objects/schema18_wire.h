#pragma once
// Converts notetypes, decks and deck configs between the legacy JSON of schema 11, which every sync version
// carries, and the rows with protobuf columns that files of schema 15 and above hold.
//
// FromJson accepts what upstream's parser accepts and returns what upstream would store; ToJson prints what
// upstream would send. So FromJson is also the check that other clients can read an object. Deliberate
// differences:
//  - duplicate keys: the last one wins, as in upstream for files; upstream refuses them in messages;
//  - a NaN or infinite float becomes 0, a list that contains one becomes empty. Upstream prints null, which
//    its own parser then refuses, so that a single such value would stop the user's syncing;
//  - unknown keys keep the spelling of their numbers.
// Left out on purpose: SQLite, merging, name clashes. Source: reference of the protocol, sections 7.4 to 7.8.
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/objects/rows_wire.h"

namespace syncline::anki {

/// JSON or a row that clients cannot read. what() is for the log.
class BadObject : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct FieldRow {
  std::string name, config;
};

struct TemplateRow {
  std::string name;
  std::int64_t mod = 0;  ///< seconds; JSON does not carry it: 0 after a conversion
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

/// Throw BadObject if a protobuf column does not parse, a text is not UTF-8 or a deck has no kind. Values of
/// a deck config that are out of upstream's bounds are replaced by upstream's defaults.
std::string NotetypeToJson(const NotetypeRow& row);
std::string DeckToJson(const DeckRow& row);
std::string DeckConfigToJson(const DeckConfigRow& row);

/// Schema 15 stored the initial ease times 100; this makes it a row of schema 16. Resets eases that a bug of
/// that version left at the minimum.
void UpgradeDeckConfigFromSchema15(DeckConfigRow& row);
void DowngradeDeckConfigToSchema15(DeckConfigRow& row);

/// Index of the field that sorts a notetype's notes in the browser, from 0; may exceed the field count.
/// Throws BadObject.
std::uint32_t SortField(const NotetypeRow& row);

/// "A::B" -> "A" U+001F "B", each component in NFC, without control characters, trimmed, "blank" if empty.
std::string NativeDeckName(std::string_view name);
std::string HumanDeckName(std::string_view native_name);

}  // namespace syncline::anki
