import { ReproError } from '../errors.ts';
import type { Sensor } from './events.ts';

/** A position in a recording; packets count from 1. */
export interface PacketPlace {
  readonly file: string;
  readonly packet: number;
  readonly byte: number;
}

const GET_IT_AGAIN = 'The file is damaged here, or is not what the camera wrote: download it again.';

function describePlace({ file, packet, byte }: PacketPlace): string {
  return `${file}: packet ${packet}, byte ${byte}`;
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}

export function failPacket(place: PacketPlace, what: string): never {
  throw new ReproError('aedat-packet', `the packet's header is invalid: ${what}.`, {
    where: describePlace(place),
    fix: GET_IT_AGAIN,
  });
}

export function failEvent(place: PacketPlace, slot: number, x: number, y: number, sensor: Sensor): never {
  throw new ReproError(
    'aedat-event',
    `event ${slot} of the packet is at x ${x}, y ${y}, outside the sensor's ${sensor.width} x ${sensor.height} pixels.`,
    { where: describePlace(place), fix: 'The file is damaged or was recorded with a different camera.' },
  );
}

/** @param neededBytes size of the packet's events @param thereBytes how much of them the file contains */
export function failTruncated(
  place: PacketPlace,
  events: number,
  neededBytes: number,
  thereBytes: number,
): never {
  throw new ReproError(
    'aedat-truncated',
    `the packet's ${count(events, 'event')} need ${count(neededBytes, 'byte')}, ` +
      `but the file ends after ${thereBytes.toLocaleString('en-US')} of them.`,
    {
      where: describePlace(place),
      fix: "The file is cut off, or the packet's header is damaged: download the file again.",
    },
  );
}

export function failTrailing(place: PacketPlace, leftBytes: number): never {
  throw new ReproError(
    'aedat-truncated',
    `${count(leftBytes, 'byte')} left over; a packet's header has 28.`,
    {
      where: describePlace(place),
      fix: 'The file is cut off, or something was appended to it: download it again.',
    },
  );
}
