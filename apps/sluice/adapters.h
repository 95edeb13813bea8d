// SPDX-License-Identifier: Apache-2.0
//
// Adapters: what joins applications that do not know each other: the proxy's view of the location
// table and of the configuration snapshot, the registrar as a handler of requests.
//
// Threads  One of each serves all servant cores: they only read what is immutable or under RCU.
// Memory   What a lookup finds is good until the core's turn ends.
#pragma once

#include "apps/proxy/location_reader.h"
#include "apps/proxy/route_table.h"
#include "apps/registrar/registrar.h"
#include "dal/rcu/cell.h"
#include "dal/rcu/reader.h"
#include "dal/store/location.h"
#include "sipcore/received.h"

namespace sluice {

class LocationAdapter final : public proxy::LocationReader {
 public:
  explicit LocationAdapter(const store::Location& location) : location_(location) {}
  Answer lookup(Core& core, std::string_view aor, proxy::BindingSink& sink) override;

 private:
  const store::Location& location_;
};

// The registrar, for whoever routes requests to it.
class RegistrarHandler final : public sip::RequestHandler {
 public:
  RegistrarHandler(registrar::Registrar& registrar,
                   const rcu::Cell<const registrar::Policy>& policy)
      : registrar_(registrar), policy_(policy) {}
  void on_request(Core& core, const sip::Received& request, sip::Responder& responder) override {
    const rcu::ReadScope scope;
    registrar_.on_request(core, policy_.get(scope), responder, request.inbound, request.essentials);
  }

 private:
  registrar::Registrar& registrar_;
  const rcu::Cell<const registrar::Policy>& policy_;
};

class RouteSnapshot final : public proxy::RouteTableSource {
 public:
  explicit RouteSnapshot(std::unique_ptr<const proxy::RouteTable> first)
      : cell_(std::move(first)) {}

  // A core reports quiescence once a turn and never inside one, so what the scope found stays good
  // for the rest of the turn although the scope itself ends here.
  const proxy::RouteTable& table(Core&) const noexcept override {
    const rcu::ReadScope scope;
    return cell_.get(scope);
  }
  rcu::Cell<const proxy::RouteTable>& cell() noexcept { return cell_; }

 private:
  rcu::Cell<const proxy::RouteTable> cell_;
};

// The control thread reads under RCU now and then and blocks the rest of the time: online for this
// scope.
class [[nodiscard]] Online {
 public:
  explicit Online(rcu::Reader& reader) noexcept : reader_(reader) { reader_.online(); }
  ~Online() { reader_.offline(); }
  Online(const Online&) = delete;
  Online& operator=(const Online&) = delete;

 private:
  rcu::Reader& reader_;
};

}  // namespace sluice
