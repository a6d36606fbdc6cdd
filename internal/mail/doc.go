// Package mail carries letters to the vendor's SMTP relays.
//
// A Carrier knows several relays in order of preference. To send a letter it first
// makes a connection ready (from its pool, or dialled, greeted, encrypted and
// authenticated) and only then begins the mail transaction. That order is what makes
// it safe to be impatient: a second relay is started while the first is still silent,
// and whichever is ready first carries the letter. Nothing has been handed over at
// that point, so nothing can arrive twice.
//
// Inside the transaction the rule is: before the final dot the letter may go to the
// next relay, after it never. When the answer to the dot is lost the outcome is
// unknown, the receipt says so, and the caller decides; a repeat carries the same
// Message-ID (RFC 5322, 3.6.4), so that mail systems and people can tell that the two
// are one.
//
// A refusal is an answer, not an error: it comes back as a Receipt. An error means
// that no relay answered about this letter; it wraps fault.Busy and the same letter
// may be sent again.
//
// Which refusals end the search and which go on to the next relay:
//
//   - a permanent refusal that is about the recipient or the letter (550 5.1.1, 552
//     5.2.2 and the like, at RCPT, DATA or the final dot) is the same everywhere and
//     ends it;
//   - a permanent refusal that is about the relay's view of the sender (any at MAIL,
//     policy and reputation 5.7.x, missing authentication) goes on;
//   - temporary refusals, refused connections, silence, TLS and AUTH trouble go on.
//
// A relay that failed, or was overtaken, is put behind the others for 1 s, then 2 s, 4 s … at
// most 30 s; then one letter tries it first again. It is still tried as the last
// resort meanwhile. A relay that takes letters and delivers them slowly is put behind the
// others by whoever measures that: see Options.Behind.
//
// Codes, notices and bulk mail must not wait for each other: make one Carrier for
// each queue. Carriers share nothing.
//
// What a mail server says later comes back as a delivery status notification (RFC 3464)
// or by a provider's hook; ParseReport and ReadHook read them.
package mail
