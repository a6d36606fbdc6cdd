// Package session keeps signed-in browsers, browsers that are remembered, and the places
// from which a person is known.
//
// A session is a row: its cookie carries 256 random bits, the row their SHA-256. It
// carries the epochs it was made under. It locks after 30 minutes without use and ends
// at a fixed moment, whatever is done with it.
package session

import (
	"context"
	"fmt"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/epoch"
	"keyturn/internal/id"
	"keyturn/internal/secret"
)

const (
	// IdleLimit is how long a session may rest before it locks (ATO practice; NIST
	// 800-63B-4 section 2.2.3 recommends at most an hour at AAL2).
	IdleLimit = 30 * time.Minute
	// KnownFor is how long a browser or network counts as a user's own after a sign-in
	// that was completed there.
	KnownFor = 30 * 24 * time.Hour
)

// What a sign-in begins with.
const (
	BeganPassword = "password"
	BeganPasskey  = "passkey"
)

// Place is where a request comes from: the browser's own random id, the client's
// network (IPv4 /32, IPv6 /64) and what the browser calls itself.
type Place struct {
	Browser string
	Network string
	Agent   string
}

// Session is one signed-in browser.
type Session struct {
	ID   id.Session
	User id.User
	// SID is what the applications call it that it signed in to: it stays when the session
	// goes on under a new id. Start fills it in where it is empty.
	SID string
	// Client is the kind of client: web, mobile or service.
	Client string
	// Site is the site that was entered; empty for staff.
	Site id.Site
	// UserEpoch, SiteEpoch and MemberEpoch are the numbers it was made, or last decided,
	// under.
	UserEpoch, SiteEpoch, MemberEpoch int64
	// Began is with what it began: "password", or "passkey" in place of one.
	Began string
	// PasswordAt is when the password was right, or the passkey in its place; Factor,
	// FactorMethod and FactorAt say which second factor was passed and when, empty and
	// zero if none was.
	PasswordAt   time.Time
	Factor       string
	FactorMethod id.Method
	FactorAt     time.Time
	// Device is the remembered device that spared the second factor; empty if none did.
	Device    id.Device
	Place     Place
	StartedAt time.Time
	SeenAt    time.Time
	// EndsAt is when it ends whatever happens; EndedAt when it was ended, zero if not.
	EndsAt, EndedAt time.Time
	// DecideAt is when the policy must be asked again; zero if time alone changes nothing.
	DecideAt time.Time
}

// Over says whether the session has ended by itself or was ended.
func (s Session) Over(now time.Time) bool {
	return !s.EndedAt.IsZero() || !now.Before(s.EndsAt)
}

// Locked says whether it has rested too long: it goes on after the password.
func (s Session) Locked(now time.Time) bool { return now.Sub(s.SeenAt) >= IdleLimit }

// Under fills in the present numbers of the session's user, site and membership. They
// are read before the facts by which the session is decided: what changes in between is
// then newer than the session, and ends it or has it decided again.
func Under(ctx context.Context, from db.Reader, s Session) (Session, error) {
	var err error
	if s.UserEpoch, err = epoch.Now(ctx, from, epoch.User(s.User)); err != nil || s.Site == "" {
		return s, err
	}
	if s.SiteEpoch, err = epoch.Now(ctx, from, epoch.Site(s.Site)); err != nil {
		return s, err
	}
	s.MemberEpoch, err = epoch.Now(ctx, from, epoch.Member(s.Site, s.User))
	return s, err
}

// Start stores a new session, which has its numbers from Under, and gives its token,
// which is in no other place than the answer that sets the cookie. The id is filled in.
func Start(ctx context.Context, tx *db.Tx, s Session) (Session, string, error) {
	token, hash := secret.Token()
	s.ID = id.New[id.Session]()
	s.StartedAt, s.SeenAt = tx.Now, tx.Now
	if s.Began == "" {
		s.Began = BeganPassword
	}
	if s.SID == "" {
		s.SID = string(s.ID)
	}
	if err := insert(ctx, tx, s, hash); err != nil {
		return s, "", fmt.Errorf("start a session: %w", err)
	}
	return s, token, nil
}

// Resume stores a session that goes on under a new id: what it was decided under, its end,
// and what applications call it, are those of the one before it.
func Resume(ctx context.Context, tx *db.Tx, s Session) (Session, string, error) {
	token, hash := secret.Token()
	s.ID = id.New[id.Session]()
	s.StartedAt, s.SeenAt = tx.Now, tx.Now
	if s.Began == "" {
		s.Began = BeganPassword
	}
	if err := insert(ctx, tx, s, hash); err != nil {
		return s, "", fmt.Errorf("resume a session: %w", err)
	}
	return s, token, nil
}

// ByID finds a session of a user; fault.NotFound if there is none.
func ByID(ctx context.Context, from db.Reader, who id.User, which id.Session) (Session, error) {
	return byID(ctx, from, who, which)
}

// BySID finds the session that goes on under a name that applications have for it;
// fault.NotFound if none does any more.
func BySID(ctx context.Context, from db.Reader, who id.User, sid string) (Session, error) {
	return bySID(ctx, from, who, sid)
}

// ByToken finds the session of a cookie; fault.NotFound if there is none.
func ByToken(ctx context.Context, from db.Reader, token string) (Session, error) {
	return byHash(ctx, from, secret.TokenHash(token))
}

// End ends a session; fault.Conflict if it has ended already.
func End(ctx context.Context, tx *db.Tx, s Session) error {
	return end(ctx, tx, s.User, s.ID)
}

// Decided stores that the policy was asked again under the site's number, and when it
// must be asked next.
func Decided(ctx context.Context, tx *db.Tx, s Session, siteEpoch int64, next time.Time) error {
	return decided(ctx, tx, s, siteEpoch, next)
}

// Seen stores the last use of a session that has not ended. A use never moves time
// back.
func Seen(ctx context.Context, tx *db.Tx, who id.User, which id.Session, at time.Time) error {
	return seen(ctx, tx, who, which, at)
}

// Recent lists a user's latest sessions, ended or not, the newest first.
func Recent(ctx context.Context, from db.Reader, who id.User, limit int) ([]Session, error) {
	return recent(ctx, from, who, limit)
}

// LastAt gives when each of many users last began a session at a site; one who did not,
// as far as sessions are kept (90 days), is left out.
func LastAt(ctx context.Context, from db.Reader, at id.Site, who []id.User) (map[id.User]time.Time, error) {
	rows, err := lastAt(ctx, from, at, who)
	if err != nil {
		return nil, fmt.Errorf("read last sign-ins: %w", err)
	}
	all := make(map[id.User]time.Time, len(rows))
	for _, l := range rows {
		all[l.User] = l.StartedAt
	}
	return all, nil
}

// OpenAt gives a user's sessions at a site that are neither over nor of before a change.
func OpenAt(ctx context.Context, from db.Reader, at id.Site, who id.User, now time.Time) ([]Session, error) {
	all, err := open(ctx, from, who, now)
	if err != nil {
		return nil, fmt.Errorf("read open sessions: %w", err)
	}
	var here []Session
	for _, s := range all {
		if s.Site != at {
			continue
		}
		present, err := Under(ctx, from, s)
		if err != nil {
			return nil, err
		}
		if present.UserEpoch == s.UserEpoch && present.MemberEpoch == s.MemberEpoch {
			here = append(here, s)
		}
	}
	return here, nil
}

// Known says whether the user completed a sign-in in this browser, or from this
// network, in the last 30 days.
func Known(ctx context.Context, from db.Reader, who id.User, at Place, now time.Time) (bool, error) {
	return known(ctx, from, who, marks(at), now.Add(-KnownFor))
}

// KnownBrowser says whether the user completed a sign-in in this very browser in the
// last 30 days, wherever it is now.
func KnownBrowser(ctx context.Context, from db.Reader, who id.User, at Place, now time.Time) (bool, error) {
	return known(ctx, from, who, marks(Place{Browser: at.Browser}), now.Add(-KnownFor))
}

// Remember notes that the user completed a sign-in here.
func Remember(ctx context.Context, tx *db.Tx, who id.User, at Place) error {
	for _, mark := range marks(at) {
		if err := note(ctx, tx, who, mark); err != nil {
			return fmt.Errorf("note a known place: %w", err)
		}
	}
	return nil
}

// marks are the names under which a place is known. One that is missing names nothing:
// a browser without a cookie is nobody's.
func marks(at Place) []string {
	var all []string
	if at.Browser != "" {
		all = append(all, "browser:"+at.Browser)
	}
	if at.Network != "" {
		all = append(all, "network:"+at.Network)
	}
	return all
}

// keepOver is how long a session that is over stays in a person's list of sign-ins.
const keepOver = 90 * 24 * time.Hour

// Sweep removes sessions that are long over, devices that are over, and places where
// nobody signed in lately; limit at most of each at once.
func Sweep(ctx context.Context, tx *db.Tx, limit int) error {
	if err := sweep(ctx, tx, tx.Now.Add(-keepOver), tx.Now.Add(-KnownFor), limit); err != nil {
		return fmt.Errorf("sweep sessions: %w", err)
	}
	// Nothing reads a device that is over.
	if err := sweepDevices(ctx, tx, tx.Now, limit); err != nil {
		return fmt.Errorf("sweep remembered devices: %w", err)
	}
	return nil
}
