#include "sesame/data/token_cache.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <system_error>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/hash.h"

namespace sesame {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifestName = "manifest.json";
constexpr int kManifestVersion = 1;

std::string draft_prefix(const fs::path& entry) {
  std::array<char, 256> host = {};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return fmt::format("{}.tmp.{}.", entry.filename().string(), host.data());
}

bool is_alive(pid_t process) { return ::kill(process, 0) == 0 || errno == EPERM; }

void remove_drafts_of_the_dead(const fs::path& entry) {
  const std::string prefix = draft_prefix(entry);
  std::error_code ignored;
  for (const fs::directory_entry& found : fs::directory_iterator(entry.parent_path(), ignored)) {
    const std::string name = found.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    pid_t process = 0;
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + prefix.size(), end, process);
    if (parsed.ec == std::errc() && parsed.ptr == end && process > 0 && !is_alive(process)) {
      fs::remove_all(found.path(), ignored);
    }
  }
}

}  // namespace

fs::path cache_entry_path(const std::vector<CorpusFile>& files, const PrepareOptions& options) {
  std::string identity = "sesame token shards 1";
  const auto add = [&](const auto& value) { identity += fmt::format("\n{}", value); };
  for (const CorpusFile& file : files) {
    add(file.regular ? fs::absolute(file.path).string() : file.path);
    add(file.bytes);
    add(file.modified_nanoseconds);
  }
  add(static_cast<int>(options.corpus.format));
  add(static_cast<int>(options.corpus.boundary));
  add(options.corpus.text_field);
  add(options.corpus.piece_bytes);
  add(options.vocabulary_size);
  add(options.tokenizer_fingerprint);
  add(options.end_of_document.value_or(-1));
  add(options.tokens_per_shard);
  return options.cache_directory / fmt::format("{:016x}", xxh3(identity));
}

fs::path shard_path(const fs::path& entry, size_t index) { return entry / fmt::format("tokens-{:05}.shard", index); }

std::optional<PreparedCorpus> load_cache_entry(const fs::path& entry) {
  std::error_code ignored;
  if (!fs::exists(entry / kManifestName, ignored)) return std::nullopt;
  try {
    const nlohmann::json manifest = nlohmann::json::parse(read_file(entry / kManifestName));
    if (manifest.at("version").get<int>() != kManifestVersion) return std::nullopt;
    PreparedCorpus corpus;
    for (const nlohmann::json& name : manifest.at("shards")) corpus.shards.push_back(entry / name.get<std::string>());
    corpus.tokens = TokenStream::from_shards(corpus.shards);
    corpus.documents = manifest.at("documents").get<uint64_t>();
    corpus.text_bytes = manifest.at("text_bytes").get<uint64_t>();
    corpus.bad_lines = manifest.at("bad_lines").get<uint64_t>();
    corpus.first_bad_lines = manifest.at("first_bad_lines").get<std::vector<std::string>>();
    corpus.reused = true;
    if (corpus.tokens.size() != manifest.at("tokens").get<uint64_t>()) return std::nullopt;
    return corpus;
  } catch (const Error&) {
    return std::nullopt;  // a damaged entry is as good as none: it is made anew
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

CacheEntryDraft::CacheEntryDraft(const fs::path& entry) : entry_(entry) {
  make_directories(entry.parent_path());
  remove_drafts_of_the_dead(entry);
  directory_ = entry.parent_path() / fmt::format("{}{}", draft_prefix(entry), ::getpid());
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
  make_directories(directory_);
}

CacheEntryDraft::~CacheEntryDraft() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void CacheEntryDraft::install(const PreparedCorpus& corpus, bool keep_existing) {
  nlohmann::ordered_json manifest;
  manifest["version"] = kManifestVersion;
  manifest["shards"] = nlohmann::ordered_json::array();
  for (const fs::path& shard : corpus.shards) manifest["shards"].push_back(shard.filename().string());
  manifest["tokens"] = corpus.tokens.size();
  manifest["documents"] = corpus.documents;
  manifest["text_bytes"] = corpus.text_bytes;
  manifest["bad_lines"] = corpus.bad_lines;
  manifest["first_bad_lines"] = corpus.first_bad_lines;
  write_file_atomically(directory_ / kManifestName,
                        manifest.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  if (keep_existing && load_cache_entry(entry_)) return;
  std::error_code error;
  fs::remove_all(entry_, error);
  fs::rename(directory_, entry_, error);
  if (error && !(keep_existing && load_cache_entry(entry_))) {
    fail(fmt::format("cannot rename {} to {}: {}", directory_.string(), entry_.string(), error.message()));
  }
}

}  // namespace sesame
