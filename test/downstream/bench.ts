/**
 * bench - a scripted server and a downstream that talks to it, put away when the test ends.
 */
import type { TestContext } from 'node:test';
import type { Content } from '../../src/core/message.ts';
import type { DeliverOptions, Downstream } from '../../src/downstream/downstream.ts';
import { createServerDownstream, type ServerOptions } from '../../src/downstream/server-downstream.ts';
import { content, envelope, type Given, show, warnings } from './envelope.ts';
import { type ScriptedServer, type ScriptedServerOptions, startScriptedServer } from './scripted-server.ts';
import { standIn } from './stand-in.ts';

export interface Bench {
  readonly server: ScriptedServer;
  readonly downstream: Downstream;
  readonly warnings: readonly string[];
  /** Delivers and shows the replies. */
  deliver(given?: Given, message?: Content, options?: Partial<DeliverOptions>): Promise<string[]>;
  /** The commands of a session without the hello. */
  commands(session?: number): readonly string[];
}

type Addresses = ServerOptions['addresses'];

/** A program that passes on what is said between the downstream and the scripted server. */
export function throughProgram({ address }: ScriptedServer): Addresses {
  return [{ program: standIn('bridge', JSON.stringify(address)) }];
}

/** `way`: how the downstream gets to the server. */
export async function bench(
  t: TestContext,
  options: ScriptedServerOptions,
  own: Partial<ServerOptions> = {},
  way: (server: ScriptedServer) => Addresses = ({ address }) => [address],
): Promise<Bench> {
  const server = await startScriptedServer(options);
  const log = warnings();
  const downstream = createServerDownstream({
    name: 'lists',
    protocol: options.protocol,
    addresses: way(server),
    helo: 'postern.example',
    xforward: false,
    timeouts: { connect: 2_000, reply: 2_000 },
    log,
    ...own,
  });
  t.after(async () => {
    await server.close();
    await downstream.close();
  });
  return {
    server,
    downstream,
    warnings: log.lines,
    async deliver(given = {}, message = content('Subject: x\r\n\r\nbody\r\n'), deliverOptions = {}) {
      const replies = await downstream.deliver(envelope(given), message, {
        signal: new AbortController().signal,
        deadline: Date.now() + 10_000,
        ...deliverOptions,
      });
      return replies.map(show);
    },
    commands: (session = 0) => server.sessions[session]?.commands.slice(1) ?? [],
  };
}
