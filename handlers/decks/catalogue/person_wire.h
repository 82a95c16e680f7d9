#pragma once
// A person and their decks, as the answers to logins show them. Pure.
#include <vector>

#include "handlers/base/json_writer.h"
#include "handlers/decks/catalogue/deck_store.h"
#include "handlers/decks/catalogue/person_store.h"

namespace syncline::decks {

/// The members "user" and "access". The add-on reads plans in "user" only; its texts must not be null.
void WritePerson(JsonWriter& json, const Person& person);
/// The member "access".
void WriteAccess(JsonWriter& json, const Person& person);
/// The member "subscribed_decks".
void WriteFollowed(JsonWriter& json, const std::vector<Deck>& decks);
/// What lets the person have this deck, in the add-on's words.
std::string_view AccessType(const Deck& deck, const Person& person);

}  // namespace syncline::decks
