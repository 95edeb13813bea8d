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
    binding.path = row.path;
    // Behind a NAT the way back is the way the REGISTER came: same source, same listener. Otherwise
    // the Contact says where to go, which may be another network than the REGISTER's.
    if (row.received) {
      binding.received = sip::NextHop{row.transport, *row.received};
      binding.listener = row.listener;
    }
    if (is_stream(row.transport)) binding.flow = row.flow;
    sink.on_binding(binding);
    answer = Answer::Found;
  }
  return answer;
}

}  // namespace sluice
