#include <algorithm>
#include <cstring>
#include <utility>

#include "sesame/base/thread_pool.h"
#include "sesame/text/encode/thread_states.h"
#include "sesame/text/tokenizer.h"
#include "sesame/text/tokenizer_pipeline.h"

namespace sesame {
namespace {

/// Texts up to this long are encoded by one thread; longer ones are cut at places that their encoder allows.
constexpr size_t kPartBytes = size_t{64} << 10;

/// What one thread does at a time: parts of about this much text.
constexpr size_t kShareBytes = size_t{64} << 10;

/// So many shares a thread are encoded before their ids are brought together.
constexpr size_t kSharesOfWave = 64;

/// A piece of the work whose ids do not depend on the others.
struct Part {
  enum class Kind : uint8_t { text, stretch, ids };
  Kind kind;
  StretchStart start;
  std::string_view text;
  std::span<const int32_t> ids;  // that need no work
  int thread = 0;
  uint64_t begin = 0;  // of its ids in the thread's buffer
  uint64_t count = 0;
};

/// The parts of texts, in order.
class Parts {
 public:
  Parts(const Tokenizer::Pipeline& pipeline, const EncodeOptions& options)
      : pipeline_(pipeline), options_(options), sought_(pipeline.seek(options)) {}

  void add(std::string_view text) {
    // In normalized text stretches last for the visit only.
    if (text.size() <= kPartBytes || pipeline_.normalizer) {
      parts_.push_back({Part::Kind::text, StretchStart::text, text, {}});
      return;
    }
    pipeline_.refuse_special(text, options_);
    if (options_.add_special) add_ids(pipeline_.around.before());
    add_stretches(text, false);
    if (options_.add_special) add_ids(pipeline_.around.after());
  }

  /// Only where no added tokens are found in normalized text: its stretches do not last.
  void add_stretches(std::string_view text, bool continues) {
    pipeline_.for_each_stretch(text, *sought_,
                               [&](std::string_view stretch, const AddedToken* token, StretchStart start) {
                                 if (token != nullptr) return add_ids({&token->id, 1});
                                 const bool goes_on = continues && start == StretchStart::text;
                                 add_stretch(stretch, goes_on ? StretchStart::none : start);
                               });
  }

  [[nodiscard]] size_t size() const noexcept { return parts_.size(); }
  [[nodiscard]] std::vector<Part> take() { return std::move(parts_); }

 private:
  void add_ids(std::span<const int32_t> ids) {
    parts_.push_back({Part::Kind::ids, StretchStart::none, {}, ids});
    parts_.back().count = ids.size();
  }

  void add_stretch(std::string_view stretch, StretchStart start) {
    while (stretch.size() > kPartBytes) {
      const size_t cut = pipeline_.encoder->next_cut(stretch, kPartBytes);
      if (cut >= stretch.size()) break;
      parts_.push_back({Part::Kind::stretch, start, stretch.substr(0, cut), {}});
      stretch.remove_prefix(cut);
      start = StretchStart::none;
    }
    parts_.push_back({Part::Kind::stretch, start, stretch, {}});
  }

  const Tokenizer::Pipeline& pipeline_;
  const EncodeOptions& options_;
  std::shared_ptr<const Tokenizer::Pipeline::Sought> sought_;
  std::vector<Part> parts_;
};

/// Where shares of about kShareBytes begin, and the end.
std::vector<size_t> share(std::span<const Part> parts) {
  std::vector<size_t> begins;
  size_t bytes = kShareBytes;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (bytes >= kShareBytes) {
      begins.push_back(i);
      bytes = 0;
    }
    bytes += parts[i].text.size() + 1;
  }
  begins.push_back(parts.size());
  return begins;
}

/// Encodes parts on several threads and brings their ids together in order, wave by wave: what a wave writes before it
/// is brought together stays in the caches, and its buffers are used again.
class PartEncoder {
 public:
  /// `room` gives the place of so many more ids, behind those that it gave before.
  using Room = FunctionRef<int32_t*(size_t count)>;

  PartEncoder(const Tokenizer::Pipeline& pipeline, const EncodeOptions& options, ThreadPool& threads)
      : pipeline_(pipeline), options_(options), threads_(threads), buffers_(static_cast<size_t>(threads.threads())) {}

  /// Also sets the counts of the parts.
  void encode(std::span<Part> parts, Room room) {
    const std::vector<size_t> begins = share(parts);
    const size_t wave = kSharesOfWave * buffers_.size();
    for (size_t first = 0; first + 1 < begins.size(); first += wave) {
      const size_t shares = std::min(wave, begins.size() - 1 - first);
      const std::span<const size_t> of_wave(begins.data() + first, shares + 1);
      for (IdBuffer& buffer : buffers_) buffer.clear();
      threads_.run(static_cast<int64_t>(shares), [&](int64_t block, int thread) {
        encode_share(parts, of_wave.subspan(static_cast<size_t>(block)), thread);
      });
      gather(parts, of_wave, room);
    }
  }

 private:
  /// The share that begins[0] begins and begins[1] ends.
  void encode_share(std::span<Part> parts, std::span<const size_t> begins, int thread) {
    IdBuffer& ids = buffers_[static_cast<size_t>(thread)];
    TextEncoder::State& state = thread_state(pipeline_.serial, *pipeline_.encoder);
    for (size_t i = begins[0]; i < begins[1]; ++i) {
      Part& part = parts[i];
      if (part.kind == Part::Kind::ids) continue;
      part.thread = thread;
      part.begin = ids.size();
      if (part.kind == Part::Kind::text) {
        pipeline_.encode(part.text, options_, ids, [] {});
      } else {
        pipeline_.encoder->encode(part.text, part.start, state, ids);
      }
      part.count = ids.size() - part.begin;
    }
  }

  void gather(std::span<const Part> parts, std::span<const size_t> begins, Room room) {
    std::vector<uint64_t> places;
    uint64_t count = 0;
    for (size_t s = 0; s + 1 < begins.size(); ++s) {
      places.push_back(count);
      for (size_t i = begins[s]; i < begins[s + 1]; ++i) count += parts[i].count;
    }
    int32_t* const to = room(count);
    threads_.run(static_cast<int64_t>(places.size()), [&](int64_t block, int) {
      const auto s = static_cast<size_t>(block);
      int32_t* out = to + places[s];
      for (size_t i = begins[s]; i < begins[s + 1]; ++i) {
        const Part& part = parts[i];
        const int32_t* from = part.kind == Part::Kind::ids
                                  ? part.ids.data()
                                  : std::as_const(buffers_[static_cast<size_t>(part.thread)]).ids().data() + part.begin;
        if (part.count > 0) std::memcpy(out, from, part.count * sizeof(int32_t));
        out += part.count;
      }
    });
  }

  const Tokenizer::Pipeline& pipeline_;
  const EncodeOptions& options_;
  ThreadPool& threads_;
  std::vector<IdBuffer> buffers_;  // one a thread
};

/// Room behind the ids of a buffer.
auto room_in(IdBuffer& ids) {
  return [&ids](size_t count) {
    int32_t* const place = ids.reserve(count);
    ids.commit(count);
    return place;
  };
}

void encode_to(const Tokenizer::Pipeline& pipeline, const EncodeOptions& options, std::span<Part> parts,
               ThreadPool& threads, std::vector<int32_t>& ids) {
  PartEncoder(pipeline, options, threads).encode(parts, [&ids](size_t count) {
    const size_t before = ids.size();
    ids.resize(before + count);
    return ids.data() + before;
  });
}

}  // namespace

std::vector<int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options, ThreadPool& threads) const {
  Parts cut(*pipeline_, options);
  cut.add(text);
  std::vector<Part> parts = cut.take();
  std::vector<int32_t> ids;
  encode_to(*pipeline_, options, parts, threads, ids);
  return ids;
}

void Tokenizer::encode_append(std::string_view text, const EncodeOptions& options, ThreadPool& threads,
                              IdBuffer& ids) const {
  Parts cut(*pipeline_, options);
  cut.add(text);
  std::vector<Part> parts = cut.take();
  PartEncoder(*pipeline_, options, threads).encode(parts, room_in(ids));
}

void encode_on_threads(const Tokenizer::Pipeline& pipeline, std::string_view text, bool continues,
                       const EncodeOptions& options, ThreadPool& threads, std::vector<int32_t>& ids) {
  Parts cut(pipeline, options);
  cut.add_stretches(text, continues);
  std::vector<Part> parts = cut.take();
  encode_to(pipeline, options, parts, threads, ids);
}

Tokenizer::Batch Tokenizer::encode_batch(std::span<const std::string_view> texts, const EncodeOptions& options,
                                         ThreadPool& threads) const {
  Parts cut(*pipeline_, options);
  std::vector<size_t> ends;  // of the texts' parts
  for (const std::string_view text : texts) {
    cut.add(text);
    ends.push_back(cut.size());
  }
  std::vector<Part> parts = cut.take();
  Batch batch;
  PartEncoder(*pipeline_, options, threads).encode(parts, room_in(batch.ids));
  uint64_t count = 0;
  for (size_t text = 0, part = 0; text < ends.size(); ++text) {
    for (; part < ends[text]; ++part) count += parts[part].count;
    batch.ends.push_back(count);
  }
  return batch;
}

}  // namespace sesame
