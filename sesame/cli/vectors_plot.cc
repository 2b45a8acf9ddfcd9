#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/interrupt.h"
#include "sesame/base/progress.h"
#include "sesame/base/thread_pool.h"
#include "sesame/cli/vectors.h"
#include "sesame/io/byte_stream.h"
#include "sesame/io/json_lines.h"
#include "sesame/word_vectors/explore/pca.h"
#include "sesame/word_vectors/explore/scatter_svg.h"
#include "sesame/word_vectors/explore/search.h"
#include "sesame/word_vectors/explore/tsne.h"
#include "sesame/word_vectors/explore/word_groups.h"
#include "sesame/word_vectors/files/vector_file.h"

namespace sesame {
namespace {

struct PlotArguments {
  std::string vectors;
  std::string words;
  int64_t top = 300;
  std::string method = "pca";
  std::string out;
  std::string title;
  TsneOptions tsne;
  int threads = 0;
  bool json = false;
};

/// The words to be drawn, those that have vectors, and their unit vectors.
struct Chosen {
  WordGroups groups;
  RowTable units;
};

WordGroups wanted_words(const PlotArguments& a, const WordVectors& vectors) {
  if (!a.words.empty()) {
    const std::unique_ptr<ByteReader> in = open_bytes(a.words);
    return parse_word_groups(read_all(*in, size_t{64} << 20), in->name());
  }
  WordGroups groups;
  for (int32_t id = 0; id < vectors.size() && static_cast<int64_t>(groups.words.size()) < a.top; ++id) {
    if (vectors.vocabulary.word(id) != "</s>") groups.words.push_back({std::string(vectors.vocabulary.word(id)), -1});
  }
  return groups;
}

Chosen choose(const PlotArguments& a, const WordVectors& vectors) {
  Chosen chosen{wanted_words(a, vectors), {}};
  std::vector<std::vector<float>> units;
  std::vector<GroupedWord> known;
  for (GroupedWord& word : chosen.groups.words) {
    const std::optional<std::vector<float>> vector = vectors.vector_of(word.word);
    if (!vector || std::ranges::all_of(*vector, [](float x) { return x == 0; })) continue;
    units.push_back(unit_vector(*vector));
    known.push_back(std::move(word));
  }
  if (known.size() < chosen.groups.words.size()) {
    fmt::print(stderr, "{} of {} words have no vector, and are left out\n", chosen.groups.words.size() - known.size(),
               chosen.groups.words.size());
  }
  if (known.size() < 3) fail(fmt::format("plot: three words at least are needed, not {}", known.size()));
  chosen.groups.words = std::move(known);
  chosen.units = RowTable(static_cast<int64_t>(units.size()), vectors.dim());
  for (size_t i = 0; i < units.size(); ++i) std::ranges::copy(units[i], chosen.units.row(static_cast<int64_t>(i)));
  return chosen;
}

std::vector<ScatterPoint> labelled(const WordGroups& groups) {
  std::vector<ScatterPoint> points;
  for (const GroupedWord& word : groups.words) points.push_back({0, 0, word.word, word.group});
  return points;
}

void draw_pca(const RowSpan& rows, ThreadPool& threads, std::vector<ScatterPoint>& points, ScatterOptions& options) {
  const PrincipalComponents pca = principal_components(rows, std::min<int64_t>(2, rows.dim), threads);
  const auto axis = [&](int64_t i) {
    const double share = pca.total_variance > 0 ? pca.variance[static_cast<size_t>(i)] / pca.total_variance : 0;
    return fmt::format("principal component {} ({:.1f} % of the variance)", i + 1, 100 * share);
  };
  for (size_t i = 0; i < points.size(); ++i) {
    points[i].x = pca.points[i * static_cast<size_t>(pca.components)];
    points[i].y = pca.components > 1 ? pca.points[2 * i + 1] : 0;
  }
  options.x_axis = axis(0);
  if (pca.components > 1) options.y_axis = axis(1);
  options.equal_scales = false;
}

void draw_tsne(const PlotArguments& a, const RowSpan& rows, ThreadPool& threads, std::vector<ScatterPoint>& points,
               ScatterOptions& options) {
  const InterruptGuard guard;
  Progress bar("t-SNE", static_cast<uint64_t>(a.tsne.iterations));
  TsneOptions tsne_options = a.tsne;
  // The usual value, or less where so many neighbours are not there.
  const double most = std::floor(static_cast<double>(rows.rows - 1) / 3);
  if (tsne_options.perplexity == 0) tsne_options.perplexity = std::min(30.0, most);
  const TsneResult map = tsne(rows, tsne_options, threads, [&](int64_t iteration) {
    bar.update(static_cast<uint64_t>(iteration), "iterations");
    return !InterruptGuard::interrupted();
  });
  bar.finish(Progress::End::clear);
  for (size_t i = 0; i < points.size(); ++i) {
    points[i].x = static_cast<double>(map.points[2 * i]);
    points[i].y = static_cast<double>(map.points[2 * i + 1]);
  }
  options.subtitle += fmt::format(", t-SNE with perplexity {:g}", tsne_options.perplexity);
}

void run_plot(const PlotArguments& a) {
  ThreadPool threads(a.threads);
  const WordVectors vectors = read_word_vectors(a.vectors);
  const Chosen chosen = choose(a, vectors);
  const RowSpan rows{chosen.units.row(0), chosen.units.rows, chosen.units.dim, chosen.units.stride};
  std::vector<ScatterPoint> points = labelled(chosen.groups);
  ScatterOptions options;
  options.title = a.title.empty() ? std::filesystem::path(a.vectors).filename().string() : a.title;
  options.subtitle = fmt::format("{} of {} words, {} dimensions", points.size(), vectors.size(), vectors.dim());
  options.groups = chosen.groups.names;
  if (a.method == "pca") {
    draw_pca(rows, threads, points, options);
  } else {
    draw_tsne(a, rows, threads, points, options);
  }
  write_file_atomically(a.out, scatter_svg(points, options));
  if (a.json) {
    JsonRecord record;
    record.add("out", a.out).add("method", a.method).add("words", static_cast<int64_t>(points.size()));
    fmt::print("{}\n", record.line());
  } else {
    fmt::print(stderr, "{}: {} words\n", a.out, points.size());
  }
}

}  // namespace

void add_vectors_plot(CLI::App& app, int&) {
  auto a = std::make_shared<PlotArguments>();
  app.add_option("VECTORS", a->vectors, "word vectors of any format that sesame vectors convert reads")->required();
  app.add_option("--out", a->out, "the SVG file to write")->required();
  CLI::Option* words =
      app.add_option("--words", a->words,
                     "words to draw, between white space; a line \": name\" begins a group; - for standard input");
  app.add_option("--top", a->top, "without --words: the first so many words")
      ->check(CLI::Range(3, 20000))
      ->excludes(words);
  app.add_option("--method", a->method, "pca (principal components) or tsne")->check(CLI::IsMember({"pca", "tsne"}));
  a->tsne.perplexity = 0;
  app.add_option("--perplexity", a->tsne.perplexity, "of t-SNE: about how many neighbours a word has; 0: 30, or less");
  app.add_option("--iterations", a->tsne.iterations, "of t-SNE")->check(CLI::Range(1, 1000000));
  app.add_option("--seed", a->tsne.seed, "of t-SNE: another seed, another map");
  app.add_option("--title", a->title, "above the drawing; default: the name of the file");
  app.add_option("--threads", a->threads, "processors to use; 0: all")->check(CLI::Range(0, 1024));
  app.add_flag("--json", a->json, "one JSON object");
  app.footer(
      "Example:\n  sesame vectors plot vectors.bin --words countries.txt --out countries.svg\n"
      "  sesame vectors plot vectors.bin --top 500 --method tsne --seed 2 --out map.svg");
  app.callback([a] { run_plot(*a); });
}

}  // namespace sesame
