// A process of its own that starts one server, prints what it started as a line of JSON and then does what the tests
// are about: waits to be killed, ends by itself, or calls a method of the server named by a line on its stdin.
//   node owner-process.cjs <start function> <options as JSON> <wait | exit | throw | finish>
const { createInterface } = require('node:readline');
const { transformFileSync } = require('@swc/core');

require.extensions['.ts'] = (module, file) => module._compile(transformFileSync(file).code, file);

const [start, options, ending] = process.argv.slice(2);
const endings = {
  wait: (server) => createInterface(process.stdin).on('line', (method) => server[method]()),
  exit: () => process.exit(0),
  throw: () => {
    throw new Error('the owner fails');
  },
  finish: () => undefined,
};

require('../src')
  [start](JSON.parse(options))
  .then((server) => {
    const url = typeof server.url === 'function' ? server.url() : server.url;
    const started = JSON.stringify({ pid: server.pid, url });
    process.stdout.write(`${started}\n`, () => setImmediate(endings[ending], server));
  });
