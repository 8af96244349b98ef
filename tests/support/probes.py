"""Programs that try what a box should refuse, run inside it with `python3 -c`."""

SYSTEM_CALLS = """
import ctypes, errno, mmap, os, socket

def said(name, error):
    print(name, errno.errorcode.get(error, "allowed"), flush=True)

for name, family, kind in (("AF_VSOCK", 40, socket.SOCK_STREAM), ("AF_ALG", 38, socket.SOCK_SEQPACKET)):
    try:
        socket.socket(family, kind).close()
        said(name, 0)
    except OSError as error:
        said(name, error.errno)

libc = ctypes.CDLL(None, use_errno=True)
x86 = os.uname().machine == "x86_64"

def call(name, number, *arguments):
    failed = libc.syscall(number, *arguments) == -1
    said(name, ctypes.get_errno() if failed else 0)

call("io_uring", 425, 4, ctypes.create_string_buffer(256))
call("bpf", 321 if x86 else 280, 0, 0, 0)
call("keyctl", 250 if x86 else 219, 0, -3, 1)
if x86:
    call("x32", 0x40000000 + 39)
    # getpid, said in the 32-bit way: mov eax, 20; int 0x80; ret
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("b814000000cd80c3"))
    start = ctypes.addressof(ctypes.c_char.from_buffer(code))
    said("32-bit", 0 if ctypes.CFUNCTYPE(ctypes.c_int)(start)() > 0 else errno.ENOSYS)
"""
"""Prints what became of each: `NAME allowed`, or the name of the error."""

WALLS = """
import contextlib, ctypes, os

def tried(name, work):
    with contextlib.suppress(OSError):
        work()
        print(name, flush=True)

def written(path, text=""):
    with open(path, "w") as file:
        file.write(text)

def called(name, *arguments):
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(name)

libc = ctypes.CDLL(None)
randomize = "/proc/sys/kernel/randomize_va_space"
for place in ("/", "/usr/bin", "/etc", "/proc/sys/kernel", "/sys/fs/cgroup"):
    tried(f"wrote {place}", lambda: written(f"{place}/x"))
# As it is: a machine that is tried on keeps its settings.
tried("sysctl", lambda: written(randomize, open(randomize).read()))
# It only asks for help.
tried("sysrq", lambda: written("/proc/sysrq-trigger", "h"))
tried("mknod", lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(8, 0)))
tried("mount", lambda: called("mount", b"none", b"/tmp", b"tmpfs", 0, None))
tried("unshare", lambda: called("unshare", 0x00020000))
tried("user namespace", lambda: called("unshare", 0x10000000))
tried("kmsg", lambda: os.close(os.open("/dev/kmsg", os.O_RDONLY)))
tried("kcore", lambda: os.close(os.open("/proc/kcore", os.O_RDONLY)))
print("end")
"""
"""Prints the name of every wall that gave way, and `end`."""
