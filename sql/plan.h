#pragma once
// The planner's switches of each Plan (sql/statement.h). One place: sessions start with those of kByKey, and a
// transaction switches for the statements that are planned otherwise.
#include <string>

#include "sql/statement.h"

namespace syncline::sql {

/// The switches of kByKey as start-up options of a session ("-c name=value ...").
std::string StartupPlan();

/// Sets the switches of `plan` until the end of the transaction. It has to be in force whenever the statement
/// is executed, not only when it is prepared: the plan is made by the first execution, and again by the first
/// one after an ANALYZE or a migration.
const Statement& SwitchTo(Plan plan);

}  // namespace syncline::sql
