#pragma once
// Which changes a batch of sent files makes, and which names files may have. Pure. Source: reference implementation,
// rslib/src/sync/media/database/server/entry/upload.rs and rslib/src/sync/media/zip.rs of ankitects/anki.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace syncline::anki {

/// The position of a media change: unique within the account and increasing. Clients read 32 bits.
using MediaUsn = std::int32_t;

/// Clients send at most 25 in a request, newer ones 100.
inline constexpr std::size_t kMaxMediaFiles = 100;
inline constexpr std::size_t kMaxMediaNameBytes = 255;
/// Clients skip longer files.
inline constexpr std::int64_t kMaxMediaFileBytes = std::int64_t{100} << 20;

/// A file's content. Deleted files have none.
struct MediaContent {
  std::string sha1;  ///< 20 bytes
  std::int64_t size_bytes = 0;
  std::uint32_t crc32 = 0;
};

/// A file as a client sends it.
struct SentMedia {
  std::string name;
  std::optional<MediaContent> content;  ///< none: it was deleted
};

/// The account's current file of each name; none: it was deleted.
using KnownMediaByName = std::unordered_map<std::string, std::optional<MediaContent>>;

struct MediaChange {
  std::size_t sent;  ///< index of the sent file that the name has now
  MediaUsn usn;
};

/// What applying a batch does to the rows and counters of an account.
struct MediaChanges {
  std::vector<MediaChange> changes;  ///< at most one for each name
  MediaUsn last_usn = 0;
  std::int64_t files = 0, bytes = 0, row_bytes = 0;  ///< by how much these grow
  bool has_replaced = false;                         ///< whether something goes to the history
  /// Every sent file was a change, so the new usns follow the last one without a gap.
  bool are_all_changes = false;
};

/// Applies the files in order; a name may occur more than once. A deletion of a missing file, and content
/// that the account already has, change nothing. Everything else takes the next usn.
MediaChanges DecideMedia(const std::vector<SentMedia>& sent, const KnownMediaByName& known,
                         MediaUsn last_usn);

/// How many bytes a row with this name counts against the quota.
std::int64_t MediaRowBytes(std::string_view name);

/// Why the name is refused, as upstream does; null if it is not. Names are not folded and not otherwise changed: only
/// the client knows which file it means.
const char* MediaNameProblem(std::string_view name);

}  // namespace syncline::anki
