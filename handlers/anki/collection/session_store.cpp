#include "handlers/anki/collection/session_store.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <span>
#include <unordered_map>
#include <utility>

#include "handlers/anki/collection/config_wire.h"
#include "handlers/anki/collection/content_rules.h"
#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/base/blobs.h"
#include "handlers/base/errors.h"
#include "handlers/base/id_map.h"
#include "handlers/base/json.h"
#include "handlers/base/large_turn.h"
#include "sql/errors.h"
#include "sql/queries/anki.h"

namespace syncline::anki {
namespace {

// A session may stage this much more than the quota has left, as in start_session; the history has the same
// slack.
constexpr std::int64_t kQuotaSlack = std::int64_t{16} << 20;

Session FromRow(const sql::Row& row) {
  Session s;
  s.fence = row["fence"].As<std::int64_t>();
  s.generation = row["generation"].As<std::int32_t>();
  s.server_usn = row["server_usn"].As<Usn>();
  s.client_usn = row["client_usn"].As<Usn>();
  s.client_is_newer = row["client_is_newer"].As<bool>();
  s.unbury_day = row["unbury_day"].As<std::optional<std::int64_t>>();
  s.to_send = row["to_send"].As<std::int32_t>();
  s.staged = row["staged"].As<std::int32_t>();
  s.staged_bytes = row["staged_bytes"].As<std::int64_t>();
  s.hourly_staged_bytes = row["hourly_staged_bytes"].As<std::int64_t>();
  s.sent = {row["sent_at_usn"].As<Usn>(), row["sent_id"].As<std::int64_t>()};
  s.new_notetypes = row["new_notetypes"].As<std::int32_t>();
  s.new_decks = row["new_decks"].As<std::int32_t>();
  s.new_deck_configs = row["new_deck_configs"].As<std::int32_t>();
  s.has_changes = row["has_changes"].As<bool>();
  s.config_growth = row["config_growth"].As<std::optional<std::int64_t>>();
  s.created_s = row["created_s"].As<std::optional<std::int64_t>>();
  if (const auto quota = row["quota_staged_bytes"].As<std::optional<std::int64_t>>()) {
    s.quota_left = *quota - kQuotaSlack;
  }
  if (const auto counts = row["counts"].As<std::optional<std::vector<std::int64_t>>>()) {
    const std::vector<std::int64_t>& c = *counts;
    s.remembered.emplace().counts = {c[0], c[1], c[2], c[3], c[4], c[5]};
    if (c.size() > 6) s.remembered->growth = c[6];
    if (c.size() > 7) s.remembered->content_growth = c[7];
    if (c.size() > 8) s.remembered->is_estimate = c[8] != 0;
  }
  return s;
}

// Conflict (409): the client reports that another device is syncing. BadInput (400) would make it suggest
// Check Database.
Error NoSession() {
  return Conflict("no_session");
}

// In the order of anki_sessions.counts and of $5 of advance_collection.
std::vector<std::int64_t> ArrayOf(const CollectionCounts& c) {
  return {c.cards, c.notes, c.revlog, c.notetypes, c.decks, c.deck_configs};
}

// Sessions that stage no more do not count for the hourly rate, and may always stage this much: small syncs
// pay nothing and are never refused. As in start_session.
constexpr std::int64_t kUncountedBytes = 64 << 10;

// The columns of staged rows, without texts. Objects and graves are separate rows: content_rules.h.
constexpr std::int64_t kCardBytes = 150, kNoteBytes = 60, kReviewBytes = 60;

void RefuseTooMuch(const sql::Row& row) {
  const auto staged = row["staged_bytes"].As<std::int64_t>();
  const auto most = row["max_staged_bytes"].As<std::int64_t>();
  const auto quota = row["quota_staged_bytes"].As<std::optional<std::int64_t>>();
  const auto of = [&](std::int64_t limit) {
    return std::to_string(staged) + " bytes staged of " + std::to_string(limit);
  };
  if (quota && staged > *quota) throw StorageFull("over_quota", of(*quota));
  if (staged <= most) return;
  if (most > kUncountedBytes) throw TooLarge("sync_too_large", of(most));
  throw Error(ErrorKind::kTooMany, "too_much_staged", of(most)).RetryAfter(std::chrono::minutes(10));
}

Session LiveSession(const sql::Rows& rows) {
  if (rows.empty()) throw NoSession();
  RefuseTooMuch(rows[0]);
  return FromRow(rows[0]);
}

std::int32_t PartsOf(const ReceivedChunk& chunk) {
  const bool has_long_data =
      std::any_of(chunk.cards.datas.begin(), chunk.cards.datas.end(),
                  [](const std::string& data) { return data.size() > kLongDataBytes; });
  return (has_long_data ? kLongData : 0) | (chunk.cards.ids.empty() ? 0 : kCards) |
         (chunk.notes.ids.empty() ? 0 : kNotes) | (chunk.revlog.ids.empty() ? 0 : kReviews);
}

void CheckFieldCounts(const NoteColumns& notes, const sql::Rows& notetypes) {
  IdMap<std::int32_t> field_counts;
  for (const sql::Row& row : notetypes) {
    field_counts[row["id"].As<std::int64_t>()] = row["field_count"].As<std::int32_t>();
  }
  for (std::size_t i = 0; i < notes.ids.size(); ++i) {
    const auto found = field_counts.find(notes.notetype_ids[i]);
    const auto note = [&] {
      return "note " + std::to_string(notes.ids[i]) + " of notetype " + std::to_string(notes.notetype_ids[i]);
    };
    if (found == field_counts.end()) throw BadInput("missing_notetype", note());
    if (found->second != FieldCount(notes.fields[i])) throw BadInput("wrong_field_count", note());
  }
}

// Calls stage(first, count) for consecutive pieces of a list. A piece ends with the element that brings it to
// kLargeBytes, so it has at least one. Each piece is one statement: PostgreSQL holds several copies of its
// parameters and rows in memory, and a whole message may have hundreds of MB.
template <typename BytesOf, typename Stage>
void ForEachPiece(std::size_t size, BytesOf bytes_of, Stage stage) {
  for (std::size_t first = 0, last = 0; first < size; first = last) {
    for (std::size_t bytes = 0; last < size && bytes < kLargeBytes; ++last) bytes += bytes_of(last);
    stage(first, last - first);
  }
}

// Total size of the parent tags looked up for one message. 10,000 tags of three levels need less than 1 MiB.
// Tags past the limit keep their spelling.
constexpr std::size_t kMaxParentBytes = 4 << 20;

// Longer tags are not split: real tags are shorter, and the prefixes of a single one could exhaust memory.
constexpr std::size_t kMaxNestedTagBytes = 1000;

// The parents of "a::b::c": "a::b", "a". A new tag adopts the spelling of its longest existing parent.
std::vector<std::string> ParentsOf(std::string_view tag) {
  std::vector<std::string> parents;
  if (tag.size() > kMaxNestedTagBytes) return parents;
  for (auto at = tag.rfind("::"); at != std::string_view::npos && at > 1; at = tag.rfind("::", at - 2)) {
    parents.emplace_back(tag.substr(0, at));
  }
  return parents;
}

KnownObject KnownFromRow(const sql::Row& row) {
  return {row["id"].As<std::int64_t>(),
          row["mod"].As<std::int64_t>(),
          row["usn"].As<Usn>(),
          row["field_count"].As<std::int32_t>(),
          row["template_count"].As<std::int32_t>(),
          row["name_key"].As<std::string>(),
          row["is_deleted"].As<bool>()};
}

}  // namespace

Session SessionStore::Start(const Collection& collection, std::string_view key, const StartMessage& message,
                            std::optional<std::int64_t> unbury_day, std::int64_t minutes,
                            const StagingLimits& limits) {
  Session session;
  session.generation = collection.generation;
  session.server_usn = collection.meta.usn;
  session.client_usn = message.client_usn;
  session.client_is_newer = message.client_is_newer;
  session.unbury_day = unbury_day;
  const auto unseen = [&](Usn newest, Part part) { return newest >= message.client_usn ? part : 0; };
  session.to_send = unseen(collection.graves_usn, kGraves) | unseen(collection.objects_usn, kObjects) |
                    unseen(collection.tags_usn, kTags) | unseen(collection.revlog_usn, kReviews) |
                    unseen(collection.cards_usn, kCards) | unseen(collection.notes_usn, kNotes);
  tx_.Later(sql::anki::start_session, user_, key, session.generation, session.server_usn, session.client_usn,
            session.client_is_newer, session.unbury_day, session.to_send, minutes, limits.session,
            limits.hourly);
  return session;
}

Session SessionStore::Touch(std::string_view key, std::int64_t minutes, const Staging& staging) {
  return AskTouch(key, minutes, staging).Get();
}

sql::Asked<Session> SessionStore::AskTouch(std::string_view key, std::int64_t minutes,
                                           const Staging& staging) {
  return {tx_.Ask(sql::anki::touch_session, user_, key, minutes, staging.parts, staging.bytes), LiveSession};
}

sql::Asked<Session> SessionStore::AskLock(std::string_view key) {
  return {tx_.Ask(sql::anki::lock_session, user_, key), LiveSession};
}

void SessionStore::End(std::optional<std::string_view> key) {
  ClearStagedOf(tx_.Query(sql::anki::end_session, user_, key));
}

std::optional<std::pair<Collection, std::string>> SessionStore::EndAndFind(std::int64_t max_bytes) {
  sql::Answer ended = tx_.Ask(sql::anki::end_session, user_, std::nullopt);
  auto found = collections_.FindWithConfig(max_bytes);
  ClearStagedOf(ended.Get());
  return found;
}

void SessionStore::EndExpired() {
  ClearStagedOf(tx_.Query(sql::anki::end_expired_session, user_));
}

void SessionStore::ClearStagedOf(const sql::Rows& ended) {
  for (const sql::Row& row : ended) {
    ClearStaged(row["staged"].As<std::int32_t>());
    CountStaged(row["staged_bytes"].As<std::int64_t>(), row["hourly_staged_bytes"].As<std::int64_t>());
  }
}

void SessionStore::CountStaged(std::int64_t bytes, std::int64_t hourly) {
  if (bytes <= kUncountedBytes) return;
  const double seconds = 3600.0 * static_cast<double>(bytes) / static_cast<double>(hourly);
  tx_.Later(sql::anki::count_staged, user_, seconds);
}

void SessionStore::ClearStaged(std::int32_t staged) {
  if (staged & kGraves) tx_.Later(sql::anki::clear_staged_graves, user_);
  if (staged & kObjects) tx_.Later(sql::anki::clear_staged_objects, user_);
  if (staged & kTags) tx_.Later(sql::anki::clear_staged_tags, user_);
  if (staged & kReviews) tx_.Later(sql::anki::clear_staged_revlog, user_);
  if (staged & kCards) tx_.Later(sql::anki::clear_staged_cards, user_);
  if (staged & kNotes) tx_.Later(sql::anki::clear_staged_notes, user_);
}

std::int64_t SessionStore::BytesOf(const GraveIds& graves) {
  return kGraveBytes *
         static_cast<std::int64_t>(graves.cards.size() + graves.notes.size() + graves.decks.size());
}

std::int64_t SessionStore::BytesOf(const ReceivedChunk& chunk) {
  std::size_t texts = 0;
  for (const std::string& data : chunk.cards.datas) texts += data.size();
  for (std::size_t i = 0; i < chunk.notes.ids.size(); ++i) {
    texts += chunk.notes.fields[i].size() + chunk.notes.tags[i].size() + chunk.notes.guids[i].size();
  }
  const auto rows = [](const auto& columns, std::int64_t bytes) {
    return bytes * static_cast<std::int64_t>(columns.ids.size());
  };
  return rows(chunk.cards, kCardBytes) + rows(chunk.notes, kNoteBytes) + rows(chunk.revlog, kReviewBytes) +
         static_cast<std::int64_t>(texts);
}

std::int64_t SessionStore::BytesOf(const Changes& changes) {
  std::size_t texts = changes.config_json ? changes.config_json->size() : 0, rows = changes.tags.size();
  for (const auto* objects : {&changes.notetypes, &changes.decks, &changes.deck_configs}) {
    rows += objects->size();
    for (const Object& object : *objects) texts += object.json.size() + 2 * object.name.size();
  }
  for (const std::string& tag : changes.tags) texts += 2 * tag.size();  // the name and its key
  return kObjectBytes * static_cast<std::int64_t>(rows) + static_cast<std::int64_t>(texts);
}

sql::Asked<Session> SessionStore::StageGraves(std::string_view key, std::int64_t minutes,
                                              const GraveIds& graves) {
  auto touched = AskTouch(key, minutes, {graves.empty() ? 0 : kGraves, BytesOf(graves)});
  const auto stage = [&](GraveKind kind, const std::vector<std::int64_t>& ids) {
    if (!ids.empty()) tx_.Later(sql::anki::stage_graves, user_, key, kind, ids);
  };
  stage(GraveKind::kCard, graves.cards);
  stage(GraveKind::kNote, graves.notes);
  stage(GraveKind::kDeck, graves.decks);
  return touched;
}

MergedObjects SessionStore::MergeKind(const MergeMoment& moment, const Session& session, ObjectKind kind,
                                      const std::vector<Object>& incoming) {
  if (incoming.empty()) return {};
  std::vector<std::int64_t> ids;
  std::vector<std::string> keys;
  for (const Object& object : incoming) {
    ids.push_back(object.id);
    keys.push_back(UnicaseKey(object.name));
  }
  std::vector<KnownObject> known;
  for (const sql::Row& row :
       tx_.Query(sql::anki::known_objects, user_, session.generation, session.fence, kind, ids, keys)) {
    known.push_back(KnownFromRow(row));
  }
  return MergeObjects(moment, kind, incoming, known, [&] {
    NameOwners owners;
    for (const sql::Row& row :
         tx_.Query(sql::anki::known_names, user_, session.generation, session.fence, kind)) {
      owners.emplace(row["name_key"].As<std::string>(), row["id"].As<std::int64_t>());
    }
    return owners;
  });
}

MergedChanges SessionStore::Merge(const Session& session, const Changes& changes, const MergeMoment& moment) {
  MergedChanges merged;
  const auto merge = [&](ObjectKind kind, const std::vector<Object>& incoming, std::int32_t& added) {
    MergedObjects objects = MergeKind(moment, session, kind, incoming);
    std::move(objects.taken.begin(), objects.taken.end(), std::back_inserter(merged.objects));
    added = objects.added;
  };
  merge(ObjectKind::kNotetype, changes.notetypes, merged.new_notetypes);
  merge(ObjectKind::kDeck, changes.decks, merged.new_decks);
  merge(ObjectKind::kDeckConfig, changes.deck_configs, merged.new_deck_configs);

  MergeTags(session, changes.tags, merged);
  return merged;
}

void SessionStore::MergeTags(const Session& session, const std::vector<std::string>& tags,
                             MergedChanges& merged) {
  if (tags.empty()) return;
  std::vector<std::string> keys;
  std::size_t with_parents = 0, parent_bytes = 0;  // number of leading tags whose parents are looked up
  for (const std::string& tag : tags) {
    keys.push_back(TagKey(tag));
    if (parent_bytes > kMaxParentBytes) continue;
    ++with_parents;
    for (const std::string& parent : ParentsOf(tag)) {
      parent_bytes += parent.size();
      keys.push_back(TagKey(parent));
    }
  }
  std::unordered_map<std::string, std::string> names;
  for (const sql::Row& row : tx_.Query(sql::anki::known_tags, user_, session.generation, keys)) {
    names[row["name_key"].As<std::string>()] = row["name"].As<std::string>();
  }
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const std::string& tag = tags[i];
    std::string key = TagKey(tag);
    if (tag.empty() || names.contains(key)) continue;  // an existing tag is left alone, its usn included
    std::string name = tag;
    for (const std::string& parent : i < with_parents ? ParentsOf(tag) : std::vector<std::string>()) {
      const auto found = names.find(TagKey(parent));
      if (found == names.end()) continue;
      name = found->second + tag.substr(parent.size());
      break;
    }
    names.emplace(key, name);
    merged.tags.emplace_back(std::move(key), std::move(name));
  }
}

void SessionStore::StageObjects(const Session& session, const std::vector<TakenObject>& objects) {
  const auto bytes_of = [&](std::size_t i) { return objects[i].object.json.size(); };
  ForEachPiece(objects.size(), bytes_of, [&](std::size_t first, std::size_t count) {
    std::vector<std::int64_t> kinds, ids, mods, field_counts, template_counts;
    std::vector<std::string> names, keys, jsons;
    for (const TakenObject& item : std::span(objects).subspan(first, count)) {
      kinds.push_back(static_cast<std::int64_t>(item.kind));
      ids.push_back(item.object.id);
      mods.push_back(item.object.mod);
      field_counts.push_back(item.object.field_count);
      template_counts.push_back(item.object.template_count);
      names.push_back(item.object.name);
      keys.push_back(item.name_key);
      jsons.push_back(item.object.json);
    }
    tx_.Later(sql::anki::stage_objects, user_, session.fence, kinds, ids, mods, field_counts, template_counts,
              names, keys, jsons);
  });
}

void SessionStore::StageChanges(const Session& session, const MergedChanges& merged, const Changes& changes) {
  StageObjects(session, merged.objects);
  if (!merged.tags.empty()) {
    std::vector<std::string> keys, names;
    for (const auto& [key, name] : merged.tags) {
      keys.push_back(key);
      names.push_back(name);
    }
    tx_.Later(sql::anki::stage_tags, user_, session.fence, keys, names);
  }
  if (merged.objects.empty() && !changes.config_json && !changes.created_s) return;
  tx_.Later(sql::anki::remember_changes, user_, merged.new_notetypes, merged.new_decks,
            merged.new_deck_configs, changes.config_json, changes.created_s);
}

void SessionStore::StageNotes(std::string_view key, const NoteColumns& notes) {
  const auto bytes_of = [&](std::size_t i) { return notes.fields[i].size(); };
  ForEachPiece(notes.ids.size(), bytes_of, [&](std::size_t first, std::size_t count) {
    const auto piece = [&](const auto& column) { return std::span(column).subspan(first, count); };
    tx_.Later(sql::anki::stage_notes, user_, key, piece(notes.ids), piece(notes.guids),
              piece(notes.notetype_ids), piece(notes.mods), piece(notes.tags), piece(notes.fields));
  });
}

sql::Asked<Session> SessionStore::StageChunk(std::string_view key, std::int64_t minutes,
                                             const ReceivedChunk& chunk) {
  auto touched = AskTouch(key, minutes, {PartsOf(chunk), BytesOf(chunk)});
  if (!chunk.notes.ids.empty()) {
    sql::Answer field_counts =
        tx_.Ask(sql::anki::notetype_field_counts, user_, key, chunk.notes.notetype_ids);
    // First: without a live session no notetype is found either, and the client must get no_session (409,
    // "another device is syncing"), not missing_notetype (400, "Check Database").
    touched.Get();
    CheckFieldCounts(chunk.notes, field_counts.Get());
    StageNotes(key, chunk.notes);
  }
  if (!chunk.cards.ids.empty()) {
    const auto& c = chunk.cards;
    tx_.Later(sql::anki::stage_cards, user_, key, c.ids, c.note_ids, c.deck_ids, c.ords, c.mods, c.types,
              c.queues, c.dues, c.intervals, c.factors, c.reps, c.lapses, c.remainings, c.original_dues,
              c.original_deck_ids, c.flags, c.datas);
  }
  if (!chunk.revlog.ids.empty()) {
    const auto& r = chunk.revlog;
    tx_.Later(sql::anki::stage_revlog, user_, key, r.ids, r.card_ids, r.eases, r.intervals, r.last_intervals,
              r.factors, r.taken_mss, r.types);
  }
  return touched;
}

bool SessionStore::HasNothingToSend(std::string_view key, std::int64_t minutes) {
  const auto row = tx_.MaybeOne(sql::anki::peek_session, user_, key, minutes);
  return row && ((*row)["to_send"].As<std::int32_t>() & kRowParts) == 0;
}

void SessionStore::RequireLive(std::string_view key) {
  constexpr std::int64_t kAnyTimeLeft = 0;
  if (!tx_.MaybeOne(sql::anki::peek_session, user_, key, kAnyTimeLeft)) throw NoSession();
}

void SessionStore::RememberSent(const Session& session) {
  tx_.Later(sql::anki::remember_sent, user_, session.to_send, session.sent.usn, session.sent.id);
}

sql::Asked<NewIds> SessionStore::AskNewIds(std::string_view key) {
  return {tx_.Ask(sql::anki::new_ids, user_, key), [](const sql::Rows& rows) {
            if (rows.empty()) throw NoSession();
            const auto ids = [&](const char* column) {
              return rows[0][column].As<std::optional<std::vector<std::int64_t>>>().value_or(
                  std::vector<std::int64_t>());
            };
            return NewIds{ids("cards"), ids("notes"), ids("reviews")};
          }};
}

SyncOutcome SessionStore::OutcomeOf(const Session& session, const Collection& collection,
                                    const NewIds& new_ids) {
  SyncOutcome outcome;
  outcome.counts = collection.counts;
  CollectionCounts& counts = outcome.counts;
  counts.notetypes += session.new_notetypes;
  counts.decks += session.new_decks;
  counts.deck_configs += session.new_deck_configs;

  // All statements are sent before the first result is read: one round trip. None for a sync of reviews.
  const auto staged = [&](std::int32_t parts) { return (session.staged & parts) != 0; };
  std::vector<sql::Answer> growths;
  const auto ask_growth = [&](const sql::Statement& statement, const auto&... more) {
    growths.push_back(tx_.Ask(statement, user_, session.generation, session.fence, more...));
  };
  if (staged(kNotes)) ask_growth(sql::anki::growth_of_notes, session.client_usn);
  if (staged(kCards) && (staged(kLongData) || collection.has_long_data)) {
    ask_growth(sql::anki::growth_of_cards, session.client_usn);
  }
  if (staged(kObjects | kTags)) ask_growth(sql::anki::growth_of_objects);
  std::optional<sql::Answer> graves;
  if (staged(kGraves)) {
    ask_growth(sql::anki::growth_of_graves);
    graves = tx_.Ask(sql::anki::staged_grave_ids, user_, session.generation, session.fence);
  }

  const auto added = [&](Part part, const std::vector<std::int64_t>& ids) {
    return static_cast<std::int64_t>(ids.size()) - CountOnlyInFile(collection, part, ids);
  };
  counts.cards += added(kCards, new_ids.cards);
  counts.notes += added(kNotes, new_ids.notes);
  counts.revlog += added(kReviews, new_ids.reviews);
  if (graves) SubtractDeleted(collection, graves->Get(), counts);

  for (sql::Answer& growth : growths) outcome.content_growth += growth.Get()[0]["bytes"].As<std::int64_t>();
  outcome.growth = RowBytes(counts) - RowBytes(collection.counts) + outcome.content_growth +
                   session.config_growth.value_or(0);
  outcome.is_estimate = !collection.IsImported();
  if (session.quota_left && outcome.growth > std::max<std::int64_t>(*session.quota_left, 0)) {
    throw StorageFull("over_quota", "the sync adds " + std::to_string(outcome.growth) + " bytes, " +
                                        std::to_string(*session.quota_left) + " are left");
  }
  return outcome;
}

std::int64_t SessionStore::CountOnlyInFile(const Collection& collection, Part part,
                                           const std::vector<std::int64_t>& ids) {
  if (collection.IsImported() || ids.empty()) return 0;
  const sql::Row row = tx_.One(sql::anki::count_in_file, user_, collection.generation, part, ids);
  if (!row["has_ids"].As<bool>()) {
    // The import has ended since the collection was read, and all rows are there: the transaction starts over.
    if (collections_.Find().value_or(collection).IsImported()) throw sql::Conflict("an import has ended");
    // Only after an update from a version that did not store them; the import job does so first.
    throw Busy("importing");
  }
  return row["ids"].As<std::int64_t>();
}

void SessionStore::SubtractDeleted(const Collection& collection, const sql::Rows& graves,
                                   CollectionCounts& counts) {
  std::vector<std::int64_t> absent_cards, absent_notes;
  for (const sql::Row& row : graves) {
    if (row["is_sent_again"].As<bool>()) continue;
    const bool is_row = row["is_row"].As<bool>();
    switch (row["kind"].As<GraveKind>()) {
      case GraveKind::kCard:
        if (is_row) {
          --counts.cards;
        } else {
          absent_cards.push_back(row["id"].As<std::int64_t>());
        }
        break;
      case GraveKind::kNote:
        if (is_row) {
          --counts.notes;
        } else {
          absent_notes.push_back(row["id"].As<std::int64_t>());
        }
        break;
      case GraveKind::kDeck:
        if (is_row) --counts.decks;
        break;
    }
  }
  counts.cards -= CountOnlyInFile(collection, kCards, absent_cards);
  counts.notes -= CountOnlyInFile(collection, kNotes, absent_notes);
}

void SessionStore::RememberOutcome(const SyncOutcome& outcome, std::int64_t minutes) {
  std::vector<std::int64_t> numbers = ArrayOf(outcome.counts);
  numbers.push_back(outcome.growth);
  numbers.push_back(outcome.content_growth);
  numbers.push_back(outcome.is_estimate ? 1 : 0);
  tx_.Later(sql::anki::remember_counts, user_, numbers, minutes);
}

void SessionStore::Apply(const Session& session, const SyncOutcome& outcome, std::int64_t mod_ms,
                         DeviceId device, std::int64_t max_bytes) {
  // Small syncs skip the check: their account has one session at a time.
  if (session.quota_left && outcome.growth > kUncountedBytes) RequireRoom(tx_, user_, outcome.growth);
  const std::int32_t generation = session.generation;
  const std::int64_t fence = session.fence;
  const Usn usn = session.server_usn;
  const auto staged = [&](Part part) { return (session.staged & part) != 0; };

  // History takes what the quota has left, and some slack.
  if (session.quota_left) {
    tx_.Later(sql::anki::forget_oldest_points, user_,
              std::max<std::int64_t>(*session.quota_left, 0) + kQuotaSlack);
  }
  const bool changes_something =
      session.staged != 0 || session.config_growth || session.created_s || session.unbury_day;

  // In the order of the protocol: unburying at start, then graves, then changes and chunks.
  if (session.unbury_day) {
    tx_.Later(sql::anki::unbury_cards, user_, generation, usn);
    if (!session.config_growth) {
      const std::string config = collections_.Config(generation, max_bytes);
      tx_.Later(sql::anki::keep_config, user_, generation, usn);
      tx_.Later(sql::anki::put_config, user_, generation, WithUnburiedDay(config, *session.unbury_day));
    }
  }
  if (staged(kGraves)) {
    tx_.Later(sql::anki::delete_notes_by_grave, user_, generation, fence, usn);
    tx_.Later(sql::anki::delete_cards_by_grave, user_, generation, fence, usn);
    tx_.Later(sql::anki::delete_decks_by_grave, user_, generation, fence, usn);
    tx_.Later(sql::anki::apply_graves, user_, generation, fence, usn);
  }
  if (staged(kObjects)) tx_.Later(sql::anki::apply_objects, user_, generation, fence, usn);
  if (staged(kTags)) tx_.Later(sql::anki::apply_tags, user_, generation, fence, usn);
  if (session.config_growth) tx_.Later(sql::anki::put_staged_config, user_, generation, usn);
  if (staged(kReviews)) tx_.Later(sql::anki::apply_revlog, user_, generation, fence, usn);
  if (staged(kCards)) tx_.Later(sql::anki::apply_cards, user_, generation, fence, usn, session.client_usn);
  if (staged(kNotes)) tx_.Later(sql::anki::apply_notes, user_, generation, fence, usn, session.client_usn);
  tx_.Later(sql::anki::advance_collection, user_, usn, mod_ms, session.created_s, ArrayOf(outcome.counts),
            staged(kCards), staged(kNotes), staged(kReviews), staged(kGraves), staged(kObjects),
            staged(kTags), session.unbury_day.has_value(), generation, outcome.content_growth,
            staged(kLongData), outcome.is_estimate,
            device == DeviceId{} ? std::nullopt : std::optional(static_cast<std::int64_t>(device)),
            changes_something);
  tx_.Later(sql::anki::delete_session, user_);
  ClearStaged(session.staged);
  CountStaged(session.staged_bytes, session.hourly_staged_bytes);
}

}  // namespace syncline::anki
