#include "sesame/io/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/test_data.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

class Safetensors : public testing::Test {
 protected:
  ~Safetensors() override { std::filesystem::remove(path_); }

  const std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".safetensors");
};

std::string file_of(const std::string& header, std::string_view data) {
  const uint64_t size = header.size();
  std::string file(sizeof size, '\0');
  std::memcpy(file.data(), &size, sizeof size);
  return file.append(header).append(data);
}

SafetensorsContents parse(std::string_view file) { return parse_safetensors(as_bytes(file), "model.safetensors"); }

std::string error_of(std::string_view file) {
  try {
    parse(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string error_of_header(std::string header, size_t data_bytes) {
  return error_of(file_of(std::move(header), std::string(data_bytes, 'x')));
}

/// The smallest file with what a file can have: metadata, two types, a scalar and an empty tensor.
std::string golden_file() {
  const std::string header =
      "{\"__metadata__\":{\"format\":\"pt\"},"
      "\"ids\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
      "\"b\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,16]},"
      "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[16,16]},"
      "\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16,20]}}";
  std::string padded = header;
  while (padded.size() % 8 != 0) padded += ' ';
  const std::array<unsigned char, 20> data = {7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0, 0x3F};
  return file_of(padded, {reinterpret_cast<const char*>(data.data()), data.size()});
}

TEST_F(Safetensors, WritesTheReferenceBytes) {
  const std::array<float, 2> b = {1, -2};
  const std::array<float, 1> scalar = {0.5f};
  const std::array<int64_t, 1> ids = {7};
  const std::array tensors = {view_of<float>("scalar", {}, scalar), view_of<float>("b", {1, 2}, b),
                              view_of<int64_t>("ids", {1}, ids), view_of<float>("empty", {0, 3}, {})};
  write_safetensors(path_, tensors);
  EXPECT_EQ(read_file(path_), golden_file());
  write_safetensors(path_, {}, {});
  EXPECT_EQ(read_file(path_), file_of("{}      ", ""));
}

TEST_F(Safetensors, ReadsWhatIsThere) {
  write_file_atomically(path_, golden_file());
  const SafetensorsFile file(path_);
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}}));
  ASSERT_EQ(file.tensors().size(), 4u);
  EXPECT_EQ(file.tensors()[0].name, "ids");
  EXPECT_EQ(file.at("b").shape, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(file.at("empty").elements(), 0);
  EXPECT_EQ(file.at("scalar").elements(), 1);
  std::array<float, 2> b = {};
  copy_as_float32(file.at("b"), b);
  EXPECT_EQ(b, (std::array<float, 2>{1, -2}));
  std::array<int64_t, 1> ids = {};
  copy_elements<int64_t>(file.at("ids"), ids);
  EXPECT_EQ(ids[0], 7);
  EXPECT_EQ(file.find("scalaR"), nullptr);
  EXPECT_THROW(copy_elements<int64_t>(file.at("b"), ids), Error);
  EXPECT_THROW(copy_as_float32(file.at("b"), std::span(b).first(1)), Error);
  EXPECT_THROW(copy_as_float32(file.at("ids"), std::span(b).first(1)), Error);
}

TEST_F(Safetensors, NamesTheMostSimilarTensor) {
  write_file_atomically(path_, golden_file());
  const SafetensorsFile file(path_);
  try {
    (void)file.at("scaler");
    FAIL() << "found a tensor that is not there";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(path_.string()));
    EXPECT_THAT(error.what(), HasSubstr("'scaler' among its 4; the most similar name is 'scalar'"));
  }
}

TEST_F(Safetensors, RoundTripsRandomTensors) {
  std::mt19937 random(5);
  std::vector<std::vector<float>> values;
  std::vector<TensorView> tensors;
  for (int i = 0; i < 40; ++i) {
    const int64_t rows = random() % 5;
    const int64_t columns = 1 + random() % 700;
    values.emplace_back(static_cast<size_t>(rows * columns));
    for (float& value : values.back()) value = static_cast<float>(random()) - 2e9f;
    tensors.push_back(view_of<float>("h." + std::to_string(i) + ".\"\xC3\xA9", {rows, columns}, values.back()));
  }
  write_safetensors(path_, tensors, {{"format", "pt"}, {"note", "a\nb"}});
  const SafetensorsFile file(path_);
  ASSERT_EQ(file.tensors().size(), tensors.size());
  EXPECT_EQ(file.metadata().at("note"), "a\nb");
  for (const TensorView& tensor : tensors) {
    const TensorView& read = file.at(tensor.name);
    EXPECT_EQ(read.shape, tensor.shape);
    EXPECT_TRUE(std::ranges::equal(read.bytes, tensor.bytes)) << tensor.name;
  }
}

TEST_F(Safetensors, RefusesToWriteNonsense) {
  const std::array<float, 2> values = {};
  const auto write = [&](std::vector<TensorView> tensors) { write_safetensors(path_, tensors); };
  EXPECT_THROW(write({view_of<float>("a", {3}, values)}), Error);
  EXPECT_THROW(write({view_of<float>("a", {-1, -2}, values)}), Error);
  EXPECT_THROW(write({view_of<float>("", {2}, values)}), Error);
  EXPECT_THROW(write({view_of<float>("__metadata__", {2}, values)}), Error);
  EXPECT_THROW(write({view_of<float>("a", {2}, values), view_of<float>("a", {2}, values)}), Error);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(Safetensors, ConvertsHalfPrecision) {
  const std::array<uint16_t, 8> half = {0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0x8000, 0x7C00, 0x3555};
  const std::array<float, 8> expected = {1, -2, 65504, 0x1p-14f, 0x1p-24f, -0.0f, HUGE_VALF, 0x1.554p-2f};
  const TensorView view{"h", TensorType::f16, {8}, std::as_bytes(std::span(half))};
  std::array<float, 8> out = {};
  copy_as_float32(view, out);
  EXPECT_EQ(out, expected);
  EXPECT_TRUE(std::signbit(out[5]));
  EXPECT_TRUE(std::isnan(float_of_f16(0x7E00)));

  const std::array<uint16_t, 3> brain = {0x3F80, 0xC0A0, 0x0001};
  std::array<float, 3> wide = {};
  copy_as_float32({"b", TensorType::bf16, {3}, std::as_bytes(std::span(brain))}, wide);
  EXPECT_EQ(wide, (std::array<float, 3>{1, -5, 0x1p-133f}));

  const std::array<double, 2> doubles = {0.1, 1e300};
  copy_as_float32({"d", TensorType::f64, {2}, std::as_bytes(std::span(doubles))}, std::span(wide).first(2));
  EXPECT_EQ(wide[0], 0.1f);
  EXPECT_TRUE(std::isinf(wide[1]));
}

TEST_F(Safetensors, EveryHalfIsExact) {
  for (uint32_t bits = 0; bits < 0x7C00; ++bits) {
    const int exponent = static_cast<int>(bits >> 10);
    const double fraction = bits & 0x3FF;
    const double expected = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    ASSERT_EQ(float_of_f16(static_cast<uint16_t>(bits)), static_cast<float>(expected));
    ASSERT_EQ(float_of_f16(static_cast<uint16_t>(bits | 0x8000)), static_cast<float>(-expected));
  }
}

TEST_F(Safetensors, RefusesEveryTruncation) {
  const std::string whole = golden_file();
  ASSERT_EQ(error_of(whole), "no error");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("model.safetensors: not a valid safetensors file")) << size;
  }
  EXPECT_THAT(error_of(whole + "x"), HasSubstr("1 bytes follow the last tensor"));
}

TEST_F(Safetensors, RefusesBrokenHeaders) {
  const auto f32 = [](const std::string& shape, const std::string& offsets) {
    return "\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":" + offsets;
  };
  const std::string ok = f32("[2]", "[0,8]");
  EXPECT_EQ(error_of_header("{\"a\":{" + ok + "}}", 8), "no error");
  EXPECT_EQ(error_of_header("{\"a\":{" + ok + "}}   ", 8), "no error");

  EXPECT_THAT(error_of(std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10)), HasSubstr("more than 100000000"));
  EXPECT_THAT(error_of_header(" {}", 0), HasSubstr("does not start with '{'"));
  EXPECT_THAT(error_of_header("{\"a\":{" + ok + "}} x", 8), HasSubstr("no valid JSON"));
  EXPECT_THAT(error_of_header("{\"a\":{" + ok + "},\"a\":{" + ok + "}}", 8), HasSubstr("'a' occurs twice"));
  EXPECT_THAT(error_of_header("{\"a\":{" + ok + ",\"dtype\":\"F32\"}}", 8), HasSubstr("'dtype' occurs twice"));
  EXPECT_THAT(error_of_header("{\"a\":" + std::string(100'000, '[') + "}", 8), HasSubstr("nested too deeply"));
  EXPECT_THAT(error_of_header("{\"a\":[1]}", 8), HasSubstr("tensor 'a': lacks 'dtype'"));
  EXPECT_THAT(error_of_header("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8), HasSubstr("lacks 'data_offsets'"));
  EXPECT_THAT(error_of_header("{\"a\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]}}", 1),
              HasSubstr("type F4 is not supported"));
  EXPECT_THAT(error_of_header("{\"a\":{" + f32("[-2]", "[0,8]") + "}}", 8), HasSubstr("its shape holds -2"));
  EXPECT_THAT(error_of_header("{\"a\":{" + f32("[2.0]", "[0,8]") + "}}", 8), HasSubstr("its shape holds 2.0"));
  EXPECT_THAT(error_of_header("{\"a\":{" + f32("[9223372036854775807,2]", "[0,8]") + "}}", 8),
              HasSubstr("more elements than any memory"));
  EXPECT_THAT(error_of_header("{\"a\":{" + f32("[4611686018427387904]", "[0,0]") + "}}", 0),
              HasSubstr("more elements than any memory"));
  EXPECT_THAT(error_of_header("{\"a\":{" + f32("[3]", "[0,8]") + "}}", 8), HasSubstr("do not span the 12 bytes"));
  EXPECT_THAT(error_of_header("{\"a\":{" + f32("[2]", "[8,0]") + "}}", 8), HasSubstr("do not span"));
  EXPECT_THAT(error_of_header("{\"a\":{" + f32("[2]", "[0,8,9]") + "}}", 8), HasSubstr("no pair"));
  EXPECT_THAT(error_of_header("{\"a\":{" + f32("[2]", "[4,12]") + "}}", 12), HasSubstr("(hole)"));
  EXPECT_THAT(error_of_header("{\"a\":{" + ok + "},\"b\":{" + f32("[2]", "[4,12]") + "}}", 12), HasSubstr("(overlap)"));
  EXPECT_THAT(error_of_header("{\"a\":{" + ok + "},\"b\":{" + ok + "}}", 8), HasSubstr("(overlap)"));
  EXPECT_THAT(error_of_header("{\"a\":{" + ok + "}}", 7), HasSubstr("truncated?"));
  EXPECT_THAT(error_of_header("{\"__metadata__\":{\"a\":1}}", 0), HasSubstr("__metadata__ 'a' is no string"));
  EXPECT_THAT(error_of_header("{\"__metadata__\":[]}", 0), HasSubstr("__metadata__ is no object"));
}

// Whatever the bytes are, the answer is an Error or views that lie inside them.
TEST_F(Safetensors, SurvivesRandomMutations) {
  const std::string whole = golden_file();
  std::mt19937 random(11);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = whole;
    for (uint32_t edits = 1 + random() % 4; edits > 0; --edits) {
      const size_t at = random() % damaged.size();
      switch (random() % 3) {
        case 0:
          damaged[at] = static_cast<char>(random());
          break;
        case 1:
          damaged.erase(at, 1 + random() % 8);
          break;
        default:
          damaged.insert(at, damaged.substr(random() % damaged.size(), random() % 16));
      }
    }
    try {
      size_t total = 0;
      for (const TensorView& tensor : parse(damaged).tensors) {
        ASSERT_EQ(static_cast<size_t>(tensor.elements()) * element_size(tensor.type), tensor.bytes.size());
        total += tensor.bytes.size();
      }
      ASSERT_LE(total, damaged.size());
      ++accepted;
    } catch (const Error& error) {
      ASSERT_STRNE(error.what(), "");
    }
  }
  EXPECT_GT(accepted, 0) << "no mutation was harmless: does the golden file parse at all?";
}

TEST_F(Safetensors, ReadsForeignFiles) {
  const auto foreign = shared_data("models/tiny-gpt2/model.safetensors");
  if (!foreign) GTEST_SKIP() << "shared test data is absent";
  const SafetensorsFile file(*foreign);
  EXPECT_FALSE(file.tensors().empty());
  std::vector<TensorView> again = file.tensors();
  write_safetensors(path_, again, file.metadata());
  EXPECT_EQ(SafetensorsFile(path_).tensors().size(), again.size());
}

}  // namespace
}  // namespace sesame
