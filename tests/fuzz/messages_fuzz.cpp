// Any bytes as a message of an Anki client, or as its anki-sync header: refused, or a struct within its
// bounds.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "handlers/anki/collection/config_wire.h"
#include "handlers/anki/collection/messages_wire.h"
#include "handlers/anki/envelope/envelope_wire.h"
#include "handlers/base/errors.h"
#include "handlers/base/json.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

// Accepted changes are passed on to other clients, with a few members replaced: the result must be valid
// again.
void ReadChanges(const Changes& changes) {
  try {
    const Changes again = ParseChanges(R"({"changes":)" + Print(changes) + "}");
    if (again.notetypes.size() != changes.notetypes.size() || again.decks.size() != changes.decks.size() ||
        again.deck_configs.size() != changes.deck_configs.size() || again.tags != changes.tags) {
      std::abort();
    }
    for (const Object& deck : changes.decks) {
      const std::string renamed =
          WithMembers(deck.json, {{"name", QuoteJson(deck.name + "+")}, {"mod", "5"}, {"usn", "7"}});
      const Changes of_it =
          ParseChanges(R"({"changes":{"models":[],"decks":[[)" + renamed + R"(],[]],"tags":[]}})");
      if (of_it.decks[0].id != deck.id || of_it.decks[0].mod != 5) std::abort();
    }
    if (!changes.config_json) return;
    const DayConfig config = ReadDayConfig(*changes.config_json);
    UnburyDay(config, changes.created_s.value_or(0), 1'800'000'000);
    if (ReadDayConfig(WithMembers(*changes.config_json, {{"lastUnburied", "9"}})).last_unburied_day != 9)
      std::abort();
  } catch (const Error&) {
    std::abort();
  }
}

void Parse(unsigned kind, std::string_view text) {
  switch (kind % 8) {
    case 0: {
      const Envelope envelope = ParseEnvelope(text);
      if (envelope.version < kMinVersion || envelope.version > kMaxVersion) std::abort();
      break;
    }
    case 1:
      ParseLogin(text);
      break;
    case 2:
      ParseMeta(text);
      break;
    case 3:
      ParseStart(text);
      break;
    case 4:
      ParseGraves(text);
      break;
    case 5:
      ReadChanges(ParseChanges(text));
      break;
    case 6: {
      const ReceivedChunk chunk = ParseChunk(text);
      if (chunk.cards.ids.size() != chunk.cards.datas.size()) std::abort();
      if (chunk.notes.ids.size() != chunk.notes.fields.size()) std::abort();
      break;
    }
    default:
      ParseSanity(text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    Parse(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInternal) std::abort();
  }
  return 0;
}
