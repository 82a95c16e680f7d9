#include "handlers/anki/merge.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "handlers/anki/json_spans_wire.h"
#include "handlers/anki/messages_wire.h"
#include "handlers/anki/unicase_wire.h"
#include "handlers/base/errors.h"

namespace syncline::anki {
namespace {

// More "+" than two devices can ever have given rise to; a message of 10,000 decks of one name would make 50
// MB of them.
constexpr std::size_t kMaxPlus = 2000;

// Whether the client's version is taken in place of ours; its mod is raised where that is needed.
bool Replaces(const MergeMoment& moment, Object& theirs, const KnownObject& ours) {
  const bool has_seen_ours = ours.usn < moment.client_usn;
  // What the client has not seen goes to it in this sync, and it takes it unless its own is younger. On a tie
  // both would take the other's, and swap.
  if (!has_seen_ours && theirs.mod <= ours.mod) return false;
  if (ours.field_count != theirs.field_count || ours.template_count != theirs.template_count) {
    throw BadInput("notetype_schema_changed");
  }
  // An edit of what it had seen is the later one, whatever the clocks say. The other devices take it only
  // with a mod that is not below the one they have.
  if (theirs.mod < ours.mod) theirs.mod = ours.mod + 1;
  return true;
}

bool HasUniqueNames(ObjectKind kind) {
  return kind != ObjectKind::kDeckConfig;
}

// Gives every taken object a name of its own. `owners`: who has the incoming names and keeps them.
void MakeNamesUnique(const MergeMoment& moment, std::vector<TakenObject>& taken, NameOwners owners,
                     const std::function<NameOwners()>& all_names) {
  std::vector<TakenObject*> clashing;
  for (TakenObject& item : taken) {
    if (!owners.try_emplace(item.name_key, item.object.id).second) clashing.push_back(&item);
  }
  if (clashing.empty()) return;
  std::unordered_set<std::int64_t> replaced;
  for (const TakenObject& item : taken) replaced.insert(item.object.id);
  for (auto& [key, id] : all_names()) {
    if (!replaced.contains(id)) owners.try_emplace(key, id);
  }
  // Many of one name: the next one goes on where the last one found a free name.
  std::unordered_map<std::string, std::string> last;
  for (TakenObject* item : clashing) {
    Object& object = item->object;
    const std::size_t longest = object.name.size() + kMaxPlus;
    std::string& free = last[item->name_key];
    if (!free.empty()) object.name = free;
    do {
      if (object.name.size() >= longest) throw BadInput("too_many_of_one_name");
      item->name_key = UnicaseKey(object.name += '+');
    } while (!owners.try_emplace(item->name_key, object.id).second);
    free = object.name;
    object.mod = std::max(object.mod, moment.now_s);
    item->goes_back = true;
  }
}

// A name that no deck or notetype of anybody's has. It exists inside of the client's transaction only.
std::string TemporaryName(std::int64_t id) {
  return "syncing " + std::to_string(id);
}

}  // namespace

MergedObjects MergeObjects(const MergeMoment& moment, ObjectKind kind, const std::vector<Object>& incoming,
                           const std::vector<KnownObject>& known,
                           const std::function<NameOwners()>& all_names) {
  std::unordered_map<std::int64_t, const KnownObject*> known_ids;
  for (const KnownObject& object : known) known_ids.emplace(object.id, &object);

  MergedObjects merged;
  for (Object object : incoming) {
    const auto existing = known_ids.find(object.id);
    const std::int64_t sent_mod = object.mod;
    if (existing == known_ids.end()) {
      ++merged.added;
    } else if (!existing->second->is_buried && !Replaces(moment, object, *existing->second)) {
      continue;
    }
    const bool goes_back = object.mod != sent_mod;
    std::string key = UnicaseKey(object.name);
    merged.taken.push_back({kind, std::move(object), std::move(key), goes_back});
  }

  if (HasUniqueNames(kind)) {
    for (const TakenObject& item : merged.taken) known_ids.erase(item.object.id);
    NameOwners keeping;
    for (const auto& [id, object] : known_ids) {
      if (!object->is_buried) keeping.emplace(object->name_key, id);
    }
    MakeNamesUnique(moment, merged.taken, std::move(keeping), all_names);
  }

  for (auto& [item_kind, object, key, goes_back] : merged.taken) {
    object.usn = moment.server_usn;
    std::vector<std::pair<std::string_view, std::string>> members{{"usn", std::to_string(object.usn)}};
    if (goes_back) {
      members.emplace_back("mod", std::to_string(object.mod));
      if (HasUniqueNames(kind)) members.emplace_back("name", QuoteJson(object.name));
    }
    object.json = WithMembers(object.json, members);
  }
  return merged;
}

std::vector<Object> ListForClient(const MergeMoment& moment, ObjectKind kind, std::vector<Object> unseen,
                                  const std::vector<Object>& sent, const std::vector<TakenObject>& taken) {
  std::unordered_set<std::int64_t> replaced;
  for (const TakenObject& item : taken) replaced.insert(item.object.id);
  std::vector<Object> list = std::move(unseen);
  std::erase_if(list, [&](const Object& object) { return replaced.contains(object.id); });
  for (const TakenObject& item : taken) {
    if (item.goes_back) list.push_back(item.object);
  }
  if (!HasUniqueNames(kind)) return list;

  std::unordered_map<std::int64_t, std::string> sent_keys;
  for (const Object& object : sent) sent_keys.emplace(object.id, UnicaseKey(object.name));
  const auto may_have_another_name = [&](const Object& object) {
    const auto found = sent_keys.find(object.id);
    return found == sent_keys.end() ? object.name_usn >= moment.client_usn
                                    : found->second != UnicaseKey(object.name);
  };
  std::vector<Object> moved;
  std::copy_if(list.begin(), list.end(), std::back_inserter(moved), may_have_another_name);
  // One that has moved finds its name free: whoever else had it is in the list, too.
  if (moved.size() < 2) return list;
  for (Object& object : moved) {
    object.name = TemporaryName(object.id);
    object.json = WithMembers(object.json, {{"name", QuoteJson(object.name)}});
  }
  list.insert(list.begin(), std::make_move_iterator(moved.begin()), std::make_move_iterator(moved.end()));
  return list;
}

}  // namespace syncline::anki
