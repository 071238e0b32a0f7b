#pragma once
// A network as a JavaScript object. Steps run on one of Node.js' worker threads, so that the event loop goes on.

#include <napi.h>

#include <functional>
#include <memory>

#include "../network/network.h"

namespace plif {

class NetworkObject : public Napi::ObjectWrap<NetworkObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit NetworkObject(const Napi::CallbackInfo& info);

 private:
  void setTensor(const Napi::CallbackInfo& info);
  Napi::Value getTensor(const Napi::CallbackInfo& info);
  Napi::Value bytesFor(const Napi::CallbackInfo& info);
  void reserve(const Napi::CallbackInfo& info);
  Napi::Value trainStep(const Napi::CallbackInfo& info);
  Napi::Value evaluate(const Napi::CallbackInfo& info);
  void abort(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  /// The network, if it is neither in use nor disposed of.
  std::shared_ptr<Network> idle() const;
  /// Runs `work` on a worker thread; `finish` then makes the promise's value.
  Napi::Value start(Napi::Env env, const std::shared_ptr<Network>& network, std::function<void()> work,
                    std::function<Napi::Value(Napi::Env)> finish);
  struct Batch;
  static Batch readBatch(const Network& network, const Napi::CallbackInfo& info, std::size_t samplesAt);

  std::shared_ptr<Network> network_;
  /// Shared with the step in progress, which outlives this object if that is collected.
  std::shared_ptr<bool> busy_ = std::make_shared<bool>(false);
};

}  // namespace plif
