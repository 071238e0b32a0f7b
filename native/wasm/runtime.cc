// What C++ needs of its runtime and Debian's libc++abi for WebAssembly lacks: exceptions. Nothing in the engine catches
// one, so throwing is enough: all destructors run, and JavaScript catches it and asks what it was.

#include <cstdlib>
#include <cstring>
#include <new>
#include <typeinfo>

#include "../src/network/memory.h"
#include "../src/network/spec.h"
#include "../src/threads/pool.h"
#include "export.h"

namespace plif {
namespace {

/// What was thrown last.
struct Problem {
  const char* code = "";
  char text[256] = "";  // Memory may be what is missing.
  double bytes = 0;
} problem;

void setProblem(const char* code, const char* text, double bytes = 0) {
  problem.code = code;
  problem.bytes = bytes;
  std::strncpy(problem.text, text, sizeof(problem.text) - 1);
}

void describe(const std::type_info& type, void* thrown) {
  constexpr const char* kNoMemory = "there is not enough memory";
  if (type == typeid(OutOfMemory)) {
    setProblem("PLIF_OUT_OF_MEMORY", kNoMemory, static_cast<double>(static_cast<OutOfMemory*>(thrown)->bytes));
  } else if (type == typeid(std::bad_alloc)) {
    setProblem("PLIF_OUT_OF_MEMORY", kNoMemory);
  } else if (type == typeid(Aborted)) {
    setProblem("PLIF_ABORTED", "the step was aborted");
  } else if (type == typeid(ShapeProblem)) {
    setProblem("PLIF_SHAPE", static_cast<ShapeProblem*>(thrown)->what());
  } else {
    setProblem("PLIF_FAILED", type.name());
  }
}

}  // namespace
}  // namespace plif

extern "C" {
void* __cxa_allocate_exception(std::size_t size) noexcept {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
void __cxa_free_exception(void* thrown) noexcept { std::free(thrown); }
/// Destructors return `this` in WebAssembly's ABI.
[[noreturn]] void __cxa_throw(void* thrown, std::type_info* type, void* (*destroy)(void*)) {
  plif::describe(*type, thrown);
  if (destroy != nullptr) destroy(thrown);
  std::free(thrown);
  __builtin_wasm_throw(0, thrown);
}
}

extern "C" void __cxa_pure_virtual() { std::abort(); }

namespace std {
/// What libc++ calls where it cannot go on; its own prints, and needs half of a C library for that.
void __libcpp_verbose_abort(const char*, ...) { std::abort(); }
}  // namespace std

/// That of libc++abi ends the program when memory runs out.
void* operator new(std::size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

EXPORT("allocate") void* plifAllocate(std::size_t bytes) { return operator new(bytes); }
EXPORT("release") void plifRelease(void* memory) { std::free(memory); }
EXPORT("problemCode") const char* plifProblemCode() { return plif::problem.code; }
EXPORT("problemText") const char* plifProblemText() { return plif::problem.text; }
EXPORT("problemBytes") double plifProblemBytes() { return plif::problem.bytes; }
