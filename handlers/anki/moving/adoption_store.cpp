#include "handlers/anki/moving/adoption_store.h"

#include "sql/queries/anki.h"

namespace syncline::anki {

std::optional<Adoption> AdoptionStore::Find() {
  const auto row = tx_.MaybeOne(sql::anki::find_adoption, user_);
  if (!row) return std::nullopt;
  return Adoption{(*row)["is_new_account"].As<bool>(), (*row)["is_finished"].As<bool>()};
}

void AdoptionStore::Begin(bool is_new_account) {
  tx_.Execute(sql::anki::begin_adoption, user_, is_new_account);
}

void AdoptionStore::Finish() {
  tx_.Execute(sql::anki::finish_adoption, user_);
}

}  // namespace syncline::anki
