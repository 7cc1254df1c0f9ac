/**
 * language-server - the yaml-language-server that editors use, over its standard input and output (LSP 3.17).
 *
 * A document is a YAML text in which `|` marks the place of the cursor. It names its schema as a list owner would, in its
 * first line.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const PROGRAM = 'node_modules/yaml-language-server/bin/yaml-language-server';
const FOLDER = join(process.cwd(), 'test', 'editors');

interface Position {
  readonly line: number;
  readonly character: number;
}

/** What is underlined. */
export interface Underlined {
  readonly text: string;
  readonly message: string;
}

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

interface Diagnostics {
  readonly uri: string;
  readonly diagnostics: readonly {
    readonly message: string;
    readonly range: { readonly start: Position; readonly end: Position };
  }[];
}

export class LanguageServer {
  readonly #process: ChildProcess;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #told = new Map<string, (diagnostics: Diagnostics) => void>();
  #buffered = Buffer.alloc(0);
  #last = 0;

  private constructor() {
    this.#process = spawn(process.execPath, [PROGRAM, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process.stdout?.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  static async start(): Promise<LanguageServer> {
    const server = new LanguageServer();
    await server.#request('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: {
        textDocument: {
          completion: { completionItem: { documentationFormat: ['markdown'] } },
          hover: { contentFormat: ['markdown'] },
        },
      },
    });
    server.#send({ method: 'initialized', params: {} });
    return server;
  }

  stop(): void {
    this.#process.kill();
  }

  /** The labels that are offered at the cursor. */
  async complete(text: string): Promise<readonly string[]> {
    const { uri, position } = this.#open(text);
    const result = (await this.#request('textDocument/completion', { textDocument: { uri }, position })) as {
      readonly items: readonly { readonly label: string }[];
    } | null;
    return (result?.items ?? []).map(({ label }) => label);
  }

  /** What is told of the word under the cursor, as Markdown. */
  async hover(text: string): Promise<string> {
    const { uri, position } = this.#open(text);
    const result = (await this.#request('textDocument/hover', { textDocument: { uri }, position })) as {
      readonly contents: { readonly value: string };
    } | null;
    return result?.contents.value ?? '';
  }

  async underlined(text: string): Promise<readonly Underlined[]> {
    const { uri, lines, told } = this.#open(text);
    const { diagnostics } = await told;
    this.#told.delete(uri);
    return diagnostics.map(({ message, range: { start, end } }) => ({
      text: (lines[start.line] ?? '').slice(start.character, end.line === start.line ? end.character : undefined),
      message,
    }));
  }

  #open(marked: string) {
    const offset = Math.max(marked.indexOf('|'), 0);
    const text = marked.replace('|', '');
    const before = text.slice(0, offset).split('\n');
    this.#last += 1;
    const uri = pathToFileURL(join(FOLDER, `document-${this.#last}.yaml`)).href;
    const told = new Promise<Diagnostics>((resolve) => this.#told.set(uri, resolve));
    this.#send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId: 'yaml', version: 1, text } },
    });
    const position = { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
    return { uri, position, told, lines: text.split('\n') };
  }

  #request(method: string, params: unknown): Promise<unknown> {
    this.#last += 1;
    const id = this.#last;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#answers.set(id, ({ result, error }) =>
        error === undefined ? resolve(result) : reject(new Error(`${method}: ${JSON.stringify(error)}`)),
      );
    });
    this.#send({ id, method, params });
    return answer;
  }

  #send(message: Message): void {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#process.stdin?.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  #read(chunk: Buffer): void {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    for (;;) {
      const end = this.#buffered.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/i.exec(this.#buffered.toString('latin1', 0, Math.max(end, 0)))?.[1]);
      if (end < 0 || this.#buffered.length < end + 4 + length) return;
      const message = JSON.parse(this.#buffered.toString('utf8', end + 4, end + 4 + length)) as Message;
      this.#buffered = this.#buffered.subarray(end + 4 + length);
      this.#take(message);
    }
  }

  #take(message: Message): void {
    const { id, method } = message;
    if (method === undefined) {
      if (typeof id === 'number') this.#answers.get(id)?.(message);
    } else if (method === 'textDocument/publishDiagnostics') {
      const diagnostics = message.params as Diagnostics;
      this.#told.get(diagnostics.uri)?.(diagnostics);
    } else if (id !== undefined) {
      // It asks for the settings of the editor, and to be told of changes: there are none.
      this.#send({ id, result: method === 'workspace/configuration' ? [{}, {}, {}, {}, {}, {}] : null } as Message);
    }
  }
}
