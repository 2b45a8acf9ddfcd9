#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "sesame/base/error.h"

namespace sesame::ref {

// What the element-wise ops make of one element: the only place where the reference says so.

/// Whole numbers wrap around as two's complement does, so no input is undefined.
template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, int32_t>, int64_t, T>;

struct Add {
  template <typename T>
  static T apply(T a, T b) {
    return static_cast<T>(Wide<T>{a} + b);
  }
};

struct Sub {
  template <typename T>
  static T apply(T a, T b) {
    return static_cast<T>(Wide<T>{a} - b);
  }
};

struct Mul {
  template <typename T>
  static T apply(T a, T b) {
    return static_cast<T>(Wide<T>{a} * b);
  }
};

struct Div {
  template <typename T>
  static T apply(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0) fail(fmt::format("div: int32 {} is divided by 0; a divisor must not be 0", a));
    }
    return static_cast<T>(Wide<T>{a} / b);
  }
};

struct Less {
  template <typename T>
  static uint8_t apply(T a, T b) {
    return a < b ? 1 : 0;
  }
};

template <typename T>
T negate(T x) {
  return -x;
}

/// Never takes the exponential of a large positive number.
template <typename T>
T sigmoid(T x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const T e = std::exp(x);
  return e / (1 + e);
}

template <typename To, typename From>
To convert(From x) {
  if constexpr (std::is_same_v<To, uint8_t>) return x != 0 ? 1 : 0;
  if constexpr (std::is_same_v<To, int32_t> && std::is_floating_point_v<From>) {
    // Rounds towards zero; what int32 cannot hold goes to its nearest end, NaN to 0.
    if (std::isnan(x)) return 0;
    constexpr auto lowest = std::numeric_limits<int32_t>::min();
    constexpr auto highest = std::numeric_limits<int32_t>::max();
    if (x <= static_cast<From>(lowest)) return lowest;
    if (x >= static_cast<From>(highest)) return highest;
  }
  return static_cast<To>(x);
}

/// `factor` is 0 or what kept elements are multiplied by. A dropped infinity or NaN is 0 too.
template <typename T>
T drop(T x, double factor) {
  return factor == 0 ? T{0} : static_cast<T>(x * factor);
}

// Reductions add up and compare in double.

inline double plus(double a, double b) { return a + b; }

/// NaN wins, so that it is not lost on the way.
inline double larger(double a, double b) { return b > a || std::isnan(b) ? b : a; }

}  // namespace sesame::ref
