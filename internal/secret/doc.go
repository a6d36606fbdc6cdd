// Package secret keeps what must not be seen: a text that does not print itself, keys
// that seal what is stored, the keyed hash of codes, and fresh tokens and digits.
//
// # The keys file
//
// One file beside the database, and never in it, holds all keys of an installation:
//
//	{
//	  "version": 1,
//	  "seal": a Tink keyset of AES-256-GCM keys, which seal what is stored,
//	  "mac":  a Tink keyset of HMAC-SHA-256 keys, which hash codes,
//	  "note": the Ed25519 key that signs checkpoints of the audit trail
//	}
//
// The keys stand in it in the clear, so its rights are its owner's alone (0600), and a
// file that others can read is refused. Wrapping the keysets with the key of a key
// service will be another version of the file.
//
// A keyset may hold several keys. The primary one seals and hashes; the others still
// open and match, which is what a rotation needs. One AES-GCM key seals at most 2^32
// values, because its nonces are random (NIST SP 800-38D, section 8.3): a new primary
// is due well before that.
//
// Nothing here makes keys when they are asked for and not there: only [Create] writes a
// file, never over another one. What was sealed with keys that are lost stays closed.
package secret
