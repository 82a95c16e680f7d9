#pragma once
// Messages of media sync: JSON to structs and back. Pure. Replies other than zips are {"data": ..., "err":
// ""}; old clients need both keys. Source:
// rslib/src/sync/media/{begin,changes,download,sanity,upload,protocol}.rs of ankitects/anki.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/anki/media/media_rules.h"

namespace syncline::anki {

// The readers throw Error BadInput "bad_json". Unknown keys are ignored.

/// The client's version; empty if the message has none.
std::string ParseMediaBegin(std::string_view json);
/// The usn of the last change that the client has seen.
MediaUsn ParseMediaChanges(std::string_view json);
/// The names asked for, at most kMaxMediaFiles.
std::vector<std::string> ParseMediaDownload(std::string_view json);
/// How many files the client has.
std::int64_t ParseMediaSanity(std::string_view json);

/// One element of the list `_meta` in an uploaded zip: a name, and the zip entry with the content; none: deleted.
struct MediaListing {
  std::string name;
  std::optional<std::string> entry;
};
/// Error BadInput "bad_json"; "too_many_files" past kMaxMediaFiles.
std::vector<MediaListing> ParseMediaList(std::string_view json);

/// For mediaChanges: name, usn and SHA-1 (20 bytes; empty: deleted).
struct ListedMedia {
  std::string name;
  MediaUsn usn;
  std::string sha1;
};

/// `session_key`: what old clients send back in `sk`, the device's key.
std::string MediaBeginReply(MediaUsn last_usn, std::string_view session_key);
std::string MediaChangesReply(const std::vector<ListedMedia>& changes);
/// `last_usn`: clients adopt it if it is their last one plus `processed`.
std::string MediaUploadReply(std::size_t processed, MediaUsn last_usn);
std::string MediaSanityReply(bool is_ok);
/// A text that clients show, with status 200.
std::string MediaRefusal(std::string_view text);

/// `_meta` of a zip with these files: {"0": name, "1": name}.
std::string MediaNamesJson(const std::vector<std::string>& names);

}  // namespace syncline::anki
