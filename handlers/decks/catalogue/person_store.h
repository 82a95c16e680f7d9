#pragma once
// People as this service knows them: plans, names, notices.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/decks/dialect/id_wire.h"
#include "handlers/decks/dialect/version_rules.h"
#include "sql/tx.h"

namespace syncline::decks {

/// What administrators may own; clients want a number.
inline constexpr std::int64_t kManyDecks = 1'000'000;

struct Person {
  UserId id{};
  std::string name{}, email{}, full_name{};
  bool is_admin = false;
  std::string plan = "free";
  std::optional<sql::Time> plan_expires_at{};
  bool is_lifetime = false, owns_collection = false;
  bool has_plan = false;  ///< and it has not ended
  std::int64_t created_decks = 0, max_decks = 0;
};

struct Plan {
  std::string name{};
  std::int64_t max_decks = 0;
};

struct PlanOfPerson {
  std::string plan = "free";
  std::optional<sql::Time> expires_at{};
  bool is_lifetime = false;
  std::optional<bool> owns_collection{};  ///< none: as it is
};

struct Notice {
  std::int64_t id = 0;  ///< 0: made from a release
  DeckId deck{};        ///< of a release
  Version version{};
  std::string type{}, title{}, message{}, metadata{}, notes{};
  std::optional<std::string> deck_public_id{};
  sql::Time created_at{};
  bool is_read = false;
};

struct NewNotice {
  std::string type{}, title{}, message{};
  std::optional<std::string> deck_public_id{};
  std::string metadata = "{}";
};

class PersonStore {
 public:
  PersonStore(sql::Tx& tx, UserId user) : tx_(tx), user_(user) {}

  /// None: the account is gone.
  std::optional<Person> Find();
  /// Until the transaction ends, nobody else makes a deck for this account.
  void Lock();
  /// As others see them: "Publisher" without a name that is no address.
  std::map<UserId, std::string> Names(const std::vector<UserId>& people);
  std::optional<UserId> FindByLogin(const std::string& name);

  /// Returns whether the account owns the collection then.
  bool SetPlan(UserId user, const PlanOfPerson& plan);
  void SetName(UserId user, const std::string& full_name);
  std::vector<Plan> Plans();
  void SavePlan(const Plan& plan);

  std::vector<Notice> Notices(std::optional<sql::Time> since, std::int64_t limit);
  std::int64_t CountUnread();
  /// Notices to the account, and those made from releases, up to these times.
  void MarkRead(sql::Time up_to, sql::Time releases_up_to);
  void Tell(const std::vector<UserId>& people, const NewNotice& notice);
  /// What was told of an invitation that was taken back.
  void TakeInvitationNotice(UserId user, const std::string& deck_public_id);
  /// Whoever follows the deck of the notice, or without one everybody who has to do with shared decks. Returns how many.
  std::int64_t TellFollowers(const NewNotice& notice);
  void TellEach(const std::vector<std::pair<UserId, NewNotice>>& notices);

 private:
  sql::Tx& tx_;
  UserId user_;
};

}  // namespace syncline::decks
