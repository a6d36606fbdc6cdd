package audit

import "slices"

// Kind says what happened. Kinds are never renamed: last year's exports hold them.
type Kind string

// What happens while somebody signs in.
const (
	// AttemptStarted: the password was right, and a sign-in began.
	AttemptStarted Kind = "attempt.started"
	// PasswordWrong: a password was looked at and was not the user's.
	PasswordWrong Kind = "password.wrong"
	// PasswordRehashed: the right password was stored in a better form.
	PasswordRehashed Kind = "password.rehashed"
	// SignInRefused: the policy refused, whatever was proved.
	SignInRefused Kind = "signin.refused"
	// TriesUnevaluated: tries were not looked at, because a budget was used up. One
	// event stands for a user, a network and an hour.
	TriesUnevaluated Kind = "tries.unevaluated"
	// CodeSent: a code was made and handed to a channel.
	CodeSent Kind = "code.sent"
	// CodeReplaced: a newer code took the place of a live one.
	CodeReplaced Kind = "code.replaced"
	// CodeStale: a code was typed that had been replaced or had run out.
	CodeStale Kind = "code.stale"
	// CodeWrong: digits were typed that were no code of the challenge.
	CodeWrong Kind = "code.wrong"
	// CodeAccepted: the live code was typed.
	CodeAccepted Kind = "code.accepted"
	// MethodProved: an address or number was proved by a code typed back.
	MethodProved Kind = "method.proved"
	// MethodRested: a method had its fill of wrong codes and rests.
	MethodRested Kind = "method.rested"
	// MessageRefused: a channel refused a message for good.
	MessageRefused Kind = "message.refused"
)

// What happens to sessions.
const (
	// SessionStarted: a sign-in was completed.
	SessionStarted Kind = "session.started"
	// SessionRaised: a session passed a stronger proof (step-up).
	SessionRaised Kind = "session.raised"
	// SessionLocked: a session was locked after it had been idle.
	SessionLocked Kind = "session.locked"
	// SessionResumed: a locked session was opened again.
	SessionResumed Kind = "session.resumed"
	// SessionEnded: a session was ended before its time, by its user or for them.
	SessionEnded Kind = "session.ended"
	// SiteEntered: a session reached a site.
	SiteEntered Kind = "site.entered"
)

// What happens to sites, users and connections.
const (
	// SiteAdded: a site was made.
	SiteAdded Kind = "site.added"
	// SiteChanged: a setting of a site was changed.
	SiteChanged Kind = "site.changed"
	// UserImported: a user was brought in.
	UserImported Kind = "user.imported"
	// MembershipImported: a membership was brought in.
	MembershipImported Kind = "membership.imported"
	// XeroConnected: a Xero organisation was authorised for a site.
	XeroConnected Kind = "xero.connected"
	// XeroDisconnected: a site's connection to Xero was taken away.
	XeroDisconnected Kind = "xero.disconnected"
)

// What happens to the house and to the trail itself.
const (
	// ImportDone: an import ran to its end.
	ImportDone Kind = "import.done"
	// AuditPruned: events past their keeping time were removed on purpose.
	AuditPruned Kind = "audit.pruned"
	// AuditErased: the personal values of a user were erased.
	AuditErased Kind = "audit.erased"
)

// ofTheHouse says whether an event of this kind may be about no site and no user.
func (k Kind) ofTheHouse() bool {
	return slices.Contains([]Kind{ImportDone, AuditPruned}, k)
}
