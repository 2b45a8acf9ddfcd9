#include "sesame/cli/bench_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/thread_pool.h"
#include "sesame/cli/tokenizer.h"
#include "sesame/io/byte_stream.h"

namespace sesame {
namespace {

struct BenchArguments {
  TokenizerArgument tokenizer;
  std::string input;
  int threads = 1;
  int rounds = 3;
  bool json = false;
};

struct Speeds {
  double load_ms = 0;
  double encode_cold = 0;  // MB/s, as are the next ones
  double encode_warm = 0;
  double count = 0;
  double decode_cold = 0;
  double decode = 0;
  double copy = 0;  // of the same text by memcpy, one thread: what the memory can do
};

template <typename F>
double seconds(F&& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// One text through one tokenizer, again and again.
class TokenizerBench {
 public:
  TokenizerBench(const BenchArguments& a, std::string_view text)
      : a_(a), text_(text), threads_(a.threads), copy_(text.size(), '\0') {}

  Speeds run() {
    std::vector<Speeds> rounds;
    for (int i = 0; i < a_.rounds; ++i) rounds.push_back(round());
    const auto of = [&](double Speeds::*speed) {
      std::vector<double> values;
      for (const Speeds& s : rounds) values.push_back(s.*speed);
      return median(values);
    };
    return {of(&Speeds::load_ms),     of(&Speeds::encode_cold), of(&Speeds::encode_warm), of(&Speeds::count),
            of(&Speeds::decode_cold), of(&Speeds::decode),      of(&Speeds::copy)};
  }

  [[nodiscard]] uint64_t tokens() const { return tokens_; }
  [[nodiscard]] int threads() const { return threads_.threads(); }

 private:
  Speeds round() {
    Speeds s;
    std::optional<Tokenizer> tokenizer;
    s.load_ms = 1e3 * seconds([&] { tokenizer.emplace(load_tokenizer(a_.tokenizer)); });
    // A tokenizer that was just loaded has seen no word.
    s.encode_cold = speed(seconds([&] { encode(*tokenizer); }));
    s.encode_warm = speed(seconds([&] { encode(*tokenizer); }));
    s.count = speed(seconds([&] { tokens_ = tokenizer->count(text_); }));
    std::string decoded;
    const auto decode = [&] {
      decoded.clear();
      const double time = seconds([&] { tokenizer->decode_append(std::as_const(ids_).ids(), false, decoded); });
      return speed(time, decoded.size());
    };
    // As with encoding, the second time the memory of the first is used again.
    s.decode_cold = decode();
    s.decode = decode();
    s.copy = speed(seconds([&] { std::memcpy(copy_.data(), text_.data(), text_.size()); }));
    return s;
  }

  void encode(const Tokenizer& tokenizer) {
    ids_.clear();
    if (threads_.threads() > 1) {
      tokenizer.encode_append(text_, {}, threads_, ids_);
    } else {
      tokenizer.encode_append(text_, {}, ids_);
    }
  }

  [[nodiscard]] double speed(double time, size_t bytes) const { return static_cast<double>(bytes) / 1e6 / time; }
  [[nodiscard]] double speed(double time) const { return speed(time, text_.size()); }

  const BenchArguments& a_;
  std::string_view text_;
  ThreadPool threads_;
  std::string copy_;
  IdBuffer ids_;
  uint64_t tokens_ = 0;
};

void run_bench(const BenchArguments& a) {
  const std::unique_ptr<ByteReader> in = open_bytes(a.input);
  const std::string text = read_all(*in, size_t{1} << 34);
  if (text.empty()) fail(fmt::format("{}: the file is empty: there is nothing to measure", in->name()));
  TokenizerBench bench(a, text);
  const Speeds s = bench.run();
  if (a.json) {
    const nlohmann::ordered_json result = {{"encode_mb_per_s_cold", s.encode_cold},
                                           {"encode_mb_per_s_warm", s.encode_warm},
                                           {"count_mb_per_s", s.count},
                                           {"decode_mb_per_s_cold", s.decode_cold},
                                           {"decode_mb_per_s", s.decode},
                                           {"memcpy_mb_per_s", s.copy},
                                           {"load_ms", s.load_ms},
                                           {"tokens", bench.tokens()},
                                           {"bytes", text.size()},
                                           {"threads", bench.threads()},
                                           {"rounds", a.rounds}};
    std::cout << result.dump() << "\n";
    return;
  }
  fmt::print("{} bytes, {} tokens, {} {}, median of {} rounds; memcpy of the text: {:.0f} MB/s\n", text.size(),
             bench.tokens(), bench.threads(), bench.threads() == 1 ? "thread" : "threads", a.rounds, s.copy);
  const auto line = [&](const char* what, double speed) {
    fmt::print("{:<22} {:>8.1f} MB/s  {:>6.2f} % of memcpy\n", what, speed, 100 * speed / s.copy);
  };
  line("encode, first time", s.encode_cold);
  line("encode, again", s.encode_warm);
  line("count", s.count);
  line("decode, first time", s.decode_cold);
  line("decode, again", s.decode);
  fmt::print("{:<22} {:>8.1f} ms\n", "load", s.load_ms);
}

}  // namespace

void add_bench_tokenizer(CLI::App& bench) {
  auto a = std::make_shared<BenchArguments>();
  CLI::App& app = *bench.add_subcommand("tokenizer", "how fast a tokenizer encodes and decodes a text");
  add_tokenizer_argument(app, a->tokenizer);
  app.add_option("FILE", a->input, "text, also .gz or .zst; 100 MB or more say most")->required();
  app.add_option("--threads", a->threads, "0: one per processor")->check(CLI::Range(0, 1024));
  app.add_option("--rounds", a->rounds, "the tokenizer is loaded anew for each; medians are shown")
      ->check(CLI::Range(1, 1000));
  app.add_flag("--json", a->json, "one JSON object");
  app.footer("Example:\n  sesame bench tokenizer tokenizer.json corpus.txt");
  app.callback([a] { run_bench(*a); });
}

}  // namespace sesame
