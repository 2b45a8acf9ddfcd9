#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/tokenizer.h"
#include "sesame/tokenizer.h"

struct sesame_tokenizer {
  sesame::Tokenizer tokenizer;
};

namespace {

using sesame::EncodeOptions;
using sesame::SpecialText;

std::string& last_error() {
  thread_local std::string error;
  return error;
}

/// Runs what may throw; nothing gets across to C.
template <typename F>
int guarded(F&& f) noexcept {
  try {
    last_error().clear();
    f();
    return 0;
  } catch (const std::bad_alloc&) {
    last_error() = "out of memory";
  } catch (const std::exception& error) {
    last_error() = error.what();
  } catch (...) {
    last_error() = "unknown error";
  }
  return 1;
}

void require(bool holds, const char* what) {
  if (!holds) sesame::fail(what);
}

EncodeOptions options(unsigned flags) {
  constexpr unsigned known = SESAME_PARSE_SPECIAL | SESAME_REFUSE_SPECIAL | SESAME_ADD_SPECIAL | SESAME_KEEP_SPECIAL;
  require((flags & ~known) == 0, "unknown flags: those of sesame/tokenizer.h are allowed");
  EncodeOptions options;
  options.parse_special = (flags & SESAME_PARSE_SPECIAL) != 0;
  options.special = (flags & SESAME_REFUSE_SPECIAL) != 0 ? SpecialText::refuse : SpecialText::text;
  options.add_special = (flags & SESAME_ADD_SPECIAL) != 0;
  return options;
}

std::string_view view(const char* text, size_t bytes) {
  require(text != nullptr || bytes == 0, "the text is NULL");
  return {text, bytes};
}

/// Memory that free takes back, also for nothing.
template <typename T>
T* allocate(size_t count) {
  void* const memory = std::malloc(std::max<size_t>(count, 1) * sizeof(T));
  if (memory == nullptr) throw std::bad_alloc();
  return static_cast<T*>(memory);
}

int32_t* copy(std::span<const int32_t> ids) {
  auto* const out = allocate<int32_t>(ids.size());
  if (!ids.empty()) std::memcpy(out, ids.data(), ids.size_bytes());
  return out;
}

}  // namespace

const char* sesame_last_error(void) { return last_error().c_str(); }

sesame_tokenizer* sesame_tokenizer_load(const char* path) {
  sesame_tokenizer* loaded = nullptr;
  guarded([&] {
    require(path != nullptr, "the path is NULL");
    loaded = new sesame_tokenizer{sesame::Tokenizer::load(path)};
  });
  return loaded;
}

void sesame_tokenizer_free(sesame_tokenizer* tokenizer) { delete tokenizer; }

int sesame_tokenizer_encode(const sesame_tokenizer* tokenizer, const char* text, size_t bytes, unsigned flags,
                            int32_t** ids, size_t* count) {
  return guarded([&] {
    require(tokenizer != nullptr && ids != nullptr && count != nullptr, "an argument is NULL");
    const std::vector<int32_t> encoded = tokenizer->tokenizer.encode(view(text, bytes), options(flags));
    *ids = copy(encoded);
    *count = encoded.size();
  });
}

int sesame_tokenizer_encode_into(const sesame_tokenizer* tokenizer, const char* text, size_t bytes, unsigned flags,
                                 int32_t* ids, size_t capacity, size_t* count) {
  return guarded([&] {
    require(tokenizer != nullptr && count != nullptr && (ids != nullptr || capacity == 0), "an argument is NULL");
    const std::vector<int32_t> encoded = tokenizer->tokenizer.encode(view(text, bytes), options(flags));
    std::copy_n(encoded.begin(), std::min(capacity, encoded.size()), ids);
    *count = encoded.size();
  });
}

int sesame_tokenizer_encode_offsets(const sesame_tokenizer* tokenizer, const char* text, size_t bytes, unsigned flags,
                                    int32_t** ids, uint64_t** begins, uint64_t** ends, size_t* count) {
  return guarded([&] {
    require(tokenizer != nullptr && ids != nullptr && begins != nullptr && ends != nullptr && count != nullptr,
            "an argument is NULL");
    const sesame::Encoding encoded = tokenizer->tokenizer.encode_full(view(text, bytes), {}, options(flags));
    const size_t n = encoded.ids.size();
    // The ids first, since theirs is the address to free; behind them, at a multiple of 8, the two lists of places.
    const size_t places = (n + 1) / 2;
    auto* const memory = allocate<uint64_t>(places + 2 * n);
    std::memcpy(memory, encoded.ids.data(), n * sizeof(int32_t));
    *ids = reinterpret_cast<int32_t*>(memory);
    *begins = memory + places;
    *ends = *begins + n;
    for (size_t i = 0; i < n; ++i) {
      (*begins)[i] = encoded.offsets[i].begin;
      (*ends)[i] = encoded.offsets[i].end;
    }
    *count = n;
  });
}

int sesame_tokenizer_count(const sesame_tokenizer* tokenizer, const char* text, size_t bytes, unsigned flags,
                           size_t* count) {
  return guarded([&] {
    require(tokenizer != nullptr && count != nullptr, "an argument is NULL");
    *count = tokenizer->tokenizer.count(view(text, bytes), options(flags));
  });
}

int sesame_tokenizer_encode_batch(const sesame_tokenizer* tokenizer, const char* const* texts, const size_t* bytes,
                                  size_t texts_count, unsigned flags, int threads, int32_t** ids, uint64_t* ends) {
  return guarded([&] {
    require(tokenizer != nullptr && ids != nullptr, "an argument is NULL");
    require(texts_count == 0 || (texts != nullptr && bytes != nullptr && ends != nullptr), "an argument is NULL");
    require(threads >= 0 && threads <= 1024, "the number of threads is not from 0 to 1024");
    std::vector<std::string_view> views(texts_count);
    for (size_t i = 0; i < texts_count; ++i) views[i] = view(texts[i], bytes[i]);
    sesame::ThreadPool pool(threads);
    const sesame::Tokenizer::Batch batch = tokenizer->tokenizer.encode_batch(views, options(flags), pool);
    *ids = copy(batch.ids.ids());
    std::copy(batch.ends.begin(), batch.ends.end(), ends);
  });
}

int sesame_tokenizer_decode(const sesame_tokenizer* tokenizer, const int32_t* ids, size_t count, unsigned flags,
                            char** text, size_t* bytes) {
  return guarded([&] {
    require(tokenizer != nullptr && text != nullptr && bytes != nullptr && (ids != nullptr || count == 0),
            "an argument is NULL");
    const bool skip_special = (flags & SESAME_KEEP_SPECIAL) == 0;
    const std::string decoded = tokenizer->tokenizer.decode({ids, count}, skip_special);
    *text = allocate<char>(decoded.size() + 1);
    std::memcpy(*text, decoded.c_str(), decoded.size() + 1);
    *bytes = decoded.size();
  });
}

int32_t sesame_tokenizer_vocabulary_size(const sesame_tokenizer* tokenizer) {
  return tokenizer == nullptr ? 0 : tokenizer->tokenizer.vocabulary_size();
}

int32_t sesame_tokenizer_id(const sesame_tokenizer* tokenizer, const char* token, size_t bytes) {
  int32_t id = -1;
  guarded([&] {
    require(tokenizer != nullptr, "the tokenizer is NULL");
    id = tokenizer->tokenizer.id_of(view(token, bytes)).value_or(-1);
  });
  return id;
}

void sesame_free(void* memory) { std::free(memory); }
