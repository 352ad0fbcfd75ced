"""Writes a program that holds signals back and becomes another one: hold-signals PROGRAM ARG...

The kernel drops a signal to PID 1 that has no handler for it, and a handler does not outlive exec(2). A blocked signal
stays pending, also through exec. So the first program of a container blocks the signals of a stop, and Python, some
programs later, takes them (https://man7.org/linux/man-pages/man7/pid_namespaces.7.html, signal(7)). No shell and
no busybox can block a signal, and the base image has no compiler: the program is these few instructions.
"""

from __future__ import annotations

import platform
import struct
from collections.abc import Mapping
from pathlib import Path

SIGNALS = (*(1, 2, 3, 10, 12, 14, 15, 16, 20, 24, 26, 27, 28, 29, 30), *range(34, 65))
"""Every signal that may be the first of a stop, by its number on x86-64 and ARM64."""

_X86_64 = bytes.fromhex(
    "31ff"  # xor edi, edi; SIG_BLOCK
    "488d3537000000"  # lea rsi, [rip + 55]; the mask
    "31d2"  # xor edx, edx
    "41ba08000000"  # mov r10d, 8
    "b80e000000"  # mov eax, 14; rt_sigprocmask
    "0f05"  # syscall
    "488b0424"  # mov rax, [rsp]; argc
    "488d742410"  # lea rsi, [rsp + 16]; argv + 1
    "488d54c410"  # lea rdx, [rsp + 8 * rax + 16]; envp
    "488b3e"  # mov rdi, [rsi]
    "b83b000000"  # mov eax, 59; execve
    "0f05"  # syscall
    "bf7f000000"  # mov edi, 127
    "b83c000000"  # mov eax, 60; exit
    "0f05"  # syscall
    "90909090"  # nop, to a multiple of 4
)
_ARM64 = struct.pack(
    "<15I",
    0xD2800000,  # mov x0, #0; SIG_BLOCK
    0x100001C1,  # adr x1, #56; the mask
    0xD2800002,  # mov x2, #0
    0xD2800103,  # mov x3, #8
    0xD28010E8,  # mov x8, #135; rt_sigprocmask
    0xD4000001,  # svc #0
    0xF94003E9,  # ldr x9, [sp]; argc
    0x910043E1,  # add x1, sp, #16; argv + 1
    0x8B090C22,  # add x2, x1, x9, lsl #3; envp
    0xF9400020,  # ldr x0, [x1]
    0xD2801BA8,  # mov x8, #221; execve
    0xD4000001,  # svc #0
    0xD2800FE0,  # mov x0, #127
    0xD2800BA8,  # mov x8, #93; exit
    0xD4000001,  # svc #0
)
MACHINES: Mapping[str, tuple[int, bytes]] = {"x86_64": (62, _X86_64), "aarch64": (183, _ARM64)}
"""The number of each machine in an ELF header, and its instructions."""

_BASE = 0x400000
_HEADERS = 64 + 2 * 56


def program(machine: str) -> bytes:
    """Return the program as an ELF file: headers, instructions, and the mask that they read."""
    number, instructions = MACHINES[machine]
    mask = sum(1 << (signal - 1) for signal in SIGNALS)
    size = _HEADERS + len(instructions) + 8
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, number, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 2, 64, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x10000)
    stack = struct.pack("<IIQQQQQQ", 0x6474E551, 6, 0, 0, 0, 0, 0, 16)
    return identity + header + load + stack + instructions + struct.pack("<Q", mask)


def write(file: Path) -> None:
    """Write the program for this machine; raises KeyError for another than x86-64 and ARM64."""
    file.write_bytes(program(platform.machine()))
    file.chmod(0o755)
