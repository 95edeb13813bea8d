// SPDX-License-Identifier: Apache-2.0
#include "apps/control/rpc.h"

#include "apps/control/methods.h"

#include <exception>

namespace sluice::control {
namespace {

// JSON-RPC 2.0 section 4: an id is a string, a number or null. Anything else is answered with null.
Json id_of(const Json& request) {
  const auto id = request.find("id");
  const bool usable = id != request.end() && (id->is_string() || id->is_number());
  return usable ? *id : Json(nullptr);
}

}  // namespace

std::optional<Json> Rpc::call(const Json& request) const {
  if (!request.is_object()) {
    return make_error(nullptr, RpcError::InvalidRequest, "a request is an object");
  }
  const Json id = id_of(request);
  const bool notification = !request.contains("id");
  const auto version = request.find("jsonrpc");
  const auto name = request.find("method");
  if (version == request.end() || *version != "2.0" || name == request.end() ||
      !name->is_string()) {
    return make_error(id, RpcError::InvalidRequest, "\"jsonrpc\": \"2.0\" and a method are needed");
  }
  std::optional<Json> answer;
  const Method* method = find_method(name->get_ref<const std::string&>());
  const auto params = request.find("params");
  if (method == nullptr) {
    answer = make_error(id, RpcError::MethodNotFound,
                        "no method " + name->get_ref<const std::string&>());
  } else if (params != request.end() && !params->is_object() &&
             !(params->is_array() && params->empty())) {
    answer = make_error(id, RpcError::InvalidParams, "params are named: an object");
  } else {
    try {
      const Json named =
          params != request.end() && params->is_object() ? *params : Json(Json::object());
      answer = Json{{"jsonrpc", "2.0"},
                    {"id", id},
                    {"result", run_method(method->name, named, counters_, sources_)}};
    } catch (const BadParams& bad) {
      answer = make_error(id, RpcError::InvalidParams, bad.what());
    } catch (const std::exception& bad) {
      answer = make_error(id, RpcError::Internal, bad.what());
    }
  }
  if (notification) return std::nullopt;
  return answer;
}

std::string Rpc::handle(std::string_view line) const {
  const Json message = Json::parse(line, nullptr, false);
  if (message.is_discarded()) {
    return to_line(make_error(nullptr, RpcError::Parse, "this is not JSON"));
  }
  if (!message.is_array()) {
    const std::optional<Json> answer = call(message);
    return answer ? to_line(*answer) : std::string{};
  }
  if (message.empty() || message.size() > kMaxBatch) {
    return to_line(make_error(nullptr, RpcError::InvalidRequest,
                              "a batch has 1 to " + std::to_string(kMaxBatch) + " calls"));
  }
  Json answers = Json::array();
  for (const Json& request : message) {
    if (std::optional<Json> answer = call(request)) answers.push_back(std::move(*answer));
  }
  return answers.empty() ? std::string{} : to_line(answers);
}

}  // namespace sluice::control
