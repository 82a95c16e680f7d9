#include "handlers/decks/cards/card_store.h"

#include "handlers/decks/dialect/tag_rules.h"
#include "sql/queries/decks.h"

namespace syncline::decks {
namespace {

// Of the values that a page of changes is made of.
constexpr std::int64_t kPageBytes = 16 << 20;
// Of a card's history, which is written twice: each value before and after a version.
constexpr std::int64_t kHistoryBytes = 4 << 20;
// About what an entry of the log takes beside the old value, and a note type beside its definition.
constexpr std::int64_t kEntryBytes = 200, kTypeBytes = 250;

CardContent ReadContent(const sql::Row& row) {
  return {row["note_type"].As<std::string>(), row["fields"].As<std::string>(), row["tags"].As<std::string>(),
          row["subdeck_path"].As<std::string>()};
}

CardVersion ReadCardAt(const sql::Row& row) {
  CardVersion found;
  found.guid = row["guid"].As<std::string>();
  found.is_removed = row["is_removed"].As<bool>();
  found.content = ReadContent(row);
  found.hash = row["hash"].As<std::string>();
  return found;
}

Release ReadRelease(const sql::Row& row) {
  return {.version = row["version"].As<Version>(),
          .notes = row["notes"].As<std::string>(),
          .added = row["cards_added"].As<std::int64_t>(),
          .modified = row["cards_modified"].As<std::int64_t>(),
          .deleted = row["cards_deleted"].As<std::int64_t>(),
          .card_count = row["card_count"].As<std::int64_t>(),
          .content_hash = row["content_hash"].As<std::string>(),
          .last_seq = row["last_seq"].As<std::int64_t>(),
          .created_at = row["created_at"].As<sql::Time>()};
}

NoteType ReadStoredNoteType(const sql::Row& row) {
  return {row["name"].As<std::string>(), row["fields"].As<std::vector<std::string>>(),
          row["definition"].As<std::optional<std::string>>(), row["updated_at"].As<sql::Time>()};
}

// Columns of arrays for one statement.
struct CardColumns {
  std::vector<std::string> guids{}, note_types{}, fields{}, tags{}, paths{}, hashes{};
  std::vector<std::int64_t> ords{}, added{}, removed{}, cleared{}, is_removed{}, who{}, first_keys{};

  explicit CardColumns(const std::vector<SavedCard>& cards) {
    for (const SavedCard& card : cards) {
      guids.push_back(card.guid);
      ords.push_back(card.new_ord);
      note_types.push_back(card.content.note_type);
      fields.push_back(card.content.fields);
      tags.push_back(card.content.tags);
      paths.push_back(card.content.subdeck_path);
      hashes.push_back(card.hash);
      added.push_back(card.added_seq);
      removed.push_back(card.removed_seq);
      cleared.push_back(card.is_cleared ? 1 : 0);
      is_removed.push_back(card.removed_seq != 0 ? 1 : 0);
      who.push_back(static_cast<std::int64_t>(card.who));
      first_keys.push_back(FirstKey(card.content.note_type, ParseFields(card.content.fields)));
    }
  }
};

}  // namespace

std::vector<Card> CardStore::Find(DeckId deck, const std::vector<std::string>& guids) {
  std::vector<Card> cards;
  for (const sql::Row row : tx_.Query(sql::decks::find_cards, deck, guids)) {
    cards.push_back({.guid = row["guid"].As<std::string>(),
                     .ord = row["ord"].As<std::int64_t>(),
                     .content = ReadContent(row),
                     .hash = row["hash"].As<std::string>(),
                     .version = row["version"].As<Version>(),
                     .added_seq = row["added_seq"].As<std::int64_t>(),
                     .removed_seq = row["removed_seq"].As<std::optional<std::int64_t>>(),
                     .is_cleared = row["is_cleared"].As<bool>(),
                     .updated_at = row["updated_at"].As<sql::Time>()});
  }
  return cards;
}

std::vector<std::string> CardStore::GuidsBeside(DeckId deck, const std::vector<std::string>& guids) {
  return tx_.Query(sql::decks::list_other_guids, deck, guids).Column<std::string>("guid");
}

std::vector<std::string> CardStore::LiveGuids(DeckId deck, const std::vector<std::string>& guids) {
  return tx_.Query(sql::decks::list_live_guids, deck, guids).Column<std::string>("guid");
}

void CardStore::Each(DeckId deck, std::int64_t after_ord, const CardLimit& limit,
                     const std::function<void(const Card&)>& card) {
  const auto pass = [&](const sql::Row& row) {
    Card one;
    one.guid = row["guid"].As<std::string>();
    one.ord = row["ord"].As<std::int64_t>();
    one.content = ReadContent(row);
    one.updated_at = row["updated_at"].As<sql::Time>();
    card(one);
  };
  tx_.Each(sql::decks::list_cards, pass, deck, after_ord, limit.cards, limit.bytes);
}

void CardStore::EachOfTypes(
    DeckId deck, const std::vector<std::string>& types,
    const std::function<void(const std::string& type, const Fields& fields)>& fields) {
  const auto pass = [&](const sql::Row& row) {
    fields(row["note_type"].As<std::string>(), ParseFields(row["fields"].As<std::string>()));
  };
  if (!types.empty()) tx_.Each(sql::decks::fields_of_types, pass, deck, types);
}

std::int64_t CardStore::Save(const Change& change, const std::vector<SavedCard>& cards) {
  if (cards.empty()) return 0;
  const CardColumns c(cards);
  const auto rows =
      tx_.One(sql::decks::save_cards, change.deck, change.version, c.guids, c.ords, c.note_types, c.fields,
              c.tags, c.paths, c.hashes, c.added, c.removed, c.cleared, c.first_keys);
  const auto versions =
      tx_.One(sql::decks::save_card_versions, change.deck, change.version, change.origin, c.guids,
              c.note_types, c.fields, c.tags, c.paths, c.hashes, c.is_removed, c.who);
  return rows["growth"].As<std::int64_t>() + versions["growth"].As<std::int64_t>();
}

std::int64_t CardStore::AddToLog(const Change& change, std::int64_t first_seq,
                                 const std::vector<LogEntry>& entries) {
  if (entries.empty()) return 0;
  std::int64_t bytes = 0;
  std::vector<std::string> guids, kinds, fields, old_values;
  std::vector<std::int64_t> who;
  for (const LogEntry& entry : entries) {
    guids.push_back(entry.guid);
    kinds.push_back(entry.kind);
    fields.push_back(entry.field);
    old_values.push_back(entry.old_value);
    who.push_back(static_cast<std::int64_t>(entry.who));
    bytes += kEntryBytes + static_cast<std::int64_t>(entry.old_value.size());
  }
  tx_.Execute(sql::decks::add_changes, change.deck, first_seq, change.version, change.origin, change.device,
              guids, kinds, fields, old_values, who);
  return bytes;
}

void CardStore::SaveRelease(const Change& change, const Release& release, std::optional<Version> asked) {
  tx_.Execute(sql::decks::save_release, change.deck, change.version, release.notes, release.added,
              release.modified, release.deleted, release.card_count, sql::AsBytes(release.content_hash),
              release.last_seq, change.who, asked);
}

std::optional<OpenRelease> CardStore::FindOpen(DeckId deck, Version version, UserId who) {
  const auto row = tx_.MaybeOne(sql::decks::find_open_release, deck, version, who);
  if (!row) return std::nullopt;
  return OpenRelease{(*row)["asked_version"].As<std::optional<Version>>(), (*row)["is_open"].As<bool>()};
}

std::optional<Release> CardStore::FindRelease(DeckId deck, Version version) {
  const auto row = tx_.MaybeOne(sql::decks::find_release, deck, version);
  return row ? std::optional(ReadRelease(*row)) : std::nullopt;
}

std::vector<Release> CardStore::Releases(DeckId deck, std::optional<Version> after, std::int64_t limit) {
  std::vector<Release> releases;
  for (const sql::Row row : tx_.Query(sql::decks::list_releases, deck, after.value_or(Version{}), limit))
    releases.push_back(ReadRelease(row));
  return releases;
}

std::optional<Version> CardStore::VersionAt(DeckId deck, std::int64_t seq) {
  return tx_.One(sql::decks::version_at, deck, seq)["version"].As<std::optional<Version>>();
}

ChangePage CardStore::ChangesSince(DeckId deck, std::int64_t seq, std::int64_t up_to, std::int64_t limit) {
  ChangePage page;
  const sql::Rows rows = tx_.Query(sql::decks::list_changes, deck, seq, up_to, limit + 1, kPageBytes);
  for (const sql::Row row : rows) {
    if (static_cast<std::int64_t>(page.changes.size()) == limit) break;
    page.changes.push_back({.seq = row["seq"].As<std::int64_t>(),
                            .guid = row["guid"].As<std::string>(),
                            .kind = row["kind"].As<std::string>(),
                            .field = row["field"].As<std::string>(),
                            .version = row["version"].As<Version>(),
                            .created_at = row["created_at"].As<sql::Time>(),
                            .fields = row["fields"].As<std::string>(),
                            .old_value = row["old_value"].As<std::string>(),
                            .is_new = row["is_new"].As<bool>(),
                            .later_fields = row["later_fields"].As<std::vector<std::string>>(),
                            .changed_fields = row["changed_fields"].As<std::vector<std::string>>()});
  }
  page.has_more =
      !rows.empty() && rows[0]["found"].As<std::int64_t>() > static_cast<std::int64_t>(page.changes.size());
  return page;
}

std::vector<RemovedCard> CardStore::RemovedSince(DeckId deck, std::int64_t seq, std::int64_t up_to) {
  std::vector<RemovedCard> cards;
  for (const sql::Row row : tx_.Query(sql::decks::list_removed, deck, seq, up_to)) {
    cards.push_back({row["seq"].As<std::int64_t>(), row["guid"].As<std::string>(),
                     row["version"].As<Version>(), row["created_at"].As<sql::Time>()});
  }
  return cards;
}

std::vector<std::string> CardStore::RevivedSince(DeckId deck, std::int64_t seq, std::int64_t up_to) {
  return tx_.Query(sql::decks::list_revived, deck, seq, up_to).Column<std::string>("guid");
}

TagPage CardStore::TagsSince(DeckId deck, std::int64_t seq, std::int64_t limit) {
  const sql::Rows rows = tx_.Query(sql::decks::list_tag_changes, deck, seq, limit);
  TagPage page;
  for (const sql::Row row : rows) {
    page.changes.push_back({row["guid"].As<std::string>(), row["tags"].As<std::string>(),
                            row["old_tags"].As<std::string>(), row["updated_at"].As<sql::Time>(),
                            row["seq"].As<std::int64_t>()});
  }
  page.has_more =
      !rows.empty() && rows[0]["found"].As<std::int64_t>() > static_cast<std::int64_t>(page.changes.size());
  return page;
}

std::int64_t CardStore::SeqAt(DeckId deck, sql::Time time) {
  const auto row = tx_.MaybeOne(sql::decks::seq_at, deck, time);
  return row ? (*row)["seq"].As<std::int64_t>() : 0;
}

std::map<std::string, std::vector<UnseenChange>> CardStore::Unseen(DeckId deck, const SeenPart& seen,
                                                                   const std::vector<std::string>& guids) {
  std::map<std::string, std::vector<UnseenChange>> changes;
  for (const sql::Row row : tx_.Query(sql::decks::list_unseen_changes, deck, seen.seq, seen.who, seen.device,
                                      guids, seen.whole_seq)) {
    auto& of_card = changes[row["guid"].As<std::string>()];
    const UnseenChange change{row["kind"].As<std::string>(), row["field"].As<std::string>(),
                              row["old_value"].As<std::string>(), row["is_own"].As<bool>()};
    if (change.kind != "add") {
      of_card.push_back(change);
    } else if (!change.is_own) {
      // Whoever has the card by a pull has it without these.
      for (const char* const kind : {"tags", "path"}) of_card.push_back({kind, "", "", false});
    }
  }
  return changes;
}

std::vector<std::string> CardStore::UnseenCards(DeckId deck, const SeenPart& seen) {
  return tx_.Query(sql::decks::list_unseen_cards, deck, seen.seq, seen.who, seen.device)
      .Column<std::string>("guid");
}

CardHistory CardStore::History(DeckId deck, const std::string& guid, std::int64_t limit) {
  CardHistory history;
  const sql::Rows rows = tx_.Query(sql::decks::card_history, deck, guid, limit + 1, kHistoryBytes);
  for (const sql::Row row : rows) {
    CardVersion version;
    version.version = row["version"].As<Version>();
    version.is_removed = row["is_removed"].As<bool>();
    version.content.note_type = row["note_type"].As<std::string>();
    version.content.fields = row["fields"].As<std::string>();
    version.content.tags = row["tags"].As<std::string>();
    version.who = row["user_id"].As<UserId>();
    version.origin = row["origin"].As<std::string>();
    version.created_at = row["created_at"].As<sql::Time>();
    history.versions.push_back(std::move(version));
  }
  if (!rows.empty())
    history.has_more = rows[0]["found"].As<std::int64_t>() > std::min(limit, std::ssize(history.versions));
  return history;
}

std::optional<CardVersion> CardStore::At(DeckId deck, const std::string& guid, Version version) {
  const auto row = tx_.MaybeOne(sql::decks::card_at, deck, guid, version);
  return row ? std::optional(ReadCardAt(*row)) : std::nullopt;
}

void CardStore::EachAt(DeckId deck, Version version, const std::function<void(const CardVersion&)>& card) {
  tx_.Each(
      sql::decks::cards_at, [&](const sql::Row& row) { card(ReadCardAt(row)); }, deck, version);
}

std::vector<CardVersion> CardStore::FindAt(DeckId deck, const std::vector<std::string>& guids,
                                           Version version) {
  std::vector<CardVersion> cards;
  for (const sql::Row row : tx_.Query(sql::decks::find_cards_at, deck, guids, version))
    cards.push_back(ReadCardAt(row));
  return cards;
}

std::vector<SizedCard> CardStore::SizesAfter(DeckId deck, Version version) {
  std::vector<SizedCard> cards;
  for (const sql::Row row : tx_.Query(sql::decks::sizes_after, deck, version))
    cards.push_back({row["guid"].As<std::string>(), row["bytes"].As<std::int64_t>()});
  return cards;
}

std::vector<NoteType> CardStore::NoteTypes(DeckId deck) {
  std::vector<NoteType> types;
  for (const sql::Row row : tx_.Query(sql::decks::list_note_types, deck))
    types.push_back(ReadStoredNoteType(row));
  return types;
}

std::vector<NoteType> CardStore::FindNoteTypes(DeckId deck, const std::vector<std::string>& names) {
  std::vector<std::string> keys;
  for (const std::string& name : names) keys.push_back(Folded(name));
  std::vector<NoteType> types;
  for (const sql::Row row : tx_.Query(sql::decks::find_note_types, deck, keys))
    types.push_back(ReadStoredNoteType(row));
  return types;
}

std::int64_t CardStore::SaveNoteType(const Change& change, const NoteType& type) {
  tx_.Later(sql::decks::save_note_type, change.deck, Folded(type.name), type.name, type.fields,
            type.definition, change.version);
  return kTypeBytes + static_cast<std::int64_t>(type.definition.value_or("").size());
}

std::vector<NoteType> CardStore::NoteTypesAt(DeckId deck, Version version) {
  std::vector<NoteType> types;
  for (const sql::Row row : tx_.Query(sql::decks::note_types_at, deck, version))
    types.push_back(ReadStoredNoteType(row));
  return types;
}

std::int64_t CardStore::CountTwins(DeckId deck, const std::vector<std::int64_t>& keys,
                                   const std::vector<std::string>& beside) {
  return tx_.One(sql::decks::count_twins, deck, keys, beside)["twins"].As<std::int64_t>();
}

}  // namespace syncline::decks
