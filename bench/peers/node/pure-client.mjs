// Lets AWS's runtime client start without its native part, which it loads in any case. It answers streams by node:http, and with
// AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1 it also asks for events that way, so that nothing of that part is used.

import Module from "node:module";

const load = Module._load;
Module._load = (name, ...rest) => (name.endsWith("/rapid-client.node") ? {} : load(name, ...rest));
