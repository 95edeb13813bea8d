#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a header of web files: embed.py OUT NAME=FILE..., each a string constant."""

import sys


def main():
    out, *assets = sys.argv[1:]
    lines = ["// SPDX-License-Identifier: Apache-2.0", "#pragma once", "",
             "#include <string_view>", "", "namespace sluice::control {", ""]
    for asset in assets:
        name, path = asset.split("=", 1)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if ')web"' in text:
            sys.exit(f"{path}: holds the end mark of the string constant")
        lines += [f'inline constexpr std::string_view {name} = R"web({text})web";', ""]
    lines += ["}  // namespace sluice::control", ""]
    with open(out, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main()
