'use strict';
// The postgres.js side of test_postgresjs.py: runs the check that is named by the first argument.
const assert = require('assert');
const { Readable } = require('stream');
const { pipeline } = require('stream/promises');
const postgres = require('postgres');
const { CLIENTS, amountOf, changesOf, noteOf } = require('./ledger.js');

const [check, settings] = [process.argv[2], JSON.parse(process.argv[3])];

const connect = (changes = {}) => postgres({
  host: settings.host, port: settings.port, user: settings.user, password: settings.password,
  database: settings.dbname, max: 1, onnotice() {}, ...changes,
});

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('no error');
}

const numbers = (n) => Array.from({ length: n }, (_, i) => i);

async function keepBooks(client, turns) {
  const sql = connect({ prepare: client % 4 !== 3, connection: { 'howdah_test.client': String(client) } });
  const [moves, accounts] = [sql(settings.moves), sql(settings.accounts)];
  let total = 0;
  for (let turn = 0; turn < turns; turn++) {
    const row = { client, turn, amount: amountOf(client, turn), note: noteOf(client, turn) };
    total += row.amount;
    await sql.begin(async (tx) => {
      await tx`INSERT INTO ${moves} ${tx(row)}`;
      const error = await failure(tx.savepoint(async (inner) => {
        await inner`INSERT INTO ${moves} ${inner([{ ...row, turn: 1000 + turn }, { ...row, turn: 2000 + turn }])}`;
        await inner`INSERT INTO ${moves} ${inner(row)}`;
      }));
      assert.strictEqual(error.code, '23505');
      for (const [account, difference] of changesOf(client, turn)) {
        await tx`UPDATE ${accounts} SET balance = balance + ${difference} WHERE id = ${account}`;
      }
    });
    const [own] = await sql`SELECT count(*)::int, sum(amount)::int, max(note) FILTER (WHERE turn = ${turn}) AS note
                            FROM ${moves} WHERE client = ${client}`;
    assert.deepStrictEqual({ ...own }, { count: turn + 1, sum: total, note: row.note });
    // Sent at once, answered in their order.
    const products = await Promise.all(numbers(10).map((i) => sql`SELECT ${i}::int * ${client}::int AS p`));
    assert.deepStrictEqual(products.map(([r]) => r.p), numbers(10).map((i) => i * client));
    assert.strictEqual((await sql`SHOW howdah_test.client`)[0]['howdah_test.client'], String(client));
    let sum = 0;
    for await (const rows of sql`SELECT i * ${client}::int AS p FROM generate_series(1, 100) AS i`.cursor(30)) {
      for (const { p } of rows) sum += p;
    }
    assert.strictEqual(sum, 5050 * client);
    if (turn === 3) assert.strictEqual((await failure(sql`SELECT 1 / ${0}::int`)).code, '22012');
  }
  await sql.end();
}

const checks = {
  async statements() {
    const clients = numbers(6).map(() => connect());
    await Promise.all(clients.map(async (sql, number) => {
      for (let turn = 0; turn < 10; turn++) {
        for (let i = 0; i < 20; i++) {
          const [row] = await sql.unsafe(`SELECT $1::int + ${i * number} AS v, $2::text[] AS a`, [turn, ['x', `${i}`]],
            { prepare: i % 3 > 0 });
          assert.deepStrictEqual({ ...row }, { v: turn + i * number, a: ['x', `${i}`] });
        }
      }
      const described = await sql`SELECT ${1}::int8 AS eight`.describe();
      assert.deepStrictEqual([described.types, described.columns[0].name], [[20], 'eight']);
      const several = await sql`SELECT 1 AS a; SELECT 2 AS b`.simple();
      assert.deepStrictEqual(several.map(([r]) => ({ ...r })), [{ a: 1 }, { b: 2 }]);
    }));
    await Promise.all(clients.map((sql) => sql.end()));
  },

  async streams() {
    const sql = connect();
    const moves = sql(settings.moves);
    const lines = numbers(20000).map((i) => `1\t${i}\t${-i}\tline ${i}\n`);
    await pipeline(Readable.from(lines), await sql`COPY ${moves} FROM STDIN`.writable());
    const chunks = [];
    // Not more than fits: the driver forgets to read on after a COPY that it had to pause.
    const query = `COPY (SELECT * FROM ${settings.moves} WHERE turn < 300 ORDER BY turn) TO STDOUT`;
    for await (const chunk of await sql.unsafe(query).readable()) chunks.push(chunk);
    assert.strictEqual(Buffer.concat(chunks).toString(), lines.slice(0, 300).join(''));
    let rows = 0;
    await sql`SELECT turn FROM ${moves} ORDER BY turn`.forEach(({ turn }) => assert.strictEqual(turn, rows++));
    assert.strictEqual(rows, 20000);
    for await (const [row] of sql`SELECT turn FROM ${moves} ORDER BY turn`.cursor()) {
      if (row.turn === 50) break; // the portal is closed with rows left
    }
    assert.strictEqual((await sql`SELECT count(*)::int FROM ${moves}`)[0].count, 20000);
    await sql.end();
  },

  async listen() {
    const [listener, sender] = [connect(), connect()];
    const heard = [];
    let finish;
    const done = new Promise((resolve) => { finish = resolve; });
    await listener.listen(settings.table, (payload) => {
      heard.push(payload);
      if (payload === 'end') finish();
    });
    await failure(sender.begin(async (tx) => {
      await tx`SELECT pg_notify(${settings.table}, ${'never'})`;
      throw new Error('rolled back');
    }));
    for (let i = 0; i < 3; i++) await sender.notify(settings.table, `payload ${i}`);
    await sender.notify(settings.table, 'end');
    await done;
    assert.deepStrictEqual(heard, ['payload 0', 'payload 1', 'payload 2', 'end']);
    await Promise.all([listener.end(), sender.end()]);
  },

  async pool() {
    const sql = connect({ max: 20 });
    const answers = await Promise.all(numbers(400).map((i) => (i % 4
      ? sql`SELECT ${i}::int AS i` : sql.begin((tx) => tx`SELECT ${i}::int AS i, txid_current()`))));
    assert.deepStrictEqual(answers.map(([row]) => row.i), numbers(400));
    const reserved = await sql.reserve();
    await reserved`BEGIN`;
    await reserved`SET LOCAL work_mem = '7MB'`;
    assert.strictEqual((await reserved`SHOW work_mem`)[0].work_mem, '7MB');
    await reserved`COMMIT`;
    assert.strictEqual((await reserved`SHOW work_mem`)[0].work_mem, '4MB');
    reserved.release();
    await sql.end();
  },

  async crowd() {
    await Promise.all(CLIENTS.map((client) => keepBooks(client, settings.turns)));
  },
};

checks[check]().catch((error) => {
  console.error(error);
  process.exit(1);
});
