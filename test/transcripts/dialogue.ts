/**
 * dialogue - plays a transcript: a client, Postern in between, a downstream, one line after the other.
 *
 *   C: text     the client writes the line            D: text   the downstream writes the line
 *   C| text     … in the same write as the next line  D| text   … in the same write as the next line
 *   S: text     the client must read the line         D< text   the downstream must read the line
 *   C!          the client resets its connection      D!        the downstream resets its connection
 *   C.          the client closes its connection      D.        the downstream closes its connection
 *   S.          the client must see the end           D+        the downstream must see a new connection
 *                                                     D-        the downstream must see the end
 *   L< k=v …    the log must hold a transaction record (or warning) with these words
 *   C?          Postern has noticed that the client is gone
 *   X: text     the client writes octets, no CRLF added; \r \n \0 \xHH as in C
 *
 * `*` in an expected line stands for anything. What stands before the line `---` is the set-up, as YAML.
 */
import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { connectPeer, Peer } from '../support/peer.ts';

/** The downstream's side: connections in the order in which they came. */
export class ScriptedEnd {
  readonly #server: Server;
  readonly #waiting: Socket[] = [];
  readonly #all = new Set<Socket>();
  #arrived: () => void = () => {};

  constructor() {
    this.#server = createServer((socket) => {
      this.#all.add(socket);
      socket.on('error', () => {});
      this.#waiting.push(socket);
      this.#arrived();
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  async next(patience: number): Promise<Socket> {
    const until = Date.now() + patience;
    for (;;) {
      const socket = this.#waiting.shift();
      if (socket !== undefined) return socket;
      await new Promise<void>((resolve, reject) => {
        const nobody = (): void => reject(new Error('no connection to the downstream'));
        const timer = setTimeout(nobody, Math.max(1, until - Date.now()));
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  get unclaimed(): number {
    return this.#waiting.length;
  }

  close(): void {
    for (const socket of this.#all) socket.destroy();
    this.#server.close();
  }
}

function matches(pattern: string, line: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(line);
}

function unescapeOctets(text: string): string {
  return text.replace(/\\(r|n|0|\\|x[0-9a-f]{2})/gi, (_all, what: string) => {
    if (what === 'r') return '\r';
    if (what === 'n') return '\n';
    if (what === '0') return '\0';
    if (what === '\\') return '\\';
    return String.fromCharCode(Number.parseInt(what.slice(1), 16));
  });
}

export interface Stage {
  /** The port of Postern's listener. */
  readonly port: number;
  readonly downstream: ScriptedEnd;
  /** Of the lines in their file, for messages. */
  readonly firstLine: number;
  readonly clientNoticedGone: (patience: number) => Promise<void>;
  /** Resolves once a line of the log matches; fails after `patience`. */
  readonly logged: (pattern: RegExp, patience: number) => Promise<void>;
}

/** Plays `lines`; throws with the number of the line that does not come true. Patience in milliseconds. */
export async function play(lines: readonly string[], stage: Stage, patience = 5000): Promise<void> {
  const client = await connectPeer(stage.port, patience);
  const { socket } = client;
  let server: Peer | null = null;
  const held = { C: '', D: '' };
  const downstream = (): Peer => {
    if (server === null) throw new Error('no downstream connection yet: D+ is missing');
    return server;
  };

  for (const [index, line] of lines.entries()) {
    const [what, text] = [line.slice(0, 2), line.slice(3)];
    const expectLine = async (peer: Peer): Promise<void> => {
      const got = await peer.line();
      assert.ok(got !== null && matches(text, got), `expected ${JSON.stringify(text)}, got ${JSON.stringify(got)}`);
    };
    const expectEnd = async (peer: Peer): Promise<void> => assert.equal(await peer.line(), null);
    try {
      if (line.trim() === '' || line.startsWith('#')) continue;
      if (what === 'C:') socket.write(`${held.C}${text}\r\n`, 'latin1');
      if (what === 'X:') socket.write(held.C + unescapeOctets(text), 'latin1');
      if (what === 'D:') downstream().socket.write(`${held.D}${text}\r\n`, 'latin1');
      held.C = what === 'C|' ? `${held.C}${text}\r\n` : '';
      held.D = what === 'D|' ? `${held.D}${text}\r\n` : '';
      if (what === 'S:') await expectLine(client);
      else if (what === 'D<') await expectLine(downstream());
      else if (what === 'S.') await expectEnd(client);
      else if (what === 'D-') await expectEnd(downstream());
      else if (what === 'C.') socket.end();
      else if (what === 'C!') socket.resetAndDestroy();
      else if (what === 'D.') downstream().socket.end();
      else if (what === 'D!') downstream().socket.resetAndDestroy();
      else if (what === 'D+') server = new Peer(await stage.downstream.next(patience), patience);
      else if (what === 'C?') await stage.clientNoticedGone(patience);
      else if (what === 'L<') await stage.logged(new RegExp(text), patience);
      else if (!['C:', 'C|', 'D:', 'D|', 'X:'].includes(what)) throw new Error('not a line of a transcript');
    } catch (error) {
      socket.destroy();
      throw new Error(
        `line ${stage.firstLine + index}: ${line}\n  ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  socket.destroy();
  assert.equal(stage.downstream.unclaimed, 0, 'a connection to the downstream that the transcript does not know');
}
