/**
 * wire-corpus - real messages of the corpus beside the repository, with the line ends that they have on the wire.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Message } from '../../src/core/message.ts';
import { parseHeader } from '../../src/mail/header.ts';

const corpus = join(resolve('..', 'shared'), 'corpus');

/** Why tests of the corpus cannot run; null where it is there. */
export const missingCorpus = existsSync(corpus) ? null : `SKIPPED: ${corpus} is missing`;

/** The files of all messages. */
export function corpusMessages(): readonly string[] {
  const all = readdirSync(join(corpus, 'messages'), { recursive: true, encoding: 'utf8' });
  return all.filter((name) => name.endsWith('.eml')).map((name) => join('messages', name));
}

/** The message as it would come over the wire. */
export function octetsOnTheWire(file: string): Buffer {
  const text = readFileSync(join(corpus, file), 'latin1')
    .replace(/^>?From .*(\r\n|\n|\r)/, '')
    .replace(/\r\n|\n|\r/g, '\r\n');
  return Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1');
}

/** A message whose content comes in slices of `slice` octets. */
export function messageOf(octets: Buffer, slice = octets.length): Message {
  const slices: Buffer[] = [];
  for (let at = 0; at < octets.length; at += Math.max(1, slice)) slices.push(octets.subarray(at, at + slice));
  return { header: parseHeader(octets), content: { size: octets.length, slices: () => slices } };
}

/** The same, but read later, as from a disk. */
export function messageOnDisk(octets: Buffer, slice: number): Message {
  const { header, content } = messageOf(octets, slice);
  const slices = async function* () {
    for (const piece of content.slices() as readonly Buffer[]) yield await piece;
  };
  return { header, content: { size: octets.length, slices } };
}

/** The text of a file of the corpus. */
export function readCorpus(file: string): string {
  return readFileSync(join(corpus, file), 'utf8');
}

/** The rows of a file of JSON lines. */
export function truthOf<T>(file: string): readonly T[] {
  const lines = readCorpus(file).trim().split('\n');
  return lines.map((line): T => JSON.parse(line));
}
