/**
 * schema - every key of the configuration file: its description, type, default and example.
 *
 * The reference documentation and the effective configuration are made from this object. Defaults stand as they would in
 * the file (`prefault`), so that they are read like anything else. What needs a look at several keys is in check.ts.
 */
import { z } from 'zod';
import { DIALECTS } from '../core/facts.ts';
import { LAYOUT_SCHEMES } from '../core/layout.ts';
import { count, flag, listOf, text } from '../yaml/scalar.ts';
import { listenAddress, network, serverAddress } from './address.ts';
import {
  choice,
  depthKey,
  hostname,
  mode,
  name,
  path,
  pipe,
  positive,
  program,
  recipients,
  size,
  wait,
  workers,
} from './values.ts';

export const listenerSchema = z.strictObject({
  lmtp: listenAddress.optional().meta({
    description: 'Address to listen on for LMTP: one reply for each recipient. A listener has either lmtp or smtp.',
    examples: ['127.0.0.1:10024'],
  }),
  smtp: listenAddress.optional().meta({
    description: 'Address to listen on for SMTP: one reply for all recipients. A listener has either lmtp or smtp.',
    examples: ['127.0.0.1:10025'],
  }),
  mode: mode.optional().meta({
    description: 'Access mode of the socket file, for unix sockets only. Who may open the socket is trusted.',
  }),
  client_from: choice(['peer', 'xforward', 'xclient', 'proxy']).prefault('peer').meta({
    description:
      'Who the client is said to be: the peer that connected, or whom a trusted peer names: by XFORWARD (Postfix smtpd_proxy_filter, lmtp_send_xforward_command), by XCLIENT (nginx mail proxy), or by a PROXY header (HAProxy, version 1 or 2) before anything else; who then brings none is not served.',
  }),
  trust: listOf(network).prefault(['127.0.0.1', '::1']).meta({
    description:
      'Peers whose word on who the client is, is taken. With client_from: proxy nobody else is served. On a unix socket every peer is trusted: mode says who that can be.',
  }),
  mixed: choice(['split', 'strictest', 'prdr'])
    .optional()
    .meta({
      description:
        'One reply for many verdicts, SMTP only. split (where it is left out): recipients whose rules can still differ are asked for in a message of their own (452 at RCPT). strictest: if any recipient is refused, the message is refused for all. In neither is anything relayed for some and refused for others by the rules. prdr: clients that know PRDR (Exim) get a reply for each recipient after the dot; for others as split. strictest is what refuse_at: data goes with.',
      examples: ['strictest'],
    }),
  refuse_at: choice(['rcpt', 'data']).prefault('rcpt').meta({
    description:
      'When what is refused by the envelope alone is refused, SMTP only: rcpt, or data: after the final dot. Postfix with smtpd_proxy_options=speed_adjust needs data.',
  }),
  deadline: wait.optional().meta({
    description:
      "Longest time from the client's final dot to our last reply; who has no answer by then is told to try again later. By default 90 seconds for smtp and 300 seconds for lmtp. Keep it below the client's own limit (Postfix smtpd_proxy_timeout: 100 seconds).",
  }),
  received: flag.prefault('false').meta({
    description: 'Whether a Received: field is added to what comes in here.',
  }),
  dsn: flag.optional().meta({
    description:
      'Whether DSN is offered (RFC 3461), where every downstream offers it; by default it is for smtp and not for lmtp. Who is offered it hands over the duty to report success, which Postern passes on: it writes no mail.',
  }),
  chunking: flag.prefault('false').meta({
    description: 'Whether CHUNKING is offered: content in chunks by BDAT (RFC 3030) instead of DATA.',
  }),
  tls: z
    .strictObject({
      cert: path.meta({
        description: 'The certificate in PEM form, with its chain behind it.',
        examples: ['/etc/postern/lists.example.org.crt'],
      }),
      key: path.meta({
        description: 'The private key of the certificate in PEM form, without a passphrase.',
        examples: ['/etc/postern/lists.example.org.key'],
      }),
    })
    .optional()
    .meta({
      description:
        'Offers STARTTLS (RFC 3207, TLS 1.2 and newer). The files are read when the configuration is: a reload takes a new certificate for new sessions.',
    }),
});

export const downstreamSchema = z.strictObject({
  lmtp: z
    .union([
      listOf(serverAddress),
      z.strictObject({
        program: program.meta({
          description: 'The path of a program that speaks LMTP, and its arguments.',
          examples: [['/usr/libexec/sendmail/mail.local', '-l']],
        }),
      }),
    ])
    .optional()
    .meta({
      title: 'address, a list of them, or a program',
      description:
        'Address of an LMTP server, or several that are equals: they are tried in order, and one that fails is left out for a minute while another answers. Or { program: [PATH, ARGUMENT…] }: a program that speaks LMTP on its standard input and output, run as ourselves, without a shell, and kept running. A downstream has one of lmtp, smtp, pipe and maildir.',
      examples: ['127.0.0.1:8024'],
    }),
  smtp: listOf(serverAddress)
    .optional()
    .meta({
      description:
        'Address of an SMTP server, or several as with lmtp. A downstream has one of lmtp, smtp, pipe and maildir.',
      examples: ['127.0.0.1:10026'],
    }),
  xforward: flag.prefault('false').meta({
    description:
      'Whether the server is told about the original client by XFORWARD, where it offers that; lmtp and smtp only.',
  }),
  verify_recipients: flag.prefault('false').meta({
    description:
      'Whether the server is asked at RCPT if it would take the recipient, and its refusal passed on; lmtp and smtp only. Its yes is remembered for an hour, its no for five minutes; where it cannot be asked nobody is refused. Not with refuse_at: data. Where rules have not decided by then, the downstream of the route is asked. Of a recipient that is redirected the other address is asked.',
  }),
  tls: z
    .strictObject({
      mode: choice(['required', 'opportunistic']).prefault('required').meta({
        description:
          'What TLS is for. required: nothing is sent without TLS, and the certificate must be good for the name; where it cannot be had clients are told to try again later, and the log says why (downstream-failed, stage tls). opportunistic: TLS where the server offers it, whatever its certificate, else plain text.',
      }),
      ca: path.optional().meta({
        description:
          'Certificates of the authorities that are trusted, in PEM form; by default those that come with Node. For a certificate signed by itself, that certificate.',
        examples: ['/etc/ssl/certs/ca-certificates.crt'],
      }),
      server_name: hostname.optional().meta({
        description: 'The name that the certificate must be good for; by default the host of the address.',
        examples: ['mailman.example.org'],
      }),
    })
    .optional()
    .meta({
      description: 'STARTTLS on the way to the server (RFC 3207, TLS 1.2 and newer); lmtp and smtp only, not programs.',
    }),
  connections: positive.optional().meta({
    description:
      'Most transactions at a time, each on a connection or in a process of its own; for pipe: runs at a time. Not for maildir. Further ones wait for their turn, and are told to try again later when their deadline comes first. By default 4 for programs, else there is no limit.',
    examples: ['10'],
  }),
  pipe: pipe.optional().meta({
    title: 'path and arguments',
    description:
      'A program that is run for each recipient, as ourselves and without a shell: the content on its standard input with LF line ends, exit codes as in sysexits.h. {command}, {list}, {domain}, {detail} and {envelope_from} in the arguments stand for the role of the address (post, owner, request, …), the name of the list, its domain, what follows the + and the reverse-path.',
    examples: [['/var/lib/mailman/mail/mailman', '{command}', '{list}']],
  }),
  maildir: path.optional().meta({
    description:
      'Folder below which each recipient has a Maildir. A downstream has one of lmtp, smtp, pipe and maildir.',
    examples: ['var/mail'],
  }),
  layout: choice(LAYOUT_SCHEMES).prefault('plain').meta({
    description:
      "Where a Maildir lies in the folder. plain: FOLDER/DOMAIN/LOCAL-PART; user and md5 put folders before the last part, as sendmail's mail.local does with its option -H: one for each of the first characters of the name, or of its MD5.",
  }),
  depth: depthKey,
});

export const routeSchema = z.strictObject({
  recipients: listOf(recipients).optional().meta({
    description:
      'Patterns for the whole address, without regard to case; * stands for any characters, ? for one. The last route goes without: it takes the rest.',
  }),
  to: text.meta({ description: 'The name of a downstream.', examples: ['mailman'] }),
});

export const listsSchema = z.strictObject({
  folder: path.meta({
    description: "Folder of the lists' own rules: FOLDER/DOMAIN/LOCAL-PART.yaml.",
    examples: ['rules/lists'],
  }),
  layout: choice(LAYOUT_SCHEMES).prefault('plain').meta({
    description: "Where a list's file lies in the folder of its domain; see downstreams.NAME.layout.",
  }),
  depth: depthKey,
  dialect: choice(DIALECTS).prefault('mailman').meta({
    description:
      'How the list manager forms the addresses of a list: mailman (2 and 3) and sympa by what follows the last dash, ezmlm by the first command behind a dash, mlmmj behind the plus; plain knows only LIST.',
  }),
});

const may = z.strictObject({
  actions: listOf(text)
    .optional()
    .meta({
      description:
        'Actions they may use, also some that are for the system otherwise; by default all that can only tighten or tag.',
      examples: [['reject', 'defer', 'discard', 'add_header']],
    }),
  conditions: listOf(text)
    .optional()
    .meta({
      description: 'Conditions they may ask; by default all that are not for the system alone.',
      examples: [['always', 'author', 'subject', 'size']],
    }),
  regex: flag.prefault('true').meta({ description: 'Whether they may use regex.' }),
  rules: positive.prefault('100').meta({ description: 'Rules of one file.' }),
  sets: count.prefault('20').meta({ description: 'Sets of one file.' }),
  patterns: size.prefault('10 KB').meta({ description: 'All regex patterns of one file together.' }),
});

export const limitsSchema = z.strictObject({
  message: size.prefault('25 MB').meta({ description: 'Largest message that is taken.' }),
  memory: size.prefault('128 MB').meta({
    description:
      'Content held in memory over all sessions, no message more than is left for others; the rest goes to temporary files without a name.',
  }),
  connections: positive.prefault('1000').meta({ description: 'Connections at a time, over all listeners.' }),
  connections_per_peer: positive.optional().meta({
    description:
      'Connections at a time of one client address, at each listener; more get 421. By default as many as connections. Not for peers that speak for many by XFORWARD or XCLIENT, nor for unix sockets.',
    examples: ['20'],
  }),
  recipients: positive.prefault('100').meta({
    description: 'Recipients of one transaction (RFC 5321 asks for 100 at least); more get 452.',
    examples: ['100'],
  }),
  errors: positive.prefault('20').meta({
    description:
      'Commands of one session, since its last message, that are out of place, out of shape or unknown; then 421. What rules refuse is no error.',
  }),
  commands: positive.optional().meta({
    description:
      'Commands of one session since its last message; then 421. By default 1000, or ten times recipients where that is more.',
    examples: ['1000'],
  }),
  bare_newline: choice(['reject', 'normalize']).prefault('reject').meta({
    description: 'What happens to content with a CR or LF that stands alone: refused with 550, or each made CRLF.',
  }),
});

export const configSchema = z.strictObject({
  version: z.literal('1').meta({ title: '1', description: 'The version of this format.', examples: ['1'] }),
  hostname: hostname.optional().meta({
    description: "Our name in greetings and Received: fields; by default the machine's name.",
  }),
  listen: z.array(listenerSchema).min(1).meta({ description: 'Where mail comes in; at least one listener.' }),
  downstreams: z
    .record(name, downstreamSchema)
    .refine((all) => Object.keys(all).length > 0, {
      error: 'at least one downstream is needed',
      params: { code: 'E_EMPTY' },
    })
    .meta({
      description: 'Where mail goes, each under a name of its own.',
      examples: ['{ mailman: { lmtp: 127.0.0.1:8024 } }'],
    }),
  routes: z.array(routeSchema).min(1).meta({
    description:
      'Which downstream a recipient goes to where no rule names one. First match wins; the last one takes the rest.',
  }),
  rules: z
    .strictObject({
      system: path.optional().meta({ description: "The system's rules: before and after those of the lists." }),
      presets: path.optional().meta({
        description:
          'Folder of the presets that lists may extend: FOLDER/NAME.yaml. Those in rules/presets ship with Postern.',
        examples: ['rules/presets'],
      }),
      lists: listsSchema.optional().meta({ description: "The lists' own rules." }),
      may: may.prefault({}).meta({ description: 'What the files of lists may do. Presets may do everything.' }),
    })
    .prefault({})
    .meta({ description: 'Where the rules are. Without any every recipient is relayed.' }),
  limits: limitsSchema.prefault({}).meta({ description: 'How much is taken.' }),
  timeouts: z
    .strictObject({
      client: wait.prefault('5 minutes').meta({ description: 'Longest silence of a client.' }),
      connect: wait.prefault('10 seconds').meta({ description: 'Longest wait for a connection to a downstream.' }),
      reply: wait.prefault('5 minutes').meta({
        description: "Longest wait for a downstream's reply; the deadline of the listener may end it sooner.",
      }),
      drain: wait.prefault('30 seconds').meta({
        description: 'How long messages under way may take when the process is told to stop.',
      }),
    })
    .prefault({})
    .meta({ description: 'How long is waited.' }),
  store: choice(['memory']).prefault('memory').meta({
    description:
      'Where rules remember what came before (rate, seen). memory: in the process, bounded; a restart forgets it. The only choice so far.',
  }),
  log: z
    .strictObject({
      level: choice(['trace', 'debug', 'info', 'warn', 'error']).prefault('info').meta({
        description:
          'The least important events that are logged. debug also writes why each verdict is what it is, as "postern explain" does: subjects and authors stand in the log then.',
      }),
      format: choice(['json', 'pretty'])
        .prefault('json')
        .meta({ description: 'JSON for machines, pretty for people.' }),
    })
    .prefault({})
    .meta({ description: 'The log, on standard output.' }),
  admin: listenAddress.optional().meta({
    description:
      'Address of /metrics, /healthz, /readyz and /stats over HTTP, for whoever watches and "postern stats"; by default none. No password is asked: keep it on the loopback or a unix socket.',
    examples: ['127.0.0.1:10028'],
  }),
  workers: workers.prefault('1').meta({
    description:
      'Processes that take mail; cores for one a core. From 2 on limits.memory, limits of connections and connections of downstreams are divided among them, at least 1 for each, and each remembers for itself who has a message already that an SMTP client sends again: one that comes back to another process may reach that recipient twice.',
  }),
});

/** What the file says, read and with defaults, under the file's own names. */
export type Settings = z.output<typeof configSchema>;
export type ListenerSettings = z.output<typeof listenerSchema>;
export type DownstreamSettings = z.output<typeof downstreamSchema>;
export type RouteSettings = z.output<typeof routeSchema>;
