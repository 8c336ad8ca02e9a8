// Whatever a Worker fetches, as receivers of events: the path says how one behaves. /ok takes what it gets; /slow hangs at its first event;
// /down/SECONDS answers 503 for so long after its first event; /gone answers 410; /moved redirects to /ok; /mute does not agree. GET
// /sent?to=PATH of its own port says what came, with the time.

const sent = [];
const begun = new Map();

const answer = (status) => new Response(null, { status });

export default {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/sent') return Response.json(sent.filter(({ to }) => to === searchParams.get('to')));
    const body = await request.json();
    if (body.type === 'verification') {
      return pathname.startsWith('/mute') ? answer(200) : Response.json({ challenge: body.challenge });
    }
    const now = Date.now();
    const since = now - (begun.get(pathname) ?? now);
    const first = !begun.has(pathname);
    if (first) begun.set(pathname, now);
    const header = (name) => request.headers.get(name);
    const entry = { to: pathname, at: now, id: header('webhook-id'), signed: header('webhook-signature')?.startsWith('v1,'), timestamp: Number(header('webhook-timestamp')), body, status: 200 };
    sent.push(entry);
    const [, kind, seconds] = pathname.split('/');
    switch (kind) {
      case 'slow':
        if (first) await scheduler.wait(20_000);
        break;
      case 'down':
        if (since < Number(seconds) * 1000) entry.status = 503;
        break;
      case 'gone':
        entry.status = 410;
        break;
      case 'moved':
        entry.status = 307;
        return new Response(null, { status: 307, headers: { location: 'https://hooks.example/ok' } });
    }
    entry.done = true;
    return answer(entry.status);
  },
};
