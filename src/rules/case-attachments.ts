/**
 * case-attachments - the files that the message of a case carries: what they are called, how large they are, and what is
 * in an archive.
 *
 *     attachments: [plan.pdf, { name: film.mp4, size: 6 MB }, { name: photos.zip, holds: [setup.exe] }]
 *
 * Nothing but names and sizes is real in them: their octets say nothing, and what is in an archive is empty.
 */
import { z } from 'zod';
import { amount, listOf, text } from '../yaml/scalar.ts';

/** Octets that the attachments of one case may come to. */
export const MOST_ATTACHED = 32 * 1024 * 1024;

const described = z.strictObject({
  name: text.meta({ description: 'The file name.', examples: ['photos.zip'] }),
  type: text.optional().meta({
    description: 'The media type; by default that of the ending of the name.',
    examples: ['application/pdf'],
  }),
  size: amount()
    .optional()
    .meta({ description: 'The size of the file.', examples: ['6 MB'] }),
  holds: listOf(text)
    .optional()
    .meta({ description: 'The names in it, of a zip archive.', examples: [['setup.exe']] }),
});

const named = text
  .transform((name): z.output<typeof described> => ({ name }))
  .meta({ title: 'file name', examples: ['setup.exe'] });

export const attachmentsSchema = listOf(
  z.union([described, named]).meta({ title: 'file name, or a mapping', examples: ['setup.exe'] }),
);
export type CaseAttachment = z.output<typeof attachmentsSchema>[number];

const TYPES: Readonly<Record<string, string>> = {
  gif: 'image/gif',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  pdf: 'application/pdf',
  png: 'image/png',
  txt: 'text/plain',
  zip: 'application/zip',
};

const BOUNDARY = 'case-boundary';
export const MULTIPART = `multipart/mixed; boundary=${BOUNDARY}`;

/** The body of a message with that text and these files; its lines end with line feeds. */
export function multipart(words: string, attachments: readonly CaseAttachment[]): string {
  const parts = attachments.map(({ name, type, size, holds }) => {
    const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
    const said = type ?? TYPES[ending] ?? (holds === undefined ? 'application/octet-stream' : 'application/zip');
    const file = name.replace(/[\r\n]/g, ' ').replace(/["\\]/g, '\\$&');
    const head = [
      `Content-Type: ${said.replace(/\s+/g, ' ')}`,
      `Content-Disposition: attachment; filename="${file}"`,
      ...(holds === undefined ? [] : ['Content-Transfer-Encoding: base64']),
    ];
    const content = holds === undefined ? filler(size ?? 1) : archiveOf(holds).toString('base64');
    return `--${BOUNDARY}\n${head.join('\n')}\n\n${content}\n`;
  });
  return `--${BOUNDARY}\n\n${words}\n${parts.join('')}--${BOUNDARY}--\n`;
}

/** So many octets on one line, so that line ends do not change their number. */
function filler(octets: number): string {
  return 'x'.repeat(octets);
}

/** A zip archive (APPNOTE.TXT section 4.3) of empty files, stored. */
function archiveOf(names: readonly string[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const one of names) {
    const name = Buffer.from(one);
    const local = Buffer.alloc(30);
    local.write('PK\x03\x04', 'latin1');
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(UTF_8, 6);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02', 'latin1');
    entry.writeUInt16LE(20, 4);
    entry.writeUInt16LE(20, 6);
    entry.writeUInt16LE(UTF_8, 8);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    files.push(local, name);
    directory.push(entry, name);
    offset += local.length + name.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(names.length, 8);
  end.writeUInt16LE(names.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, listed, end]);
}

/** The flag of names in UTF-8. */
const UTF_8 = 1 << 11;
