#pragma once
// Reads passwords for syncline-admin from the terminal, without echo, or from a file. Never from the command
// line, which every user of the machine can read.
#include <string>

namespace syncline::admin {

/// `file`: a path, "-" for standard input, empty for the terminal (asked twice). One line break at the end is
/// not part of the password. Throws Refusal when there is no terminal, the two differ, or the password is too
/// short or too long.
std::string ReadNewPassword(const std::string& file, const std::string& user);

/// Asks on the terminal whether to go on; true when the answer is `word`. Throws Refusal when standard input
/// is not a terminal: scripts pass --yes instead.
bool Confirm(const std::string& question, const std::string& word);

}  // namespace syncline::admin
