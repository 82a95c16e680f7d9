#pragma once
// Decides which version of a notetype, deck or deck config wins a sync and who keeps a contested name. Pure:
// takes what the database knows, returns what to store and what to send.
//
// Each side applies the other's list. Devices converge only if, for every object changed on both sides,
// exactly one side takes the other's version. The client's part is fixed (sync protocol 11): it goes through
// the list in order, matches by id, takes an object unless its own mod is higher, and appends "+" to a name
// until it is free.
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "handlers/anki/objects/rows_wire.h"

namespace syncline::anki {

/// What a merge depends on besides the objects.
struct MergeMoment {
  Usn server_usn;      ///< written to every object taken
  Usn client_usn;      ///< the client has seen every usn below this
  std::int64_t now_s;  ///< mod of objects that the server renames
};

/// A stored object that shares an id or a name with an incoming one.
struct KnownObject {
  std::int64_t id, mod;
  Usn usn;
  std::int32_t field_count, template_count;
  std::string name_key;
  bool is_deleted;  ///< by a grave of this very session, which is applied before its objects
};

/// Case-folded names and who has them.
using NameOwners = std::unordered_map<std::string, std::int64_t>;

/// An incoming object that is taken, as it will be stored.
struct TakenObject {
  ObjectKind kind;
  Object object;
  std::string name_key;
  bool goes_back;  ///< the merge changed its name or mod, so the sender must receive it back
};

struct MergedObjects {
  std::vector<TakenObject> taken;
  std::int32_t added = 0;  ///< of the taken ones, those that were not there
};

/// Merges a list of one kind into what is there. `known`: every object that has one of the incoming ids or
/// names. `all_names`: the names of all objects of the kind; asked for once, when a name turns out to be
/// taken.
///
/// A clash of names is judged by the state after the whole list: an object that is replaced or deleted does
/// not hold its name. Error BadInput "notetype_schema_changed" when only a full sync can express a change,
/// "too_many_of_one_name" past 2,000 clashes of one.
MergedObjects MergeObjects(const MergeMoment& moment, ObjectKind kind, const std::vector<Object>& incoming,
                           const std::vector<KnownObject>& known,
                           const std::function<NameOwners()>& all_names);

/// The list of one kind that the client must apply, in this order, to have our objects. `unseen`: our objects
/// that it has not seen; `sent` and `taken`: what it sent, and what became of that.
///
/// An object may be in the list twice. A client that applies "B is now A" before "A is now B" appends a "+"
/// to the first. So every object that may have another name on the client comes first under a temporary name.
std::vector<Object> ListForClient(const MergeMoment& moment, ObjectKind kind, std::vector<Object> unseen,
                                  const std::vector<Object>& sent, const std::vector<TakenObject>& taken);

}  // namespace syncline::anki
