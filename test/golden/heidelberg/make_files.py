"""Simulated recordings in the layout of Spiking Heidelberg Digits, for tests and rehearsals.

    python3 test/golden/heidelberg/make_files.py [FOLDER [PER_SPEAKER_AND_CLASS]]

needs h5py (`apt install python3-h5py` or `pip install h5py`). The committed files are those without arguments: 4 speakers, 3 of them in
the training part, say 20 classes once. As published, `spikes/times` are arrays of float16, in seconds, and `spikes/units` of uint16,
both of any length; labels and speakers are uint16. A class is a unit that moves with time; speakers shift it.
"""

import sys
from pathlib import Path

import h5py
import numpy as np

UNITS, CLASSES = 700, 20
TRAIN, TEST = [0, 1, 2], [3, 1]


def make_clip(random, label, speaker, events):
    times = np.sort(random.uniform(0.01, 0.9, events))
    start, slope = (35 * label) % UNITS, (-1) ** label * 150
    units = (start + slope * times + 5 * speaker + random.normal(0, 8, events)) % UNITS
    return times.astype('<f2'), units.astype('<u2')


def write_part(path, speakers, per_speaker, events):
    random = np.random.default_rng(len(speakers) + 2020)
    clips = [(label, speaker) for _ in range(per_speaker) for speaker in speakers for label in range(CLASSES)]
    order = random.permutation(len(clips))
    with h5py.File(path, 'w', libver=('earliest', 'v108')) as file:
        times = file.create_dataset('spikes/times', len(clips), dtype=h5py.vlen_dtype(np.dtype('<f2')))
        units = file.create_dataset('spikes/units', len(clips), dtype=h5py.vlen_dtype(np.dtype('<u2')))
        for row, clip in enumerate(order):
            times[row], units[row] = make_clip(random, *clips[clip], events)
        file['labels'] = np.array([clips[clip][0] for clip in order], '<u2')
        file['extra/speaker'] = np.array([clips[clip][1] for clip in order], '<u2')


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    per_speaker = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    events = 400 if len(sys.argv) > 1 else 60
    write_part(folder / 'shd_train.h5', TRAIN, per_speaker, events)
    write_part(folder / 'shd_test.h5', TEST, per_speaker, events)


if __name__ == '__main__':
    main()
