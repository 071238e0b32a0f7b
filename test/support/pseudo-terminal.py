"""Runs a command in a pseudo-terminal: `pseudo-terminal.py COLUMNS ROWS COMMAND…`.

Copies what the terminal shows to stdout. Reads commands from stdin, one a line: `resize COLUMNS ROWS`, `kill SIGNAL`,
`type HEX`. A change of size is marked in the output. Ends with the command's exit code, or 128 + the number of the signal that ended it.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

columns, rows, *command = sys.argv[1:]


def resize(terminal, columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))


start, go = os.pipe()
pid, terminal = pty.fork()
if pid == 0:
    os.close(go)
    os.read(start, 1)  # not before the terminal has its size
    os.close(start)
    os.execvp(command[0], command)

os.close(start)
resize(terminal, columns, rows)
os.write(go, b"x")
os.close(go)

sources = [terminal, sys.stdin.fileno()]
pending = b""
while terminal in sources:
    ready, _, _ = select.select(sources, [], [])
    if terminal in ready:
        try:
            shown = os.read(terminal, 65536)
        except OSError:  # the command ended
            shown = b""
        if shown:
            os.write(sys.stdout.fileno(), shown)
        else:
            sources.remove(terminal)
    if sys.stdin.fileno() in ready:
        read = os.read(sys.stdin.fileno(), 65536)
        if not read:
            sources.remove(sys.stdin.fileno())
        *lines, pending = (pending + read).split(b"\n")
        for line in lines:
            action, *words = line.decode().split()
            if action == "resize":
                # Right after a redraw: no program can know that the size changes while it writes the next one.
                patience = 1
                while select.select([terminal], [], [], patience)[0]:
                    os.write(sys.stdout.fileno(), os.read(terminal, 65536))
                    patience = 0.02
                resize(terminal, *words)
                os.write(sys.stdout.fileno(), b"\x1b]777;resize;%b;%b\x07" % tuple(w.encode() for w in words))
            elif action == "kill":
                os.kill(pid, getattr(signal, words[0]))
            elif action == "type":
                os.write(terminal, bytes.fromhex(words[0]))

_, status = os.waitpid(pid, 0)
sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
