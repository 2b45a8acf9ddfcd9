#include "sesame/base/error.h"

namespace sesame {

void fail(const std::string& message) { throw Error(message, ExitStatus::failure); }

void fail_usage(const std::string& message) { throw Error(message, ExitStatus::usage); }

}  // namespace sesame
