#pragma once
// A pool of threads for one network. Work is a numbered list of items; which thread takes which item is left to chance,
// so every item must write results of its own: then they are the same for any number of threads.
//
// A training step is about a hundred runs, and waking a sleeping thread takes longer than the shortest of them. So
// threads without an item spin for a moment before they sleep, unless there are more threads than cores. A run ends
// with its last item: it does not wait for threads that have not woken up.

#include <cstdint>
#include <exception>

#if !defined(__wasm__)
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>
#endif

namespace plif {

/// Thrown out of `Pool::run` if the pool was told to stop.
struct Aborted : std::exception {
  const char* what() const noexcept override { return "aborted"; }
};

#if defined(__wasm__)
/// Whether the host wants the work in progress to end (native/wasm/instance.mjs).
extern "C" __attribute__((import_module("plif"), import_name("mustStop"))) bool plifMustStop();

/// One thread: WebAssembly has no others here.
class Pool {
 public:
  explicit Pool(int) {}
  int threads() const { return 1; }
  template <class Work>
  void run(std::int64_t items, const Work& work) {
    for (std::int64_t item = 0; item < items; item++) {
      throwIfAborted();
      work(item, 0);
    }
    throwIfAborted();
  }
  void begin() { shielded_ = false; }
  void shield() {
    throwIfAborted();
    shielded_ = true;
  }

 private:
  void throwIfAborted() const {
    if (!shielded_ && plifMustStop()) throw Aborted();
  }
  bool shielded_ = false;
};
#else
class Pool {
 public:
  /// `threads` includes the thread that calls `run`. If the environment variable REPRO_TRACE names a file, the calling
  /// thread does all items, still cut for `threads`, and every run adds a line to the file: how long each item took
  /// (bench/scale).
  explicit Pool(int threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int threads() const { return threads_; }

  /// Calls `work(item, thread)` for every item from 0, with threads numbered from 0, and returns when all are done.
  /// @param file with `function`, the caller, for the trace
  /// @throws Aborted if `abort` was called; what an item throws, after the others have ended
  template <class Work>
  void run(std::int64_t items, const Work& work, const char* file = __builtin_FILE(),
           const char* function = __builtin_FUNCTION()) {
    runItems(
        items,
        [](const void* context, std::int64_t item, int thread) { (*static_cast<const Work*>(context))(item, thread); },
        &work, file, function);
  }

  /// Makes the current or next `run` end after the items in progress; any thread may call it.
  void abort() { aborted_.store(true, std::memory_order_relaxed); }
  /// Begins a piece of work: forgets an earlier `abort`.
  void begin() {
    aborted_.store(false, std::memory_order_relaxed);
    shielded_ = false;
  }
  /// From here on, `abort` has no effect: what follows must be done as a whole.
  void shield() {
    throwIfAborted();
    shielded_ = true;
  }

 private:
  using Call = void (*)(const void* context, std::int64_t item, int thread);
  struct Trace;

  void runItems(std::int64_t items, Call call, const void* context, const char* file, const char* function);
  bool mustStop() const { return !shielded_ && aborted_.load(std::memory_order_relaxed); }
  void throwIfAborted() const {
    if (mustStop()) throw Aborted();
  }
  void takeItems(int thread);
  void callItem(std::int64_t item, int thread);
  void waitForWork(int thread);
  /// Whether `ready` came true while it was worth spinning.
  template <class Ready>
  bool spinUntil(const Ready& ready) const;

  const bool spins_;
  std::unique_ptr<Trace> trace_;
  std::vector<std::thread> workers_;
  int threads_ = 1;
  std::mutex mutex_;  // of the two conditions and the failure
  std::condition_variable started_;
  std::condition_variable finished_;
  std::atomic<int> sleepers_{0};  // workers
  std::atomic<bool> callerSleeps_{false};
  std::atomic<bool> closing_{false};
  std::atomic<bool> running_{false};
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;

  // A thread that decrements `left_` from a positive value owns an item. The run ends only after it has added that item
  // to `done_`; until then `items_`, `call_` and `context_` do not change. Each counter has a cache line to itself.
  alignas(64) std::atomic<std::int64_t> left_{0};
  alignas(64) std::atomic<std::int64_t> done_{0};
  alignas(64) std::int64_t items_ = 0;
  Call call_ = nullptr;
  const void* context_ = nullptr;
  std::atomic<bool> aborted_{false};
  bool shielded_ = false;  // changes only between runs
};
#endif

}  // namespace plif
