// Any bytes as a payload of Engine.IO: refused, or packets that do not depend on how the bytes arrive.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "handlers/base/errors.h"
#include "handlers/vault/engineio/payload_wire.h"

using namespace syncline;
using namespace syncline::vault;

namespace {

class Packets : public PacketSink {
 public:
  void Begin(PacketType type) override { text += static_cast<char>(type); }
  void Piece(std::string_view bytes) override { text.append(bytes); }
  void End() override { text += kPacketSeparator; }
  std::string text;
};

// The packets, or the error code.
std::string Read(std::string_view bytes, std::size_t piece) {
  Packets packets;
  PayloadReader reader(packets);
  try {
    while (!bytes.empty()) {
      reader.Push(bytes.substr(0, piece));
      bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    reader.Finish();
  } catch (const Error& error) {
    return error.code();
  }
  return packets.text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = Read(bytes, SIZE_MAX);
  for (const std::size_t piece : {1, 3, 7}) {
    if (Read(bytes, piece) != whole) std::abort();
  }
  return 0;
}
