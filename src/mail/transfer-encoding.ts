/**
 * transfer-encoding - base64 and quoted-printable, decoded piece by piece (RFC 2045 section 6).
 *
 * What cannot be decoded is passed over (base64) or stays as it is (quoted-printable); nothing throws.
 */

/** `identity`: 7bit, 8bit, binary, and whatever nobody knows. */
export type TransferEncoding = 'identity' | 'base64' | 'quoted-printable';

/** The encoding that Content-Transfer-Encoding: names. */
export function transferEncoding(value: string): TransferEncoding {
  const word = /^[^\s;(]*/.exec(value.toLowerCase())?.[0];
  return word === 'base64' || word === 'quoted-printable' ? word : 'identity';
}

/** Answers the octets that the next piece stands for; what is left of it waits for the piece behind. */
export type Decoder = (piece: Buffer) => Buffer;

export function createDecoder(encoding: TransferEncoding): Decoder {
  if (encoding === 'base64') return base64Decoder();
  return encoding === 'quoted-printable' ? quotedPrintableDecoder() : (piece) => piece;
}

const NOT_IN_ALPHABET = 255;
const PADDING = 0x3d;
const SEXTETS = new Uint8Array(256).fill(NOT_IN_ALPHABET);
for (const [sextet, mark] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries()) {
  SEXTETS[mark.charCodeAt(0)] = sextet;
}

function base64Decoder(): Decoder {
  let bits = 0;
  let held = 0;
  return (piece) => {
    const octets = Buffer.allocUnsafe(Math.ceil((piece.length * 3) / 4) + 1);
    let filled = 0;
    for (const mark of piece) {
      const sextet = SEXTETS[mark] ?? NOT_IN_ALPHABET;
      if (sextet === NOT_IN_ALPHABET) {
        // Behind padding another encoded text may follow, where a sender joined what it had encoded before.
        if (mark === PADDING) held = 0;
        continue;
      }
      bits = ((bits << 6) | sextet) & 0xffff;
      held += 6;
      if (held < 8) continue;
      held -= 8;
      octets[filled] = (bits >> held) & 0xff;
      filled += 1;
    }
    return octets.subarray(0, filled);
  };
}

/** A `=` whose meaning the next piece decides; blanks may stand between it and the line's end. */
const UNDECIDED = /^=(?:[0-9a-f]?|[ \t]*\r?)$/i;
const LONGEST_UNDECIDED = 100;

function quotedPrintableDecoder(): Decoder {
  let rest: Buffer = Buffer.alloc(0);
  return (piece) => {
    let encoded = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const last = encoded.lastIndexOf(PADDING);
    const undecided =
      last !== -1 && encoded.length - last < LONGEST_UNDECIDED && UNDECIDED.test(encoded.toString('latin1', last));
    rest = undecided ? Buffer.from(encoded.subarray(last)) : Buffer.alloc(0);
    if (undecided) encoded = encoded.subarray(0, last);

    const octets = Buffer.allocUnsafe(encoded.length);
    let filled = 0;
    for (let at = 0; at < encoded.length; at += 1) {
      let octet = encoded[at] ?? 0;
      if (octet === PADDING) {
        const value = hexValue(encoded[at + 1]) * 16 + hexValue(encoded[at + 2]);
        const soft = Number.isNaN(value) ? softBreakEnd(encoded, at + 1) : -1;
        if (soft !== -1) {
          at = soft - 1;
          continue;
        }
        if (!Number.isNaN(value)) {
          octet = value;
          at += 2;
        }
      }
      octets[filled] = octet;
      filled += 1;
    }
    return octets.subarray(0, filled);
  };
}

function hexValue(mark: number | undefined): number {
  if (mark === undefined) return Number.NaN;
  if (mark >= 0x30 && mark <= 0x39) return mark - 0x30;
  const lower = mark | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}

/** Behind the CRLF of a soft line break, or -1 where there is none. */
function softBreakEnd(encoded: Buffer, from: number): number {
  let at = from;
  while (encoded[at] === 0x20 || encoded[at] === 0x09) at += 1;
  if (encoded[at] === 0x0d) at += 1;
  return encoded[at] === 0x0a ? at + 1 : -1;
}
