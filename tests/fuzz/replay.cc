// Runs every target over its seeds, over the seeds cut at every byte, and over a fixed number of mutations.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <exception>

#include "sesame/base/hash.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/target.h"

#if defined(__SANITIZE_ADDRESS__)  // GCC
constexpr bool kSanitized = true;
#elif defined(__has_feature)  // Clang
constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

namespace sesame::fuzz {
namespace {

namespace fs = std::filesystem;

struct Options {
  uint64_t mutations = 1000;
  uint64_t seed = 1;
  std::vector<std::string> targets;
  std::vector<std::string> inputs;
  std::string write_seeds;
  // A vocabulary whose largest id is max_token_id takes 300 MiB, however small its file.
  uint64_t memory_mib = kSanitized ? 4096 : 512;
  int seconds = kSanitized ? 60 : 10;
};

// What a signal handler needs to save the input at hand.
struct Current {
  char path[256] = {};
  const char* data = nullptr;
  size_t size = 0;
} current;

void save_current() {
  const int file = ::open(current.path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return;
  const ssize_t written = ::write(file, current.data, current.size);
  ::close(file);
  constexpr std::string_view kSaved = "\nthe input is saved as ";
  if (written < 0 || ::write(STDERR_FILENO, kSaved.data(), kSaved.size()) < 0 ||
      ::write(STDERR_FILENO, current.path, std::strlen(current.path)) < 0 || ::write(STDERR_FILENO, "\n", 1) < 0) {
    return;
  }
}

void on_signal(int signal) {
  save_current();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void catch_signals() {
  // A sanitizer reports the rest by itself and then aborts (abort_on_error=1).
  std::vector<int> signals = {SIGABRT, SIGPROF};
  if (!kSanitized) signals.insert(signals.end(), {SIGSEGV, SIGBUS, SIGFPE, SIGILL});
  static std::array<char, size_t{64} << 10> stack;  // the usual one may be what ran out
  const stack_t alternative = {.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
  ::sigaltstack(&alternative, nullptr);
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK;
  for (const int signal : signals) ::sigaction(signal, &action, nullptr);
}

uint64_t peak_mib() {
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) >> 10;
}

class Replay {
 public:
  explicit Replay(const Options& options) : options_(options), start_mib_(peak_mib()) {
    // Memory that is asked for but never touched counts as well; a sanitizer asks for terabytes.
    const rlimit address_space = {options.memory_mib << 22, options.memory_mib << 22};
    if (!kSanitized) ::setrlimit(RLIMIT_AS, &address_space);
  }

  /// Returns the message with which the input was refused, or "".
  std::string run(const Target& target, const std::string& input) {
    const std::string path = fmt::format("fuzz-{}-{:016x}", target.name(), xxh3(input)).substr(0, 255);
    std::copy_n(path.c_str(), path.size() + 1, current.path);
    current.data = input.data();
    current.size = input.size();
    const itimerval limit = {{}, {options_.seconds, 0}};
    ::setitimer(ITIMER_PROF, &limit, nullptr);
    std::string refusal;
    try {
      refusal = target.run(input);
    } catch (const std::exception& error) {
      require(false, fmt::format("only sesame::Error leaves a parser, but: {}", error.what()));
    }
    require(peak_mib() - start_mib_ <= options_.memory_mib,
            fmt::format("the program stays below {} MiB, but it took {}", options_.memory_mib, peak_mib()));
    ++inputs_;
    accepted_ += refusal.empty();
    return refusal;
  }

  void run_all(const Target& target, const std::vector<std::string>& seeds) {
    const std::string refusal = run(target, seeds.front());
    require(refusal.empty(), "the first seed is a good file: " + refusal);
    for (const std::string& seed : seeds) {
      run(target, seed);
      // Of a larger seed the ends, where headers and footers are, and as many places between.
      const size_t ends = seed.size() < size_t{16} << 10 ? 300 : 3;
      const size_t step = seed.size() <= 4 * ends ? 1 : seed.size() / ends;
      for (size_t size = 0; size < seed.size(); size += size < ends || size + ends >= seed.size() ? 1 : step) {
        run(target, seed.substr(0, size));
      }
    }
    for (uint64_t i = 0; i < options_.mutations; ++i) {
      run(target, mutate(seeds, i % seeds.size(), options_.seed, i));
    }
  }

  [[nodiscard]] uint64_t inputs() const { return inputs_; }
  [[nodiscard]] uint64_t accepted() const { return accepted_; }

 private:
  const Options& options_;
  uint64_t start_mib_;
  uint64_t inputs_ = 0;
  uint64_t accepted_ = 0;
};

/// The seeds that a target makes, and the files in tests/fuzz/corpus/TARGET by name.
std::vector<std::string> seeds_of(const Target& target) {
  std::vector<std::string> seeds = target.seeds();
  const fs::path directory = fs::path(SESAME_FUZZ_CORPUS) / target.name();
  std::vector<fs::path> files;
  if (fs::is_directory(directory)) {
    for (const auto& entry : fs::directory_iterator(directory)) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) seeds.push_back(file_bytes(file));
  return seeds;
}

void write_seeds(const Target& target, const std::vector<std::string>& seeds, const fs::path& directory) {
  fs::create_directories(directory / target.name());
  for (const std::string& seed : seeds) {
    const fs::path file = scratch_file("seed", seed);
    fs::copy_file(file, directory / target.name() / fmt::format("{:016x}", xxh3(seed)),
                  fs::copy_options::overwrite_existing);
  }
}

int replay(int argc, char** argv) {
  Options options;
  CLI::App app("Runs the fuzz targets over their seeds and over mutations of them.");
  app.add_option("--mutations", options.mutations, "mutations of each target")->capture_default_str();
  app.add_option("--seed", options.seed, "of the mutations")->capture_default_str();
  app.add_option("--target", options.targets, "target to run, can be repeated; default: all")->allow_extra_args(false);
  app.add_option("--memory", options.memory_mib, "MiB that the program may grow by")->capture_default_str();
  app.add_option("--seconds", options.seconds, "processor time that one input may take")->capture_default_str();
  app.add_option("--write-seeds", options.write_seeds, "write the seeds to DIRECTORY/TARGET and run nothing");
  app.add_option("inputs", options.inputs, "files to run instead of seeds and mutations (with one --target)");
  CLI11_PARSE(app, argc, argv);

  scratch_directory();  // also chooses where temporary directories lie
  catch_signals();
  for (const Target* target : Target::all()) {
    if (!options.targets.empty() && std::ranges::find(options.targets, target->name()) == options.targets.end()) {
      continue;
    }
    const std::vector<std::string> seeds = seeds_of(*target);
    if (!options.write_seeds.empty()) {
      write_seeds(*target, seeds, options.write_seeds);
      continue;
    }
    Replay replay(options);
    for (const std::string& input : options.inputs)
      fmt::print("{}: {}\n", input, replay.run(*target, file_bytes(input)));
    const std::clock_t begin = std::clock();
    if (options.inputs.empty()) replay.run_all(*target, seeds);
    fmt::print("{:20} {:8} inputs, {:6} good {:6.1f} s, peak {} MiB\n", target->name(), replay.inputs(),
               replay.accepted(), static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, peak_mib());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace sesame::fuzz

int main(int argc, char** argv) { return sesame::fuzz::replay(argc, argv); }
