// SPDX-License-Identifier: Apache-2.0
#include "apps/sluice/adapters.h"

namespace sluice {

proxy::LocationReader::Answer LocationAdapter::lookup(Core& core, std::string_view aor,
                                                      proxy::BindingSink& sink) {
  const rcu::ReadScope scope;
  const store::Bindings* bindings = location_.find(scope, location_.key(aor));
  if (bindings == nullptr) return Answer::UnknownUser;
  Answer answer = Answer::NotRegistered;
  for (std::uint32_t i = 0; i < bindings->size(); ++i) {
    const store::Binding row = (*bindings)[i];
    if (!row.live(core.now())) continue;
    proxy::Binding binding;
    binding.contact = row.contact;
    binding.q = row.q;
    if (row.received) binding.received = sip::NextHop{row.transport, *row.received};
    binding.path = row.path;
    binding.flow = row.flow;
    binding.listener = row.listener;
    sink.on_binding(binding);
    answer = Answer::Found;
  }
  return answer;
}

}  // namespace sluice
