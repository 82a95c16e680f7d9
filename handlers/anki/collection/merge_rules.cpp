#include "handlers/anki/collection/merge_rules.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "handlers/anki/collection/messages_wire.h"
#include "handlers/anki/objects/unicase_wire.h"
#include "handlers/base/errors.h"
#include "handlers/base/id_map.h"
#include "handlers/base/json.h"

namespace syncline::anki {
namespace {

// Limit for the clashes of one name in one message. Real devices do not produce this many; without a limit,
// 10,000 decks with one name would need 50 MB of "+".
constexpr std::size_t kMaxPlus = 2000;

// An edit of a version the client had seen is the later edit, whatever the clocks say. Otherwise both sides
// changed the object: the larger mod wins, and ours wins a tie, because the client takes ours on a tie. If it
// might not, the client's version wins, and gets a mod above ours for all other devices.
bool ClientWins(const MergeMoment& moment, const Object& theirs, const KnownObject& ours) {
  return ours.usn < moment.client_usn || theirs.mod > ours.mod ||
         (moment.may_keep_equal && theirs.mod == ours.mod);
}

// Only a full sync can change the number of fields or templates.
void RequireSameShape(const Object& theirs, const KnownObject& ours) {
  if (ours.field_count != theirs.field_count || ours.template_count != theirs.template_count) {
    throw BadInput("notetype_schema_changed", "notetype " + std::to_string(theirs.id));
  }
}

std::int64_t Above(std::int64_t mod, std::int64_t by = 1) {
  return mod <= std::numeric_limits<std::int64_t>::max() - by ? mod + by : mod;
}

// A client that keeps its own version on a tie needs two steps: the temporary name is sent with the mod in
// between.
constexpr std::int64_t kAboveOwn = 2;

// The mod of a client's object that wins: other devices take it only if it is not below the one they have.
std::int64_t WinningMod(const MergeMoment& moment, std::int64_t theirs, std::int64_t ours) {
  if (moment.may_keep_equal && theirs == ours) return Above(ours, kAboveOwn);
  return theirs < ours ? Above(ours) : theirs;
}

bool HasUniqueNames(ObjectKind kind) {
  return kind != ObjectKind::kDeckConfig;
}

IdSet IdsOf(const std::vector<TakenObject>& taken) {
  IdSet ids;
  for (const TakenObject& item : taken) ids.insert(item.object.id);
  return ids;
}

// The names of objects that are neither replaced nor deleted by this session.
NameOwners NamesThatStay(const std::vector<KnownObject>& known, const std::vector<TakenObject>& taken) {
  const IdSet replaced = IdsOf(taken);
  NameOwners owners;
  for (const KnownObject& object : known) {
    if (!object.is_deleted && !replaced.contains(object.id)) owners.emplace(object.name_key, object.id);
  }
  return owners;
}

// Gives every taken object a unique name. `owners`: owners of incoming names that stay.
void MakeNamesUnique(const MergeMoment& moment, std::vector<TakenObject>& taken, NameOwners owners,
                     const std::function<NameOwners()>& all_names) {
  std::vector<TakenObject*> clashing;
  for (TakenObject& item : taken) {
    if (!owners.try_emplace(item.name_key, item.object.id).second) clashing.push_back(&item);
  }
  if (clashing.empty()) return;
  const IdSet replaced = IdsOf(taken);
  for (auto& [key, id] : all_names()) {
    if (!replaced.contains(id)) owners.try_emplace(key, id);
  }
  // If many objects share a name, each search starts at the name that the previous one found.
  std::unordered_map<std::string, std::string> last_found;
  for (TakenObject* item : clashing) {
    Object& object = item->object;
    const std::size_t longest = object.name.size() + kMaxPlus;
    std::string& last = last_found[item->name_key];
    if (!last.empty()) object.name = last;
    do {
      if (object.name.size() >= longest) throw BadInput("too_many_of_one_name");
      object.name += '+';
      item->name_key = UnicaseKey(object.name);
    } while (!owners.try_emplace(item->name_key, object.id).second);
    last = object.name;
    object.mod = std::max(moment.may_keep_equal ? Above(object.mod, kAboveOwn) : object.mod, moment.now_s);
    item->goes_back = true;
  }
}

// Writes the result of the merge into the object's JSON.
void UpdateJson(const MergeMoment& moment, TakenObject& item) {
  Object& object = item.object;
  object.usn = moment.server_usn;
  std::vector<std::pair<std::string_view, std::string>> members{{"usn", std::to_string(object.usn)}};
  if (item.goes_back) {
    members.emplace_back("mod", std::to_string(object.mod));
    if (HasUniqueNames(item.kind)) members.emplace_back("name", QuoteJson(object.name));
  }
  object.json = WithMembers(object.json, members);
}

// A name that is not in use: it contains the usn and the second of this sync. The client replaces it within
// the same transaction.
std::string TemporaryName(const MergeMoment& moment, std::int64_t id) {
  return "syncing " + std::to_string(moment.server_usn) + "-" + std::to_string(moment.now_s) + " " +
         std::to_string(id);
}

}  // namespace

MergedObjects MergeObjects(const MergeMoment& moment, ObjectKind kind, const std::vector<Object>& incoming,
                           const std::vector<KnownObject>& known,
                           const std::function<NameOwners()>& all_names) {
  IdMap<const KnownObject*> known_by_id;
  for (const KnownObject& object : known) known_by_id.emplace(object.id, &object);

  MergedObjects merged;
  for (Object object : incoming) {
    const std::int64_t sent_mod = object.mod;
    const auto found = known_by_id.find(object.id);
    if (found == known_by_id.end()) {
      ++merged.added;
    } else if (const KnownObject& ours = *found->second; !ours.is_deleted) {
      if (!ClientWins(moment, object, ours)) continue;
      RequireSameShape(object, ours);
      object.mod = WinningMod(moment, object.mod, ours.mod);
    }
    const bool goes_back = object.mod != sent_mod;
    std::string key = UnicaseKey(object.name);
    merged.taken.push_back({kind, std::move(object), std::move(key), goes_back});
  }
  if (HasUniqueNames(kind)) {
    MakeNamesUnique(moment, merged.taken, NamesThatStay(known, merged.taken), all_names);
  }
  for (TakenObject& item : merged.taken) UpdateJson(moment, item);
  return merged;
}

std::vector<Object> ListForClient(const MergeMoment& moment, ObjectKind kind, std::vector<Object> unseen,
                                  const std::vector<Object>& sent, const std::vector<TakenObject>& taken) {
  const IdSet replaced = IdsOf(taken);
  std::vector<Object> list = std::move(unseen);
  std::erase_if(list, [&](const Object& object) { return replaced.contains(object.id); });
  for (const TakenObject& item : taken) {
    if (item.goes_back) list.push_back(item.object);
  }
  if (!HasUniqueNames(kind)) return list;

  IdMap<std::string> sent_keys;
  for (const Object& object : sent) sent_keys.emplace(object.id, UnicaseKey(object.name));
  const auto may_have_other_name = [&](const Object& object) {
    const auto found = sent_keys.find(object.id);
    return found == sent_keys.end() ? object.name_usn >= moment.client_usn
                                    : found->second != UnicaseKey(object.name);
  };
  std::vector<Object> renamed;
  std::copy_if(list.begin(), list.end(), std::back_inserter(renamed), may_have_other_name);
  // A single renamed object needs no temporary name: had another object kept its new name on the client, that
  // object would have been renamed and be in this list, too.
  if (renamed.size() < 2) return list;
  for (Object& object : renamed) {
    object.name = TemporaryName(moment, object.id);
    if (moment.may_keep_equal && object.mod > std::numeric_limits<std::int64_t>::min()) --object.mod;
    object.json =
        WithMembers(object.json, {{"name", QuoteJson(object.name)}, {"mod", std::to_string(object.mod)}});
  }
  list.insert(list.begin(), std::make_move_iterator(renamed.begin()), std::make_move_iterator(renamed.end()));
  return list;
}

}  // namespace syncline::anki
