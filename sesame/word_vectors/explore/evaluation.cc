#include "sesame/word_vectors/explore/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "sesame/base/error.h"
#include "sesame/io/byte_stream.h"
#include "sesame/word_vectors/explore/text_lines.h"

namespace sesame {
namespace {

namespace fs = std::filesystem;

struct SetFile {
  std::string name;
  fs::path path;
  bool named_by_user = false;  // and not found in a directory
};

std::vector<SetFile> files_below(const fs::path& directory) {
  std::vector<SetFile> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file())
      files.push_back({fs::relative(entry.path(), directory).generic_string(), entry.path()});
  }
  std::sort(files.begin(), files.end(), [](const SetFile& a, const SetFile& b) { return a.name < b.name; });
  return files;
}

std::vector<SetFile> find_files(std::span<const std::string> paths) {
  std::vector<SetFile> files;
  for (const std::string& text : paths) {
    const fs::path path(text);
    std::error_code error;
    if (fs::is_directory(path, error)) {
      const std::vector<SetFile> below = files_below(path);
      files.insert(files.end(), below.begin(), below.end());
    } else {
      files.push_back({path.filename().generic_string(), path, true});
    }
  }
  std::set<std::string> names;
  for (SetFile& file : files) {
    if (!names.insert(file.name).second) file.name = file.path.generic_string();
  }
  return files;
}

std::string read_set(const fs::path& path) {
  constexpr size_t kLargestSet = size_t{256} << 20;
  const std::unique_ptr<ByteReader> in = open_bytes(path.string());
  return read_all(*in, kLargestSet);
}

}  // namespace

EvaluationKind evaluation_kind(std::string_view text) {
  constexpr int kLines = 8;
  int lines = 0, pairs = 0, questions = 0;
  bool section = false;
  while (!text.empty() && lines < kLines && !section) {
    const size_t end = std::min(text.find('\n'), text.size());
    for_each_line(text.substr(0, end), [&](std::string_view line, int64_t) {
      if (line.empty() || line.front() == '#' || line.starts_with("//")) return;
      section = lines == 0 && line.front() == ':';
      ++lines;
      if (parse_scored_pair(line)) {
        ++pairs;
      } else if (split_fields(line, " \t").size() == 4) {
        ++questions;
      }
    });
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (section) return EvaluationKind::analogies;
  if (pairs > 0 && pairs >= lines - 1) return EvaluationKind::similarity;  // all but a header
  return lines > 0 && questions == lines ? EvaluationKind::analogies : EvaluationKind::neither;
}

Evaluation evaluate_word_vectors(const WordVectors& vectors, std::span<const std::string> paths,
                                 const EvaluationOptions& options, ThreadPool& threads) {
  Evaluation evaluation;
  std::optional<VectorSearch> search;
  for (const SetFile& file : find_files(paths)) {
    const std::string text = read_set(file.path);
    switch (evaluation_kind(text)) {
      case EvaluationKind::analogies: {
        const AnalogyQuestions questions = parse_analogy_questions(text, file.path.string());
        if (!search) search.emplace(vectors, threads, options.restrict_words);
        evaluation.analogies.push_back(
            {file.name, evaluate_analogies(vectors.vocabulary, *search, questions, options.analogy)});
        break;
      }
      case EvaluationKind::similarity: {
        const std::vector<ScoredPair> pairs = parse_scored_pairs(text, file.path.string());
        evaluation.similarity.push_back({file.name, evaluate_similarity(vectors, pairs, options.subwords)});
        break;
      }
      case EvaluationKind::neither:
        if (file.named_by_user) {
          fail(
              fmt::format("{}: neither analogies (\": section\" and lines of four words) nor pairs (lines of two "
                          "words and a score)",
                          file.path.string()));
        }
        evaluation.left_out.push_back(file.name);
    }
  }
  return evaluation;
}

}  // namespace sesame
