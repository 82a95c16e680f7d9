#pragma once
// Decides which version of a notetype, deck or deck config wins a sync and which object keeps a contested
// name. Pure: takes the stored objects, returns what to store and what to send.
//
// Each side applies the other's list. Devices converge only if, for every object changed on both sides,
// exactly one side takes the other's version. The client's part is fixed (sync protocol 11): it goes through
// the list in order, matches by id, takes an object unless its own mod is higher, and appends "+" to a name
// until it is free. Clients of versions 8 to 10 do that, too, or take an object only if its mod is above their own,
// and allow duplicate names; the server cannot tell which rule a client follows. So they never get an object
// whose outcome depends on a tie.
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
  /// The client may keep its own version if its mod equals ours: those before version 11.
  bool may_keep_equal = false;
};

/// A stored object that shares an id or a name with an incoming one.
struct KnownObject {
  std::int64_t id, mod;
  Usn usn;
  std::int32_t field_count, template_count;
  std::string name_key;
  bool is_deleted;  ///< by a grave of this session; graves are applied before objects
};

/// Case-folded names and the ids of the objects that have them.
using NameOwners = std::unordered_map<std::string, std::int64_t>;

/// An incoming object that is taken, as it will be stored.
struct TakenObject {
  ObjectKind kind;
  Object object;
  std::string name_key;
  bool goes_back;  ///< the merge changed its name or mod, so it must be sent back to the sender
};

struct MergedObjects {
  std::vector<TakenObject> taken;
  std::int32_t added = 0;  ///< taken objects that did not exist
};

/// Merges a list of one kind into the stored objects. `known`: every stored object that has one of the
/// incoming ids or names. `all_names`: returns the names of all objects of the kind; called at most once,
/// after a clash.
///
/// Name clashes are judged by the state after the whole list: an object that is replaced or deleted does not
/// keep its name. Error BadInput "notetype_schema_changed" if only a full sync can express a change,
/// "too_many_of_one_name" past 2,000 clashes of one name.
MergedObjects MergeObjects(const MergeMoment& moment, ObjectKind kind, const std::vector<Object>& incoming,
                           const std::vector<KnownObject>& known,
                           const std::function<NameOwners()>& all_names);

/// The objects of one kind that the client must apply, in this order, to match ours. `unseen`: our objects
/// that it has not seen; `sent`: what it sent; `taken`: what the merge took of that.
///
/// An object may be in the list twice. A client that applies "B is now A" before "A is now B" appends a "+"
/// to the first. So if two or more objects may have another name on the client, each comes first under a
/// temporary name, and with a mod below its own if the client would keep that name otherwise.
std::vector<Object> ListForClient(const MergeMoment& moment, ObjectKind kind, std::vector<Object> unseen,
                                  const std::vector<Object>& sent, const std::vector<TakenObject>& taken);

}  // namespace syncline::anki
