#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "sesame/base/error.h"
#include "sesame/base/thread_pool.h"
#include "sesame/cli/vectors.h"
#include "sesame/word_vectors/explore/word_query.h"
#include "sesame/word_vectors/files/vector_file.h"

namespace sesame {
namespace {

struct NeighborsArguments {
  std::string vectors;
  std::vector<std::string> queries;
  int64_t count = 10;
  int64_t restrict_words = 0;
  int threads = 0;
  bool json = false;
};

/// Answers queries one by one; a query that has no answer is told of, and the next one goes on.
class NeighborsVerb {
 public:
  explicit NeighborsVerb(const NeighborsArguments& a)
      : a_(a),
        threads_(a.threads),
        vectors_(read_word_vectors(a.vectors)),
        search_(vectors_, threads_, a.restrict_words) {}

  int run() {
    for (const std::string& query : a_.queries) answer(query, a_.queries.size() > 1);
    if (a_.queries.empty()) isatty(STDIN_FILENO) != 0 ? converse() : read_queries();
    return failed_ ? static_cast<int>(ExitStatus::failure) : 0;
  }

 private:
  void converse() {
    fmt::print(stderr, "{} words of {} numbers. A word, or a sum such as king - man + woman; an empty line ends.\n",
               vectors_.size(), vectors_.dim());
    for (std::string line; fmt::print(stderr, "> "), std::getline(std::cin, line);) {
      if (line.find_first_not_of(" \t\r") == std::string::npos) break;
      answer(line, false);
    }
    failed_ = false;  // the user has seen it, and could ask again
  }

  void read_queries() {
    for (std::string line; std::getline(std::cin, line);) {
      if (line.find_first_not_of(" \t\r") != std::string::npos) answer(line, true);
    }
  }

  void answer(const std::string& query, bool with_title) {
    try {
      const AnalogyTerms terms = resolve(vectors_, parse_word_query(query));
      const std::vector<Neighbor> found = solve_analogy(search_, terms, AnalogyRule::add, a_.count);
      a_.json ? print_json(query, found) : print_text(query, found, with_title);
    } catch (const Error& error) {
      failed_ = true;
      if (a_.json) {
        const nlohmann::ordered_json record = {{"query", query}, {"error", error.what()}};
        std::cout << record.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
      } else {
        fmt::print(stderr, "{}\n", error.what());
      }
    }
    std::cout.flush();
  }

  void print_text(const std::string& query, const std::vector<Neighbor>& found, bool with_title) const {
    if (with_title) std::cout << query << "\n";
    for (const Neighbor& n : found) {
      std::cout << fmt::format("{:7.4f}  {}\n", n.score, vectors_.vocabulary.word(n.id));
    }
  }

  void print_json(const std::string& query, const std::vector<Neighbor>& found) const {
    nlohmann::ordered_json neighbors = nlohmann::ordered_json::array();
    for (const Neighbor& n : found) {
      neighbors.push_back({{"word", std::string(vectors_.vocabulary.word(n.id))}, {"score", n.score}});
    }
    const nlohmann::ordered_json record = {{"query", query}, {"neighbors", neighbors}};
    std::cout << record.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  }

  const NeighborsArguments& a_;
  ThreadPool threads_;
  WordVectors vectors_;
  VectorSearch search_;
  bool failed_ = false;
};

}  // namespace

void add_vectors_neighbors(CLI::App& app, int& status) {
  auto a = std::make_shared<NeighborsArguments>();
  app.add_option("VECTORS", a->vectors, "word vectors of any format that sesame vectors convert reads")->required();
  app.add_option("WORD", a->queries,
                 "words, or sums of words in quotes; without any, each line of standard input is one, and on a "
                 "terminal there is a prompt");
  app.add_option("--count", a->count, "neighbours to show")->check(CLI::Range(int64_t{1}, int64_t{1} << 31));
  app.add_option("--restrict", a->restrict_words, "only among the first so many words; 0: all")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 31));
  app.add_option("--threads", a->threads, "processors to use; 0: all")->check(CLI::Range(0, 1024));
  app.add_flag("--json", a->json, "one JSON object a line for each query");
  app.footer(
      "Example:\n  sesame vectors neighbors vectors.bin king \"king - man + woman\" --count 5\n"
      "  sesame vectors neighbors vectors.bin < queries.txt --json");
  app.callback([a, &status] { status = NeighborsVerb(*a).run(); });
}

}  // namespace sesame
