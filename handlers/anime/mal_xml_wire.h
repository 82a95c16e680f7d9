#pragma once
// Lists of anime in the XML form in which MyAnimeList exports and imports them, and with it most other trackers: a root
// `myanimelist`, in it one `myinfo` and an `anime` for each entry. The format has no specification; the code
// follows real files.
//
// Pure: reading is a stream, with bounds on everything, on libxml2's push parser without DTD, entities and
// network. Malformed text is repaired (xml_repair_wire.h), unusable values are dropped and reported, entries
// without a usable id or status are reported as failures; a file is refused only if it is not XML or not such
// a list.
//
// Left out on purpose: lists of manga, and what MyAnimeList keeps about storage and discussions, which is written with its
// neutral values.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/request.h"

namespace syncline::anime {

/// A value of an entry that was not taken as it is. Both texts are public; `reason` is a phrase without a full stop.
struct MalProblem {
  std::string field;  ///< the element: "my_start_date"
  std::string reason;
  bool operator==(const MalProblem&) const = default;
};

/// An entry of a file. None in a field about the viewer means no usable value.
struct MalEntry {
  std::int64_t position = 0;  ///< in the file, from 1
  std::optional<std::int64_t> mal_id{};
  std::string title{};                     ///< may be empty
  std::optional<std::string> type{};       ///< "TV"
  std::optional<std::int64_t> episodes{};  ///< of the title

  std::optional<std::string> status{};  ///< as in kWatchStatuses
  std::optional<double> score{};        ///< 0: none
  std::optional<std::int64_t> progress{};
  std::optional<std::string> started_on{}, finished_on{};  ///< "2026-02-28"; "": none
  std::optional<std::int64_t> rewatches{};
  std::optional<bool> rewatching{};
  std::optional<std::string> notes{};      ///< "": none
  std::optional<std::int64_t> priority{};  ///< 0 to 2
  std::optional<std::vector<std::string>> tags{};

  std::optional<std::string> failure{};  ///< why the entry cannot be imported
  std::vector<MalProblem> problems{};
};

struct MalLimits {
  std::uint64_t bytes = 20 << 20;  ///< unpacked
  std::int64_t entries = 50'000;
};

/// Reads a file, which may be compressed with gzip, and calls `entry` for each in turn. What `entry` throws is passed on.
/// Returns how many there were. Throws Error Unprocessable
///   "list_not_xml"       ErrorAbout: the line
///   "list_has_dtd"       a document type declaration, which no such file has
///   "list_too_deep"      elements nested deeper than any such file's
///   "list_markup_too_long"  as XmlRepair throws it
///   "not_an_anime_list"  XML, but no such list
///   "manga_list"
///   "bad_gzip"
/// and TooLarge "list_too_large", "list_too_long" (entries).
std::int64_t ReadMalXml(BodySource& source, const std::function<void(MalEntry&&)>& entry,
                        MalLimits limits = {});

/// The text prepared for such a file: without characters that XML forbids, with plain line feeds, trimmed.
std::string MalText(std::string_view text);
/// The tags as read back from a file: a comma separates them.
std::vector<std::string> MalTags(const std::vector<std::string>& tags);
/// The score in a file: whole, rounded half up.
double MalScore(std::optional<double> score);

struct MalTotals {
  std::int64_t total = 0, watching = 0, completed = 0, on_hold = 0, dropped = 0, plan_to_watch = 0;
};

/// A file is its head, entries, and kMalXmlEnd.
std::string MalXmlHead(std::int64_t user_id, const MalTotals& totals);
/// All texts as MalText returns them.
std::string MalXmlEntry(const MalEntry& entry);
inline constexpr std::string_view kMalXmlEnd = "</myanimelist>\n";

}  // namespace syncline::anime
