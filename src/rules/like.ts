/**
 * like - patterns with `*` (any characters, also none) and `?` (one character) over a whole text.
 *
 * A pattern is cut at its stars; each piece is then found once, from left to right, as early as it occurs. That is
 * enough, because a star takes whatever lies between: nothing is ever tried twice.
 */

export type Like = (text: string) => boolean;

export function compileLike(pattern: string): Like {
  const pieces = pattern.split(/\*+/);
  const [first = '', ...rest] = pieces;
  const last = rest.pop();
  return pattern.includes('?') ? likeWithMarks(pieces.map((piece) => [...piece])) : likeOfPieces(first, rest, last);
}

/** The longest text that stands in whatever the pattern matches; empty where there is none. */
export function literalOfLike(pattern: string): string {
  return pattern.split(/[*?]+/).reduce((longest, piece) => (piece.length > longest.length ? piece : longest), '');
}

/** `last` is undefined for a pattern without a star. */
function likeOfPieces(first: string, middle: readonly string[], last: string | undefined): Like {
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let at = first.length;
    for (const piece of middle) {
      const found = text.indexOf(piece, at);
      if (found === -1) return false;
      at = found + piece.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  };
}

type Characters = readonly string[];

/** The same over characters (code points), because `?` is one character and not half of one. */
function likeWithMarks(pieces: readonly Characters[]): Like {
  const [first = [], ...rest] = pieces;
  const last = rest.pop();
  return (source) => {
    const text = [...source];
    if (!standsAt(text, first, 0)) return false;
    if (last === undefined) return text.length === first.length;
    let at = first.length;
    for (const piece of rest) {
      while (!standsAt(text, piece, at)) {
        at += 1;
        if (at + piece.length > text.length) return false;
      }
      at += piece.length;
    }
    const end = text.length - last.length;
    return end >= at && standsAt(text, last, end);
  };
}

function standsAt(text: Characters, piece: Characters, at: number): boolean {
  return at + piece.length <= text.length && piece.every((mark, index) => mark === '?' || mark === text[at + index]);
}
