#include "memory.h"

#include <cstdlib>
#include <iterator>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace plif {
namespace {

#if defined(__linux__)
/// Pages of 2 MB: far fewer page faults and address translations.
constexpr std::size_t kHugePage = std::size_t{2} << 20;
#else
constexpr std::size_t kHugePage = kAlignment;
#endif

/// Aligned memory, or null.
std::byte* allocate(std::size_t size, std::size_t alignment) {
  return static_cast<std::byte*>(::operator new(size, std::align_val_t(alignment), std::nothrow));
}

#if defined(__wasm__)
/// The C library grows the heap by less than 2 GB at once, and once it was refused more, by all that is asked for,
/// although the heap's end is free. But it gives out any piece of a heap that is large enough.
void growHeap(std::size_t bytes) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  std::byte* pieces[4096];
  std::size_t count = 0;
  // Those that lie side by side become one when they are freed; the first may fill holes.
  for (std::size_t together = 0; together < bytes && count < std::size(pieces); count++) {
    pieces[count] = static_cast<std::byte*>(std::malloc(kPiece));
    if (pieces[count] == nullptr) break;
    const std::ptrdiff_t distance = count == 0 ? 0 : pieces[count] - pieces[count - 1];
    const bool follows = distance > 0 && static_cast<std::size_t>(distance) <= kPiece + kAlignment;
    together = follows ? together + kPiece : kPiece;
  }
  while (count > 0) std::free(pieces[--count]);
}
#endif

}  // namespace

Arena::~Arena() { release(); }

std::byte* Arena::reserve(std::size_t bytes) {
  if (bytes > bytes_ || data_ == nullptr) {
    release();
    const std::size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
    const std::size_t size = (bytes / alignment + 1) * alignment;
    data_ = allocate(size, alignment);
#if defined(__wasm__)
    if (data_ == nullptr) {
      growHeap(size + 2 * alignment);  // Where in it the aligned memory begins is up to the C library.
      data_ = allocate(size, alignment);
    }
#endif
    if (data_ == nullptr) throw OutOfMemory(bytes);
    bytes_ = size;
#if defined(__linux__)
    if (alignment == kHugePage) madvise(data_, size, MADV_HUGEPAGE);  // best effort
#endif
  }
  return data_;
}

void Arena::release() {
  if (data_ == nullptr) return;
  const std::size_t alignment = bytes_ > kHugePage ? kHugePage : kAlignment;
  ::operator delete(data_, std::align_val_t(alignment));
  data_ = nullptr;
  bytes_ = 0;
}

}  // namespace plif
