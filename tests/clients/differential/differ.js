// Sends the same requests to Grantor and to oidc-provider, and compares what both say: a line for each request, and an end at
// those that are not as the table has them.

import { clients } from './clients.js';
import { startReference } from './reference.js';
import { requests } from './requests.js';
import { Side } from './side.js';

const { ISSUER, PASSWORD, BOB_PASSWORD } = process.env;
const people = { alice: PASSWORD, bob: BOB_PASSWORD };
const [grantor, reference] = [new Side(ISSUER, people), new Side(await startReference(clients), people)];
await Promise.all([grantor.discover(), reference.discover()]);

const wrong = [];
for (const [name, expected, ask] of requests) {
  const found = await Promise.all([ask(grantor), ask(reference)]);
  const { verdicts, because } = typeof expected === 'string' ? { verdicts: [expected, expected] } : expected;
  const isAsExpected = found.every((verdict, side) => verdict === verdicts[side]);
  const said = found[0] === found[1] ? found[0] : `${found[0]}; oidc-provider ${found[1]}`;
  console.log(`${isAsExpected ? 'passed' : 'failed'}: ${name}: ${said}${because ? ` (${because})` : ''}`);
  if (!isAsExpected) wrong.push(`${name}: ${said}, not ${verdicts.join('; oidc-provider ')}`);
}
const differing = requests.filter(([, expected]) => typeof expected !== 'string');
console.log(`${requests.length} requests, ${differing.length} with a difference`);
for (const line of wrong) console.error('failed:', line);
process.exit(wrong.length > 0 ? 1 : 0);
