'use strict';
// The books of howdah_test/ledger.py, for the programs in JavaScript.
const CLIENTS = Array.from({ length: 20 }, (_, client) => client);
const amountOf = (client, turn) => ((client * 31 + turn * 7) % 50) + 1;

// [[account, difference], ...] in the order of the accounts, so that no two clients deadlock.
function changesOf(client, turn) {
  const source = (client + turn) % 8;
  const sink = (source + 1 + (client % 3)) % 8;
  const amount = amountOf(client, turn);
  return [[source, -amount], [sink, amount]].sort((a, b) => a[0] - b[0]);
}

const noteOf = (client, turn) => `${client}/${turn} \u00e4 'quoted' \\ \u20ac`;

module.exports = { CLIENTS, amountOf, changesOf, noteOf };
