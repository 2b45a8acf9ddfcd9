#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "sesame/base/thread_pool.h"
#include "sesame/cli/vectors.h"
#include "sesame/word_vectors/explore/word_query.h"
#include "sesame/word_vectors/files/vector_file.h"

namespace sesame {
namespace {

struct AnalogyArguments {
  std::string vectors;
  std::string a, b, c;
  int64_t count = 10;
  int64_t restrict_words = 0;
  int threads = 0;
  bool multiply = false;
  bool json = false;
};

void run_analogy(const AnalogyArguments& a) {
  ThreadPool threads(a.threads);
  const WordVectors vectors = read_word_vectors(a.vectors);
  const AnalogyTerms terms = resolve(vectors, {{a.b, a.c}, {a.a}});
  const AnalogyRule rule = a.multiply ? AnalogyRule::multiply : AnalogyRule::add;
  const std::vector<Neighbor> found =
      solve_analogy(VectorSearch(vectors, threads, a.restrict_words), terms, rule, a.count);
  if (!a.json) {
    for (const Neighbor& n : found) std::cout << fmt::format("{:7.4f}  {}\n", n.score, vectors.vocabulary.word(n.id));
    return;
  }
  nlohmann::ordered_json answers = nlohmann::ordered_json::array();
  for (const Neighbor& n : found) {
    answers.push_back({{"word", std::string(vectors.vocabulary.word(n.id))}, {"score", n.score}});
  }
  const nlohmann::ordered_json record = {
      {"a", a.a}, {"b", a.b}, {"c", a.c}, {"rule", std::string(name_of(rule))}, {"answers", answers}};
  std::cout << record.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

}  // namespace

void add_vectors_analogy(CLI::App& app, int&) {
  auto a = std::make_shared<AnalogyArguments>();
  app.add_option("VECTORS", a->vectors, "word vectors of any format that sesame vectors convert reads")->required();
  app.add_option("A", a->a, "A is to B")->required();
  app.add_option("B", a->b, "as C is to the answer")->required();
  app.add_option("C", a->c, "what the answer belongs to")->required();
  app.add_option("--count", a->count, "answers to show")->check(CLI::Range(int64_t{1}, int64_t{1} << 31));
  app.add_flag("--mul", a->multiply, "score by multiplication (3CosMul) instead of addition (3CosAdd)");
  app.add_option("--restrict", a->restrict_words, "only among the first so many words; 0: all")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 31));
  app.add_option("--threads", a->threads, "processors to use; 0: all")->check(CLI::Range(0, 1024));
  app.add_flag("--json", a->json, "one JSON object");
  app.footer("Example:\n  sesame vectors analogy vectors.bin man king woman --mul --count 3");
  app.callback([a] { run_analogy(*a); });
}

}  // namespace sesame
