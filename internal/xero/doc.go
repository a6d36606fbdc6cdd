// Package xero speaks with Xero: it asks a person to let us in (OAuth 2.0 authorization
// code with PKCE, OpenID Connect), keeps that going with refresh tokens, and reads and ends
// connections. It stores nothing.
//
// What Xero says of a grant is an answer: a refresh token that is not taken any more is
// Dead, an id token that is not for us is Foreign. Trouble that passes (a limit, an outage,
// an answer that cannot be read) is a *fault.Wait, which knows when to come back.
//
// # What holds at Xero
//
// An access token lives 30 minutes, a refresh token 60 days. Each renewal gives a new
// refresh token; the one before it works for 30 minutes more, for whoever did not get the
// answer. The limits are 60 calls a minute, 5,000 a day and 5 at once; beyond them the
// answer is 429 with Retry-After. Nothing tells us of a connection that a person ended at
// Xero: the list has to be read. (developer.xero.com: "The standard authorization code
// flow", "OAuth 2.0 API limits", "Managing connections".)
package xero
