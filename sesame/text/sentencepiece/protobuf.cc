#include "sesame/text/sentencepiece/protobuf.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <utility>

#include "sesame/base/error.h"

namespace sesame {
namespace {

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return value;
}

}  // namespace

ProtobufFields::ProtobufFields(std::string_view message, std::string what, uint64_t offset)
    : message_(message), what_(std::move(what)), offset_(offset) {}

void ProtobufFields::fail_here(std::string_view problem) const {
  fail(fmt::format("{}: byte {}: {}", what_, offset_ + field_, problem));
}

uint64_t ProtobufFields::read_varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (position_ == message_.size()) fail_here("the file ends inside a number");
    const auto byte = static_cast<uint8_t>(message_[position_++]);
    value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  fail_here("a number has more than ten bytes");
}

std::string_view ProtobufFields::read_bytes(uint64_t size) {
  if (size > message_.size() - position_) {
    fail_here(fmt::format("a field of {} bytes has only {} to lie in", size, message_.size() - position_));
  }
  const std::string_view bytes = message_.substr(position_, size);
  position_ += size;
  return bytes;
}

bool ProtobufFields::next() {
  if (position_ == message_.size()) return false;
  field_ = position_;
  const uint64_t tag = read_varint();
  if (tag >> 3 == 0 || tag >> 32 != 0) fail_here(fmt::format("{} is no field of a protobuf message", tag));
  number_ = static_cast<uint32_t>(tag >> 3);
  switch (tag & 7) {
    case 0:
      type_ = WireType::varint;
      value_ = read_varint();
      break;
    case 1:
      type_ = WireType::fixed64;
      value_ = little_endian(read_bytes(8));
      break;
    case 2:
      type_ = WireType::bytes;
      bytes_ = read_bytes(read_varint());
      break;
    case 5:
      type_ = WireType::fixed32;
      value_ = little_endian(read_bytes(4));
      break;
    default:
      fail_here(fmt::format("field {} has the wire type {}, which is not from 0 to 2 or 5", number_, tag & 7));
  }
  return true;
}

void ProtobufFields::expect(WireType type) const {
  if (type_ == type) return;
  fail_here(fmt::format("field {} has the wire type {} instead of {}", number_, static_cast<int>(type_),
                        static_cast<int>(type)));
}

std::string_view ProtobufFields::bytes() const {
  expect(WireType::bytes);
  return bytes_;
}

uint64_t ProtobufFields::varint() const {
  expect(WireType::varint);
  return value_;
}

int32_t ProtobufFields::int32() const { return static_cast<int32_t>(static_cast<uint32_t>(varint())); }

float ProtobufFields::float32() const {
  expect(WireType::fixed32);
  return std::bit_cast<float>(static_cast<uint32_t>(value_));
}

ProtobufFields ProtobufFields::message() const {
  const std::string_view inner = bytes();
  return {inner, what_, offset_ + static_cast<uint64_t>(inner.data() - message_.data())};
}

void ProtobufMessage::append_varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>((value & 0x7F) | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

void ProtobufMessage::add_varint(uint32_t number, uint64_t value) {
  append_varint(uint64_t{number} << 3);
  append_varint(value);
}

void ProtobufMessage::add_float32(uint32_t number, float value) {
  append_varint((uint64_t{number} << 3) | 5);
  const auto bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) bytes_.push_back(static_cast<char>(bits >> shift));
}

void ProtobufMessage::add_bytes(uint32_t number, std::string_view bytes) {
  append_varint((uint64_t{number} << 3) | 2);
  append_varint(bytes.size());
  bytes_ += bytes;
}

}  // namespace sesame
