// The binding of an Analytics Engine dataset: what is written to it goes to a service. Limits are those that Cloudflare documents.

import entrypoints from 'cloudflare-internal:workers';

class AnalyticsEngineDataset {
  #fetcher;

  constructor(fetcher) {
    this.#fetcher = fetcher;
  }

  writeDataPoint({ indexes = [], blobs = [], doubles = [] }) {
    const bytes = (text) => new TextEncoder().encode(text).length;
    if (indexes.length > 1 || blobs.length > 20 || doubles.length > 20) throw new TypeError('too many members');
    if (indexes.some((index) => bytes(index) > 96)) throw new TypeError('an index has at most 96 bytes');
    if (bytes(blobs.join('')) > 16_384) throw new TypeError('all blobs have at most 16 KB');
    // the caller does not wait for it, and Cloudflare writes it all the same
    entrypoints.waitUntil(this.#fetcher.fetch('http://points/', { method: 'POST', body: JSON.stringify({ indexes, blobs, doubles }) }));
  }
}

export default (env) => new AnalyticsEngineDataset(env.fetcher);
