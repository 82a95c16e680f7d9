#pragma once
// Exports the caller's collection, or one deck of it, as a package that Anki imports. Slow, so never call it inside a
// transaction. Left out on purpose: exports of single notes, and searches.
#include <memory>
#include <optional>
#include <string>

#include "handlers/base/context.h"
#include "handlers/base/response.h"
#include "handlers/base/temp_file.h"

namespace syncline::anki {

/// The choices that Anki's export dialog offers.
struct ExportOptions {
  std::optional<std::string> deck;  ///< its name, "A::B", with its children; none: the whole collection
  bool with_media = true;
  bool with_scheduling = false;    ///< of a deck; a whole collection always has it
  bool with_deck_configs = false;  ///< likewise
  bool legacy = false;             ///< readable by clients of before 2.1.50
};

/// A package, ready to be written.
class Export {
 public:
  /// Error NotFound "no_such_deck"; StorageFull "disk_full".
  Export(Context& context, const ExportOptions& options);
  ~Export();
  Export(const Export&) = delete;
  Export& operator=(const Export&) = delete;

  std::string FileName() const;  ///< in ASCII, "collection.colpkg"
  void Write(BodySink& sink) const;

 private:
  struct Content;
  std::unique_ptr<Content> content_;
};

/// The collection.anki2 of a package of any service: one note that tells clients too old for it to update.
std::unique_ptr<TempFile> MakeStub(Context& context);

}  // namespace syncline::anki
