// Any bytes as a message of an Anki client, or as its anki-sync header: refused, or a struct within its
// bounds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "handlers/anki/envelope_wire.h"
#include "handlers/anki/messages_wire.h"
#include "handlers/base/errors.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

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
      // What we pass on to other clients must be a message again.
      ParseChanges(R"({"changes":)" + Print(ParseChanges(text)) + "}");
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
