// A store behind a binding that is asked and never answers.

export default {
  async fetch() {
    await scheduler.wait(3_600_000);
    return new Response(null, { status: 404 });
  },
};
