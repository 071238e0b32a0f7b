#include "md5.h"

#include <algorithm>
#include <cstring>

namespace plif {
namespace {

using State = std::array<std::uint32_t, 4>;

constexpr std::size_t kBlock = 64;

/// RFC 1321's T: floor(2^32 · |sin(i + 1)|).
constexpr std::uint32_t kSines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

constexpr int kShifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

/// Little endian, as all platforms of the addon are.
std::uint32_t loadWord(const std::uint8_t* from) {
  std::uint32_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

std::uint32_t rotate(std::uint32_t value, int bits) { return (value << bits) | (value >> (32 - bits)); }

/// Step `i` of 64, with the roles of a, b, c and d turned by one each time.
template <int i>
void step(State& state, const std::uint8_t* block) {
  constexpr int round = i / 16;
  constexpr int word = round == 0 ? i : round == 1 ? (5 * i + 1) % 16 : round == 2 ? (3 * i + 5) % 16 : (7 * i) % 16;
  std::uint32_t& a = state[(64 - i) % 4];
  const std::uint32_t b = state[(65 - i) % 4];
  const std::uint32_t c = state[(66 - i) % 4];
  const std::uint32_t d = state[(67 - i) % 4];
  a += loadWord(block + 4 * word) + kSines[i];
  if constexpr (round == 0) a += d ^ (b & (c ^ d));
  // The two halves have no bit in common. Added one after the other, only the second waits for b.
  if constexpr (round == 1) a = a + (c & ~d) + (b & d);
  if constexpr (round == 2) a += (c ^ d) ^ b;
  if constexpr (round == 3) a += c ^ (b | ~d);
  a = b + rotate(a, kShifts[round][i % 4]);
}

template <int i = 0>
void steps(State& state, const std::uint8_t* block) {
  step<i>(state, block);
  if constexpr (i < 63) steps<i + 1>(state, block);
}

template <int i = 0>
void stepsOfBoth(State& a, const std::uint8_t* ofA, State& b, const std::uint8_t* ofB) {
  step<i>(a, ofA);
  step<i>(b, ofB);
  if constexpr (i < 63) stepsOfBoth<i + 1>(a, ofA, b, ofB);
}

void addTo(State& state, const State& more) {
  for (std::size_t i = 0; i < state.size(); i++) state[i] += more[i];
}

void hashBlocks(State& state, const std::uint8_t* bytes, std::size_t blocks) {
  for (; blocks > 0; blocks--, bytes += kBlock) {
    State next = state;
    steps(next, bytes);
    addTo(state, next);
  }
}

void hashBlocksOfBoth(State& a, const std::uint8_t* ofA, State& b, const std::uint8_t* ofB, std::size_t blocks) {
  for (; blocks > 0; blocks--, ofA += kBlock, ofB += kBlock) {
    State nextA = a;
    State nextB = b;
    stepsOfBoth(nextA, ofA, nextB, ofB);
    addTo(a, nextA);
    addTo(b, nextB);
  }
}

}  // namespace

std::size_t Md5::fill(const std::uint8_t* bytes, std::size_t length) {
  bytes_ += length;
  if (begunBytes_ == 0) return 0;
  const std::size_t taken = std::min(length, kBlockBytes - begunBytes_);
  std::memcpy(begun_ + begunBytes_, bytes, taken);
  begunBytes_ += taken;
  if (begunBytes_ < kBlockBytes) return taken;
  hashBlocks(state_, begun_, 1);
  begunBytes_ = 0;
  return taken;
}

void Md5::keep(const std::uint8_t* bytes, std::size_t length) {
  if (length == 0) return;
  std::memcpy(begun_, bytes, length);
  begunBytes_ = length;
}

void Md5::update(const std::uint8_t* bytes, std::size_t length) {
  const std::size_t taken = fill(bytes, length);
  bytes += taken;
  length -= taken;
  hashBlocks(state_, bytes, length / kBlockBytes);
  keep(bytes + length - length % kBlockBytes, length % kBlockBytes);
}

void Md5::updateBoth(Md5& a, const std::uint8_t* ofA, std::size_t lengthOfA, Md5& b, const std::uint8_t* ofB,
                     std::size_t lengthOfB) {
  const std::size_t takenOfA = a.fill(ofA, lengthOfA);
  const std::size_t takenOfB = b.fill(ofB, lengthOfB);
  ofA += takenOfA;
  lengthOfA -= takenOfA;
  ofB += takenOfB;
  lengthOfB -= takenOfB;
  const std::size_t common = std::min(lengthOfA, lengthOfB) / kBlockBytes;
  hashBlocksOfBoth(a.state_, ofA, b.state_, ofB, common);
  const std::size_t done = common * kBlockBytes;
  hashBlocks(a.state_, ofA + done, (lengthOfA - done) / kBlockBytes);
  hashBlocks(b.state_, ofB + done, (lengthOfB - done) / kBlockBytes);
  a.keep(ofA + lengthOfA - lengthOfA % kBlockBytes, lengthOfA % kBlockBytes);
  b.keep(ofB + lengthOfB - lengthOfB % kBlockBytes, lengthOfB % kBlockBytes);
}

std::string Md5::finish() {
  const std::uint64_t bits = 8 * bytes_;
  const std::uint8_t padding[kBlockBytes] = {0x80};
  update(padding, 1 + (kBlockBytes + 55 - begunBytes_) % kBlockBytes);
  std::uint8_t length[8];
  std::memcpy(length, &bits, sizeof length);
  update(length, sizeof length);
  static const char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint32_t word : state_) {
    for (int i = 0; i < 4; i++) {
      const unsigned byte = (word >> (8 * i)) & 0xff;
      text += digits[byte >> 4];
      text += digits[byte & 15];
    }
  }
  return text;
}

}  // namespace plif
