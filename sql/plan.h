#pragma once
// Planner settings of each Plan (sql/statement.h). Sessions start with those of kByKey; a transaction
// switches for statements with another plan.
#include <string>

#include "sql/statement.h"

namespace syncline::sql {

/// The settings of kByKey as start-up options of a session ("-c name=value ...").
std::string StartupPlan();

/// The statement that applies the settings of `plan` until the end of the transaction. They must be in force
/// whenever a statement is executed, not only when it is prepared: the plan is made by the first execution,
/// and again by the first one after an ANALYZE or a migration.
const Statement& SwitchTo(Plan plan);

}  // namespace syncline::sql
