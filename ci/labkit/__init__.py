# SPDX-License-Identifier: Apache-2.0
"""The lab, the edge and SIPp, driven from Python: what ci/up shows and what the integration tests check."""
