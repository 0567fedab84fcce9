'use strict';
// The node-postgres side of test_node.py: runs the check that is named by the first argument.
const assert = require('assert');
const fs = require('fs');
const pg = require('pg');
const Cursor = require('pg-cursor');
const QueryStream = require('pg-query-stream');
const { CLIENTS, amountOf, changesOf, noteOf } = require('./ledger.js');

const [check, settings] = [process.argv[2], JSON.parse(process.argv[3])];

async function connect(changes = {}) {
  const client = new pg.Client({
    host: settings.host, port: settings.port, user: settings.user, password: settings.password,
    database: settings.dbname, ...changes,
  });
  await client.connect();
  return client;
}

const one = async (client, ...query) => Object.values((await client.query(...query)).rows[0])[0];

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('no error');
}

// COPY as node-postgres offers it to add-ons: a submittable with handlers for the copy messages.
class Copy {
  constructor(text, chunks) {
    Object.assign(this, { text, chunks, received: [], done: null });
    this.finished = new Promise((resolve, reject) => { this.resolve = resolve; this.reject = reject; });
  }
  submit(connection) { connection.query(this.text); }
  handleCopyInResponse(connection) {
    for (const chunk of this.chunks) connection.sendCopyFromChunk(Buffer.from(chunk));
    connection.endCopyFrom();
  }
  handleCopyData(message) { this.received.push(Buffer.from(message.chunk)); }
  handleCommandComplete(message) { this.tag = message.text; }
  handleError(error) { this.error = error; this.reject(error); }
  handleReadyForQuery() { if (!this.error) this.resolve(this); }
  handleRowDescription() {}
  handleDataRow() {}
}

const checks = {
  async login() {
    const plain = await connect();
    assert.strictEqual(await one(plain, 'SELECT current_user::text'), 'appuser');
    await plain.end();
    const tls = await connect({ host: 'localhost', ssl: { ca: fs.readFileSync(settings.ca) } });
    assert.strictEqual(tls.connection.stream.encrypted, true);
    assert.strictEqual(await one(tls, 'SELECT $1::int + 1', [4]), 5);
    await tls.end();
    assert.strictEqual((await failure(connect({ password: 'wrong' }))).code, '28P01');
    assert.strictEqual((await failure(connect({ database: 'nope' }))).code, '3D000');
  },

  async prepared() {
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect()));
    await Promise.all(clients.map(async (client, number) => {
      for (let turn = 0; turn < 4; turn++) {
        for (let i = 0; i < 60; i++) {
          // The same name stands for another statement on each client.
          const query = { name: `s${i}`, text: `SELECT $1::int + ${i * number} AS v`, values: [turn] };
          assert.strictEqual(await one(client, query), turn + i * number);
        }
      }
    }));
    await Promise.all(clients.map((client) => client.end()));
  },

  async transactions() {
    const client = await connect();
    const table = settings.table;
    await client.query(`CREATE TABLE ${table} (id int PRIMARY KEY)`);
    await client.query('BEGIN');
    await client.query(`INSERT INTO ${table} VALUES ($1)`, [1]);
    await client.query('SAVEPOINT a');
    assert.strictEqual((await failure(client.query(`INSERT INTO ${table} VALUES (1)`))).code, '23505');
    assert.strictEqual((await failure(client.query('SELECT 1'))).code, '25P02');
    await client.query('ROLLBACK TO a');
    await client.query(`INSERT INTO ${table} VALUES (2)`);
    await client.query('COMMIT');
    await client.query('BEGIN');
    await client.query(`INSERT INTO ${table} VALUES (3)`);
    await client.query('ROLLBACK');
    await client.query('BEGIN');
    assert.strictEqual(await one(client, `SELECT count(*)::int FROM ${table}`), 2);
    await client.query('COMMIT');
    await client.query(`DROP TABLE ${table}`);
    await client.end();
  },

  async copy() {
    const client = await connect();
    const table = settings.table;
    await client.query(`CREATE TABLE ${table} (id int, v text)`);
    const lines = Array.from({ length: 50000 }, (_, i) => `${i}\tline ${i}\n`);
    const chunks = [];
    for (let i = 0; i < lines.length; i += 100) chunks.push(lines.slice(i, i + 100).join(''));
    const put = new Copy(`COPY ${table} FROM STDIN`, chunks);
    client.query(put);
    assert.strictEqual((await put.finished).tag, 'COPY 50000');
    await client.query('BEGIN');
    const get = new Copy(`COPY (SELECT * FROM ${table} ORDER BY id) TO STDOUT`, []);
    client.query(get);
    assert.strictEqual(Buffer.concat((await get.finished).received).toString(), lines.join(''));
    await client.query('COMMIT');
    const bad = new Copy(`COPY ${table} FROM STDIN`, ['x\ty\n']);
    client.query(bad);
    assert.strictEqual((await failure(bad.finished)).code, '22P02');
    await client.query(`DROP TABLE ${table}`);
    await client.end();
  },

  async cancel() {
    const client = await connect();
    const query = new pg.Query('SELECT pg_sleep(100) /* node cancel */');
    const ended = new Promise((resolve, reject) => {
      query.on('error', resolve);
      query.on('end', () => reject(new Error('it was not cancelled')));
    });
    client.query(query);
    process.stdin.once('data', () => {
      // The test has seen the statement run.
      const other = new pg.Client({ host: settings.host, port: settings.port });
      other.processID = null;
      other.cancel(client, query);
    });
    assert.strictEqual((await ended).code, '57014');
    process.stdin.pause();
    assert.strictEqual(await one(client, 'SELECT 1'), 1);
    await client.end();
  },

  async big() {
    const client = await connect();
    let size = 0;
    let rows = 0;
    let checksum = -1;
    const crcs = Int32Array.from({ length: 256 }, (_, n) => {
      let c = n;
      for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
      return c;
    });
    for await (const row of client.query(new QueryStream(settings.sql, [], { batchSize: 500, rowMode: 'array' }))) {
      const data = Buffer.from(row[0], 'latin1');
      for (let i = 0; i < data.length; i++) checksum = crcs[(checksum ^ data[i]) & 255] ^ (checksum >>> 8);
      size += data.length;
      rows++;
    }
    console.log(rows, size, (checksum ^ -1) >>> 0);
    await client.end();
  },

  async parameter() {
    const client = await connect();
    const data = Buffer.alloc(10 << 20, 'abcdefghijklm\0');
    assert.ok(data.equals(await one(client, 'SELECT $1::bytea', [data])));
    await client.end();
  },

  async errors() {
    const client = await connect();
    const error = await failure(client.query(settings.error));
    for (const [name, value] of Object.entries(settings.fields)) {
      const names = { sqlstate: 'code', datatype: 'dataType' };
      assert.strictEqual(error[names[name] || name], value, name);
    }
    assert.strictEqual((await failure(client.query('SELECT * FROM no_such_table'))).position, '15');
    const notices = [];
    client.on('notice', (notice) => notices.push([notice.code, notice.message, notice.detail]));
    await client.query(settings.notice);
    assert.deepStrictEqual(notices, [['HW001', 'the message', 'the detail']]);
    await client.end();
  },

  async settings() {
    const first = await connect({ lock_timeout: 9000, application_name: 'one' });
    const other = await connect();
    await first.query("SET search_path = 'pg_catalog'");
    for (let i = 0; i < 5; i++) {
      assert.strictEqual(await one(first, 'SHOW search_path'), 'pg_catalog');
      assert.strictEqual(await one(first, 'SHOW lock_timeout'), '9s');
      assert.strictEqual(await one(first, 'SHOW application_name'), 'one');
      assert.strictEqual(await one(other, 'SHOW lock_timeout'), '0');
      assert.notStrictEqual(await one(other, 'SHOW search_path'), 'pg_catalog');
    }
    await first.end();
    await other.end();
  },

  async pool() {
    const pool = new pg.Pool({
      host: settings.host, port: settings.port, user: settings.user, password: settings.password,
      database: settings.dbname, max: 20,
    });
    const sums = await Promise.all(Array.from({ length: 400 }, (_, i) => pool.query('SELECT $1::int AS i', [i])));
    assert.deepStrictEqual(sums.map((r) => r.rows[0].i), Array.from({ length: 400 }, (_, i) => i));
    await pool.end();
  },

  async cursors() {
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect()));
    await Promise.all(clients.map(async (client, number) => {
      await client.query('BEGIN');
      const text = 'SELECT i * $1::int AS n FROM generate_series(1, 500) AS i';
      const cursor = client.query(new Cursor(text, [number]));
      let sum = 0;
      for (let rows; (rows = await cursor.read(70)).length;) for (const row of rows) sum += row.n;
      assert.strictEqual(sum, 125250 * number);
      const left = client.query(new Cursor(text, [number]));
      assert.strictEqual((await left.read(3)).length, 3);
      await left.close();
      assert.strictEqual(await one(client, 'SELECT $1::int', [number]), number);
      await client.query('COMMIT');
    }));
    await Promise.all(clients.map((client) => client.end()));
  },

  async listen() {
    const [listener, sender] = await Promise.all([connect(), connect()]);
    const heard = [];
    const done = new Promise((resolve) => {
      listener.on('notification', ({ channel, payload }) => {
        heard.push([channel, payload]);
        if (payload === 'end') resolve();
      });
    });
    await listener.query(`LISTEN ${settings.table}`);
    await sender.query('BEGIN');
    await sender.query(`NOTIFY ${settings.table}, 'never'`);
    await sender.query('ROLLBACK');
    await sender.query('SELECT pg_notify($1, $2)', [settings.table, 'first']);
    await sender.query(`NOTIFY ${settings.table}, 'end'`);
    await done;
    assert.deepStrictEqual(heard, [[settings.table, 'first'], [settings.table, 'end']]);
    assert.strictEqual(await one(listener, 'SELECT 1'), 1);
    await Promise.all([listener.end(), sender.end()]);
  },

  async crowd() {
    await Promise.all(CLIENTS.map((client) => keepBooks(client, settings.turns)));
  },
};

async function keepBooks(client, turns) {
  const connection = await connect({ options: `-c howdah_test.client=${client}` });
  const { moves, accounts } = settings;
  const named = (name, text, values) => connection.query(client % 3 ? { name, text, values } : { text, values });
  const move = (values) => named('move', `INSERT INTO ${moves} VALUES ($1, $2, $3, $4)`, values);
  let total = 0;
  for (let turn = 0; turn < turns; turn++) {
    const row = [client, turn, amountOf(client, turn), noteOf(client, turn)];
    total += amountOf(client, turn);
    await connection.query('BEGIN');
    await move(row);
    await connection.query('SAVEPOINT a');
    await move([client, 1000 + turn, 0, '']);
    assert.strictEqual((await failure(move(row))).code, '23505');
    await connection.query('ROLLBACK TO a');
    for (const [account, difference] of changesOf(client, turn)) {
      await named('change', `UPDATE ${accounts} SET balance = balance + $1 WHERE id = $2`, [difference, account]);
    }
    await connection.query('COMMIT');
    const { rows: [own] } = await named('own', `SELECT count(*)::int, sum(amount)::int,
      max(note) FILTER (WHERE turn = $2) AS note FROM ${moves} WHERE client = $1`, [client, turn]);
    assert.deepStrictEqual(own, { count: turn + 1, sum: total, note: row[3] });
    assert.strictEqual(await one(connection, `SELECT $1::int * ${turn}`, [client]), client * turn);
    assert.strictEqual(await one(connection, 'SHOW howdah_test.client'), String(client));
    let sum = 0;
    const stream = new QueryStream(`SELECT i * ${client} AS n FROM generate_series(1, 100) AS i`, [], { batchSize: 30 });
    for await (const { n } of connection.query(stream)) sum += n;
    assert.strictEqual(sum, 5050 * client);
    const several = await connection.query('SELECT 1 AS a; SELECT 2 AS a');
    assert.deepStrictEqual(several.map(({ rows }) => rows[0].a), [1, 2]);
    if (turn === 3) assert.strictEqual((await failure(connection.query('SELECT 1 / 0'))).code, '22012');
  }
  await connection.end();
}

checks[check]().catch((error) => {
  console.error(error);
  process.exit(1);
});
