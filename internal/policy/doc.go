// Package policy answers one question for the whole product: must this person pass a
// second factor, with what, and why?
//
// Decide is one pure function of facts and a moment. It reads no clock and no database
// and imports nothing but the standard library. Sign-in, every later check, step-up,
// the readiness board, the rollout's preview and its shadow, "why was I asked?" and the
// evidence pack all ask it; none of them decides by itself. If two screens could
// disagree about a person there would be two policies.
//
// # The order of rules
//
//  1. Who is reached. A membership that is not active counts for nothing, and on the
//     web neither does a mobile one. Nothing left, and not staff: Refuse.
//  2. The vendor's staff always pass a factor, an authenticator or a passkey, and no
//     device of theirs is remembered.
//  3. Required? By the strictest membership reached: Xero, connected or once connected
//     and not lowered since; the site's setting; the member's toggle; the user's own
//     choice; the client. A mobile membership requires nothing.
//  4. What was passed in this session meets all that is asked: go on.
//  5. Nothing required: go on.
//  6. Required, but not by the client, and the device is remembered for every site that
//     requires, within the limit of each, and nothing risky happened since: go on.
//  7. Required: Ask, with every method that exists, is strong enough and can work now.
//  8. No method can work: Enrol.
//
// To go on is Allow, or Nudge while a site's date is to come, the person is not ready
// for it, and neither this session's factors nor its device would meet it. Rules 4 and
// 6 end in Nudge as well as rule 5: otherwise somebody's own choice of 2FA would take
// away the warning that another site's stricter date brings.
//
// # Choices made where the rules leave room
//
//   - A method that merely rests (too many wrong tries) is not a dead one. When every
//     method that could work rests, the outcome is Ask with nothing in Offered, and
//     NotOffered says until when each rests. Enrol would hand the account to whoever
//     can make ten wrong guesses and persuade an admin.
//   - Disconnecting Xero changes nothing but the reason: the requirement that the
//     connection brought stays, with the date it had, until it is lowered.
//   - The member's toggle counts where the site's setting is "per user"; under
//     "everyone" it adds nothing, and under "off" the site has not enabled 2FA.
//   - The weakest method a site accepts binds where that site requires something. A
//     site that accepts "authenticator and passkey only" accepts recovery codes too:
//     they are what is printed for the day the authenticator is lost. Staff are held to
//     the letter: no recovery codes.
//   - max_age alone requires no second factor; it makes older proofs not count. How
//     fresh the password must be is for the protocol to ask.
//   - A channel in trouble (all mail slow or down) withholds no method, because the
//     code is sent as soon as the channel is back; it only stops being the default.
//   - One pass must meet everything that is asked, and only the exact kinds offered do:
//     passing any offered method is always enough.
//
// # Time
//
// Every comparison with now goes through one small type (watch) that keeps the earliest
// moment it found still to come. Moments that were reached stay reached, so until that
// earliest one every comparison, and with it the whole decision, is the same. That
// moment is ValidUntil. No moment may be computed from now itself, and no fact in a
// decision may be: "days left" is for the page that shows the stored date.
package policy
