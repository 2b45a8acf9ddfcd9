#include <cstring>

#include "sesame/base/hash.h"
#include "sesame/data/token_shard.h"
#include "sesame/data/token_shard_format.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

void use(std::string_view bytes) {
  const TokenShard shard(scratch_file("tokens.shard", bytes));
  for (uint64_t i = 0; i < shard.info().documents; ++i) {
    require(shard.document_end(i) <= shard.size(), "documents end inside the shard");
  }
  allow_error([&] { shard.verify(); });
  std::vector<int32_t> ids(shard.size());
  shard.copy(0, ids);
  for (const int32_t id : ids) require(id >= 0, "token ids are not negative");
}

/// The same bytes with checksums that hold, as an ill-meaning writer would make them.
std::string with_checksums(std::string bytes) {
  TokenShardHeader header;
  TokenShardFooter footer;
  if (bytes.size() < sizeof header + sizeof footer) return bytes;
  char* end = bytes.data() + bytes.size() - sizeof footer;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::memcpy(&footer, end, sizeof footer);
  const size_t body = bytes.size() - sizeof footer;
  const uint64_t index = footer.document_index_offset;
  const uint64_t blocks = footer.block_checksums_offset;
  if (index <= blocks && blocks <= body) {
    const auto all = std::as_bytes(std::span(bytes));
    footer.index_checksum = xxh3(all.subspan(blocks, body - blocks), xxh3(all.subspan(index, blocks - index)));
  }
  footer.ends_checksum = ends_checksum(header, footer);
  std::memcpy(end, &footer, sizeof footer);
  return bytes;
}

void parse(std::string_view input) {
  allow_error([&] { use(input); });
  use(with_checksums(std::string(input)));
}

std::string shard(uint64_t vocabulary_size) {
  const std::filesystem::path path = scratch_directory() / "seed.shard";
  TokenShardWriter writer(path, vocabulary_size, 7);
  writer.append(std::vector<int32_t>{1, 2, 3});
  writer.end_document();
  writer.append(std::vector<int32_t>{4, 5});
  writer.end_document();
  writer.commit();
  return file_bytes(path);
}

std::vector<std::string> seeds() { return {shard(100), shard(100'000)}; }

const Target target("token_shard", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
