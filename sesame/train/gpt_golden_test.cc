// One GPT-2 block and one Llama block against an independent implementation: tests/golden/generate.py.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/io/safetensors.h"
#include "sesame/models/gpt.h"
#include "sesame/passes/vjp.h"
#include "sesame/runtime/program.h"
#include "sesame/train/model_directory.h"

namespace sesame {
namespace {

struct Case {
  std::string file;
  DType dtype;
  const Backend* backend;
  double tolerance;  // of each number, relative to the largest of its tensor
};

std::vector<double> numbers(const TensorView& view) {
  std::vector<double> values(static_cast<size_t>(view.elements()));
  copy_elements<double>(view, values);
  return values;
}

class GptGolden : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const TemporaryDirectory directory;
    write_file_atomically(directory.path() / "config.json", golden.metadata().at("config"));
    config = load_config(directory.path());
    for (const Parameter& parameter : gpt_parameters(config)) {
      variables.create(parameter.name, {GetParam().dtype, parameter.shape});
    }
    for (const DiskTensor& tensor : disk_tensors(config)) {
      write(variables.get(tensor.parameter), tensor.offset, numbers(golden.at(tensor.name)));
    }
  }

  static void write(const Tensor& tensor, int64_t offset, const std::vector<double>& values) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (tensor.type.dtype == DType::f64) {
        tensor.as<double>()[static_cast<size_t>(offset) + i] = values[i];
      } else {
        tensor.as<float>()[static_cast<size_t>(offset) + i] = static_cast<float>(values[i]);
      }
    }
  }

  static double read(const Tensor& tensor, int64_t i) {
    return tensor.type.dtype == DType::f64 ? tensor.as<double>()[i] : double{tensor.as<float>()[i]};
  }

  void expect_equal(const std::string& name, const Tensor& tensor, int64_t offset) const {
    const std::vector<double> expected = numbers(golden.at(name));
    double largest = 0;
    for (const double value : expected) largest = std::max(largest, std::abs(value));
    ASSERT_GT(largest, 0) << name;
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(read(tensor, offset + static_cast<int64_t>(i)), expected[i], GetParam().tolerance * largest)
          << name << "[" << i << "]";
    }
  }

  // The golden tokens or targets as a graph input.
  void feed(Program& program, const std::string& name) const {
    copy_elements<int32_t>(golden.at(name), {program.input(name).as<int32_t>(), kTokens});
  }

  static constexpr int64_t kBatch = 2, kTime = 6;
  static constexpr size_t kTokens = 12;
  SafetensorsFile golden{std::filesystem::path("tests/golden") / GetParam().file};
  GptConfig config;
  Variables variables;
  ThreadPool threads{2};
  Graph graph;
  Builder builder{graph};
  Parameters parameters{GetParam().dtype};
  Value tokens = builder.input("tokens", {DType::i32, {kBatch, kTime}});
};

TEST_P(GptGolden, LossAndAllGradients) {
  const Value targets = builder.input("targets", {DType::i32, {kBatch, kTime}});
  const Value loss = gpt_loss(parameters, config, tokens, targets, Mode::training);
  std::vector<Value> wanted;
  for (const Parameter& parameter : parameters.list()) {
    wanted.push_back(builder.variable(parameter.name, {GetParam().dtype, parameter.shape}));
  }
  const std::vector<Value> grads = gradients(builder, loss, wanted);
  builder.output("loss", loss);
  for (size_t i = 0; i < grads.size(); ++i) builder.output("grad." + parameters.list()[i].name, grads[i]);
  verify(graph);

  Program program(graph, {GetParam().backend, &threads, &variables, nullptr});
  feed(program, "tokens");
  feed(program, "targets");
  program.run({});
  expect_equal("loss", program.output("loss"), 0);
  for (const DiskTensor& tensor : disk_tensors(config)) {
    expect_equal("grad." + tensor.name, program.output("grad." + tensor.parameter), tensor.offset);
  }
}

TEST_P(GptGolden, Logits) {
  builder.output("logits", gpt_logits(parameters, config, tokens));
  Program program(graph, {GetParam().backend, &threads, &variables, nullptr});
  feed(program, "tokens");
  program.run({});
  expect_equal("logits", program.output("logits"), 0);
}

// Token by token over a cache the last position's logits are those of the whole at once.
TEST_P(GptGolden, LogitsTokenByToken) {
  const Value token = builder.input("token", {DType::i32, {kBatch, 1}});
  const Value start = builder.input("start", {DType::i32, {1}});
  const Value logits = gpt_decode(parameters, config, token, start, config.context);
  builder.output("logits", logits);
  for (CacheVariable& cache : gpt_caches(config, kBatch, config.context)) {
    cache.type.dtype = GetParam().dtype;
    variables.create(cache.name, cache.type);
  }
  Program program(graph, {GetParam().backend, &threads, &variables, nullptr});
  std::vector<int32_t> ids(kTokens);
  copy_elements<int32_t>(golden.at("tokens"), ids);
  const std::vector<double> expected = numbers(golden.at("logits"));
  for (int64_t t = 0; t < kTime; ++t) {
    for (int64_t b = 0; b < kBatch; ++b) {
      program.input("token").as<int32_t>()[b] = ids[static_cast<size_t>(b * kTime + t)];
    }
    *program.input("start").as<int32_t>() = static_cast<int32_t>(t);
    program.run({});
    for (int64_t b = 0; b < kBatch; ++b) {
      for (int64_t v = 0; v < config.vocab_size; ++v) {
        const double want = expected[static_cast<size_t>((b * kTime + t) * config.vocab_size + v)];
        ASSERT_NEAR(read(program.output("logits"), b * config.vocab_size + v), want, GetParam().tolerance * 10)
            << "batch " << b << ", position " << t << ", token " << v;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, GptGolden,
                         testing::Values(Case{"gpt2_block.safetensors", DType::f64, &ref_backend(), 1e-10},
                                         Case{"llama_block.safetensors", DType::f64, &ref_backend(), 1e-10},
                                         Case{"gpt2_block.safetensors", DType::f32, &ref_backend(), 1e-4},
                                         Case{"llama_block.safetensors", DType::f32, &ref_backend(), 1e-4},
                                         Case{"gpt2_block.safetensors", DType::f32, &cpu_backend(), 1e-4},
                                         Case{"llama_block.safetensors", DType::f32, &cpu_backend(), 1e-4}),
                         [](const auto& test) {
                           return fmt::format("{}_{}_{}", test.param.file.substr(0, test.param.file.find('_')),
                                              name_of(test.param.dtype), test.param.backend->name());
                         });

}  // namespace
}  // namespace sesame
