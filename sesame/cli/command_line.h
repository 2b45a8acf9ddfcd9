#pragma once

namespace sesame {

/// The program `sesame`: dispatches to the verb that argv[1] names. Results go to standard output, all else to standard
/// error. Returns the exit status: 0, 1 (it could not be done), 2 (wrong usage) or 130 (interrupted).
int run_command_line(int argc, const char* const* argv);

}  // namespace sesame
