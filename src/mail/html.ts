/**
 * html - what a reader sees of HTML, and where its links lead; as far as rules need it.
 *
 * One pass, with the tokenizer's rules of the HTML standard where they decide what is text: quotes in attributes, comments,
 * elements whose content is not shown. No styles are applied, so hidden text counts as text. Linear: what does not end
 * ends the text.
 */

export interface HtmlText {
  readonly text: string;
  /** Values of `href` and `action` as they stand, entities resolved. */
  readonly links: readonly string[];
}

const MOST_LINKS = 2000;
/** Elements whose content nobody sees. */
const UNSEEN = new Set(['script', 'style', 'title', 'template', 'iframe']);
/** Elements that do not part the words around them. */
const INLINE = new Set([
  ...['a', 'abbr', 'b', 'bdi', 'bdo', 'big', 'cite', 'code', 'data', 'del', 'dfn', 'em', 'font', 'i', 'ins', 'kbd'],
  ...[
    'mark',
    'nobr',
    'q',
    's',
    'samp',
    'small',
    'span',
    'strike',
    'strong',
    'sub',
    'sup',
    'time',
    'tt',
    'u',
    'var',
    'wbr',
  ],
]);
const TAG_NAME = /<(\/?)([a-z][^\s/>]*)/iy;
const ATTRIBUTE = /[\s/]*([^\s/>=][^\s/>=]*)\s*(=?)\s*/y;
const UNQUOTED = /[^\s>]*/y;

export function readHtml(source: string): HtmlText {
  const texts: string[] = [];
  const links: string[] = [];
  let at = 0;
  while (at < source.length) {
    const open = source.indexOf('<', at);
    if (open === -1) {
      texts.push(source.slice(at));
      break;
    }
    texts.push(source.slice(at, open));
    at = behindMarkup(source, open, texts, links);
  }
  return { text: resolveEntities(texts.join('')), links: links.map(resolveEntities) };
}

/** The offset behind what begins with `<` at `open`. */
function behindMarkup(source: string, open: number, texts: string[], links: string[]): number {
  if (source.startsWith('<!--', open)) return behind(source, '-->', open + 2);
  const next = source[open + 1];
  if (next === '!' || next === '?') return behind(source, '>', open);
  TAG_NAME.lastIndex = open;
  const [all, slash, written = ''] = TAG_NAME.exec(source) ?? [];
  if (all === undefined) {
    texts.push('<');
    return open + 1;
  }
  const name = written.toLowerCase();
  if (!INLINE.has(name)) texts.push('\n');
  const end = behindAttributes(source, open + all.length, links);
  if (slash !== '' || !UNSEEN.has(name)) return end;
  const closing = new RegExp(`</${name}`, 'gi');
  closing.lastIndex = end;
  return closing.exec(source)?.index ?? source.length;
}

function behindAttributes(source: string, from: number, links: string[]): number {
  let at = from;
  for (;;) {
    ATTRIBUTE.lastIndex = at;
    const attribute = ATTRIBUTE.exec(source);
    if (attribute === null) return behind(source, '>', at);
    at += attribute[0].length;
    if (attribute[2] !== '=') continue;
    const quote = source[at];
    let value: string;
    if (quote === '"' || quote === "'") {
      const end = source.indexOf(quote, at + 1);
      if (end === -1) return source.length;
      value = source.slice(at + 1, end);
      at = end + 1;
    } else {
      UNQUOTED.lastIndex = at;
      value = UNQUOTED.exec(source)?.[0] ?? '';
      at += value.length;
    }
    if (/^(?:href|action)$/i.test(attribute[1] ?? '') && links.length < MOST_LINKS) links.push(value);
  }
}

function behind(source: string, mark: string, from: number): number {
  const found = source.indexOf(mark, from);
  return found === -1 ? source.length : found + mark.length;
}

/** Those that stand in letters of today; others stay as they are written. */
const ENTITIES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', shy: '', zwnj: '', zwj: '', copy: '©', reg: '®' },
    ...{ trade: '™', hellip: '…', mdash: '—', ndash: '–', lsquo: '‘', rsquo: '’', ldquo: '“', rdquo: '”', bull: '•' },
    ...{ laquo: '«', raquo: '»', euro: '€', pound: '£', cent: '¢', yen: '¥', sect: '§', deg: '°', middot: '·' },
    ...{ auml: 'ä', ouml: 'ö', uuml: 'ü', Auml: 'Ä', Ouml: 'Ö', Uuml: 'Ü', szlig: 'ß', eacute: 'é', egrave: 'è' },
    ...{ ecirc: 'ê', agrave: 'à', aacute: 'á', acirc: 'â', ccedil: 'ç', iacute: 'í', oacute: 'ó', uacute: 'ú' },
    ...{ ntilde: 'ñ', aring: 'å', aelig: 'æ', oslash: 'ø', colon: ':', sol: '/', period: '.', commat: '@', Tab: ' ' },
    ...{ ensp: ' ', emsp: ' ', thinsp: ' ', NewLine: ' ', num: '#', quest: '?', equals: '=', lowbar: '_', hyphen: '-' },
  }),
);

function resolveEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,10})|#x([0-9a-f]{1,8})|([a-z]{2,8}));?/gi, (written, decimal, hex, name) => {
    if (typeof name === 'string') return ENTITIES.get(name) ?? ENTITIES.get(name.toLowerCase()) ?? written;
    const code = typeof decimal === 'string' ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '\ufffd';
  });
}
