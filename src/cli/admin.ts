/**
 * admin - HTTP for whoever watches: /metrics (Prometheus), /healthz, /readyz, and /stats for `postern stats`.
 *
 * GET and HEAD of these four, nothing else. One request a connection, small, in little time: who may connect can ask,
 * and must not be able to hold anything.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Address } from '../config/address.ts';
import { removeStaleSocket } from '../server/listener.ts';
import { METRICS_TYPE } from './metrics.ts';
import type { Stats } from './tally.ts';

export interface AdminParts {
  /** Why no mail is taken now; null where it is. */
  readonly notReady: () => string | null;
  readonly metrics: () => Promise<string>;
  readonly stats: () => Promise<Stats>;
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const PATHS = ['/metrics', '/healthz', '/readyz', '/stats'];
const LARGEST_REQUEST = 4096;
const LONGEST_WAIT = 5_000;
const MOST_CONNECTIONS = 32;

export class Admin {
  readonly #parts: AdminParts;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  constructor(parts: AdminParts) {
    this.#parts = parts;
    this.#server = createServer(
      {
        maxHeaderSize: LARGEST_REQUEST,
        headersTimeout: LONGEST_WAIT,
        requestTimeout: LONGEST_WAIT,
        connectionsCheckingInterval: LONGEST_WAIT / 5,
        keepAlive: false,
      },
      (request, response) => {
        // Octets of a body are not read: the answer closes the connection.
        response.shouldKeepAlive = false;
        void this.#answer(request.method ?? '', request.url ?? '', response);
      },
    );
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.setTimeout(LONGEST_WAIT * 2, () => socket.destroy());
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  /** The port that the system chose where the configuration says 0; null on a unix socket. */
  get port(): number | null {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : null;
  }

  /** Rejects with the system's error where the address cannot be had. */
  async open(address: Address): Promise<void> {
    if ('path' in address) await removeStaleSocket(address.path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      // In a cluster this is the primary's alone.
      this.#server.listen({ ...address, exclusive: true }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  async #answer(method: string, url: string, response: ServerResponse): Promise<void> {
    const page = await this.#page(method, url).catch((error: unknown) => plain(500, `${String(error)}\n`));
    response.writeHead(page.status, {
      'Content-Type': page.type,
      'Content-Length': Buffer.byteLength(page.text),
      'Cache-Control': 'no-store',
      ...(page.status === 405 ? { Allow: 'GET, HEAD' } : {}),
    });
    response.end(method === 'HEAD' ? '' : page.text);
  }

  async #page(method: string, url: string): Promise<Page> {
    const { notReady, metrics, stats } = this.#parts;
    const path = url.split('?', 1)[0] ?? '';
    if (!PATHS.includes(path)) return plain(404, `There are ${PATHS.join(', ')}.\n`);
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'GET or HEAD.\n');
    if (path === '/metrics') return { status: 200, type: METRICS_TYPE, text: await metrics() };
    if (path === '/stats') return { status: 200, type: 'application/json', text: `${JSON.stringify(await stats())}\n` };
    const reason = path === '/healthz' ? null : notReady();
    return reason === null ? plain(200, 'ok\n') : plain(503, `${reason}\n`);
  }
}

function plain(status: number, text: string): Page {
  return { status, type: 'text/plain; charset=utf-8', text };
}
