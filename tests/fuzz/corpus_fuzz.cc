#include "sesame/corpus/document_reader.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

/// The first byte chooses the options: bit 0 jsonl, bit 1 small pieces, the rest the boundary.
void parse(std::string_view input) {
  const auto choice = static_cast<uint8_t>(input.empty() ? 0 : input.front());
  input = input.substr(std::min<size_t>(1, input.size()));
  CorpusOptions options;
  options.format = choice & 1 ? CorpusFormat::jsonl : CorpusFormat::text;
  options.piece_bytes = choice & 2 ? 7 : 4096;
  options.boundary = static_cast<DocumentBoundary>((choice >> 2) % 3);
  DocumentReader reader(std::vector<std::string>{scratch_file("corpus", input).string()}, options);
  std::string text;
  while (const auto piece = reader.next()) {
    require(piece->text.size() <= options.piece_bytes, "pieces have the size that was asked for");
    text += piece->text;
  }
  require(text.size() == reader.counts().bytes, "the bytes handed out are counted");
  const bool plain = options.format == CorpusFormat::text && options.boundary == DocumentBoundary::file;
  // Neither compressed nor with a byte order mark.
  if (plain && input.find_first_of("\x1f\x28\x50\x2a\xef") != 0)
    require(text == input, "text is handed out as it lies");
}

std::vector<std::string> seeds() {
  const std::string jsonl =
      "{\"text\":\"first \\u00e9\\ud83d\\ude00 document, longer than seven bytes\",\"id\":1}\n"
      "{\"meta\":{\"a\":[1,2.5,null]},\"text\":\"second\"}\r\n\nnot json\n{\"text\":3}\n{\"text\":\"\"}";
  const std::string text = "\xef\xbb\xbfOne line\n\nAnother, w\xc3\xb6rds\r\n\r\nend";
  return {"\x01" + jsonl, "\x03" + jsonl, std::string(1, '\0') + text.substr(3),
          "\x02" + text,  "\x06" + text,  "\x0a" + text};
}

const Target target("corpus", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
