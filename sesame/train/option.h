#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

namespace sesame {

/// What a number may be. Both ends are allowed unless `open` says that the upper one is not.
struct Bounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open = false;
};

/// One setting of a recipe: everything that parsing, checking, help and printing need to know of it, said once.
///
/// `name` is its key. `llama_name` is what the Llama family calls the same thing, where that differs; null: the same;
/// "": that family lacks it. `name` "" : only Llama has it. `choices`, if any, are all the texts that are allowed,
/// separated by '|'.
template <typename Struct, typename Member>
struct Option {
  const char* name;
  Member Struct::*member;
  const char* doc;
  Bounds bounds{};
  const char* choices = nullptr;
  const char* llama_name = nullptr;
};

template <typename Struct, typename Member>
Option(const char*, Member Struct::*, const char*) -> Option<Struct, Member>;
template <typename Struct, typename Member>
Option(const char*, Member Struct::*, const char*, Bounds) -> Option<Struct, Member>;
template <typename Struct, typename Member>
Option(const char*, Member Struct::*, const char*, Bounds, const char*) -> Option<Struct, Member>;
template <typename Struct, typename Member>
Option(const char*, Member Struct::*, const char*, Bounds, const char*, const char*) -> Option<Struct, Member>;

}  // namespace sesame
