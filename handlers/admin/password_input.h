#pragma once
// Where syncline-admin gets passwords from: the terminal, without echo, or a file. Never the command line,
// which everybody on the machine can read.
#include <string>

namespace syncline::admin {

/// `file`: a path, "-" for standard input, empty for the terminal (asked twice). One line feed at the end is
/// no part of the password. Refusal when there is no terminal, the two differ, or it is too short or too long
/// to be a password.
std::string ReadNewPassword(const std::string& file, const std::string& user);

/// Asks on the terminal whether to go on; true when the answer is `word`. Refusal when standard input is not a
/// terminal: a script that means it passes --yes.
bool Confirm(const std::string& question, const std::string& word);

}  // namespace syncline::admin
