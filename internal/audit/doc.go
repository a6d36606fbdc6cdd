// Package audit keeps the record of who did what: append-only, chained, and such that
// a customer can check it offline, even against the vendor.
//
// An event is recorded in the transaction of the change that it tells of. If it cannot
// be recorded, the change does not happen.
//
// Each site has a chain of its own. What happens to a user before a site is known goes
// to one of 64 chains that users share, and what concerns neither to the chain of the
// house. A chain is a Merkle tree (RFC 6962): a leaf is the hash of an event's body,
// which is one line of canonical JSON. Verification makes the tree anew from the
// bodies.
//
// What is personal (an address, a network) is not in the body. The body has a
// commitment to it: an HMAC of the value, whose key is a random salt. Salt and value
// stand beside the body and can be erased, and the tree stays as it was. Without the
// salt the commitment says nothing about the value.
//
// A cut end, and an older copy of everything, cannot be seen from inside: only against
// a checkpoint, a signed list of where all chains stood, that is kept elsewhere.
package audit
