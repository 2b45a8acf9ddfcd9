#include "sesame/base/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "sesame/base/error.h"
#include "sesame/base/huge_buffer.h"
#include "sesame/base/thread_pool.h"

namespace sesame {
namespace {

TEST(Machine, ProbesGiveRatesThatAMachineCanHave) {
  ThreadPool pool(2);
  const double peak = probe_peak_gflops(pool, 1);
  EXPECT_GT(peak, 0.01);
  EXPECT_LT(peak, 10000);
  const double bandwidth = probe_read_bandwidth(pool, 1);
  EXPECT_GT(bandwidth, 0.01);
  EXPECT_LT(bandwidth, 10000);
}

TEST(Machine, NamesWhatItRunsOn) {
  EXPECT_FALSE(processor_name().empty());
  EXPECT_FALSE(vector_instructions().empty());
  EXPECT_GT(available_memory(), uint64_t{1} << 20);
}

TEST(Machine, SeesTouchedMemory) {
  const uint64_t before = resident_bytes();
  constexpr size_t kBytes = size_t{64} << 20;
  {
    const HugeBuffer buffer(kBytes, HugeBuffer::FirstTouch::now);
    EXPECT_GT(resident_bytes(), before + kBytes / 2);
  }
  EXPECT_LT(resident_bytes(), before + kBytes / 2);
  EXPECT_GT(peak_resident_bytes(), before + kBytes / 2);
  if (!reset_peak_resident_bytes()) GTEST_SKIP() << "the system does not let the peak start again";
  EXPECT_LT(peak_resident_bytes(), before + kBytes / 2);
}

TEST(HugeBuffer, IsAlignedZeroedAndMoves) {
  HugeBuffer buffer(3 * HugeBuffer::kAlignment + 5);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % HugeBuffer::kAlignment, 0u);
  EXPECT_EQ(buffer.size(), 3 * HugeBuffer::kAlignment + 5);
  EXPECT_EQ(buffer.as<float>().size(), buffer.size() / 4);
  for (const float value : buffer.as<float>()) ASSERT_EQ(value, 0.0f);
  buffer.as<float>().back() = 7;
  HugeBuffer other = std::move(buffer);
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_EQ(other.as<float>().back(), 7.0f);
  buffer = std::move(other);
  EXPECT_EQ(buffer.as<float>().back(), 7.0f);
  EXPECT_EQ(HugeBuffer(0).data(), nullptr);
}

TEST(HugeBuffer, GrowsWithWhatItHolds) {
  HugeBuffer buffer;
  std::byte written{0};
  for (const size_t bytes : {size_t{1}, size_t{5000}, size_t{1} << 20, 3 * HugeBuffer::kAlignment + 1, size_t{100}}) {
    const size_t before = buffer.size();
    buffer.grow(bytes);
    ASSERT_EQ(buffer.size(), std::max(before, bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % HugeBuffer::kAlignment, 0u);
    for (size_t i = 0; i < before; i += 997) ASSERT_EQ(buffer.data()[i], written) << i;
    for (size_t i = before; i < buffer.size(); i += 997) ASSERT_EQ(buffer.data()[i], std::byte{0}) << i;
    written = std::byte{7};
    std::fill_n(buffer.data(), buffer.size(), written);
  }
  EXPECT_THROW(buffer.grow(SIZE_MAX / 2), Error);
  EXPECT_EQ(buffer.data()[0], written);
}

TEST(HugeBuffer, SaysWhatCannotBeHad) {
  for (const size_t bytes : {SIZE_MAX, SIZE_MAX / 2, size_t{1} << 62}) {
    try {
      HugeBuffer buffer(bytes);
      ADD_FAILURE() << bytes;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("EiB"));
    }
  }
}

}  // namespace
}  // namespace sesame
