#include "tests/end_to_end/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace sesame::end_to_end {
namespace {

std::string unique_name(const char* kind) {
  static int count = 0;
  return std::string(kind) + std::to_string(++count);
}

[[noreturn]] void become_program(const std::vector<std::string>& arguments, const char* in, const char* out,
                                 const char* err, uint64_t file_size_limit) {
  dup2(open(in, O_RDONLY), 0);
  dup2(open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
  dup2(open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
  if (file_size_limit > 0) {
    std::signal(SIGXFSZ, SIG_IGN);  // writing then fails with EFBIG
    const rlimit limit{file_size_limit, file_size_limit};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  std::vector<char*> argv{const_cast<char*>(SESAME_PROGRAM)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(SESAME_PROGRAM, argv.data());
  _exit(127);
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const std::filesystem::path& scratch,
                 const std::string& input, uint64_t file_size_limit)
    : out_(scratch / unique_name("out")), err_(scratch / unique_name("err")) {
  const std::filesystem::path in = scratch / unique_name("in");
  write(in, input);
  pid_ = fork();
  if (pid_ == 0) become_program(arguments, in.c_str(), out_.c_str(), err_.c_str(), file_size_limit);
}

void Process::signal(int number) const { kill(pid_, number); }

bool Process::running() {
  if (!ended_ && waitpid(pid_, &raw_status_, WNOHANG) == pid_) ended_ = true;
  return !ended_;
}

Outcome Process::wait() {
  if (!ended_) waitpid(pid_, &raw_status_, 0);
  ended_ = true;
  return {WIFEXITED(raw_status_) ? WEXITSTATUS(raw_status_) : -WTERMSIG(raw_status_), read(out_), read(err_)};
}

Outcome run(const std::vector<std::string>& arguments, const std::filesystem::path& scratch, const std::string& input,
            uint64_t file_size_limit) {
  return Process(arguments, scratch, input, file_size_limit).wait();
}

Scratch::Scratch() {
  std::string name = (std::filesystem::temp_directory_path() / "sesame_end_to_end_XXXXXX").string();
  path_ = mkdtemp(name.data());
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string small_text() {
  const char* words[] = {"the", "cat", "dog", "sat", "ran", "on", "under", "a", "mat", "tree", "and", "then", "slept"};
  std::string text;
  unsigned state = 1;
  for (int i = 0; i < 4000; ++i) {
    state = state * 1664525u + 1013904223u;
    text += words[(state >> 16) % 13];
    text += i % 9 == 8 ? ".\n" : " ";
  }
  return text;
}

std::vector<std::string> small_training(const std::filesystem::path& text, const std::filesystem::path& out) {
  std::vector<std::string> arguments{"train", "recipes/shakespeare-char.toml", "--out", out.string()};
  for (const std::string& setting :
       {"data.train=" + text.string(), std::string("tokenizer.type=byte-bpe"), std::string("tokenizer.vocab_size=300"),
        std::string("model.vocab_size=0"), std::string("model.n_layer=2"), std::string("model.n_head=2"),
        std::string("model.n_embd=32"), std::string("model.dropout=0.1"), std::string("train.context=32"),
        std::string("train.batch_size=8"), std::string("train.steps=200"), std::string("train.eval_every=50"),
        std::string("train.eval_batches=4"), std::string("train.checkpoint_every=20"),
        std::string("optim.warmup_steps=10")}) {
    arguments.push_back("--set");
    arguments.push_back(setting);
  }
  return arguments;
}

namespace {

TEST(Program, VersionAndHelp) {
  const Scratch scratch;
  EXPECT_EQ(run({"--version"}, scratch.path()).out.substr(0, 7), "sesame ");
  for (const char* verb : {"train", "generate", "eval", "plan", "tokenizer", "bench", "convert"}) {
    const Outcome help = run({verb, "--help"}, scratch.path());
    EXPECT_EQ(help.status, 0) << verb;
    EXPECT_NE(help.out.find("Example:\n  sesame " + std::string(verb)), std::string::npos) << help.out;
  }
}

}  // namespace
}  // namespace sesame::end_to_end
