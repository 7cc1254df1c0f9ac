/**
 * chain - Postern as it is composed for real, in this process: a listener, rules, a downstream at a port of the test's.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { composeGeneration, composeLasting, composeListener } from '../../src/cli/compose.ts';
import { createLog } from '../../src/cli/log.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Listener } from '../../src/server/listener.ts';
import { formatDiagnostic } from '../../src/yaml/frame.ts';

export interface ChainOptions {
  readonly listener?: 'lmtp' | 'smtp';
  readonly downstream?: 'lmtp' | 'smtp';
  readonly downstreamPort: number;
  /** Further downstreams, as they stand in a configuration: `{ maildir: junk }`. */
  readonly downstreams?: Readonly<Record<string, string>>;
  /** Routes before the last one. */
  readonly routes?: string;
  /** What stands in `rules.may`. */
  readonly may?: Readonly<Record<string, string>>;
  /** Further keys of the listener, of `limits:` and of `timeouts:`, as they stand in a configuration. */
  readonly listen?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
  readonly timeouts?: Readonly<Record<string, string>>;
  /** The text of system.yaml. */
  readonly system?: string;
  /** Local-part at lists.example.org to the text of its file. */
  readonly lists?: Readonly<Record<string, string>>;
  /** Further files beside system.yaml. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

export interface Chain {
  readonly port: number;
  /** In which its files lie. */
  readonly folder: string;
  readonly listener: Listener;
  /** The log, a JSON object a line. */
  readonly log: string[];
  /** Resolves once a line of the log matches; fails after `patience` milliseconds. */
  logged(pattern: RegExp, patience?: number): Promise<void>;
  close(): Promise<void>;
}

function block(name: string, keys: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(keys ?? {});
  return entries.length === 0 ? '' : `${name}: { ${entries.map(([key, value]) => `${key}: ${value}`).join(', ')} }\n`;
}

export async function openChain(options: ChainOptions): Promise<Chain> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-chain-'));
  const write = (name: string, text: string | Buffer): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  write('system.yaml', options.system ?? 'version: 1\n');
  mkdirSync(join(folder, 'lists'), { recursive: true });
  for (const [name, text] of Object.entries(options.lists ?? {})) write(`lists/lists.example.org/${name}.yaml`, text);
  for (const [name, text] of Object.entries(options.files ?? {})) write(name, text);
  const address = options.listen?.['lmtp'] ?? options.listen?.['smtp'];
  const listen = {
    ...(address === undefined ? { [options.listener ?? 'lmtp']: '127.0.0.1:0' } : {}),
    ...options.listen,
  };
  const text = [
    'version: 1\nhostname: postern.example.org\n',
    `listen: [ { ${Object.entries(listen)
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ')} } ]\n`,
    block('downstreams', {
      test: `{ ${options.downstream ?? 'lmtp'}: "127.0.0.1:${options.downstreamPort}" }`,
      ...options.downstreams,
    }),
    `routes: [ ${options.routes === undefined ? '' : `${options.routes}, `}{ to: test } ]\n`,
    `rules: { system: system.yaml, lists: { folder: lists }, ${block('may', options.may).trim()} }\n`,
    block('limits', options.limits),
    block('timeouts', options.timeouts),
  ].join('');

  const fail = (diagnostics: Parameters<typeof formatDiagnostic>[0][], source: string | null): never => {
    throw new Error(diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, source)).join('\n'));
  };
  const { config, diagnostics } = parseConfig(join(folder, 'postern.yaml'), text);
  if (config === null) return fail([...diagnostics], text);
  const lines: string[] = [];
  let arrived: () => void = () => {};
  const log = createLog(
    { level: 'debug', format: 'json' },
    {
      write: (line) => {
        lines.push(line);
        arrived();
      },
    },
  );
  const lasting = composeLasting();
  const { generation, diagnostics: ofRules, sources } = await composeGeneration(config, log, lasting);
  if (generation === null) return fail([...ofRules], [...sources.values()][0] ?? null);
  const [wanted] = config.listen;
  if (wanted === undefined) throw new Error('no listener');
  const listener = composeListener(
    wanted,
    () => generation,
    () => 0,
    log,
  );
  try {
    await listener.open();
  } catch (error) {
    await generation.close();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }

  return {
    folder,
    port: listener.port ?? 0,
    listener,
    log: lines,
    async logged(pattern, patience = 5000) {
      const until = Date.now() + patience;
      while (!lines.some((line) => pattern.test(line))) {
        await new Promise<void>((resolve, reject) => {
          const never = (): void => reject(new Error(`no line of the log matches ${pattern}:\n${lines.join('')}`));
          const timer = setTimeout(never, Math.max(1, until - Date.now()));
          arrived = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
    async close() {
      await listener.drain(1000);
      await generation.close();
      lasting.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
