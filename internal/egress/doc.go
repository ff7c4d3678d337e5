// Package egress is the one door through which Licet speaks to addresses that
// somebody else has chosen: the keys of a claim issuer or of a client, a client that
// wants to hear of logouts, the icon of a resource.
//
// Such an address is a tool in the hands of whoever may write it down: it can
// name the database beside the server, the metadata service of the cloud, or a
// host that answers for ever. So the client made by [New] judges the address
// that a name resolved to, at the moment of connecting, when there is nothing
// left that could change it; it follows no redirect, uses no proxy, and stops
// after three seconds or 64 KiB.
//
// It knows nothing of what is fetched. Whether an address may be fetched at
// all, and how often, is for the caller to decide, before.
package egress
