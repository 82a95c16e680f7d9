#pragma once
// Classes of content, and what is known of one after all its bytes were seen. The names are those of the database and the API.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::vault {

enum class ContentClass {
  kEmpty,
  kSqlitePlain,
  kSqliteSidecar,  ///< a rollback journal or a WAL: pages of a plain database
  kCordiaxFernet,  ///< a database as the desktop encrypts it
  kZip,
  kOther,  ///< may be encrypted in another way: nobody can tell
};

const char* NameOf(ContentClass content_class);
/// kOther for a name that is none.
ContentClass ClassOf(std::string_view name);

/// By its first 16 bytes, or all of fewer: kSqlitePlain, kSqliteSidecar, kZip, or kOther for everything else.
ContentClass ClassOfBeginning(std::string_view beginning);
/// Whether it begins as an archive that is not looked into: gzip, 7z, xz, zstd, rar, bzip2.
bool IsOtherArchive(std::string_view beginning);

/// How a zip was read to its end.
enum class ZipState {
  kNotRead,   ///< it did not have to be
  kComplete,  ///< every byte of it belongs to an entry or to the directory, which agree
  kBroken,    ///< cut off, or not made of entries and a directory
  kHidden,  ///< it has parts that nobody can look into without more than we keep: other methods, stored entries of unknown size
  kRefused,  ///< it is dangerous, see `problem`
};

struct ZipReport {
  ZipState state = ZipState::kNotRead;
  /// Of kRefused: "zip_too_many_entries", "zip_too_large", "zip_ratio", "zip_encrypted_entry", "zip_bad_name", "zip_two_databases".
  const char* problem = "";
  int entries = 0;
  std::optional<ContentClass> database{};  ///< of the entry cordiax.db
  bool has_plaintext = false;              ///< a plain database or a part of one, also in a zip within
  bool has_unknown_archive = false;        ///< an archive of another kind, or a zip in a zip in a zip
  bool has_documents = false;              ///< entries that are no database
};

struct ContentReport {
  ContentClass content_class = ContentClass::kEmpty;
  std::int64_t size_bytes = 0;
  bool is_other_archive = false;
  ZipReport zip{};
  /// Of a plain database: its header does not go with its length.
  bool is_torn = false;
  std::optional<std::int64_t> change_counter{};                            ///< of a plain database
  std::optional<std::chrono::system_clock::time_point> client_token_at{};  ///< of kCordiaxFernet

  /// Whether there is plaintext of a database in it, or may be because it was not looked into.
  bool MayHavePlaintext() const;
};

}  // namespace syncline::vault
