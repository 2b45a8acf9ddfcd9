// What a tokenizer does a second on one thread: encoding with empty caches and again with warm ones, counting,
// decoding; with the rate of memcpy in the same run. Usage: tokenizer_bench [--pattern NAME] TOKENIZER FILE [--rounds
// N] [--wall] TOKENIZER is whatever Tokenizer::load takes, or a tiktoken rank file with its pattern. Rates are in MB
// (10^6 bytes) of text a second of processor time.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "bench/bench_clock.h"
#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/text/tokenizer.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame::bench {
namespace {

struct Arguments {
  std::string tokenizer;
  std::string file;
  std::string pattern;
  int rounds = 3;
  bool wall = false;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  std::vector<std::string> names;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const auto value = [&] { return std::string(++i < argc ? argv[i] : ""); };
    if (word == "--pattern") {
      arguments.pattern = value();
    } else if (word == "--rounds") {
      arguments.rounds = std::max(1, std::stoi(value()));
    } else if (word == "--wall") {
      arguments.wall = true;
    } else {
      names.emplace_back(word);
    }
  }
  if (names.size() != 2) fail_usage("tokenizer_bench [--pattern NAME] TOKENIZER FILE [--rounds N] [--wall]");
  arguments.tokenizer = names[0];
  arguments.file = names[1];
  return arguments;
}

Tokenizer load(const Arguments& arguments) { return Tokenizer::load(arguments.tokenizer, arguments.pattern); }

/// The best seconds of several rounds.
template <typename F>
double best_of(int rounds, F f) {
  double best = 1e300;
  for (int i = 0; i < rounds; ++i) {
    const double start = bench_clock(1);
    f();
    best = std::min(best, bench_clock(1) - start);
  }
  return best;
}

int run(const Arguments& arguments) {
  if (!arguments.wall) count_processor_time();
  const std::string text = read_file(arguments.file, uint64_t{1} << 33);
  const auto report = [&](std::string_view what, double seconds) {
    fmt::print("{:<22} {:10.1f} MB/s\n", what, static_cast<double>(text.size()) / seconds * 1e-6);
  };
  std::string copy(text.size(), '\0');
  report("memcpy", best_of(arguments.rounds, [&] { std::memcpy(copy.data(), text.data(), text.size()); }));

  const double start = bench_clock(1);
  const Tokenizer tokenizer = load(arguments);
  fmt::print("{:<22} {:10.1f} ms\n", "load", (bench_clock(1) - start) * 1e3);
  double first = 1e300;
  for (int i = 0; i < arguments.rounds; ++i) {
    const Tokenizer fresh(tokenizer.spec());  // a tokenizer of its own has caches of its own
    IdBuffer ids;
    first = std::min(first, best_of(1, [&] { fresh.encode_append(text, {}, ids); }));
  }
  report("encode, empty caches", first);
  IdBuffer ids;
  tokenizer.encode_append(text, {}, ids);
  report("encode, warm caches", best_of(arguments.rounds, [&] {
           ids.clear();
           tokenizer.encode_append(text, {}, ids);
         }));
  uint64_t count = 0;
  report("count", best_of(arguments.rounds, [&] { count = tokenizer.count(text); }));
  std::string decoded;
  report("decode", best_of(arguments.rounds, [&] { decoded = tokenizer.decode(ids.ids()); }));
  fmt::print("{:<22} {:10} of {} bytes, {:.3f} bytes each\n", "tokens", count, text.size(),
             static_cast<double>(text.size()) / static_cast<double>(count));
  fmt::print("{:<22} {:>10}\n", "decoded as encoded", decoded == text ? "yes" : "no");
  return 0;
}

}  // namespace
}  // namespace sesame::bench

int main(int argc, char** argv) {
  try {
    return sesame::bench::run(sesame::bench::parse(argc, argv));
  } catch (const std::exception& error) {
    fmt::print(stderr, "tokenizer_bench: {}\n", error.what());
    return 1;
  }
}
