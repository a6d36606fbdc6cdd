package message

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// NoticeKind is what a person is told of.
type NoticeKind string

// The kinds of notices. Who is told and which Words the sentence uses stand beside each;
// a word that is missing leaves its part of the sentence out.
const (
	// MethodAdded tells the user that a way to sign in was added; "method" is its
	// policy.MethodKind.
	MethodAdded NoticeKind = "method_added"
	// MethodRemoved tells the user that one was removed; "method" as above.
	MethodRemoved NoticeKind = "method_removed"
	// RecoveryCodesMade tells the user that there are new recovery codes.
	RecoveryCodesMade NoticeKind = "recovery_codes_made"
	// RecoveryCodeUsed tells the user that one was used; "left" is how many are left.
	RecoveryCodeUsed NoticeKind = "recovery_code_used"
	// FewRecoveryCodes tells the user that few are left; "left" as above.
	FewRecoveryCodes NoticeKind = "few_recovery_codes"
	// PasswordChanged tells the user that their password was changed.
	PasswordChanged NoticeKind = "password_changed"
	// PasswordReset tells the user that it was reset by a link.
	PasswordReset NoticeKind = "password_reset"
	// HelpAsked tells an admin that somebody waits to be let in. Who it is, and the
	// number to type, are on the page and never in the mail.
	HelpAsked NoticeKind = "help_asked"
	// HelpCodeGiven tells the user, and the other admins with "who", that "by" made a
	// help code.
	HelpCodeGiven NoticeKind = "help_code_given"
	// HelpApproved tells the user, and the other admins with "who", that "by" let them in
	// to add a method.
	HelpApproved NoticeKind = "help_approved"
	// RecoveryBegun tells the user, and the admins with "who", that staff began a recovery.
	RecoveryBegun NoticeKind = "recovery_begun"
	// RecoveryConfirmed tells the same people that a second member of staff confirmed it;
	// "at" is from when on it works, in RFC 3339.
	RecoveryConfirmed NoticeKind = "recovery_confirmed"
	// RecoveryContested tells the same people that somebody said stop.
	RecoveryContested NoticeKind = "recovery_contested"
	// RecoveryDone tells the same people that it ended in a new method.
	RecoveryDone NoticeKind = "recovery_done"
	// LoginsJoined tells the user that two logins of theirs became one.
	LoginsJoined NoticeKind = "logins_joined"
	// LoginChanged tells the user that "by" gave them another login name; without "by" they
	// did it themselves.
	LoginChanged NoticeKind = "login_changed"
	// LoginUndone tells the user, and the site's admins with "who", that such a change was
	// undone.
	LoginUndone NoticeKind = "login_undone"
	// LoginReplaced tells an old address that it is no login name any more, where it gets no
	// link to undo that.
	LoginReplaced NoticeKind = "login_replaced"
	// FirstPasswordMoved tells an admin, and the site's account manager, that "by" gave
	// "who", who never had a password, a new address: their first password can be set from
	// there.
	FirstPasswordMoved NoticeKind = "first_password_moved"
	// MobileChanged tells the user that "by" changed their mobile number.
	MobileChanged NoticeKind = "mobile_changed"
	// SessionsEnded tells the user that "by" ended all of their sessions.
	SessionsEnded NoticeKind = "sessions_ended"
	// MemberLeft tells an admin that "by" noted that "who" has left.
	MemberLeft NoticeKind = "member_left"
	// MemberStopped tells an admin that "by" changed "who" in User Setup, so that they enter
	// or run the site no more; "what" is the policy.Status they have now, or NoAdmin.
	MemberStopped NoticeKind = "member_stopped"
	// MemberAdmin tells an admin that "by" made "who" an Admin of the site.
	MemberAdmin NoticeKind = "member_admin"
	// SMSLow tells an admin that the SMS balance runs low; "left" is what is available.
	SMSLow NoticeKind = "sms_low"
	// AddressDead tells an admin that an address or number takes nothing; "who" is whose
	// it is, "channel" email or sms, "address" the masked address.
	AddressDead NoticeKind = "address_dead"
	// SettingsChanged tells an admin that "by" changed the 2FA settings of the site.
	SettingsChanged NoticeKind = "settings_changed"
	// RequirementLowered tells an admin that "by" lowered what Xero had left behind.
	RequirementLowered NoticeKind = "requirement_lowered"
	// XeroConnected tells an admin that "by" connected the site to the "organisation" at Xero;
	// "at" is from when on it holds, in RFC 3339, where that is still to come; "date" is "wave"
	// where a rollout gives it a day.
	XeroConnected NoticeKind = "xero_connected"
	// XeroDisconnected tells an admin that "by" disconnected it; without "by" it was done at
	// Xero. "until" is until when nobody can lower what it requires, in RFC 3339.
	XeroDisconnected NoticeKind = "xero_disconnected"
	// XeroFailing tells an admin that the connection does not work; "why" is "dead" where
	// somebody has to connect again, else Xero could not be reached.
	XeroFailing NoticeKind = "xero_failing"
	// TrailCheckpoint tells an admin where the site's audit trail stood, once a day: "count"
	// is how many events there were, "note" the signed checkpoint. It goes by mail alone.
	TrailCheckpoint NoticeKind = "trail_checkpoint"
	// StaffAdded tells staff that "by" made a code for "who" to become staff.
	StaffAdded NoticeKind = "staff_added"
	// RequestMade tells staff that "by" asked for a user at the site; RequestSecond that
	// another of them has approved it and a second must.
	RequestMade   NoticeKind = "request_made"
	RequestSecond NoticeKind = "request_second"
	// RequestApproved, RequestDeclined and RequestExpired tell the site's admins what became
	// of their request for "who".
	RequestApproved NoticeKind = "request_approved"
	RequestDeclined NoticeKind = "request_declined"
	RequestExpired  NoticeKind = "request_expired"
	// InvitationAccepted tells them that "who" is a member now.
	InvitationAccepted NoticeKind = "invitation_accepted"
	// AccessEnding tells them that the access of "who" ends soon, after the day "at", in
	// RFC 3339; AccessEnded that it has ended.
	AccessEnding NoticeKind = "access_ending"
	AccessEnded  NoticeKind = "access_ended"
	// SharingDismissed tells an admin that "by" said that the login of "who" is one person's.
	SharingDismissed NoticeKind = "sharing_dismissed"
	// SplitPlanned tells the user, and the admins with "who", that "by" plans to make several
	// logins of theirs; "at" is when it is retired, in RFC 3339.
	SplitPlanned NoticeKind = "split_planned"
	// SplitSoon tells the same people that the day is near; "at" as above.
	SplitSoon NoticeKind = "split_soon"
	// SplitCancelled tells the same people that "by" called it off.
	SplitCancelled NoticeKind = "split_cancelled"
	// SplitDone tells the same people that the login is retired at the site.
	SplitDone NoticeKind = "split_done"
	// SplitHeld tells an admin that the login of "who" is the last Admin's and stays.
	SplitHeld NoticeKind = "split_held"
	// StaffEnded tells staff, and whom it is about, that two of them ended "who"; "by" is
	// the second.
	StaffEnded NoticeKind = "staff_ended"
	// SiteOpened tells an admin that "by", of the vendor's staff, opened the site for
	// "hours" hours; "reason" is what they gave.
	SiteOpened NoticeKind = "site_opened"
	// GetReady reminds the user that a code would not reach them yet, or never did;
	// "mark" is their policy.Mark, "alone" says that they are a lone Admin with one road,
	// "at" is the site's date in RFC 3339, if it is to come.
	GetReady NoticeKind = "get_ready"
	// SiteNotReady reminds an admin of those at the site who are not ready: "left" is how
	// many, "at" as above.
	SiteNotReady NoticeKind = "site_not_ready"
	// YouAreReady tells the user that a code reaches them; "at" is the site's date.
	YouAreReady NoticeKind = "you_are_ready"
	// SiteDate tells an admin how the site stands to its date: "ready" of "office" are ready,
	// "help" need help, "who" and "unreached" are some of their names, a line each, the latter
	// of those whom no mail reaches.
	SiteDate NoticeKind = "site_date"
	// SiteReady tells an admin that everybody there is ready; "at" as above.
	SiteReady NoticeKind = "site_ready"
	// RolloutDated tells an admin from when on 2FA is required at the site: "at", in RFC 3339.
	RolloutDated NoticeKind = "rollout_dated"
	// RolloutPaused tells an admin that the site's date was taken out for the time being.
	RolloutPaused NoticeKind = "rollout_paused"
	// RolloutBack tells an admin that 2FA is not required by the rollout any more, for now.
	RolloutBack NoticeKind = "rollout_back"
	// RolloutUnproved tells an account manager that no Admin of "site", with the reference
	// "ref", has proved a way; "day" is the site's, as 2026-12-08. RolloutHeld that it was
	// held back for that, until "day".
	RolloutUnproved NoticeKind = "rollout_unproved"
	RolloutHeld     NoticeKind = "rollout_held"
	// RolloutPutOff tells a rollout's owner that "wave" was moved to "day", because the
	// "channel" delivers badly.
	RolloutPutOff NoticeKind = "rollout_put_off"
	// RolloutStopped tells a rollout's owner that the brake stopped it in "wave": "failed" of
	// "of" sign-ins there, "control_failed" of "control_of" elsewhere.
	RolloutStopped NoticeKind = "rollout_stopped"
	// WebhookOff tells staff that the endpoint "name" was switched off; "why" is gone, where
	// it said so itself, or failing.
	WebhookOff NoticeKind = "webhook_off"
)

// NoAdmin is what a MemberStopped says of somebody who is active, and no Admin any more.
const NoAdmin = "no_admin"

// Notice is one thing that one person is told.
type Notice struct {
	User id.User
	// Site is where it happened, and who pays if it goes by SMS. May be empty.
	Site id.Site
	Kind NoticeKind
	// Words are the facts of the sentence, none of them secret.
	Words map[string]string
	// Changed is the kind of method that the change is about: the person is told on
	// another channel, too.
	Changed policy.MethodKind
	// Address has the notice go to this mailbox and nowhere else: the old one of a user
	// who has a new one.
	Address string
}

// Tell stores a notice in the caller's transaction: it is sent soon after, together with
// what else waits for the same address, and never dropped.
//
// It goes to the user's mailbox. Where the change is about email, or no mailbox can be
// reached, it goes by SMS to a proved number, too, if the site has a part left. Whoever
// has neither cannot be told.
func (p *Post) Tell(ctx context.Context, tx *db.Tx, n Notice) error {
	ways, err := routes(ctx, tx, n)
	if err != nil {
		return fmt.Errorf("look where to tell somebody: %w", err)
	}
	one := told{User: n.User, Site: n.Site, Kind: n.Kind, Words: n.Words, MadeAt: tx.Now}
	for _, way := range ways {
		one.Channel, one.Address = way.Channel, way.Address
		if err := p.put(ctx, tx, one); err != nil {
			return err
		}
	}
	return nil
}

// put stores one notice and the job that sends it.
func (p *Post) put(ctx context.Context, tx *db.Tx, n told) (err error) {
	n.ID = id.New[id.Notice]()
	if n.Words == nil {
		n.Words = map[string]string{}
	}
	if n.dueAt, err = digest(ctx, tx, n); err != nil {
		return err
	}
	words, err := json.Marshal(n.Words)
	if err != nil {
		return fmt.Errorf("store a notice's words: %w", err)
	}
	if err := insertNotice(ctx, tx, n, string(words)); err != nil {
		return fmt.Errorf("store a notice: %w", err)
	}
	if n.dueAt.After(tx.Now) {
		return nil // SendDue takes it up
	}
	return p.Jobs.Put(ctx, tx, n.Kind.lane(), Notify{User: n.User, Notice: n.ID})
}

// group is whose notices go together: those of one person at one address.
type group struct {
	User    id.User
	Channel Channel
	Address string
}

// routes are where a notice goes.
func routes(ctx context.Context, from db.Reader, n Notice) ([]group, error) {
	if n.Kind == TrailCheckpoint {
		return mailOnly(ctx, from, n.User)
	}
	if n.Address != "" {
		return []group{{n.User, Email, n.Address}}, nil
	}
	who, err := reach(ctx, from, n.User)
	if err != nil {
		return nil, err
	}
	var ways []group
	sms := who.mobile != "" && (n.Changed == policy.Email || !who.reachable)
	if who.mailbox != "" && (who.reachable || !sms) {
		ways = append(ways, group{n.User, Email, who.mailbox})
	}
	if sms {
		ways = append(ways, group{n.User, SMS, who.mobile})
	}
	return ways, nil
}

// mailOnly is the mailbox of somebody, for what no SMS could hold; none where nothing
// would arrive.
func mailOnly(ctx context.Context, from db.Reader, to id.User) ([]group, error) {
	who, err := reach(ctx, from, to)
	if err != nil || !who.reachable {
		return nil, err
	}
	return []group{{to, Email, who.mailbox}}, nil
}

// reached is how somebody can be told things.
type reached struct {
	// mailbox may be one that is known to take no mail; reachable says that it is not.
	mailbox   string
	reachable bool
	// mobile is a proved number that is not known to be dead.
	mobile string
}

func reach(ctx context.Context, from db.Reader, who id.User) (reached, error) {
	all, err := method.Of(ctx, from, who)
	if err != nil {
		return reached{}, fmt.Errorf("read methods: %w", err)
	}
	var r reached
	best := -1
	for _, m := range all {
		switch {
		case m.Kind == policy.SMS && !m.ProvedAt.IsZero() && !m.Pending && !dead(m):
			r.mobile = m.Address
		case m.Kind == policy.Email && m.Address != "" && trust(m) > best:
			best = trust(m)
			r.mailbox, r.reachable = m.Address, !dead(m)
		}
	}
	if r.mailbox != "" {
		return r, nil
	}
	u, err := user.ByID(ctx, from, who)
	if err != nil {
		return r, fmt.Errorf("find a user: %w", err)
	}
	if address.IsDeliverable(u.Login) {
		r.mailbox, r.reachable = string(u.Login), true
	}
	return r, nil
}

// trust orders mailboxes: one that takes mail before one that does not, a proved one
// before others, and last one that is not the user's method yet.
func trust(m method.Method) int {
	n := 0
	if !dead(m) {
		n += 4
	}
	if !m.AwaitsProof && !m.Pending {
		n += 2
	}
	if !m.ProvedAt.IsZero() {
		n++
	}
	return n
}

func dead(m method.Method) bool {
	return m.Health == policy.HealthBounced || m.Health == policy.HealthRefused
}

// tellAdmins tells the active admins of a site, but for one user.
func (p *Post) tellAdmins(ctx context.Context, tx *db.Tx, but id.User, n Notice) error {
	admins, err := site.Admins(ctx, tx, tx.Now, n.Site)
	if err != nil {
		return fmt.Errorf("read a site's admins: %w", err)
	}
	for _, who := range admins {
		if who == but {
			continue
		}
		n.User = who
		if err := p.Tell(ctx, tx, n); err != nil {
			return err
		}
	}
	return nil
}

// low tells a site's admins once that their balance runs low.
func (p *Post) low(ctx context.Context, tx *db.Tx, at id.Site) error {
	first, account, err := balance.RanLow(ctx, tx, at)
	if err != nil || !first {
		return err
	}
	left := strconv.Itoa(account.Available)
	err = audit.Record(ctx, tx, audit.Event{
		Kind: audit.SMSRanLow, Actor: audit.Actor{Kind: audit.ActorSystem, ID: "delivery"}, Site: at,
		Facts: map[string]string{"available": left},
	})
	if err != nil {
		return err
	}
	return p.tellAdmins(ctx, tx, "", Notice{Site: at, Kind: SMSLow, Words: map[string]string{"left": left}})
}

// trouble notes on a method what a carrier said of its address. When that makes it dead,
// the admins who could put the right one there are told, once.
func (p *Post) trouble(ctx context.Context, tx *db.Tx, m Message, s Step, bounced bool) error {
	if m.Method == "" {
		return nil
	}
	before, err := method.ByID(ctx, tx, m.User, m.Method)
	if errors.Is(err, fault.NotFound) {
		return nil // it was removed meanwhile
	}
	if err != nil {
		return fmt.Errorf("find a method: %w", err)
	}
	if bounced && s.firm {
		err = method.Bounced(ctx, tx, m.User, m.Method, string(s.Why))
	} else {
		err = method.Refused(ctx, tx, m.User, m.Method, string(s.Why), s.firm)
	}
	if err != nil {
		return fmt.Errorf("note what a carrier said of an address: %w", err)
	}
	if !s.firm || dead(before) {
		return nil
	}
	e := event(audit.MethodBounced, m, s)
	e.Facts["method"], e.Personal = string(m.Method), map[string]string{"address": m.Address}
	if err := audit.Record(ctx, tx, e); err != nil {
		return err
	}
	return p.tellDead(ctx, tx, m)
}

// tellDead tells the admins of the message's site, or of all of the user's sites.
func (p *Post) tellDead(ctx context.Context, tx *db.Tx, m Message) error {
	who, err := user.ByID(ctx, tx, m.User)
	if err != nil {
		return fmt.Errorf("find a user: %w", err)
	}
	n := Notice{Kind: AddressDead, Words: map[string]string{
		"who": who.Name(), "channel": string(m.Channel), "address": masked(m),
	}}
	sites := []id.Site{m.Site}
	if m.Site == "" {
		if sites, err = activeSites(ctx, tx, m.User); err != nil {
			return err
		}
	}
	for _, n.Site = range sites {
		if err := p.tellAdmins(ctx, tx, m.User, n); err != nil {
			return err
		}
	}
	return nil
}

func activeSites(ctx context.Context, from db.Reader, who id.User) ([]id.Site, error) {
	all, err := site.MembershipsOf(ctx, from, who)
	if err != nil {
		return nil, fmt.Errorf("read memberships: %w", err)
	}
	var sites []id.Site
	for _, m := range all {
		if m.Status == policy.Active {
			sites = append(sites, m.Site)
		}
	}
	return sites, nil
}

// masked is the address of a message as others may read it.
func masked(m Message) string {
	if m.Channel == SMS {
		return phone.Mask(m.Address)
	}
	return address.Mask(address.Canonical(m.Address))
}
