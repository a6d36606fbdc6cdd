// Package balance is the SMS balance of a site, kept as a ledger.
//
// A part is what a provider charges: one SMS of 160 letters. A site's account has the
// parts it may still spend (available) and those that are reserved for messages under
// way (held). Before an SMS is handed to a provider, its parts are reserved by a hold;
// what the provider says then settles the hold, once:
//
//	Reserve  available → held       before the hand-over, or there is none
//	Charge   held → gone            it was accepted; how many parts it was is now known
//	Release  held → available       it was not accepted
//	Refund   gone → available       it was charged, and was not taken after all
//	TopUp    → available            parts were bought; a reference counts once
//
// A hold of which nothing was heard for 24 hours is charged (SettleDue): most such
// messages were sent, and the site's books are closed a day later at the latest. A hold
// that is settled stays as it is, however often and in whatever order Charge, Release
// and SettleDue come again; only a charged one can be refunded, once.
//
// Each of these writes one entry: what moved, who for, and how the account stood after.
// The laws, which Audit checks on the entries alone:
//
//  1. available and held are never below zero.
//  2. opening + top-ups − charges + refunds = available + held, after every entry.
//  3. The numbers of a site's entries are 1, 2, 3 … without a gap; the first is the
//     opening, and the account stands as the last one says.
//  4. A hold is settled by one entry, and has at most one refund, of what was charged.
//
// The account's row is the lock. Whatever moves parts takes it first, by an UPDATE, so
// the movements of one site stand in one order, on all nodes. A site that was never
// written to has no row yet: what it has is sites.sms_available, and the first movement
// makes the row and its opening entry.
//
// # The float
//
// The last parts of a balance are kept back for the site's admins, FloatPerAdmin for
// each of them, so that somebody can still get in and top it up. Others stop at the
// float. An admin goes on to zero (Ask.Admin); that each takes no more than their share
// in a day is a question to ask before (FloatUsed), and the policy asks it.
//
// Entries and holds never say a number or what was written, and are kept for good.
package balance
