#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace sesame::end_to_end {

/// How a run of the program ended: its exit status, or -N when signal N ended it.
struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

/// The program, started and not waited for. Its output goes to files in `scratch`.
class Process {
 public:
  Process(const std::vector<std::string>& arguments, const std::filesystem::path& scratch,
          const std::string& input = "", uint64_t file_size_limit = 0);

  void signal(int number) const;
  Outcome wait();
  [[nodiscard]] bool running();

 private:
  pid_t pid_ = -1;
  std::filesystem::path out_;
  std::filesystem::path err_;
  bool ended_ = false;
  int raw_status_ = 0;
};

/// Runs the program to its end. `file_size_limit` > 0: no file may grow beyond so many bytes, as on a full disk.
Outcome run(const std::vector<std::string>& arguments, const std::filesystem::path& scratch,
            const std::string& input = "", uint64_t file_size_limit = 0);

/// A directory of its own for a test, removed at the end.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void write(const std::filesystem::path& path, const std::string& text);
std::string read(const std::filesystem::path& path);

/// Arguments of `train` for a small model on `text` that takes a second or two: 200 steps, checkpoints every 20.
std::vector<std::string> small_training(const std::filesystem::path& text, const std::filesystem::path& out);

/// About 20 kB of English-like text.
std::string small_text();

}  // namespace sesame::end_to_end
