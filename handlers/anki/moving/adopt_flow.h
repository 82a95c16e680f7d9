#pragma once
// Imports accounts from the folder of an official sync server, which has a folder for each user:
// collection.anki2, media.db, media/. Head, usns and media usns are unchanged, so devices continue with
// normal syncs.
//
// The steps of an account, each of them short transactions: check its files; add the account and note that it was begun;
// store media in the order of their usns; store the collection; import its rows; then the keys and the password, and note
// that it is done. Until then nobody can log in to a new account. The next run continues after a killed one,
// from the media usn, the collection and its import. The folder is only read.
#include <cstdint>
#include <string>
#include <vector>

#include "handlers/anki/moving/official_server_wire.h"
#include "handlers/base/context.h"

namespace syncline::anki {

enum class AdoptState {
  kAdopted,
  kAdoptedBefore,  ///< by an earlier run; nothing was changed except that keys were added
  kLeftOut,        ///< `why`; nothing was changed
};

struct AdoptReport {
  AdoptState state = AdoptState::kAdopted;
  std::string why;
  bool was_begun = false;  ///< an earlier run had started it
  std::int64_t notes = 0, cards = 0, reviews = 0, media_files = 0;
  std::int64_t odd_values = 0;  ///< of the collection, which Anki's Check Database would report
  std::vector<std::string>
      left_out;  ///< media that cannot be served, one sentence each; some of them if there are many
  std::int64_t more_left_out = 0;  ///< those that are not in `left_out`
  bool has_key = false;            ///< devices continue without a login
  bool has_password = false;
};

/// The names of the folders of users, sorted.
std::vector<std::string> OfficialAccounts(const std::string& folder);

/// Whether a server has databases of this user open.
bool IsServerRunning(const std::string& folder, const std::string& name);

/// Imports one account, or resumes its import. `user`: what the server's environment says about it, or null.
/// Throws Error, after which the account is resumable.
AdoptReport AdoptAccount(Context& context, const std::string& folder, const std::string& name,
                         const OfficialUser* user);

}  // namespace syncline::anki
