#pragma once
// Names in a vault: UTF-8, compared in normal form C, kept as received. What XML 1.0 cannot hold is refused at every door, or one name
// would make its folder unreadable. Pure.
#include <string>
#include <string_view>
#include <vector>

namespace syncline::vault {

inline constexpr std::size_t kMaxNameBytes = 255, kMaxPathBytes = 1024;
/// The first name of what is no file: history, read-only.
inline constexpr std::string_view kReservedName = ".vault";

struct PathName {
  std::string name{};  ///< as received
  std::string key{};   ///< in normal form C
};

/// From the root of a vault; empty: the root.
using Path = std::vector<PathName>;

/// One empty name at the end is ignored. Throws Error BadInput "bad_name", "path_too_long".
Path PathOf(const std::vector<std::string>& segments);
/// "cordiax_sync/cordiax.db": split at its slashes; empty: the root. Throws as the other one.
Path PathOf(std::string_view text);
/// Its names as received, with slashes between.
std::string TextOf(const Path& path);
std::vector<std::string> KeysOf(const Path& path);
/// Whether it lies in what is reserved.
bool IsReserved(const Path& path);
/// Whether it is one of the two names under which the desktop keeps its database (handlers/vault/README.md): with rules of its own.
bool IsDocument(const Path& path);

/// Whether XML 1.0 may contain all characters of this UTF-8 text (its production Char).
bool IsXmlText(std::string_view utf8);

}  // namespace syncline::vault
