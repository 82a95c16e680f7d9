#include "handlers/decks/catalogue/person_wire.h"

#include "handlers/base/timestamp.h"

namespace syncline::decks {
namespace {

std::optional<std::string> TimeText(const std::optional<sql::Time>& time) {
  if (!time) return std::nullopt;
  return PrintTimestamp(std::chrono::floor<std::chrono::seconds>(*time));
}

std::string_view Tier(const Person& person) {
  return person.has_plan ? std::string_view(person.plan) : std::string_view("free");
}

}  // namespace

void WriteAccess(JsonWriter& json, const Person& person) {
  json.Object("access")
      .Add("has_active_subscription", person.has_plan)
      .Add("has_full_access", person.has_plan || person.owns_collection || person.is_admin)
      .Add("subscription_tier", Tier(person))
      .Add("can_subscribe", true)
      .End();
}

void WritePerson(JsonWriter& json, const Person& person) {
  const bool is_lifetime = person.has_plan && person.is_lifetime;
  json.Object("user")
      .Add("id", PersonId(person.id))
      .Add("email", person.email)
      .Add("username", person.name)
      .Add("full_name", person.full_name)
      .Add("is_admin", person.is_admin)
      .Add("owns_collection", person.owns_collection)
      .Add("has_subscription", person.has_plan)
      .Add("is_lifetime", is_lifetime)
      .Add("subscription_tier", Tier(person))
      .Add("subscription_expires_at",
           is_lifetime || !person.has_plan ? std::nullopt : TimeText(person.plan_expires_at))
      .Add("can_create_decks", person.max_decks > 0)
      .Add("created_decks_count", person.created_decks)
      .Add("max_decks_allowed", person.max_decks)
      .End();
  WriteAccess(json, person);
}

void WriteFollowed(JsonWriter& json, const std::vector<Deck>& decks) {
  json.Array("subscribed_decks");
  for (const Deck& deck : decks) {
    json.Object()
        .Add("deck_id", deck.shown.id)
        .Add("id", deck.shown.id)
        .Add("title", deck.shown.title)
        .Add("version", PrintVersion(deck.shown.version))
        .Add("card_count", deck.shown.card_count)
        .Add("synced_version", PrintVersion(deck.synced_version))
        .Add("last_synced_at", nullptr)
        .End();
  }
  json.End();
}

std::string_view AccessType(const Deck& deck, const Person& person) {
  if (deck.is_owner) return "owner";
  if (person.is_admin) return "admin";
  if (person.owns_collection) return "collection_owner";
  if (person.has_plan) return "subscriber";
  if (deck.is_subscribed || deck.is_maintainer) return "deck_subscriber";
  return "public_deck";
}

}  // namespace syncline::decks
