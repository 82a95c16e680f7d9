#pragma once
// Which accounts were imported from an official server, and how far. Lock order: before the account's own
// rows.
#include <optional>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::anki {

struct Adoption {
  bool is_new_account = false;
  bool is_finished = false;
};

class AdoptionStore {
 public:
  AdoptionStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  std::optional<Adoption> Find();
  void Begin(bool is_new_account);
  void Finish();

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::anki
