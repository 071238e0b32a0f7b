"""A small recording whose labels overlap, and what two rules make of it.

    python3 test/golden/overlap/make_overlap.py

needs Python 3.9 or later and nothing else. It writes `recording.aedat`, `recording_labels.csv`, `index.json` and one
`<case>.safetensors` per rule to its own folder, the same bytes everywhere.

`segments_both`: a clip has the events with start <= t < end. `segments_earlier`: the rule of the original's converter, which keeps one
position in the recording and only ever moves it forward: first to the first event that is not before the row's start, where the clip
begins, then to the first event that is not before the row's end, where it ends. Events that an earlier row has passed are gone.

It uses none of the project's own code.
"""

import json
import random
import struct
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
EVENTS = 600
PACKET = 150

# class, start, end in µs: two rows apart; one that starts before the row above ends; two that touch; one that lies wholly within the row
# above; and one that starts within that one but outlasts both.
ROWS = [(1, 1000, 3000), (9, 3500, 6000), (10, 5200, 7400), (2, 7400, 9000), (3, 8000, 8600), (8, 8500, 11000)]


def make_events():
    draw = random.Random(18)
    t, events = 500, []
    for _ in range(EVENTS):
        t += draw.choice([0, 0, 10, 25, 40, 60])  # some at the same time
        events.append((t, draw.randrange(128), draw.randrange(128), draw.randrange(2)))
    assert events[-1][0] > ROWS[-1][2], 'the original reads past the end of a recording that ends before its last row'
    return events


def encode(events):
    out = b'#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n'
    for first in range(0, len(events), PACKET):
        packet = events[first:first + PACKET]
        out += struct.pack('<HHIIIIII', 1, 1, 8, 4, 0, len(packet), len(packet), len(packet))
        for t, x, y, p in packet:
            out += struct.pack('<II', x << 17 | y << 2 | p << 1 | 1, t)
    return out


def cut_both(times):
    """[class, first, one past the last]: those with start <= t < end, which lie side by side since times only rise."""
    first = lambda limit: sum(t < limit for t in times)
    return [[label, first(start), first(end)] for label, start, end in ROWS]


def cut_forwards(times):
    """The same by the original's rule."""
    position, clips = 0, []
    for label, start, end in ROWS:
        while times[position] < start:
            position += 1
        left = position
        while times[position] < end:
            position += 1
        clips.append([label, left, position])
    return clips


def write_safetensors(path, lists):
    header, data = {}, b''
    for name, values in lists.items():
        packed = struct.pack(f'<{len(values)}q', *values)
        header[name] = {'dtype': 'I64', 'shape': [len(values)], 'data_offsets': [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    path.write_bytes(struct.pack('<Q', len(text)) + text + data)


events = make_events()
times = [t for t, *_ in events]
(FOLDER / 'recording.aedat').write_bytes(encode(events))
(FOLDER / 'recording_labels.csv').write_text(
    'class,startTime_usec,endTime_usec\n' + ''.join(f'{label},{start},{end}\n' for label, start, end in ROWS))
cases = {}
for name, cut in [('both', cut_both), ('earlier', cut_forwards)]:
    cases[f'segments_{name}'] = {
        'kind': 'segments', 'file': 'recording.aedat', 'labels': 'recording_labels.csv', 'overlaps': name}
    write_safetensors(FOLDER / f'segments_{name}.safetensors', {f'segment_{i}': clip for i, clip in enumerate(cut(times))})
    print(name, cut(times))
(FOLDER / 'index.json').write_text(json.dumps({'made_by': 'make_overlap.py', 'cases': cases}, indent=1) + '\n')
