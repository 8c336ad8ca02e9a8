// A rate limit's binding, named as Cloudflare names its class, whose service decides.

class Ratelimit {
  #fetcher;

  constructor(fetcher) {
    this.#fetcher = fetcher;
  }

  async limit({ key }) {
    const response = await this.#fetcher.fetch('http://limiter/', { method: 'POST', body: key });
    return { success: response.ok };
  }
}

export default (env) => new Ratelimit(env.fetcher);
