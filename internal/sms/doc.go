// Package sms carries SMS to the vendor's providers, over HTTP.
//
// A Carrier knows several providers in order of preference and hands a text to one of
// them in each call. It never tries a second one by itself: every hand-over has its own
// reservation of the site's balance, so the caller has to be asked. Receipt.Next says
// whether and where it may go on.
//
// What an answer means:
//
//	the provider took it                         Accepted
//	the number is refused by the provider        Permanent, with a reason
//	no connection, DNS, TLS, not written yet     not taken; Next
//	429, 503                                     not taken; Next
//	401, 403                                     not taken, reason auth; Next
//	any other 4xx, 3xx, a refusal inside a 200   not taken; Next
//	500, 502, 504 and the like                   Unknown; Next
//	silence, or a lost connection, afterwards    Unknown; no Next
//	a 2xx that cannot be read                    Unknown; no Next
//
// "Written" is what net/http/httptrace says: until the request has been written no
// provider can have acted on it; from then on any may have.
//
// Providers that failed rest for 1 s, then 2 s, 4 s … at most 30 s. Slow and resting
// ones are tried after the others, and not left out.
//
// Nothing here logs or returns what a provider quotes of a text: only the named fields
// of an answer are read, and six or more digits in a row are masked.
//
// Receipts (delivery reports) come in by Carrier.Receipt. Those of Twilio and of the
// generic webhook are signed. Those of MessageMedia and ClickSend are not, so they come to
// an address with an unguessable part, and are hints: they name a try by our own token,
// and can move it forward only.
package sms
