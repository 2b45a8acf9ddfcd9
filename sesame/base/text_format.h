#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sesame {

/// "512 B", "1.5 KiB", "3.2 GiB": powers of 1024, three digits at most.
std::string human_bytes(uint64_t bytes);

/// "950", "12.3k", "124M", "1.50B": powers of 1000, three digits at most.
std::string human_count(double count);

/// "0.42 s", "12.3 s", "3 min 05 s", "2 h 07 min", "4 d 03 h"; "unknown" for a value that is not finite.
std::string human_duration(double seconds);

/// Bytes from text such as "1.5GiB", "500 MB" (10^6), "64k" (1024), "4096". `what` names the setting in the usage Error
/// that anything else gets: letters that are no unit, a sign, a number beyond 2^63.
uint64_t parse_bytes(std::string_view text, std::string_view what);

/// The candidate that `name` was most likely meant to be: smallest edit distance (a swap of neighbours counts as one),
/// upper and lower case alike, and at most a third of the name's length away. Nothing where none is that near.
std::optional<std::string> nearest(std::string_view name, std::span<const std::string> candidates);

/// ` (did you mean "x"?)`, or nothing: to be appended to an error about an unknown name.
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

}  // namespace sesame
