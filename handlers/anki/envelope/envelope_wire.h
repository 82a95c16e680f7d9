#pragma once
// The envelope of a message: the anki-sync header of protocol version 11, or the parts of a form (multipart/form-data) or of
// a query of versions 8 to 10. Pure. Source: rslib/src/sync/request/header_and_stream.rs and multipart.rs of ankitects/anki.
#include <optional>
#include <string>
#include <string_view>

#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::anki {

inline constexpr int kMinVersion = 8;
inline constexpr int kMaxVersion = 11;
inline constexpr int kFirstZstdVersion = 11;
/// The version assumed for every form and query: only `meta` has the client's real version.
inline constexpr int kOldVersion = 10;

struct Envelope {
  int version;
  std::string key;      ///< the device's key; empty for hostKey
  std::string client;   ///< "<version>,<build>,<os>"
  std::string session;  ///< chosen by the client, constant for one client object
};

/// Parses the value of the anki-sync header. Error BadInput "bad_envelope", also for a version outside 8..11.
Envelope ParseEnvelope(std::string_view header);

/// The envelope of a GET: key and client in the query. Error BadInput "bad_envelope" if one of them is missing or empty.
Envelope QueryEnvelope(std::optional<std::string> key, std::optional<std::string> client);
/// Whether a request carries its envelope, and with it its login, in a form in its body.
bool HasForm(const Request& request);

struct Form {
  Envelope envelope{};
  bool is_gzip = false;  ///< whether the data is a gzip member; otherwise it is uncompressed
};
/// Reads the body of a request that HasForm: the part "data" goes to `data` as it was sent, the other parts are "k" or
/// "sk" (the key), "s" (the session), "v" (the client's version) and "c" (compression); any other part is ignored. They
/// come in any order: clients with the syncing code in Rust send the data first, older ones and AnkiDroid last. Error
/// BadInput "bad_multipart", or "bad_envelope" for a part that occurs twice or is not a key, session or version; TooLarge
/// "multipart_too_large"; what `data` throws.
Form ReadForm(const Request& request, BodySink& data);

}  // namespace syncline::anki
