"""The pause image: one static program of a few bytes that waits for ever.

It is made here, not pulled, because the first awsvpc task must not need a registry. The program is
machine code in a minimal ELF file (System V ABI, "Object Files"): an endless loop around a system
call that waits for a signal.
"""

from __future__ import annotations

import io
import struct
import tarfile

BASE = 0x400000
HEADERS = 64 + 56

#: mov eax, 34 (pause); syscall; jmp to the start.
X86_64 = bytes.fromhex("b822000000") + bytes.fromhex("0f05") + bytes.fromhex("ebf7")
#: mov x0..x4, 0; mov x8, 73 (ppoll); svc 0; b to the start.
ARM64 = b"".join(
    struct.pack("<I", word)
    for word in (
        0xD2800000,
        0xD2800001,
        0xD2800002,
        0xD2800003,
        0xD2800004,
        0xD2800928,
        0xD4000001,
        0x17FFFFF9,
    )
)
PROGRAMS = {"x86_64": (62, X86_64), "amd64": (62, X86_64), "aarch64": (183, ARM64)}
PROGRAMS["arm64"] = PROGRAMS["aarch64"]


def archive(architecture: str) -> bytes:
    """The image's file system as a tar archive. Raises ``KeyError`` for a strange architecture."""
    content = program(architecture)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("pause")
        entry.size = len(content)
        entry.mode = 0o755
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def program(architecture: str) -> bytes:
    """The program as an ELF file."""
    machine, code = PROGRAMS[architecture]
    size = HEADERS + len(code)
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = struct.pack(
        "<HHIQQQIHHHHHH", 2, machine, 1, BASE + HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x1000)
    return identity + header + segment + code
