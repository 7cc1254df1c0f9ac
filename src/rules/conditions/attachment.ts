/**
 * attachment - asks the parts of a message that are files to their reader (RFC 2183): one part must satisfy all keys.
 *
 * A part is one if it is said to be, has a file name, or is no text; an attached message is one too. Mail programs differ in
 * which of several names of a part they show, so any of them will do.
 */
import { z } from 'zod';
import type { ContentFacts } from '../../core/facts.ts';
import { archivesOf, isAttachment, sizesOf, structureOf } from '../../mail/body.ts';
import type { BodyPart } from '../../mail/mime.ts';
import { amount, flag } from '../../yaml/scalar.ts';
import { askOnce, defineCondition } from '../condition.ts';
import type { CompileEnv } from '../env.ts';
import { askNothing, asksSomething, type TextTest, type TextWords } from '../match.ts';
import { rememberPart } from '../part-name.ts';
import { compileTextMatch, textMatch } from '../text-match.ts';

const HEADER = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b';
const PROGRAM =
  '--b\n\nHere it is.\n--b\nContent-Type: application/octet-stream\n' +
  'Content-Disposition: attachment; filename="Setup.EXE"\nContent-Transfer-Encoding: base64\n\nTVqQAAMAAAA=\n--b--\n';
const SIGNED = '--b\n\nTulips\n--b\nContent-Type: application/pgp-signature\n\niQ==\n--b--\n';
/** photos.zip with the names tulip.jpg and more/setup.exe in it, both of them empty. */
const ARCHIVE =
  '--b\nContent-Type: application/zip; name=photos.zip\nContent-Transfer-Encoding: base64\n\n' +
  'UEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAAAAAJAAAAdHVsaXAuanBnUEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAAAAAOAAAAbW9yZS9zZXR1cC5l\n' +
  'eGVQSwECFAAUAAAAAAAAACEAAAAAAAAAAAAAAAAACQAAAAAAAAAAAAAAAAAAAAAAdHVsaXAuanBnUEsBAhQAFAAAAAAAAAAhAAAAAAAAAAAA\n' +
  'AAAAAA4AAAAAAAAAAAAAAAAAJwAAAG1vcmUvc2V0dXAuZXhlUEsFBgAAAAACAAIAcwAAAFMAAAAAAA==\n--b--\n';
const SHOWN = 5;

export const attachment = defineCondition({
  name: 'attachment',
  summary: 'Asks the attachments; one of them must satisfy all keys.',
  reference: 'RFC 2183',
  phase: 'content',
  argument: z
    .strictObject({
      name: textMatch('like: "*.exe"')
        .optional()
        .meta({
          description: 'The file name; a text alone is compared as a whole.',
          examples: ['{ like: ["*.exe", "*.scr"] }'],
        }),
      type: textMatch('like: "image/*"')
        .optional()
        .meta({
          description: 'The media type, without regard to case.',
          examples: ['application/pdf', '{ like: "image/*" }'],
        }),
      size: z
        .strictObject({
          above: amount().optional().describe('More octets than that.'),
          below: amount().optional().describe('Fewer octets than that.'),
        })
        .refine(asksSomething, askNothing('above: 1 MB'))
        .optional()
        .describe('The size of the file itself, decoded.'),
      inside_archives: flag.optional().describe('Whether `name` also asks the names in zip archives.'),
    })
    .refine(
      ({ inside_archives: _, ...keys }) => asksSomething({ ...keys, file: keys.name }),
      askNothing('name: { like: "*.exe" }'),
    ),
  examples: [
    { argument: '{ name: { like: ["*.exe", "*.scr"] } }', given: { header: HEADER, body: PROGRAM }, expect: true },
    { argument: '{ name: setup.exe, type: image/png }', given: { header: HEADER, body: PROGRAM }, expect: false },
    { argument: '{ type: application/pgp-signature }', given: { header: HEADER, body: SIGNED }, expect: true },
    { argument: '{ type: { starts_with: text/ } }', given: { header: HEADER, body: SIGNED }, expect: false },
    { argument: '{ size: { above: 7 B, below: 9 B } }', given: { header: HEADER, body: PROGRAM }, expect: true },
    {
      argument: '{ name: { ends_with: .exe }, inside_archives: true }',
      given: { header: HEADER, body: ARCHIVE },
      expect: true,
    },
    { argument: '{ name: { ends_with: .exe } }', given: { header: HEADER, body: ARCHIVE }, expect: false },
  ],
  compile({ name, type, size, inside_archives: insideArchives = false }, env) {
    const nameTest = name === undefined ? null : compileTextMatch(name, 'name', env);
    const typeTest = type === undefined ? null : compileTextMatch(type, 'type', env);
    if (insideArchives && name === undefined) {
      env.report('E_VALUE', '`inside_archives` asks nothing without a name', 'add name: { like: "*.exe" }', [
        'inside_archives',
      ]);
    }
    reportTypes(type, env);
    return askOnce(async (facts) => {
      const { message, answers } = facts;
      const { parts } = await structureOf(message);
      const sizes = size === undefined ? null : await sizesOf(message);
      const archives = insideArchives ? (await archivesOf(message)).names : null;
      for (const part of parts) {
        if (!isAttachment(part) || (typeTest !== null && !(await typeTest(part.type, facts)))) continue;
        if (size !== undefined && !isWithin(sizes?.get(part) ?? 0, size)) continue;
        const found =
          nameTest === null ? titleOf(part) : await findName(part, archives?.get(part) ?? [], nameTest, facts);
        if (found === null) continue;
        rememberPart(answers, env, found);
        return true;
      }
      return false;
    });
  },
  saw({ message }) {
    const structure = structureOf(message);
    if (structure instanceof Promise) return 'not read';
    const found = structure.parts.filter(isAttachment);
    const shown = found.slice(0, SHOWN).map((part) => `${titleOf(part)} (${part.type})`);
    return [...shown, ...(found.length > SHOWN ? ['...'] : [])].join(', ') || 'no attachment';
  },
});

/** What people call pictures. */
const IMAGES = /^(?:images?|pictures?|photos?)$/i;

/** Warns of what is no media type: they have a slash. Patterns are told by the match words. */
function reportTypes(match: readonly string[] | TextWords | undefined, env: CompileEnv): void {
  const [values, at] = isWords(match) ? [match?.is ?? [], ['type', 'is']] : [match, ['type']];
  for (const [index, value] of values.entries()) {
    if (/[/*]/.test(value)) continue;
    const like = IMAGES.test(value) ? 'type: { like: "image/*" }' : `name: { like: "*.${value.replace(/^\./, '')}" }`;
    const message = `no attachment has the type "${value}": types are like application/pdf`;
    env.report('W_NEVER', message, `write ${like}`, [...at, ...(values.length === 1 ? [] : [index])]);
  }
}

function isWords(match: readonly string[] | TextWords | undefined): match is TextWords | undefined {
  return !Array.isArray(match);
}

interface SizeWords {
  readonly above?: number | undefined;
  readonly below?: number | undefined;
}

function isWithin(octets: number, { above = -1, below = Number.POSITIVE_INFINITY }: SizeWords): boolean {
  return octets > above && octets < below;
}

/** Its name, or where it has none its type. */
function titleOf({ names, type }: BodyPart): string {
  return names[0] ?? type;
}

/** The name that fits, of the part or of what is in it; null where none does. */
async function findName(
  part: BodyPart,
  inside: readonly string[],
  test: TextTest,
  facts: ContentFacts,
): Promise<string | null> {
  for (const name of part.names) if (await test(name, facts)) return name;
  for (const path of inside) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (await test(name, facts)) return `${name} in ${titleOf(part)}`;
  }
  return null;
}
