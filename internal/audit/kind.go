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
	// SignInAsked: the policy asked for the second factor, for the reasons that stand in it.
	SignInAsked Kind = "signin.asked"
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

// What happens to a person's methods, devices and password.
const (
	// ProofPassed: somebody who is signed in proved again who they are.
	ProofPassed Kind = "proof.passed"
	// RehearsalPassed: somebody tried the new sign-in, and it worked.
	RehearsalPassed Kind = "rehearsal.passed"
	// MethodLinked: an address or number was put on file, and is not proved.
	MethodLinked Kind = "method.linked"
	// MethodAdded: a method was set up and works.
	MethodAdded Kind = "method.added"
	// MethodRenamed: a method got another name.
	MethodRenamed Kind = "method.renamed"
	// MethodRemoved: a method was taken away.
	MethodRemoved Kind = "method.removed"
	// MethodBounced: a carrier said that an address or number takes nothing.
	MethodBounced Kind = "method.bounced"
	// UsualChanged: a person chose another usual way.
	UsualChanged Kind = "usual.changed"
	// RecoveryCodesMade: a new set of recovery codes replaced the one before.
	RecoveryCodesMade Kind = "recovery_codes.made"
	// RecoveryCodeUsed: a recovery code was used up.
	RecoveryCodeUsed Kind = "recovery_code.used"
	// DeviceRemembered: a browser need not pass the second factor for a while.
	DeviceRemembered Kind = "device.remembered"
	// DeviceForgotten: that was ended before its time.
	DeviceForgotten Kind = "device.forgotten"
	// PasswordChanged: a person changed their password.
	PasswordChanged Kind = "password.changed"
	// LoginsJoined: two logins of one person became one.
	LoginsJoined Kind = "logins.joined"
)

// What happens when somebody is stuck.
const (
	// ResetAsked: a link for a forgotten password was sent.
	ResetAsked Kind = "reset.asked"
	// PasswordReset: a password was set with such a link; the mark of it stands.
	PasswordReset Kind = "password.reset"
	// ResetMarkCleared: a method proved before the reset was passed, or somebody helped.
	ResetMarkCleared Kind = "reset_mark.cleared"
	// HelpAsked: somebody asked the site's admins to let them in.
	HelpAsked Kind = "help.asked"
	// HelpApproved: an admin let them in to add a method.
	HelpApproved Kind = "help.approved"
	// HelpDeclined: an admin did not.
	HelpDeclined Kind = "help.declined"
	// HelpCodeGiven: a help code was made.
	HelpCodeGiven Kind = "help_code.given"
	// HelpCodeWrong: something was typed that was no help code of the person.
	HelpCodeWrong Kind = "help_code.wrong"
	// HelpCodeUsed: a help code opened an enrol-only session.
	HelpCodeUsed Kind = "help_code.used"
	// EnrolOpened: an enrol-only session was opened.
	EnrolOpened Kind = "enrol.opened"
	// RecoveryBegun: staff began a recovery.
	RecoveryBegun Kind = "recovery.begun"
	// RecoveryConfirmed: a second member of staff confirmed it.
	RecoveryConfirmed Kind = "recovery.confirmed"
	// RecoveryContested: somebody said stop.
	RecoveryContested Kind = "recovery.contested"
	// RecoveryDecided: staff decided a contested one on papers.
	RecoveryDecided Kind = "recovery.decided"
	// RecoveryRefused: it was given up.
	RecoveryRefused Kind = "recovery.refused"
	// RecoveryDone: it ended in an enrol-only session.
	RecoveryDone Kind = "recovery.done"
	// StaffAdded: a code for a new member of staff was made.
	StaffAdded Kind = "staff.added"
	// StaffEnrolled: the new member set up a method.
	StaffEnrolled Kind = "staff.enrolled"
	// StaffConfirmed: another member of staff confirmed them.
	StaffConfirmed Kind = "staff.confirmed"
	// StaffViewed: staff looked at a site's data.
	StaffViewed Kind = "staff.viewed"
	// StaffOpened: staff gave a reason to see a site that is not given to them.
	StaffOpened Kind = "staff.opened"
	// StaffNoted: staff wrote something down about a site.
	StaffNoted Kind = "staff.noted"
	// StaffReminded: staff had those who are not ready reminded, and the site's admins.
	StaffReminded Kind = "staff.reminded"
	// MembersReminded: an admin had those who are not ready reminded.
	MembersReminded Kind = "members.reminded"
	// StaffEnded: somebody is not a member of staff any more.
	StaffEnded Kind = "staff.ended"
	// ProposalMade: staff proposed what needs a second person.
	ProposalMade Kind = "proposal.made"
	// ProposalConfirmed: a second person confirmed it, and it was done.
	ProposalConfirmed Kind = "proposal.confirmed"
	// ProposalCancelled: it was taken back.
	ProposalCancelled Kind = "proposal.cancelled"
)

// What happens to requests for users, and to access with an end.
const (
	// RequestMade: an admin asked the account manager for a user.
	RequestMade Kind = "request.made"
	// RequestApproved: staff approved it; "step" is first where another must confirm it.
	RequestApproved Kind = "request.approved"
	// RequestDeclined: staff declined it.
	RequestDeclined Kind = "request.declined"
	// RequestWithdrawn: an admin took it back.
	RequestWithdrawn Kind = "request.withdrawn"
	// RequestExpired: it, or its invitation, ran out.
	RequestExpired Kind = "request.expired"
	// InvitationSent: a link to accept was made, which ends those before it.
	InvitationSent Kind = "invitation.sent"
	// InvitationAccepted: the person accepted, and is a member now.
	InvitationAccepted Kind = "invitation.accepted"
	// AccessEnded: a membership ended on the day that was set for it.
	AccessEnded Kind = "access.ended"
	// StaffContactChanged: how a member of staff is reached was changed.
	StaffContactChanged Kind = "staff.contact_changed"
)

// What admins change in User Setup.
const (
	// UserAdded: a user was made for somebody new.
	UserAdded Kind = "user.added"
	// UserInvited: somebody new was sent the link to set a first password.
	UserInvited Kind = "user.invited"
	// UserRenamed: a first or last name was changed.
	UserRenamed Kind = "user.renamed"
	// LoginChanged: a user has another login name from now on. The fact first_password says
	// that somebody who never had a password can set one from the new address.
	LoginChanged Kind = "login.changed"
	// LoginUndone: the old address took such a change back.
	LoginUndone Kind = "login.undone"
	// MembershipAdded: a membership was made.
	MembershipAdded Kind = "membership.added"
	// MembershipChanged: a group, kind, status or toggle was changed.
	MembershipChanged Kind = "membership.changed"
	// MemberLeft: a member has left, and everything of theirs was ended.
	MemberLeft Kind = "member.left"
	// SessionsEnded: all sessions of a member were ended for them.
	SessionsEnded Kind = "sessions.ended"
	// TestCodeSent: a code that opens nothing was sent, to see whether it arrives.
	TestCodeSent Kind = "test_code.sent"
	// TestCodeTyped: whoever it was sent to typed it, being in.
	TestCodeTyped Kind = "test_code.typed"
)

// What happens to messages and to the SMS balance.
const (
	// MessageUndelivered: a message that a carrier had taken did not arrive.
	MessageUndelivered Kind = "message.undelivered"
	// SMSToppedUp: SMS parts were added to a site's balance.
	SMSToppedUp Kind = "sms.topped_up"
	// SMSCharged: an SMS was charged to a site.
	SMSCharged Kind = "sms.charged"
	// SMSRanLow: a site's balance ran low, and its admins were told.
	SMSRanLow Kind = "sms.ran_low"
	// SMSBurst: numbers next to each other were asked for, and sending stopped.
	SMSBurst Kind = "sms.burst"
)

// What happens to sites, users and connections.
const (
	// SiteAdded: a site was made.
	SiteAdded Kind = "site.added"
	// SiteChanged: a setting of a site was changed.
	SiteChanged Kind = "site.changed"
	// RequirementLowered: an admin lowered what a connection to Xero had left behind.
	RequirementLowered Kind = "requirement.lowered"
	// UserImported: a user was brought in.
	UserImported Kind = "user.imported"
	// MembershipImported: a membership was brought in.
	MembershipImported Kind = "membership.imported"
	// XeroConnected: a Xero organisation was authorised for a site.
	XeroConnected Kind = "xero.connected"
	// XeroDisconnected: a site's connection to Xero was taken away.
	XeroDisconnected Kind = "xero.disconnected"
	// XeroAsked: an admin went to Xero to connect the site.
	XeroAsked Kind = "xero.asked"
	// XeroLinked: a site that was connected got another way to its organisation; "was" is
	// why.
	XeroLinked Kind = "xero.linked"
	// XeroRefused: an admin came back from Xero, and nothing was connected; "why" is why.
	XeroRefused Kind = "xero.refused"
	// XeroFailing: the connection does not work; "why" is why. What it requires stays.
	XeroFailing Kind = "xero.failing"
	// XeroHealed: it works again.
	XeroHealed Kind = "xero.healed"
	// XeroTokenGiven: an access token, which lives 30 minutes, was handed to a program of
	// the vendor's.
	XeroTokenGiven Kind = "xero.token_given" //nolint:gosec // a word, and no token
	// XeroReported: the host product said something new of a connection, and what is
	// required did not change by it; "state" is what it said.
	XeroReported Kind = "xero.reported"
	// XeroUnlinked: our own way to the organisation was ended, and the host product says
	// that the site is connected. What is required stays.
	XeroUnlinked Kind = "xero.unlinked"
)

// What happens to logins that several people may use.
const (
	// SharingDismissed: an admin said that a login is used by one person.
	SharingDismissed Kind = "sharing.dismissed"
	// SplitPlanned: an admin named who uses a login, and when it is retired.
	SplitPlanned Kind = "split.planned"
	// SplitAnnounced: everybody was told that the day is near.
	SplitAnnounced Kind = "split.announced"
	// SplitCancelled: an admin called it off.
	SplitCancelled Kind = "split.cancelled"
	// SplitHeld: the day came, and the login was that of the site's last Admin.
	SplitHeld Kind = "split.held"
	// SplitNeedless: the login was no active one any more before the day came.
	SplitNeedless Kind = "split.needless"
	// MembershipRetired: a membership became inactive on the day that was planned.
	MembershipRetired Kind = "membership.retired"
)

// What happens in a rollout. The first seven concern the house, the others are in a site's
// chain.
const (
	// RolloutPlanned: a draft of a rollout was stored.
	RolloutPlanned Kind = "rollout.planned"
	// RolloutStarted: a second person started it.
	RolloutStarted Kind = "rollout.started"
	// RolloutPaused: every date to come was taken out; "why" is what the brake saw.
	RolloutPaused Kind = "rollout.paused"
	// RolloutResumed: it went on.
	RolloutResumed Kind = "rollout.resumed"
	// RolloutEnded: it was closed, all of its dates having come.
	RolloutEnded Kind = "rollout.ended"
	// RolloutWaveMoved: a wave got another day; "why" is chosen, resumed or delivery.
	RolloutWaveMoved Kind = "rollout.wave_moved"
	// RolloutWaveBack: a second person rolled a wave back.
	RolloutWaveBack Kind = "rollout.wave_back"
	// RolloutSitePlaced: a site got its place, and its "date" if its wave has one.
	RolloutSitePlaced Kind = "rollout.site_placed"
	// RolloutSiteDated: it got another date.
	RolloutSiteDated Kind = "rollout.site_dated"
	// RolloutSiteHeld: it was held back a week, because no Admin had proved a way that works.
	RolloutSiteHeld Kind = "rollout.site_held"
	// RolloutSiteExtended: staff moved its date, with the personal "reason".
	RolloutSiteExtended Kind = "rollout.site_extended"
	// RolloutSitePaused: its date was taken out for the time being.
	RolloutSitePaused Kind = "rollout.site_paused"
	// RolloutSiteBack: its wave was rolled back: 2FA is not required by it any more.
	RolloutSiteBack Kind = "rollout.site_back"
	// RolloutSiteClosed: the days on which it is closed were stored.
	RolloutSiteClosed Kind = "rollout.site_closed"
)

// What happens to the house and to the trail itself.
const (
	// APIKeyMade: a program of the vendor's got a key to the API. Of a key for all sites it
	// stands in the house's own chain, otherwise in that of each site.
	APIKeyMade Kind = "api_key.made"
	// APIKeyEnded: such a key was ended.
	APIKeyEnded Kind = "api_key.ended" //nolint:gosec // a word, and no key
	// ClientMade: an application was registered. As with keys, of one for all sites it stands
	// in the house's own chain, otherwise in that of each site.
	ClientMade Kind = "client.made"
	// ClientDisabled: an application was disabled, for good.
	ClientDisabled Kind = "client.disabled"
	// ClientSecretChanged: an application got another secret.
	ClientSecretChanged Kind = "client.secret_changed"
	// ClientEntered: a session was carried to an application.
	ClientEntered Kind = "client.entered"
	// ClientTokensEnded: what an application was given for a session ended before its time, for
	// the reason in it: a code or a refresh token came twice, or the application gave it back.
	ClientTokensEnded Kind = "client.tokens_ended" //nolint:gosec // a word, and no token
	// SigningKeysRotated: another key signs what applications are given.
	SigningKeysRotated Kind = "signing_keys.rotated"
	// WebhookAdded: a program outside is told from now on. Of an endpoint for all sites this
	// and the following stand in the house's own chain, otherwise in that of each site.
	WebhookAdded Kind = "webhook.added"
	// WebhookChanged: its name, address or types were changed.
	WebhookChanged Kind = "webhook.changed"
	// WebhookRotated: it got another secret.
	WebhookRotated Kind = "webhook.rotated"
	// WebhookOff: it was switched off; "why" is staff, gone or failing.
	WebhookOff Kind = "webhook.off"
	// WebhookOn: it was switched on again.
	WebhookOn Kind = "webhook.on"
	// WebhookReplayed: what it was told is sent again; "count" is how many.
	WebhookReplayed Kind = "webhook.replayed"
	// WebhookEnded: it was removed.
	WebhookEnded Kind = "webhook.ended"
	// ImportDone: an import ran to its end.
	ImportDone Kind = "import.done"
	// AuditPruned: events past their keeping time were removed on purpose.
	AuditPruned Kind = "audit.pruned"
	// AuditExported: an admin took a copy of the site's trail.
	AuditExported Kind = "audit.exported"
	// AuditErased: the personal values of a user were erased.
	AuditErased Kind = "audit.erased"
	// EvidenceMade: an evidence pack was made, of the period in its facts. Of all sites it
	// stands in the house's chain, of some in the chain of each.
	EvidenceMade Kind = "evidence.made"
)

// ofTheHouse says whether an event of this kind may be about no site and no user.
func (k Kind) ofTheHouse() bool {
	return slices.Contains([]Kind{
		APIKeyMade, APIKeyEnded, ClientMade, ClientDisabled, ClientSecretChanged, SigningKeysRotated,
		WebhookAdded, WebhookChanged, WebhookRotated, WebhookOff, WebhookOn, WebhookReplayed, WebhookEnded,
		ImportDone, AuditPruned, EvidenceMade, ProposalMade, ProposalConfirmed, ProposalCancelled,
		RolloutPlanned, RolloutStarted, RolloutPaused, RolloutResumed, RolloutEnded, RolloutWaveMoved, RolloutWaveBack,
	}, k)
}
