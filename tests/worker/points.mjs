// Keeps the points of a dataset, and shows them.

const points = [];

export default {
  async fetch(request) {
    if (request.method === 'POST') points.push(await request.json());
    return Response.json(points);
  },
};
