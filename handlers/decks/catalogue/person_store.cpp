#include "handlers/decks/catalogue/person_store.h"

#include "sql/queries/decks.h"

namespace syncline::decks {
namespace {

std::vector<std::int64_t> Numbers(const std::vector<UserId>& people) {
  std::vector<std::int64_t> numbers;
  for (const UserId one : people) numbers.push_back(static_cast<std::int64_t>(one));
  return numbers;
}

}  // namespace

std::optional<Person> PersonStore::Find() {
  const auto row = tx_.MaybeOne(sql::decks::find_person, user_);
  if (!row) return std::nullopt;
  Person person{.id = user_,
                .name = (*row)["name"].As<std::string>(),
                .email = (*row)["email"].As<std::string>(),
                .full_name = (*row)["full_name"].As<std::string>(),
                .is_admin = (*row)["is_admin"].As<bool>(),
                .plan = (*row)["plan"].As<std::string>(),
                .plan_expires_at = (*row)["plan_expires_at"].As<std::optional<sql::Time>>(),
                .is_lifetime = (*row)["is_lifetime"].As<bool>(),
                .owns_collection = (*row)["owns_collection"].As<bool>(),
                .has_plan = (*row)["has_plan"].As<bool>(),
                .created_decks = (*row)["created_decks"].As<std::int64_t>(),
                .max_decks = (*row)["max_decks"].As<std::int64_t>()};
  if (person.is_admin) person.max_decks = kManyDecks;
  return person;
}

void PersonStore::Lock() {
  tx_.Execute(sql::decks::lock_person, user_);
}

std::map<UserId, std::string> PersonStore::Names(const std::vector<UserId>& people) {
  std::map<UserId, std::string> names;
  for (const UserId one : people) names[one] = "Publisher";
  if (people.empty()) return names;
  for (const sql::Row row : tx_.Query(sql::decks::names_of_people, Numbers(people))) {
    auto name = row["shown_name"].As<std::string>();
    if (!name.empty()) names[row["user_id"].As<UserId>()] = std::move(name);
  }
  return names;
}

std::optional<UserId> PersonStore::FindByLogin(const std::string& name) {
  const auto row = tx_.MaybeOne(sql::decks::find_people_by_login, name);
  return row ? std::optional((*row)["user_id"].As<UserId>()) : std::nullopt;
}

bool PersonStore::SetPlan(UserId user, const PlanOfPerson& plan) {
  return tx_
      .One(sql::decks::save_person, user, plan.plan, plan.expires_at, plan.is_lifetime,
           plan.owns_collection)["owns_collection"]
      .As<bool>();
}

void PersonStore::SetName(UserId user, const std::string& full_name) {
  tx_.Execute(sql::decks::name_person, user, full_name);
}

std::vector<Plan> PersonStore::Plans() {
  std::vector<Plan> plans;
  for (const sql::Row row : tx_.Query(sql::decks::list_plans))
    plans.push_back({row["plan"].As<std::string>(), row["max_decks"].As<std::int64_t>()});
  return plans;
}

void PersonStore::SavePlan(const Plan& plan) {
  tx_.Execute(sql::decks::save_plan, plan.name, plan.max_decks);
}

std::vector<Notice> PersonStore::Notices(std::optional<sql::Time> since, std::int64_t limit) {
  std::vector<Notice> notices;
  for (const sql::Row row : tx_.Query(sql::decks::list_notices, user_, since, limit)) {
    notices.push_back({.id = row["notice_id"].As<std::int64_t>(),
                       .deck = row["deck_id"].As<DeckId>(),
                       .version = row["version"].As<Version>(),
                       .type = row["type"].As<std::string>(),
                       .title = row["title"].As<std::string>(),
                       .message = row["message"].As<std::string>(),
                       .metadata = row["metadata"].As<std::string>(),
                       .notes = row["notes"].As<std::string>(),
                       .deck_public_id = row["deck_public_id"].As<std::optional<std::string>>(),
                       .created_at = row["created_at"].As<sql::Time>(),
                       .is_read = row["is_read"].As<bool>()});
  }
  return notices;
}

std::int64_t PersonStore::CountUnread() {
  return tx_.One(sql::decks::count_unread, user_)["unread"].As<std::int64_t>();
}

void PersonStore::MarkRead(sql::Time up_to, sql::Time releases_up_to) {
  tx_.Execute(sql::decks::read_notices, user_, up_to);
  tx_.Execute(sql::decks::read_releases, user_, releases_up_to);
}

void PersonStore::Tell(const std::vector<UserId>& people, const NewNotice& notice) {
  std::vector<std::pair<UserId, NewNotice>> notices;
  for (const UserId one : people) notices.emplace_back(one, notice);
  TellEach(notices);
}

std::int64_t PersonStore::TellFollowers(const NewNotice& notice) {
  return tx_.Execute(sql::decks::tell_followers, notice.type, notice.title, notice.message,
                     notice.deck_public_id, notice.metadata);
}

void PersonStore::TakeInvitationNotice(UserId user, const std::string& deck_public_id) {
  tx_.Execute(sql::decks::take_invitation_notice, user, deck_public_id);
}

void PersonStore::TellEach(const std::vector<std::pair<UserId, NewNotice>>& notices) {
  if (notices.empty()) return;
  std::vector<UserId> people;
  std::vector<std::string> types, titles, messages, decks, metadata;
  for (const auto& [person, notice] : notices) {
    people.push_back(person);
    types.push_back(notice.type);
    titles.push_back(notice.title);
    messages.push_back(notice.message);
    decks.push_back(notice.deck_public_id.value_or(""));
    metadata.push_back(notice.metadata);
  }
  tx_.Execute(sql::decks::add_notices, Numbers(people), types, titles, messages, decks, metadata);
}

}  // namespace syncline::decks
