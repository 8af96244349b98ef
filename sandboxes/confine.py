"""Refuses system calls that no agent needs, for good, and then becomes the program.

Usage: confine.py PROGRAM [ARGUMENT…]

A filter can only take more away: one that is in force stays, and children inherit both. Refused are the ways past
a network namespace (AF_VSOCK), to kernel code with a history of escapes (io_uring, AF_ALG, bpf, keyrings, …) and
every other way to say a system call (32-bit, x32), for which the numbers below would not be the right ones.

Standard library only, and nothing of this package: boxes run this text as it is, so it suits any Python 3.9.
"""

import ctypes
import errno
import os
import signal
import struct
import sys

_MACHINES = {
    # machine: its number in the kernel's audit, number of `socket`, numbers of the calls refused
    "x86_64": (0xC000003E, 41, (246, 248, 249, 250, 298, 304, 320, 321, 323)),
    "aarch64": (0xC00000B7, 198, (104, 217, 218, 219, 241, 265, 294, 280, 282)),
}
"""Refused are, in this order: kexec_load, add_key, request_key, keyctl, perf_event_open, open_by_handle_at,
kexec_file_load, bpf, userfaultfd (asm/unistd_64.h, asm-generic/unistd.h)."""
_IO_URING = (425, 426, 427)
"""Setup, enter, register: the same number on every machine."""
_FAMILIES = (38, 40)
"""AF_ALG, AF_VSOCK."""
_X32 = 0x40000000

_RULE = "=HBBI"
"""Code, jump if true, jump if false, value (linux/filter.h)."""
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


def filter_of(machine: str) -> bytes:
    """The filter as the kernel reads it. Raises KeyError for a machine whose numbers are not known."""
    audit, socket, refused = _MACHINES[machine]
    rules = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, audit), (_RETURN, 0, 0, _KILL)]
    rules += [(_LOAD, 0, 0, _NUMBER), *_refuse(_AT_LEAST, _X32, errno.ENOSYS)]
    for number in _IO_URING:
        # As on a kernel without it, so that programs take another way.
        rules += _refuse(_EQUAL, number, errno.ENOSYS)
    for number in refused:
        rules += _refuse(_EQUAL, number, errno.EPERM)
    rules += [(_EQUAL, 1, 0, socket), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, _FIRST_ARGUMENT)]
    for family in _FAMILIES:
        rules += _refuse(_EQUAL, family, errno.EAFNOSUPPORT)
    rules.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack(_RULE, *rule) for rule in rules)


def _refuse(test: int, value: int, error: int) -> list[tuple[int, int, int, int]]:
    return [(test, 0, 1, value), (_RETURN, 0, 0, _ERROR | error)]


def confine() -> None:
    """Put the filter over this process and all it becomes or starts. Raises OSError when the kernel will not."""
    rules = filter_of(os.uname().machine)
    kept = ctypes.create_string_buffer(rules, len(rules))
    program = struct.pack("HP", len(rules) // struct.calcsize(_RULE), ctypes.addressof(kept))
    libc = ctypes.CDLL(None, use_errno=True)
    for asked in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SECCOMP, _FILTER, program, 0, 0)):
        if libc.prctl(*asked) != 0:
            raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")


def main(words: list[str]) -> int:
    """Never returns when all is well; else the code a shell would end with."""
    try:
        confine()
    except KeyError as unknown:
        return _fail(126, "the system calls of this machine are not known", unknown)
    except OSError as error:
        return _fail(126, "it cannot be confined", error)
    # Python ignores these two; a program that is started must not inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(words[0], words)  # noqa: S606 - what is started is the program itself
    except FileNotFoundError:
        return _fail(127, words[0], "not found")
    except OSError as error:
        return _fail(126, words[0], error.strerror)


def _fail(code: int, what: str, why: object) -> int:
    sys.stderr.write(f"{what}: {why}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
