// What the tables and the demo data of infra write to a D1 database, as D1 itself counts it (and bills it): entries of indexes included.
// Arguments: the most rows, the files.

import { readFile } from 'node:fs/promises';

import { getPlatformProxy } from 'wrangler';

import { assert, check } from '../e2e/checks.mjs';

const [most, ...files] = process.argv.slice(2);
const platform = await getPlatformProxy({ configPath: '../../wrangler.toml', environment: '', persist: false });
try {
  const database = platform.env.DB;
  await check(`deployed: tables and demo data write fewer than ${most} rows to D1`, async () => {
    let all = 0;
    for (const file of files) {
      const text = await readFile(file, 'utf8');
      // a trigger has semicolons of its own, and no statement begins with those words inside
      const statements = text.split(/;\n(?=CREATE|INSERT|ALTER|$)/).filter((statement) => statement.trim() !== '');
      let written = 0;
      for (const statement of statements) written += (await database.prepare(statement).run()).meta.rows_written;
      console.log(`  ${file}: ${statements.length} statements, ${written} rows written`);
      all += written;
    }
    assert(all > 1000 && all < Number(most), `${all} rows are written`);
  });
} finally {
  await platform.dispose();
}
