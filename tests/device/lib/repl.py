"""A board's REPL on MicroPython's unix port, which has none that mpremote could use: a program for that interpreter.

    micropython repl.py TERMINAL IMAGE MODE

It mounts the LittleFS of the file IMAGE as the board's flash, is interrupted by Ctrl-C on the terminal, and has the
normal and the raw mode, with raw paste (docs/reference/repl of MicroPython). It ends where a board would restart
softly: with exit code 3 to come back in raw mode, 4 to run `main.py` first, 5 after `machine.reset()`.
"""

import io
import os
import sys

import vfs

RAW, MAIN, RESET = 3, 4, 5
BLOCK = 4096
# So much may be on its way: a quarter of what a terminal holds.
WINDOW = 1024

BANNER = 'MicroPython v1.29.0-preview on 2026-01-01; unix port as a board\r\nType "help()" for more information.\r\n'


class Flash:
    """A file as a block device."""

    def __init__(self, path):
        self.file = open(path, "r+b")  # noqa: SIM115 - open while the board is on
        self.file.seek(0, 2)
        self.count = self.file.tell() // BLOCK

    def readblocks(self, block, buffer, offset=0):
        self.file.seek(block * BLOCK + offset)
        self.file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self.file.seek(block * BLOCK + offset)
        self.file.write(buffer)
        self.file.flush()

    def ioctl(self, what, argument):
        if what == 4:
            return self.count
        return BLOCK if what == 5 else 0


def mount(path):
    flash = Flash(path)
    try:
        system = vfs.VfsLfs2(flash)
    except OSError:
        vfs.VfsLfs2.mkfs(flash)
        system = vfs.VfsLfs2(flash)
    vfs.mount(system, "/flash")
    os.chdir("/flash")
    sys.path[:0] = ["/flash", "/flash/lib"]


def write(text):
    # A board's output is cooked; what mpremote waits for is written as it is.
    sys.stdout.buffer.write(text)


def read():
    """One byte of the terminal; Ctrl-C comes as itself."""
    try:
        data = sys.stdin.buffer.read(1)
    except KeyboardInterrupt:
        return b"\x03"
    if not data:
        sys.exit(0)
    return data


def execute(text, names):
    """Run a program; the text of its traceback."""
    try:
        exec(text, names)
    except SystemExit as error:
        if error.args == (RESET,):
            raise
        write("\r\n")
        sys.exit(MAIN)
    except BaseException as error:
        report = io.StringIO()
        sys.print_exception(error, report)
        return report.getvalue()
    return ""


def run(program, names):
    report = execute(program, names)
    write("\x04" + report + "\x04>")


def paste(names):
    """A program in windows; each gets room for one more."""
    write(b"R\x01" + WINDOW.to_bytes(2, "little"))
    program = bytearray()
    while (byte := read()) not in b"\x03\x04":
        program += byte
        if len(program) % WINDOW == 0:
            write("\x01")
    write("\x04")
    run(program if byte == b"\x04" else b"", names)


def raw(names):
    prompt = "raw REPL; CTRL-B to exit\r\n>"
    write(prompt)
    program = bytearray()
    while (byte := read()) != b"\x02":
        if byte == b"A" and program == b"\x05":
            read()
            paste(names)
        elif byte == b"\x01":
            write(prompt)
        elif byte == b"\x04":
            write("OK")
            if not program.strip():
                write("\r\nMPY: soft reboot\r\n")
                sys.exit(RAW)
            run(program, names)
        elif byte != b"\x03":
            program += byte
            continue
        program = bytearray()


def friendly(names):
    write(BANNER + ">>> ")
    line = b""
    while True:
        byte = read()
        if byte == b"\x01":
            raw(names)
            write(BANNER + ">>> ")
            line = b""
        elif byte == b"\x03":
            write("\r\n>>> ")
            line = b""
        elif byte == b"\x04" and not line:
            write("\r\nMPY: soft reboot\r\n")
            sys.exit(MAIN)
        elif byte == b"\r":
            write("\r\n" + execute(line, names) + ">>> ")
            line = b""
        else:
            write(byte.decode())
            line += byte


def main(terminal, image, mode):
    # It becomes the terminal that Ctrl-C comes from.
    open(terminal)  # noqa: SIM115 - open while the board is on
    mount(image)
    names = {"__name__": "__main__"}
    if mode == "main":
        try:
            with open("main.py") as file:
                program = file.read()
        except OSError:
            program = ""
        report = execute(program, names)
        write(report)
    elif mode == "raw":
        raw(names)
    friendly(names)


main(*sys.argv[1:])
