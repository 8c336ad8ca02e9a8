// A D1 database that is not there: what asks it is the real binding. It explains every statement as D1 explains a SELECT of one column.
// Statements with `never` in them are not answered, those with `reset` as D1 answers after half a minute, others at once with 1.

const explained = { columns: ['addr', 'opcode', 'p1', 'p2'], rows: [[0, 'Init', 0, 0], [1, 'ResultRow', 1, 1], [2, 'Halt', 0, 0]] };
const answered = { columns: ['1', 'c'], rows: [[1, 1]] };

export default {
  async fetch(request) {
    const { sql } = await request.json();
    const explain = sql.startsWith('EXPLAIN');
    if (!explain && sql.includes('never')) await scheduler.wait(3_600_000);
    if (!explain && sql.includes('reset')) {
      return Response.json({ success: false, error: 'D1 DB storage operation exceeded timeout which caused object to be reset.' });
    }
    return Response.json({ success: true, results: explain ? explained : answered, meta: {} });
  },
};
