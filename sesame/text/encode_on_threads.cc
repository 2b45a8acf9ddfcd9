#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <shared_mutex>
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

/// A piece of the work whose ids do not depend on the others.
struct Part {
  enum class Kind : uint8_t { text, stretch, ids };
  Kind kind;
  StretchStart start;
  std::string_view text;
  std::span<const int32_t> ids;  // that need no work
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
  void add_ids(std::span<const int32_t> ids) { parts_.push_back({Part::Kind::ids, StretchStart::none, {}, ids}); }

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

/// Encodes parts on several threads. Nothing waits: a share of them that is done is copied to its place, together with
/// those that waited for it, as soon as all before it are; till then it lies in a buffer of its own, which is used
/// again.
class PartEncoder {
 public:
  PartEncoder(const Tokenizer::Pipeline& pipeline, const EncodeOptions& options, std::span<Part> parts)
      : pipeline_(pipeline), options_(options), parts_(parts), begins_(share(parts)), done_(begins_.size() - 1) {}

  /// Appends the ids to `out`, and sets the counts of the parts.
  void encode(ThreadPool& threads, IdBuffer& out) {
    threads.run(static_cast<int64_t>(done_.size()), [&](int64_t block, int) {
      const auto number = static_cast<size_t>(block);
      std::unique_ptr<IdBuffer> ids = take_buffer();
      encode_share(number, *ids);
      bring(number, std::move(ids), out);
    });
    out.commit(count_);
  }

 private:
  std::unique_ptr<IdBuffer> take_buffer() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return std::make_unique<IdBuffer>();
    std::unique_ptr<IdBuffer> ids = std::move(spare_.back());
    spare_.pop_back();
    ids->clear();
    return ids;
  }

  void encode_share(size_t number, IdBuffer& ids) const {
    TextEncoder::State& state = thread_state(pipeline_.serial, *pipeline_.encoder);
    for (size_t i = begins_[number]; i < begins_[number + 1]; ++i) {
      Part& part = parts_[i];
      const size_t before = ids.size();
      switch (part.kind) {
        case Part::Kind::ids:
          ids.append(part.ids);
          break;
        case Part::Kind::text:
          pipeline_.encode(part.text, options_, ids, [] {});
          break;
        case Part::Kind::stretch:
          pipeline_.encoder->encode(part.text, part.start, state, ids);
          break;
      }
      part.count = ids.size() - before;
    }
  }

  void bring(size_t number, std::unique_ptr<IdBuffer> ids, IdBuffer& out) {
    std::unique_lock lock(mutex_);
    done_[number] = std::move(ids);
    const size_t first = next_;
    const uint64_t place = count_;
    for (; next_ < done_.size() && done_[next_] != nullptr; ++next_) count_ += done_[next_]->size();
    const size_t end = next_;
    if (first == end) return;
    if (count_ > room_) {
      const std::lock_guard growth(growth_);
      room_ = std::max(count_, 2 * room_);
      (void)out.reserve(room_);
    }
    // What next_ has gone past belongs to this thread.
    std::shared_lock copying(growth_);
    lock.unlock();
    int32_t* to = out.reserve(0) + place;
    for (size_t i = first; i < end; ++i) {
      const std::span<const int32_t> from = std::as_const(*done_[i]).ids();
      if (!from.empty()) std::memcpy(to, from.data(), from.size_bytes());
      to += from.size();
    }
    copying.unlock();
    lock.lock();
    for (size_t i = first; i < end; ++i) spare_.push_back(std::move(done_[i]));
  }

  const Tokenizer::Pipeline& pipeline_;
  const EncodeOptions& options_;
  std::span<Part> parts_;
  std::vector<size_t> begins_;  // of the shares

  std::mutex mutex_;                             // of what follows
  std::vector<std::unique_ptr<IdBuffer>> done_;  // shares that were not brought yet
  std::vector<std::unique_ptr<IdBuffer>> spare_;
  size_t next_ = 0;           // share that is to be brought
  uint64_t count_ = 0;        // of the ids of those before it
  uint64_t room_ = 0;         // for ids
  std::shared_mutex growth_;  // the place of all ids moves where they get more room; taken behind the other one
};

void encode_to(const Tokenizer::Pipeline& pipeline, const EncodeOptions& options, std::span<Part> parts,
               ThreadPool& threads, std::vector<int32_t>& ids) {
  IdBuffer buffer;
  PartEncoder(pipeline, options, parts).encode(threads, buffer);
  const std::span<const int32_t> encoded = std::as_const(buffer).ids();
  ids.insert(ids.end(), encoded.begin(), encoded.end());
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
  PartEncoder(*pipeline_, options, parts).encode(threads, ids);
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
  PartEncoder(*pipeline_, options, parts).encode(threads, batch.ids);
  uint64_t count = 0;
  for (size_t text = 0, part = 0; text < ends.size(); ++text) {
    for (; part < ends[text]; ++part) count += parts[part].count;
    batch.ends.push_back(count);
  }
  return batch;
}

}  // namespace sesame
