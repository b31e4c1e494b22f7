#!/usr/bin/python3
"""Checks DESIGN's rules of who may include whom, from the #include lines."""

import glob
import os
import re
import sys

os.chdir(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

# A public header counts as the room that implements it.
PUBLIC = {"base": ["pinefs/memory.h"],
          "xdr": ["pinefs/xdr.h", "pinefs/xdr_type.h"],
          "rpc": ["pinefs/rpc.h"], "vfs": ["pinefs.h"]}

# room: the headers of ours its files may include
MAY = {
    "src/base": ["base"],
    "src/xdr": ["xdr", "base"],
    "src/rpc": ["rpc", "xdr", "base"],
    "src/vfs": ["vfs", "base"],
    "src/nfs": ["nfs", "rpc", "vfs", "proto", "xdr", "base"],
    "src/server": ["server", "nfs", "rpc", "vfs", "proto", "xdr", "base"],
    "src/rpcgen": ["rpcgen", "base"],
    "src/fs": ["fs"],
    "python": ["fs"],       # memory, beside the program
    "examples": [],
}
ONLY_PINEFS_H = ["src/fs", "python", "examples"]

# src/nfs makes no system call and no malloc: none of these is called there.
NOT_IN_NFS = """malloc calloc realloc free strdup asprintf socket accept bind
listen connect send sendto sendmsg recv recvfrom recvmsg open openat close
read write readv writev pread pwrite mmap munmap ioctl fcntl poll select
epoll_wait epoll_ctl fopen fread fwrite fork execve waitpid getenv time
clock_gettime gettimeofday getrandom random rand printf fprintf
pthread_create exit abort stat fstat lstat unlink rename mkdir""".split()

SYSTEM_IN_NFS = """arpa/inet.h assert.h errno.h inttypes.h limits.h
netinet/in.h stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h
strings.h sys/stat.h sys/sysmacros.h sys/types.h sys/uio.h time.h stdatomic.h
stdalign.h pthread.h""".split()


def sources(directory):
    return sorted(f for suffix in ("c", "h") for f in
                  glob.glob(directory + "/**/*." + suffix, recursive=True))


def includes(path):
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if m := re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line):
                yield number, m[1] == "<", m[2]


def ours(path, name):
    """The room of a header of ours, or None for the system's."""
    for room, headers in PUBLIC.items():
        if name in headers:
            return room
    here = os.path.dirname(path)
    if os.path.exists(os.path.join(here, name)):
        resolved = os.path.normpath(os.path.join(here, name))
        parts = resolved.split("/")
        return parts[1] if parts[0] == "src" else parts[0]
    first = name.split("/")[0]
    if "/" in name and os.path.isdir("src/" + first):
        return first
    if first == "proto" or os.path.exists("proto/" + name[:-1] + "x"):
        return "proto"
    return None


def without_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text,
                  flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(\\.|[^"\\\n])*"', '""', text)


def wrong_includes(directory):
    for path in sources(directory):
        for number, angle, name in includes(path):
            room = ours(path, name)
            if name == "pinefs.h" and directory in ONLY_PINEFS_H:
                continue
            # What rpcgen makes of an example's own .x stands beside it.
            own = os.path.join(os.path.dirname(path), name)
            if directory == "examples" and os.path.exists(own[:-1] + "x"):
                continue
            if room is None:
                if not angle:
                    yield "%s:%d: no such header: %s" % (path, number, name)
                continue
            if directory in ("python", "examples"):
                if os.path.exists(own):
                    continue    # a header of their own
                # A program of its own protocol stands on the RPC runtime.
                if directory == "examples" and name in ("pinefs/rpc.h",
                                                        "pinefs/xdr.h"):
                    continue
            if room not in MAY[directory]:
                yield "%s:%d: may not include %s" % (path, number, name)


def wrong_python(_):
    for path in sources("src") + sources("include") + sources("examples"):
        for number, _, name in includes(path):
            if name == "Python.h":
                yield "%s:%d: includes Python.h" % (path, number)


def calls_in_nfs(_):
    pattern = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(NOT_IN_NFS))
    for path in sources("src/nfs"):
        with open(path, encoding="utf-8") as f:
            text = without_comments(f.read())
        for number, line in enumerate(text.split("\n"), 1):
            # A declaration or a member of the same name is no call of libc's.
            for m in pattern.finditer(line):
                yield "%s:%d: calls %s" % (path, number, m[1])
        for number, angle, name in includes(path):
            if ours(path, name) is None and name not in SYSTEM_IN_NFS:
                yield "%s:%d: includes %s" % (path, number, name)


def words_in_vfs(_):
    for path in sources("src/vfs"):
        with open(path, encoding="utf-8") as f:
            text = without_comments(f.read())
        for number, line in enumerate(text.split("\n"), 1):
            if m := re.search(r"\b(nfsstat\w*|NFS[234]?ERR_\w+|xdr_(?:in|out|get|put)\w*)", line):
                yield "%s:%d: knows %s" % (path, number, m[1])


def words_in_rpc(_):
    for path in sources("src/rpc"):
        with open(path, encoding="utf-8") as f:
            text = without_comments(f.read())
        for number, line in enumerate(text.split("\n"), 1):
            if m := re.search(r"\b(nfs[234]?_\w+|NFS[234]?_\w+|vfs_\w+)", line):
                yield "%s:%d: knows %s" % (path, number, m[1])


def no_guard(_):
    for path in sources("include") + sources("src"):
        if path.endswith(".h"):
            with open(path, encoding="utf-8") as f:
                if not re.search(r"#ifndef \w+\n#define \w+\n|#pragma once",
                                 f.read()):
                    yield path + ": has no include guard"


TESTS = [("%s includes only what it may" % d, wrong_includes, d) for d in MAY]
TESTS += [
    ("Python.h is included in python/ only", wrong_python, None),
    ("src/nfs makes no system call and no malloc", calls_in_nfs, None),
    ("src/vfs knows no XDR and no nfsstat", words_in_vfs, None),
    ("src/rpc knows no NFS", words_in_rpc, None),
    ("every header of ours has an include guard", no_guard, None),
]

print("1..%d" % len(TESTS))
failed = 0
for n, (sentence, check, argument) in enumerate(TESTS, 1):
    wrong = list(check(argument))
    if argument is not None and not sources(argument):
        print("ok %d - %s # SKIP nothing there yet" % (n, sentence))
        continue
    print("%s %d - %s" % ("not ok" if wrong else "ok", n, sentence))
    for line in wrong:
        print("# " + line)
    failed += bool(wrong)
sys.exit(1 if failed else 0)
