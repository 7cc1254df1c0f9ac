/**
 * comment - comments in structured fields (RFC 5322 section 3.2.2): they nest, and stand wherever white space may.
 */

/**
 * The text with a blank in the place of each comment outside of quoted strings. A parenthesis that is never closed stays,
 * with all behind it. Linear in the length of the text; nothing throws.
 */
export function withoutComments(text: string): string {
  if (!text.includes('(')) return text;
  let bare = '';
  let depth = 0;
  let quoted = false;
  /** Behind what was taken over, or the parenthesis that opened the comment at hand. */
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '\\') at += 1;
    else if (depth === 0 && char === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (char === '(') {
      if (depth === 0) {
        bare += text.slice(from, at);
        from = at;
      }
      depth += 1;
    } else if (char === ')' && depth > 0) {
      depth -= 1;
      if (depth > 0) continue;
      bare += ' ';
      from = at + 1;
    }
  }
  return bare + text.slice(from);
}
