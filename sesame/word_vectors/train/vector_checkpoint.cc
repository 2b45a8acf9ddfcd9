#include "sesame/word_vectors/train/vector_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string>

#include "sesame/base/error.h"
#include "sesame/base/hash.h"
#include "sesame/io/safetensors.h"

namespace sesame {
namespace {

constexpr const char* kFormat = "sesame-vectors-checkpoint-1";

std::string fingerprint(const Vocabulary& vocabulary) {
  uint64_t hash = 0;
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    const uint64_t count = vocabulary.count(id);
    hash = xxh3(std::as_bytes(std::span(&count, 1)), hash);
    hash = xxh3(vocabulary.word(id), hash);
  }
  return fmt::format("{:016x}", hash);
}

TensorView view(const char* name, const RowTable& table) {
  const auto elements = static_cast<size_t>(table.rows * table.stride);
  return view_of<float>(name, {table.rows, table.stride}, table.memory.as<const float>().first(elements));
}

class Metadata {
 public:
  explicit Metadata(const SafetensorsFile& file) : file_(file) {}

  const std::string& text(const std::string& key) const {
    const auto found = file_.metadata().find(key);
    if (found == file_.metadata().end())
      fail(fmt::format("{}: no \"{}\" in its metadata; is it a checkpoint of sesame vectors train?",
                       file_.path().string(), key));
    return found->second;
  }

  template <typename T>
  T number(const std::string& key) const {
    const std::string& digits = text(key);
    T value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0)
      fail(fmt::format("{}: \"{}\" is \"{}\", not a whole number", file_.path().string(), key, digits));
    return value;
  }

  void expect(const std::string& key, const std::string& expected, std::string_view advice) const {
    if (text(key) != expected)
      fail(fmt::format("{}: its {} is\n  {}\nand this run's is\n  {}\n{}", file_.path().string(), key, text(key),
                       expected, advice));
  }

 private:
  const SafetensorsFile& file_;
};

void read_table(const SafetensorsFile& file, const char* name, RowTable& table) {
  const TensorView& tensor = file.at(name);
  if (tensor.shape != std::vector<int64_t>{table.rows, table.stride})
    fail(fmt::format("{}: {} has shape [{}], expected [{}, {}]", file.path().string(), name,
                     fmt::join(tensor.shape, ", "), table.rows, table.stride));
  copy_elements(tensor, table.memory.as<float>().first(static_cast<size_t>(tensor.elements())));
}

}  // namespace

void write_vector_checkpoint(const std::filesystem::path& path, const VectorOptions& options,
                             const Vocabulary& vocabulary, const VectorTables& tables, VectorPosition position) {
  const std::array<TensorView, 2> tensors{view("input", tables.input), view("output", tables.output)};
  const std::map<std::string, std::string> metadata{
      {"format", kFormat},
      {"options", describe(options)},
      {"vocabulary", fingerprint(vocabulary)},
      {"epoch", std::to_string(position.epoch)},
      {"chunk", std::to_string(position.chunk)},
      {"words", std::to_string(position.words)},
  };
  write_safetensors(path, tensors, metadata);
}

VectorPosition read_vector_checkpoint(const std::filesystem::path& path, const VectorOptions& options,
                                      const Vocabulary& vocabulary, VectorTables& tables) {
  const SafetensorsFile file(path);
  const Metadata metadata(file);
  metadata.expect("format", kFormat, "it was written by another version; begin anew without --resume");
  metadata.expect("options", describe(options), "repeat the command with the same options, or begin anew");
  metadata.expect("vocabulary", fingerprint(vocabulary), "the corpus has changed; begin anew without --resume");
  VectorPosition position;
  position.epoch = metadata.number<int64_t>("epoch");
  position.chunk = metadata.number<int64_t>("chunk");
  position.words = metadata.number<uint64_t>("words");
  if (position.epoch >= options.epochs) fail(fmt::format("{}: the run has ended", path.string()));
  read_table(file, "input", tables.input);
  read_table(file, "output", tables.output);
  return position;
}

}  // namespace sesame
