"""Events of an AEDAT 3.1 recording to frames with NumPy, the yardstick of `npm run bench:frames`.

As one would write it by hand: the file is read at once, `numpy.frombuffer` gives each packet's events without copying,
`searchsorted` finds the clips, and `bincount` counts each frame. Checks what the TypeScript reader checks: sizes, pixels, order.
"""

import json
import struct
import sys
import time

import numpy as np

HEADER = struct.Struct("<HHIIIIII")
END = b"#!END-HEADER\r\n"


def read_events(path, height, width):
    """Returns times (µs, int64) and indices (polarity, y, x) of all polarity events, in file order."""
    with open(path, "rb") as file:
        data = file.read()
    if not data.startswith(b"#!AER-DAT3.1\r\n"):
        raise ValueError(f"{path} is not AEDAT 3.1")
    at = data.index(END) + len(END)
    words, overflows = [], []
    while at < len(data):
        kind, _, size, offset, overflow, capacity, number, _ = HEADER.unpack_from(data, at)
        at += HEADER.size
        if kind == 1:
            if size != 8 or offset != 4 or number > capacity or at + 8 * capacity > len(data):
                raise ValueError(f"{path}: broken packet at byte {at - HEADER.size}")
            words.append(np.frombuffer(data, "<u4", 2 * capacity, at))
            overflows.append((overflow, capacity))
        at += size * capacity
    # Packets of a few thousand events each: everything from here on is done for all of them at once.
    events = np.concatenate(words).reshape(-1, 2) if words else np.zeros((0, 2), np.uint32)
    address = events[:, 0]
    times = events[:, 1].astype(np.int64)
    if any(overflow for overflow, _ in overflows):
        times |= np.repeat([o for o, _ in overflows], [c for _, c in overflows]).astype(np.int64) << 31
    x = address >> 17
    y = (address >> 2) & 0x7FFF
    if len(x) and (x.max() >= width or y.max() >= height):
        raise ValueError(f"{path}: an event is outside the sensor")
    if np.any(times[1:] < times[:-1]):
        raise ValueError(f"{path}: time goes back")
    index = (((address >> 1) & 1) * height + y) * width + x
    return times, index


def integrate(times, index, steps, split_by, length):
    """Counts of a clip, [T, 2 * H * W], uint8 or wider."""
    count = len(times)
    if split_by == "number":
        bounds = [i * (count // steps) for i in range(steps)] + [count]
    elif count == 0:
        bounds = [0] * (steps + 1)
    else:
        step = (times[-1] - times[0]) // steps
        bounds = [*np.searchsorted(times, times[0] + step * np.arange(steps)), count]
    frames = [np.bincount(index[a:b], minlength=length) for a, b in zip(bounds, bounds[1:])]
    largest = max(int(frame.max()) for frame in frames)
    dtype = np.uint8 if largest < 256 else np.uint16 if largest < 65536 else np.uint32
    return np.stack([frame.astype(dtype) for frame in frames])


def convert(task):
    """Frames of every clip of a recording, one after the other; those of all recordings are not kept."""
    height, width = task["height"], task["width"]
    times, index = read_events(task["file"], height, width)
    frames = []
    for start, end in task["spans"]:
        a, b = np.searchsorted(times, (start, end))
        frames.append(integrate(times[a:b], index[a:b], task["steps"], task["splitBy"], 2 * height * width))
    return len(times), frames


def main():
    # One task a line; the answer is the time without starting Python.
    for line in sys.stdin:
        task = json.loads(line)
        started, processor = time.perf_counter(), time.process_time()
        events, frames = convert(task)
        seconds, processor = time.perf_counter() - started, time.process_time() - processor
        if "save" in task:
            np.concatenate(frames).astype("<u4").tofile(task["save"])
        print(json.dumps({"seconds": seconds, "processorSeconds": processor, "events": events}), flush=True)


if __name__ == "__main__":
    main()
