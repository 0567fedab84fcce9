#!/usr/bin/env python3
"""Fails where an #include goes against the direction in which the folders may depend on each other.

    proxy -> admin -> ha -> monitor -> conf, and all but conf -> protocol

Usage: check_layers.py [--self-test] [ROOT]
"""
import re
import sys
import tempfile
from pathlib import Path

# Folder -> folders whose headers it may include. The longest matching prefix decides.
ALLOWED = {
    "protocol/wire": ("protocol/wire",),
    "protocol": ("protocol",),
    "conf": ("conf",),
    "monitor": ("monitor", "conf", "protocol"),
    "ha": ("ha", "monitor", "conf", "protocol"),
    "admin": ("admin", "ha", "monitor", "conf", "protocol"),
    "proxy/sql": ("proxy/sql",),
    "proxy": ("proxy", "admin", "ha", "monitor", "conf", "protocol"),
    "tests": ("",),
    "bench": ("",),
}
# Pure code: libraries that would bring in an event loop, a log, a configuration or TLS sockets.
FORBIDDEN_LIBRARIES = {
    "protocol/wire": ("boost/asio", "boost/beast", "spdlog/", "yaml-cpp/", "openssl/ssl.h", "libpq-fe.h"),
    "protocol": ("yaml-cpp/", "libpq-fe.h", "pg_query"),
    "conf": ("boost/asio", "spdlog/", "libpq-fe.h", "sys/socket.h"),
    "proxy/sql": ("boost/asio", "spdlog/", "yaml-cpp/", "libpq-fe.h"),
}
TOP = ("protocol", "conf", "monitor", "ha", "admin", "proxy", "tests", "bench")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def under(path, folder):
    return folder == "" or path == folder or path.startswith(folder + "/")


def rule_of(path, table):
    matches = [folder for folder in table if under(path, folder)]
    return max(matches, key=len) if matches else None


def check(root):
    """Returns (number of files, list of 'file:line: what is wrong')."""
    problems, files = [], 0
    for top in TOP:
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in (".hpp", ".cpp", ".h"):
                continue
            files += 1
            path = file.relative_to(root).as_posix()
            lines = file.read_text(encoding="utf-8").splitlines()
            for number, line in enumerate(lines, 1):
                match = INCLUDE.match(line)
                if match:
                    problem = problem_of(root, path, *match.groups())
                    if problem:
                        problems.append(f"{path}:{number}: {problem}")
    return files, problems


def problem_of(root, path, bracket, target):
    own = target.split("/")[0] in TOP and (root / target).exists()
    if own or bracket == '"':
        if not own:
            if target.startswith(".cmake/"):
                return None
            return f'"{target}" is not a header of ours, written from the repository root'
        folder = rule_of(path, ALLOWED)
        if not any(under(target, allowed) for allowed in ALLOWED[folder]):
            return f"{folder}/ may not include {target}"
        return None
    folder = rule_of(path, FORBIDDEN_LIBRARIES)
    if folder and any(target.startswith(library) for library in FORBIDDEN_LIBRARIES[folder]):
        return f"{folder}/ may not include <{target}>"
    return None


def self_test():
    cases = [  # file, include, is it allowed?
        ("protocol/wire/a.hpp", '"protocol/wire/b.hpp"', True),
        ("protocol/wire/a.hpp", '"protocol/io/b.hpp"', False),
        ("protocol/wire/a.hpp", "<boost/asio/io_context.hpp>", False),
        ("protocol/wire/a.hpp", "<openssl/ssl.h>", False),
        ("protocol/wire/a.hpp", "<openssl/evp.h>", True),
        ("protocol/io/a.hpp", '"protocol/wire/b.hpp"', True),
        ("protocol/io/a.hpp", '"conf/b.hpp"', False),
        ("protocol/io/a.hpp", "<boost/asio/io_context.hpp>", True),
        ("conf/a.hpp", '"protocol/wire/b.hpp"', False),
        ("conf/a.hpp", "<yaml-cpp/yaml.h>", True),
        ("monitor/a.cpp", '"conf/b.hpp"', True),
        ("monitor/a.cpp", '"proxy/b.hpp"', False),
        ("monitor/a.cpp", "<proxy/b.hpp>", False),
        ("ha/a.cpp", '"monitor/b.hpp"', True),
        ("ha/a.cpp", '"admin/b.hpp"', False),
        ("admin/a.cpp", '"ha/b.hpp"', True),
        ("proxy/sql/a.cpp", '"proxy/b.hpp"', False),
        ("proxy/sql/a.cpp", '"protocol/wire/b.hpp"', False),
        ("proxy/a.cpp", '"proxy/sql/b.hpp"', True),
        ("proxy/a.cpp", '"monitor/b.hpp"', True),
        ("proxy/a.cpp", '"b.hpp"', False),
        ("proxy/a.cpp", '".cmake/asio_pch.hpp"', True),
        ("tests/unit/a.cpp", '"proxy/sql/b.hpp"', True),
    ]
    for file, include, allowed in cases:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name in ALLOWED:
                (root / name).mkdir(parents=True, exist_ok=True)
                (root / name / "b.hpp").write_text("#pragma once\n")
            for name in ("protocol/io", "tests/unit"):
                (root / name).mkdir(exist_ok=True)
                (root / name / "b.hpp").write_text("#pragma once\n")
            (root / file).write_text(f"#pragma once\n  #  include {include}\n")
            _, problems = check(root)
            assert (not problems) == allowed, (file, include, problems)
            assert allowed or problems[0].startswith(f"{file}:2: "), problems
    print(f"layers: self-test of {len(cases)} cases passed")


def main(arguments):
    if "--self-test" in arguments:
        self_test()
        return 0
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    files, problems = check(root)
    print("\n".join(problems + [f"layers: {files} files, {len(problems)} problems"]))
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
