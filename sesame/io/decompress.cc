#include "sesame/io/decompress.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sesame/base/error.h"

namespace sesame {
namespace {

constexpr size_t kInputBytes = size_t{1} << 17;

/// Compressed bytes in a buffer that is filled again when it has been used up.
class InputBuffer {
 public:
  explicit InputBuffer(std::unique_ptr<ByteReader> source) : source_(std::move(source)), buffer_(kInputBytes) {}

  /// The bytes not yet consumed; empty only at the end of the stream.
  std::span<char> available() {
    if (begin_ == end_) {
      consumed_before_ += end_;
      begin_ = 0;
      end_ = source_->read(buffer_);
    }
    return std::span(buffer_).subspan(begin_, end_ - begin_);
  }
  void consume(size_t bytes) { begin_ += bytes; }
  [[nodiscard]] size_t position() const { return consumed_before_ + begin_; }
  [[nodiscard]] const std::string& name() const { return source_->name(); }

  [[noreturn]] void fail_damaged(std::string_view what) const {
    fail(fmt::format("{}: {} at compressed byte {}; the file is damaged, make or download it anew", name(), what,
                     position()));
  }

 private:
  std::unique_ptr<ByteReader> source_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t consumed_before_ = 0;
};

class GzipReader final : public ByteReader {
 public:
  explicit GzipReader(std::unique_ptr<ByteReader> compressed) : input_(std::move(compressed)) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) fail("zlib: out of memory");
  }
  ~GzipReader() override { inflateEnd(&stream_); }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  size_t read(std::span<char> out) override {
    while (!out.empty()) {
      std::span<char> in = input_.available();
      if (in.empty()) {
        if (inside_member_) input_.fail_damaged("truncated gzip stream, it ends");
        return 0;
      }
      if (!inside_member_ && !begin_member(in)) continue;
      const size_t produced = inflate_some(in, out);
      if (produced > 0) return produced;
    }
    return 0;
  }
  const std::string& name() const override { return input_.name(); }

 private:
  /// At a member's first byte. False when padding was skipped instead.
  bool begin_member(std::span<const char> in) {
    if (members_ > 0 && in.front() == '\0') {
      const auto rest = std::find_if(in.begin(), in.end(), [](char c) { return c != '\0'; });
      input_.consume(static_cast<size_t>(rest - in.begin()));
      padded_ = true;
      return false;
    }
    if (padded_) input_.fail_damaged("bytes behind the last gzip member");
    inflateReset(&stream_);
    inside_member_ = true;
    return true;
  }

  size_t inflate_some(std::span<char> in, std::span<char> out) {
    const size_t room = std::min(out.size(), size_t{1} << 30);
    stream_.next_in = reinterpret_cast<Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    input_.consume(in.size() - stream_.avail_in);
    if (result == Z_STREAM_END) {
      inside_member_ = false;
      ++members_;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      input_.fail_damaged(fmt::format("corrupt gzip stream ({})", stream_.msg ? stream_.msg : "unknown reason"));
    }
    return room - stream_.avail_out;
  }

  InputBuffer input_;
  z_stream stream_ = {};
  bool inside_member_ = false;
  bool padded_ = false;
  size_t members_ = 0;
};

class ZstdReader final : public ByteReader {
 public:
  explicit ZstdReader(std::unique_ptr<ByteReader> compressed)
      : input_(std::move(compressed)), stream_(ZSTD_createDStream(), &ZSTD_freeDStream) {
    if (!stream_) fail("zstd: out of memory");
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, 31);
  }

  size_t read(std::span<char> out) override {
    while (!out.empty()) {
      const std::span<char> in = input_.available();
      // A frame can be fully consumed while zstd still holds output, so the end of input ends nothing by itself.
      if (in.empty() && !inside_frame_) return 0;
      ZSTD_inBuffer source{in.data(), in.size(), 0};
      ZSTD_outBuffer target{out.data(), out.size(), 0};
      const size_t result = ZSTD_decompressStream(stream_.get(), &target, &source);
      if (ZSTD_isError(result)) {
        input_.fail_damaged(fmt::format("corrupt Zstandard stream ({})", ZSTD_getErrorName(result)));
      }
      input_.consume(source.pos);
      inside_frame_ = result != 0;
      if (target.pos > 0) return target.pos;
      if (in.empty()) input_.fail_damaged("truncated Zstandard stream, it ends");
    }
    return 0;
  }
  const std::string& name() const override { return input_.name(); }

 private:
  InputBuffer input_;
  std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream_;
  bool inside_frame_ = false;
};

}  // namespace

std::unique_ptr<ByteReader> read_gzip(std::unique_ptr<ByteReader> compressed) {
  return std::make_unique<GzipReader>(std::move(compressed));
}

std::unique_ptr<ByteReader> read_zstd(std::unique_ptr<ByteReader> compressed) {
  return std::make_unique<ZstdReader>(std::move(compressed));
}

}  // namespace sesame
