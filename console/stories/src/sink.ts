// Where everything ends that would leave the machine: a port that counts connections and answers what a page would like.

import { createServer } from 'node:net';

export interface Sink {
  port: number;
  /** What came since `forget`: the first line of each request, or `tls` for an encrypted connection. */
  seen: string[];
  forget: () => void;
  close: () => void;
}

export function sink(): Promise<Sink> {
  const seen: string[] = [];
  const server = createServer((socket) => {
    const at = seen.push('connected') - 1;
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => {
      const line = bytes[0] === 0x16 ? 'tls' : (bytes.toString('latin1').split('\r\n')[0] ?? '');
      seen[at] = line;
      if (line === 'tls') return socket.destroy();
      const script = line.includes('.js');
      const body = script ? 'top.HIT = "script"; console.log("HIT");' : '';
      const type = script ? 'text/javascript' : 'text/html';
      socket.end(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\naccess-control-allow-origin: *\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`);
    });
  });
  return new Promise((resolve) => {
    // It keeps nothing alive that has ended otherwise.
    server.unref();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      resolve({ port, seen, forget: () => void (seen.length = 0), close: () => server.close() });
    });
  });
}
