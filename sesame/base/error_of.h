#pragma once

#include <string>

#include "sesame/base/error.h"

namespace sesame {

/// For tests: the message of the Error that f throws, or "no error".
template <typename F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace sesame
