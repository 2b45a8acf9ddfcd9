#include "sesame/io/json_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "sesame/base/error.h"
#include "sesame/io/byte_stream.h"

namespace sesame {
namespace {

std::string quote(std::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

template <typename T>
std::string number(T value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

}  // namespace

JsonRecord& JsonRecord::add_literal(std::string_view key, std::string_view literal) {
  if (!fields_.empty()) fields_ += ',';
  fields_ += quote(key);
  fields_ += ':';
  fields_ += literal;
  return *this;
}

JsonRecord& JsonRecord::add_integer(std::string_view key, int64_t value) {
  return add_literal(key, fmt::format("{}", value));
}

JsonRecord& JsonRecord::add(std::string_view key, float value) { return add_literal(key, number(value)); }

JsonRecord& JsonRecord::add(std::string_view key, double value) { return add_literal(key, number(value)); }

JsonRecord& JsonRecord::add(std::string_view key, std::string_view value) { return add_literal(key, quote(value)); }

JsonLinesWriter::JsonLinesWriter(const std::filesystem::path& path, bool echo, FileSystem& files)
    : out_(FileWriter::append(path, files)), echo_(echo) {}

void JsonLinesWriter::write(const JsonRecord& record) {
  const std::string line = record.line() + '\n';
  out_.write(line);
  out_.flush();
  if (!echo_) return;
  std::fwrite(line.data(), 1, line.size(), stdout);
  if (std::fflush(stdout) != 0) fail("<stdout>: can't write a record; was the reader of the pipe closed?");
}

namespace {

enum class LineFate { keep, drop, broken };

LineFate judge(std::string_view line, int64_t step) {
  if (line.empty()) return LineFate::keep;
  const nlohmann::json record = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!record.is_object()) return LineFate::broken;
  const auto found = record.find("step");
  const bool later = found != record.end() && found->is_number_integer() && found->get<int64_t>() > step;
  return later ? LineFate::drop : LineFate::keep;
}

}  // namespace

void truncate_after_step(const std::filesystem::path& path, int64_t step, FileSystem& files) {
  if (!std::filesystem::exists(path)) return;
  const std::string before = read_all(*open_raw_file(path, files));
  std::string after;
  size_t number = 0;
  for (size_t begin = 0; begin < before.size();) {
    const size_t line_break = before.find('\n', begin);
    const size_t end = line_break == std::string::npos ? before.size() : line_break;
    const size_t next = std::min(end + 1, before.size());
    const std::string_view line = std::string_view(before).substr(begin, end - begin);
    ++number;
    const LineFate fate = judge(line, step);
    if (fate == LineFate::broken && next < before.size()) {
      fail(fmt::format("{}:{}: not a JSON object, expected one metrics record a line; mend or remove the line",
                       path.string(), number));
    }
    if (fate == LineFate::keep) after.append(line).push_back('\n');
    begin = next;
  }
  if (after == before) return;
  write_file_atomically(path, after, files);
}

}  // namespace sesame
