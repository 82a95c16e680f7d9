#pragma once
// The envelope of a message in protocol version 11: the anki-sync header. (Versions 8 to 10 put the same
// values into the parts of a multipart form; their parser belongs next to this one.) Pure. Source:
// rslib/src/sync/request/header_and_stream.rs of ankitects/anki.
#include <optional>
#include <string>
#include <string_view>

namespace syncline::anki {

inline constexpr int kMinVersion = 8;
inline constexpr int kMaxVersion = 11;
inline constexpr int kFirstZstdVersion = 11;

struct Envelope {
  int version;
  std::string key;      ///< the device's key; empty for hostKey
  std::string client;   ///< "<version>,<build>,<os>"
  std::string session;  ///< chosen by the client, constant for one client object
};

/// Parses the value of the anki-sync header. Error BadInput "bad_envelope", also for a version outside 8..11.
Envelope ParseEnvelope(std::string_view header);

/// The version that upstream takes a GET for.
inline constexpr int kQueryVersion = 10;
/// The envelope of a GET: key and client in the query. Error BadInput "bad_envelope" if one of them is missing or empty.
Envelope QueryEnvelope(std::optional<std::string> key, std::optional<std::string> client);

}  // namespace syncline::anki
