// @mapbox/watchbot reads its region out of the queue URL's host, so the host needs dots; any name under .localhost is us.
const dns = require("node:dns");

const { lookup } = dns;
dns.lookup = (host, ...rest) => lookup(host.endsWith(".localhost") ? "127.0.0.1" : host, ...rest);
