// The least service: answers 503 on /readyz until asked three times, then 200; prints its greeting; fails when told to.
const { createServer } = require('node:http');

console.log(`hello ${process.env.GREETING}, home of secrets: ${process.env.SECRET_OF_THE_PARENT ?? 'none'}`);
if (process.env.GREETING === 'nobody') throw new Error('nobody to greet');

let asked = 0;
createServer((_, response) => response.writeHead((asked += 1) > 2 ? 200 : 503).end()).listen(
  Number(process.env.PORT),
);
