/**
 * reference - prints the reference pages of docs/, made from the parts and the schema themselves.
 */
import { describeConfig } from '../config/describe.ts';
import { rulesReference } from '../rules/reference.ts';
import { type Command, readArguments, UsageError } from './command.ts';

const HELP = `Usage: postern reference rules|configuration

Prints, as Markdown, the reference of the rule language or of the configuration file of this version.

Example: postern reference configuration | less
`;

function configurationReference(): string {
  const rows = describeConfig().map(({ path, type, default: value, required, description, example }) => {
    const otherwise = required ? 'required' : value === null ? '' : `\`${value}\``;
    const shown = example === null ? '' : ` Example: \`${example}\`.`;
    return `| \`${path}\` | ${type.replaceAll('|', '\\|')} | ${otherwise} | ${description}${shown} |`;
  });
  return [
    '# The configuration file\n',
    'Made by `npm run generate` from the schema. The file is YAML; relative paths are relative to it; unknown keys are errors.',
    '`postern check --print` prints the configuration in force, defaults included. `examples/` has whole files.\n',
    '| key | value | default | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

export const referenceCommand: Command = {
  name: 'reference',
  summary: 'prints the reference of the rules or of the configuration',
  help: HELP,
  async run(args, streams) {
    const { positionals } = readArguments(args, {}, true);
    const [page] = positionals;
    if (positionals.length !== 1 || (page !== 'rules' && page !== 'configuration')) {
      throw new UsageError('say which: rules or configuration');
    }
    streams.out(page === 'rules' ? rulesReference() : configurationReference());
    return 0;
  },
};
