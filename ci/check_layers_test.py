#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A checker that never fails checks nothing: plants violations of each kind."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent


def check(files):
    """Runs the checker over a tree of these files; returns its exit code and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        stamp = pathlib.Path(folder, "stamp")
        run = subprocess.run(
            [sys.executable, HERE / "check_layers.py", "--root", folder, "--stamp", stamp,
             "--depfile", pathlib.Path(folder, "stamp.d")],
            capture_output=True, text=True, check=False)
        assert stamp.exists() == (run.returncode == 0), "the stamp says that all is well"
        return run.returncode, run.stderr


class CheckLayers(unittest.TestCase):
    def refused(self, name, line, rule):
        code, text = check({name: f"// a file\n{line}\n"})
        self.assertEqual(code, 1, line)
        self.assertEqual(text, f"{name}:2: {rule}\n")

    def test_good_tree_passes(self):
        self.assertEqual(check({
            "base/a.h": "#include <vector>\n#include <tl/expected.hpp>\n",
            "sipcore/parse/b.cc": '#include "sipcore/parse/b.h"\n#include "base/a.h"\n',
            "dataplane/dpdk/c.cc": '#include <rte_mbuf.h>\n#include "dataplane/net/d.h"\n',
            "config/loader.cc": '#include "config/loader.h"\n#include <libconfig.h++>\n',
            "apps/sluicectl/e.cc": '#include "apps/control/protocol.h"\n#include <CLI/CLI.hpp>\n',
            "tests/base/f.cc": "#include <gtest/gtest.h>\n#include <sys/socket.h>\n",
        }), (0, ""))

    def test_upward_include(self):
        self.refused("base/a.h", '#include "sipcore/inbound.h"',
                     "base may not include sipcore/inbound.h (it may: nothing else of this tree)")

    def test_angle_brackets_are_no_way_round(self):
        self.refused("base/a.h", "#include <sipcore/inbound.h>",
                     "base may not include sipcore/inbound.h (it may: nothing else of this tree)")

    def test_sip_does_not_know_the_data_plane(self):
        self.refused("sipcore/parse/a.cc", '#  include "dataplane/api/sink.h"',
                     "sipcore may not include dataplane/api/sink.h (it may: base)")

    def test_servants_do_not_know_each_other(self):
        self.refused("apps/registrar/a.cc", '#include "apps/proxy/proxy.h"',
                     "apps/registrar may not include apps/proxy/proxy.h "
                     "(it may: base, sipcore, dal)")

    def test_cli_sees_the_protocol_alone(self):
        self.refused("apps/sluicectl/a.cc", '#include "apps/control/rpc.h"',
                     "apps/sluicectl may not include apps/control/rpc.h "
                     "(it may: base, apps/control/protocol.h)")

    def test_protocol_brings_nothing_along(self):
        self.refused("apps/control/protocol.h", '#include "apps/control/rpc.h"',
                     "apps/control/protocol.h may not include apps/control/rpc.h (it may: base)")

    def test_third_party_headers_have_one_home(self):
        self.refused("dataplane/net/a.cc", "#include <rte_mbuf.h>",
                     "dataplane may not use dpdk, <rte_mbuf.h> (libraries it may: none)")
        self.refused("config/check.cc", "#include <libconfig.h++>",
                     "config may not use libconfig, <libconfig.h++> (libraries it may: none)")
        self.refused("sipcore/txn/a.cc", "#include <urcu.h>",
                     "sipcore may not use liburcu, <urcu.h> (libraries it may: none)")

    def test_net_does_not_know_dpdk(self):
        self.refused("dataplane/net/a.cc", '#include "dataplane/dpdk/port.h"',
                     "dataplane may not include dataplane/dpdk/port.h (it may: base, "
                     "dataplane/api, dataplane/net, dataplane/tcp, dal/rcu)")

    def test_nobody_includes_tests(self):
        self.refused("apps/sluice/a.cc", '#include "tests/support/test_cores.h"',
                     "apps/sluice may not include tests/support/test_cores.h (it may: base, dal, "
                     "dataplane, sipcore, intercept, config, apps)")

    def test_unknown_library(self):
        self.refused("base/a.h", "#include <boost/asio.hpp>",
                     "<boost/asio.hpp> belongs to no library of layers.toml")

    def test_path_that_does_not_start_at_the_root(self):
        self.refused("base/a.cc", '#include "a.h"', '"a.h" does not start at the root of the tree')


if __name__ == "__main__":
    unittest.main()
